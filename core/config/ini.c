#include "core/config/ini.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX_BYTES = 16 * 1024 * 1024, MAX_ENTRIES = 10000, MAX_PROBLEMS = 10 };

typedef struct parser {
    archai_ini *ini;
    const char *file;
    int line;
    char *section; /* borrowed from the last header's entry; NULL before the first */
    bool lost;     /* the last header was bad: what follows belongs to nobody knows what */
    bool foreign;  /* this is no text */
    archai_err *err;
} parser;

/* -- entries --------------------------------------------------------------------------- */

static void free_entry(archai_ini_entry *e)
{
    free(e->section);
    free(e->key);
    free(e->value);
    free(e->file);
}

void archai_ini_free(archai_ini *ini)
{
    for (size_t i = 0; i < ini->n; i++)
        free_entry(&ini->at[i]);
    free(ini->at);
    free(ini->file);
    memset(ini, 0, sizeof *ini);
}

/* Append a copy; key NULL for a header. The array grows by doubling: capacity is the power of
 * two at or above n. */
static int append(archai_ini *ini, const char *section, const char *key, const char *value,
                  const char *file, int line, archai_err *err)
{
    archai_ini_entry e = {.line = line};

    if (ini->n >= MAX_ENTRIES) /* look-ups are linear */
        return archai_fail(err, ARCHAI_EFORMAT, "%s:%d: more than %d keys", file, line,
                           MAX_ENTRIES);
    if ((ini->n & (ini->n - 1)) == 0) {
        size_t capacity = ini->n == 0 ? 1 : 2 * ini->n;
        archai_ini_entry *grown = realloc(ini->at, capacity * sizeof *grown);

        if (grown == NULL)
            return archai_fail(err, ARCHAI_ENOMEM, "%s: out of memory", file);
        ini->at = grown;
    }
    e.section = strdup(section);
    e.key = key != NULL ? strdup(key) : NULL;
    e.value = strdup(value);
    e.file = strdup(file);
    if (e.section == NULL || (key != NULL && e.key == NULL) || e.value == NULL ||
        e.file == NULL) {
        free_entry(&e);
        return archai_fail(err, ARCHAI_ENOMEM, "%s: out of memory", file);
    }
    ini->at[ini->n++] = e;
    return ARCHAI_OK;
}

static archai_ini_entry *find(const archai_ini *ini, const char *section, const char *key)
{
    for (size_t i = 0; i < ini->n; i++) {
        archai_ini_entry *e = &ini->at[i];

        if (strcmp(e->section, section) != 0)
            continue;
        if (key == NULL ? e->key == NULL : e->key != NULL && strcmp(e->key, key) == 0)
            return e;
    }
    return NULL;
}

archai_ini_entry *archai_ini_find(const archai_ini *ini, const char *section, const char *key)
{
    return find(ini, section, key);
}

int archai_ini_wrap(const archai_ini_entry *e, int rc, archai_err *err)
{
    if (e->line == 0)
        return archai_err_wrap(err, rc, "%s: ", e->file);
    return archai_err_wrap(err, rc, "%s:%d: ", e->file, e->line);
}

int archai_ini_locate(const archai_ini *ini, int rc, archai_err *err)
{
    if (rc == ARCHAI_OK || err == NULL)
        return rc;
    for (size_t i = 0; i < ini->n; i++) {
        const archai_ini_entry *e = &ini->at[i];
        const char *text = err->text;
        const size_t section = strlen(e->section);
        const size_t key = e->key != NULL ? strlen(e->key) : 0; /* NULL: the line of a section */

        if (e->key != NULL && strncmp(text, e->section, section) == 0 && text[section] == '.' &&
            strncmp(text + section + 1, e->key, key) == 0 &&
            strncmp(text + section + 1 + key, ": ", 2) == 0)
            return archai_ini_wrap(e, rc, err);
    }
    return rc;
}

