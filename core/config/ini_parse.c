/* core/config/ini_parse.c - text to entries: lines, comments, quotes. */
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/config/ini_private.h"

enum { MAX_PROBLEMS = 10 };

typedef struct parser {
    archai_ini *ini;
    const char *file;
    int line;
    char *section; /* borrowed from the last header's entry; NULL before the first */
    bool lost;     /* the last header was bad: the section of what follows is unknown */
    bool foreign;  /* this is not text */
    archai_err *err;
} parser;

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

void archai_ini_trim(char *text)
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
bool archai_ini_unquote(char *value)
{
    size_t n = 0, i = 1;

    if (value[0] != '"')
        return false;
    while (value[i] != '\0' && value[i] != '"')
        i += value[i] == '\\' && value[i + 1] != '\0' ? 2 : 1;
    if (value[i] == '\0' || value[i + 1] != '\0')
        return false;
    for (i = 1; value[i + 1] != '\0'; i++) {
        if (value[i] == '\\' && (value[i + 1] == '"' || value[i + 1] == '\\'))
            i++;
        value[n++] = value[i];
    }
    value[n] = '\0';
    return true;
}

char *archai_ini_quote(const char *value)
{
    char *copy = archai_strdup(value), *quoted, *p;
    const bool plain = strip_comment(copy);

    archai_ini_trim(copy);
    (void)archai_ini_unquote(copy);
    if (plain && strcmp(copy, value) == 0)
        return copy;
    free(copy);
    p = quoted = archai_malloc(2 * strlen(value) + 3);
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

bool archai_ini_name_ok(const char *name)
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
        return archai_fail(p->err, ARCHAI_EFORMAT, "'%.100s' lacks its ']'", text);
    text[n - 1] = '\0';
    archai_ini_trim(++text);
    if (!archai_ini_name_ok(text))
        return archai_fail(p->err, ARCHAI_EFORMAT,
                           "'[%.100s]' is not a section name, expected letters, digits and _ . -",
                           text);
    earlier = archai_ini_find(p->ini, text, NULL);
    if (earlier != NULL)
        return archai_fail(p->err, ARCHAI_EFORMAT, "[%.100s] is already defined in line %d", text,
                           earlier->line);
    ARCHAI_TRY(archai_ini_append(p->ini, text, NULL, "", p->file, p->line, p->err));
    p->section = p->ini->at[p->ini->n - 1].section;
    return ARCHAI_OK;
}

static int parse_assignment(parser *p, char *text)
{
    char *equals = strchr(text, '='), *value;
    const archai_ini_entry *earlier;
    bool quoted;

    if (equals == NULL)
        return archai_fail(p->err, ARCHAI_EFORMAT, "'%.100s' is neither [section] nor key = value",
                           text);
    *equals = '\0';
    value = equals + 1;
    archai_ini_trim(text);
    archai_ini_trim(value);
    if (!archai_ini_name_ok(text))
        return archai_fail(p->err, ARCHAI_EFORMAT,
                           "'%.100s' is not a key, expected letters, digits and _ . -", text);
    if (p->section == NULL)
        return archai_fail(p->err, ARCHAI_EFORMAT, "%.100s: comes before the first [section]",
                           text);
    earlier = archai_ini_find(p->ini, p->section, text);
    if (earlier != NULL)
        return archai_fail(p->err, ARCHAI_EFORMAT, "%s.%.100s: already given in line %d",
                           p->section, text, earlier->line);
    quoted = archai_ini_unquote(value);
    ARCHAI_TRY(archai_ini_append(p->ini, p->section, text, value, p->file, p->line, p->err));
    p->ini->at[p->ini->n - 1].quoted = quoted;
    return ARCHAI_OK;
}

/* `text` is one line without its end, writable. */
static int parse_line(parser *p, char *text)
{
    int rc;

    if (!strip_comment(text))
        return archai_fail(p->err, ARCHAI_EFORMAT, "a \" is never closed");
    archai_ini_trim(text);
    if (text[0] == '\0')
        return ARCHAI_OK;
    if (text[0] != '[')
        return p->lost ? ARCHAI_OK : parse_assignment(p, text);
    rc = parse_header(p, text);
    p->lost = rc != ARCHAI_OK;
    return rc;
}

int archai_ini_check_bytes(const char *text, size_t n, archai_err *err)
{
    if (n > ARCHAI_INI_LINE_MAX)
        return archai_fail(err, ARCHAI_EFORMAT, "line of %zu bytes, at most %d are read", n,
                           ARCHAI_INI_LINE_MAX);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];

        if ((c < 0x20 || c == 0x7f) && c != '\t')
            return archai_fail(err, ARCHAI_EFORMAT, "control character 0x%02x in column %zu",
                               (unsigned)c, i + 1);
    }
    return ARCHAI_OK;
}

static int take_line(parser *p, const char *text, size_t n)
{
    char *line;
    int rc;

    if (n > 0 && text[n - 1] == '\r')
        n--;
    rc = archai_ini_check_bytes(text, n, p->err);
    p->foreign = rc != ARCHAI_OK && n <= ARCHAI_INI_LINE_MAX;
    if (rc != ARCHAI_OK)
        return rc;
    line = archai_strndup(text, n);
    rc = parse_line(p, line);
    free(line);
    return rc;
}

/* All lines, also those behind a bad one, so that a user sees several problems at once. After
 * MAX_PROBLEMS of them the file is probably not a configuration at all. */
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
        p->line++;
        one_rc = archai_err_wrap(&one, take_line(p, text + at, n), "%s:%d: ", p->file, p->line);
        problems += one_rc != ARCHAI_OK ? 1 : 0;
        rc = archai_err_also(err, rc, one_rc, &one);
        at += n + 1;
    }
    return rc;
}

int archai_ini_parse(archai_ini *out, const char *file, const char *text, size_t size,
                     archai_err *err)
{
    archai_ini made = {.file = archai_strdup(file)};
    parser p = {.ini = &made, .file = file};
    int rc = parse_all(&p, text, size, err);

    if (rc != ARCHAI_OK)
        archai_ini_free(&made);
    else
        *out = made;
    return rc;
}
