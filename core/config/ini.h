/* core/config/ini.h - the INI reader.
 *
 * `[section]` and `key = value` lines up to 64 KiB. `;` and `#` start a comment at the start of a
 * line or after a blank, except inside "...". A value may be quoted as a whole: the quotes are
 * removed, \" and \\ inside stand for " and \. Every entry remembers file and line, so that later
 * errors can name them. (A library would do, but Debian's inih cuts lines at 200 bytes silently.)
 */
#ifndef ARCHAI_CORE_CONFIG_INI_H
#define ARCHAI_CORE_CONFIG_INI_H
#include <stdbool.h>
#include <stddef.h>
#include "core/base/err.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { ARCHAI_INI_LINE_MAX = 65536 };

typedef struct archai_ini_entry {
    char *section; /* owned; "" before the first section */
    char *key;     /* owned; NULL marks the section header itself */
    char *value;   /* owned; quotes and comment removed */
    char *file;    /* owned; "--set" for entries from the command line */
    int line;      /* from 1; 0 for --set */
    bool used;     /* some option table took it */
    bool quoted;   /* the value stood in quotes, as a whole */
} archai_ini_entry;

typedef struct archai_ini {
    char *file;           /* owned; the reader's `file`; NULL: made of --set alone */
    archai_ini_entry *at; /* owned, in file order */
    size_t n, capacity;
} archai_ini;

/* Parse `size` bytes of text; `file` is the name for messages. All problems, a line each,
 * "file:line: ...": a line too long, a control character, a key outside a section or given twice. */
int archai_ini_parse(archai_ini *out, const char *file, const char *text, size_t size,
                     archai_err *err);
int archai_ini_read(archai_ini *out, const char *path, archai_err *err); /* a file; at most 16 MiB */
/* Override or add "section.key=value", divided at the first '=' and the last '.' before it. Errors
 * begin "--set: ". */
int archai_ini_set(archai_ini *ini, const char *assignment, archai_err *err);
/* NULL when absent. */
archai_ini_entry *archai_ini_find(const archai_ini *ini, const char *section, const char *key);
/* Prepend the place of an entry to an error, "file:line: " or "--set: ", and return rc. */
int archai_ini_wrap(const archai_ini_entry *e, int rc, archai_err *err);
/* The same for an error that begins with "section.key: ", if that key was given; others stay. */
int archai_ini_locate(const archai_ini *ini, int rc, archai_err *err);
/* The name for messages: the file, or "configuration". */
const char *archai_ini_name(const archai_ini *ini);
bool archai_ini_has_section(const archai_ini *ini, const char *section);
/* `value` as it must be written after "key = " to be read back unchanged: as it is, or quoted. Caller
 * frees. */
char *archai_ini_quote(const char *value);
void archai_ini_free(archai_ini *ini);

#ifdef __cplusplus
}
#endif
#endif