bool archai_ini_has_section(const archai_ini *ini, const char *section)
{
    return find(ini, section, NULL) != NULL;
}

/* -- lines ----------------------------------------------------------------------------- */

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

static void trim(char *text)
{
    size_t n = strlen(text), lead = 0;

    while (n > 0 && blank(text[n - 1]))
        n--;
    while (lead < n && blank(text[lead]))
        lead++;
    memmove(text, text + lead, n - lead);
    text[n - lead] = '\0';
}

/* Cut the comment off; "..." protects ';' and '#', and \" inside does not end it. A quote that
 * is never closed runs to the end of the line and is reported by the caller. */
static bool strip_comment(char *text)
{
    bool quoted = false;

    for (size_t i = 0; text[i] != '\0'; i++) {
        if (quoted && text[i] == '\\' && text[i + 1] != '\0')
            i++;
        else if (text[i] == '"')
            quoted = !quoted;
        else if (!quoted && (text[i] == ';' || text[i] == '#') &&
                 (i == 0 || blank(text[i - 1]))) {
            text[i] = '\0';
            break;
        }
    }
    return !quoted;
}

/* A value that is one quoted text loses its quotes; "a" "b" stays as written, for commands. */
static void unquote(char *value)
{
    size_t n = 0, i = 1;

    if (value[0] != '"')
        return;
    while (value[i] != '\0' && value[i] != '"')
        i += value[i] == '\\' && value[i + 1] != '\0' ? 2 : 1;
    if (value[i] == '\0' || value[i + 1] != '\0')
        return;
    for (i = 1; value[i + 1] != '\0'; i++) {
        if (value[i] == '\\' && (value[i + 1] == '"' || value[i + 1] == '\\'))
            i++;
        value[n++] = value[i];
    }
    value[n] = '\0';
}

char *archai_ini_quote(const char *value)
{
    char *copy = strdup(value), *quoted, *p;
    bool plain;

    if (copy == NULL)
        return NULL;
    plain = strip_comment(copy);
    trim(copy);
    unquote(copy);
    if (plain && strcmp(copy, value) == 0)
        return copy;
    free(copy);
    p = quoted = malloc(2 * strlen(value) + 3);
    if (quoted == NULL)
        return NULL;
    *p++ = '"';
    for (; *value != '\0'; value++) {
        if (*value == '"' || *value == '\\')
            *p++ = '\\';
        *p++ = *value;
    }
    *p++ = '"';
    *p = '\0';
    return quoted;
}

static bool name_ok(const char *name)
{
    for (const char *p = name; *p != '\0'; p++)
        if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
              (*p >= '0' && *p <= '9') || strchr("_.-", *p) != NULL))
            return false;
    return name[0] != '\0';
}

static int parse_header(parser *p, char *text)
{
    size_t n = strlen(text);
    const archai_ini_entry *earlier;

    if (text[n - 1] != ']')
        return archai_fail(p->err, ARCHAI_EFORMAT, "%s:%d: '%.100s' lacks its ']'", p->file,
                           p->line, text);
    text[n - 1] = '\0';
    trim(++text);
    if (!name_ok(text))
        return archai_fail(
            p->err, ARCHAI_EFORMAT,
            "%s:%d: '[%.100s]' is no section name, expected letters, digits and _ . -", p->file,
            p->line, text);
    earlier = find(p->ini, text, NULL);
    if (earlier != NULL)
        return archai_fail(p->err, ARCHAI_EFORMAT, "%s:%d: [%.100s] stands already in line %d",
                           p->file, p->line, text, earlier->line);
    ARCHAI_TRY(append(p->ini, text, NULL, "", p->file, p->line, p->err));
    p->section = p->ini->at[p->ini->n - 1].section;
    return ARCHAI_OK;
}

static int parse_assignment(parser *p, char *text)
{
    char *equals = strchr(text, '='), *value;
    const archai_ini_entry *earlier;

    if (equals == NULL)
        return archai_fail(p->err, ARCHAI_EFORMAT,
                           "%s:%d: '%.100s' is neither [section] nor key = value", p->file,
                           p->line, text);
    *equals = '\0';
    value = equals + 1;
    trim(text);
    trim(value);
    if (!name_ok(text))
        return archai_fail(p->err, ARCHAI_EFORMAT,
                           "%s:%d: '%.100s' is no key, expected letters, digits and _ . -",
                           p->file, p->line, text);
    if (p->section == NULL)
        return archai_fail(p->err, ARCHAI_EFORMAT,
                           "%s:%d: %.100s: stands before the first [section]", p->file, p->line,
                           text);
    earlier = find(p->ini, p->section, text);
    if (earlier != NULL)
        return archai_fail(p->err, ARCHAI_EFORMAT, "%s:%d: %s.%.100s: given already in line %d",
                           p->file, p->line, p->section, text, earlier->line);
    unquote(value);
    return append(p->ini, p->section, text, value, p->file, p->line, p->err);
}

/* `text` is one line without its end, writable. */
static int parse_line(parser *p, char *text)
{
    int rc;

    if (!strip_comment(text))
        return archai_fail(p->err, ARCHAI_EFORMAT, "%s:%d: a \" is never closed", p->file,
                           p->line);
    trim(text);
    if (text[0] == '\0')
        return ARCHAI_OK;
    if (text[0] != '[')
        return p->lost ? ARCHAI_OK : parse_assignment(p, text);
    rc = parse_header(p, text);
    p->lost = rc != ARCHAI_OK;
    return rc;
}

/* Bytes that no line may hold; they are the mark of a file that is no text. */
static int check_bytes(parser *p, const char *text, size_t n)
{
    if (n > ARCHAI_INI_LINE_MAX)
        return archai_fail(p->err, ARCHAI_EFORMAT,
                           "%s:%d: line of %zu bytes, at most %d are read", p->file, p->line, n,
                           ARCHAI_INI_LINE_MAX);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];

        if ((c >= 0x20 && c != 0x7f) || c == '\t')
            continue;
        p->foreign = true;
        return archai_fail(p->err, ARCHAI_EFORMAT,
                           "%s:%d: control character 0x%02x in column %zu", p->file, p->line,
                           (unsigned)c, i + 1);
    }
    return ARCHAI_OK;
}

static int take_line(parser *p, const char *text, size_t n)
{
    char *line;
    int rc;

    p->line++;
    if (n > 0 && text[n - 1] == '\r')
        n--;
    ARCHAI_TRY(check_bytes(p, text, n));
    line = strndup(text, n);
    if (line == NULL)
        return archai_fail(p->err, ARCHAI_ENOMEM, "%s: out of memory", p->file);
    rc = parse_line(p, line);
    free(line);
    return rc;
}

/* All lines, also behind a bad one, so that a user sees several problems at once; a file that
 * is no configuration at all is given up after a few. */
static int parse_all(parser *p, const char *text, size_t size, archai_err *err)
{
    size_t at = size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0; /* byte order mark */
    int problems = 0, rc = ARCHAI_OK;

    while (at < size && problems < MAX_PROBLEMS && !p->foreign) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t n = end != NULL ? (size_t)(end - text) - at : size - at;
        archai_err one = ARCHAI_ERR_INIT;
        int one_rc;

        p->err = &one;
        one_rc = take_line(p, text + at, n);
        problems += one_rc != ARCHAI_OK ? 1 : 0;
        rc = archai_err_also(err, rc, one_rc, &one);
        at += n + 1;
    }
    return rc;
}

int archai_ini_parse(archai_ini *out, const char *file, const char *text, size_t size,
                     archai_err *err)
{
    archai_ini made = {.file = strdup(file)};
    parser p = {.ini = &made, .file = file};
    int rc = made.file == NULL ? archai_fail(err, ARCHAI_ENOMEM, "%s: out of memory", file)
                               : parse_all(&p, text, size, err);

    if (rc != ARCHAI_OK)
        archai_ini_free(&made);
    else
        *out = made;
    return rc;
}

const char *archai_ini_name(const archai_ini *ini)
{
    return ini->file != NULL ? ini->file : "configuration";
}

/* -- files and overrides --------------------------------------------------------------- */

int archai_ini_read(archai_ini *out, const char *path, archai_err *err)
{
    FILE *in = fopen(path, "rb");
    char *text = NULL;
    size_t size;
    int rc;

    if (in == NULL)
        return archai_fail(err, ARCHAI_ENOTFOUND, "%s: %s", path, strerror(errno));
    text = malloc(FILE_MAX_BYTES + 1);
    if (text == NULL) {
        rc = archai_fail(err, ARCHAI_ENOMEM, "%s: out of memory", path);
        goto out;
    }
    size = fread(text, 1, FILE_MAX_BYTES + 1, in);
    if (ferror(in))
        rc = archai_fail(err, ARCHAI_EINVAL, "%s: %s", path, strerror(errno));
    else if (size > FILE_MAX_BYTES)
        rc = archai_fail(err, ARCHAI_EFORMAT, "%s: more than 16 MiB, this is no configuration",
                         path);
    else
        rc = archai_ini_parse(out, path, text, size, err);
out:
    free(text);
    (void)fclose(in);
    return rc;
}

/* Insert as the last entry of its section. */
static int insert(archai_ini *ini, const char *section, const char *key, const char *value,
                  archai_err *err)
{
    archai_ini_entry added;
    size_t place = ini->n;

    if (!archai_ini_has_section(ini, section)) {
        ARCHAI_TRY(append(ini, section, NULL, "", "--set", 0, err));
        return append(ini, section, key, value, "--set", 0, err);
    }
    while (strcmp(ini->at[place - 1].section, section) != 0)
        place--;
    ARCHAI_TRY(append(ini, section, key, value, "--set", 0, err));
    added = ini->at[ini->n - 1];
    memmove(&ini->at[place + 1], &ini->at[place], (ini->n - 1 - place) * sizeof added);
    ini->at[place] = added;
    return ARCHAI_OK;
}

static int replace(archai_ini_entry *e, const char *value, archai_err *err)
{
    char *file = strdup("--set"), *copy = strdup(value);

    if (file == NULL || copy == NULL) {
        free(file);
        free(copy);
        return archai_fail(err, ARCHAI_ENOMEM, "--set: out of memory");
    }
    free(e->file);
    free(e->value);
    e->file = file;
    e->value = copy;
    e->line = 0;
    return ARCHAI_OK;
}

int archai_ini_set(archai_ini *ini, const char *assignment, archai_err *err)
{
    char *text = strdup(assignment), *equals, *dot, *value;
    archai_ini_entry *old;
    parser p = {.file = "--set", .err = err};
    int rc;

    if (text == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "--set: out of memory");
    rc = check_bytes(&p, text, strlen(text));
    if (rc != ARCHAI_OK)
        goto out;
    equals = strchr(text, '=');
    if (equals != NULL)
        *equals = '\0';
    dot = strrchr(text, '.');
    if (equals == NULL || dot == NULL) {
        rc = archai_fail(err, ARCHAI_EINVAL, "--set %.200s: expected SECTION.KEY=VALUE",
                         assignment);
        goto out;
    }
    *dot = '\0';
    value = equals + 1;
    trim(text);
    trim(dot + 1);
    trim(value);
    unquote(value);
    if (!name_ok(text) || !name_ok(dot + 1)) {
        rc = archai_fail(err, ARCHAI_EINVAL, "--set %.200s: expected SECTION.KEY=VALUE",
                         assignment);
        goto out;
    }
    old = find(ini, text, dot + 1);
    rc = old != NULL ? replace(old, value, err) : insert(ini, text, dot + 1, value, err);
out:
    free(text);
    return rc;
}
