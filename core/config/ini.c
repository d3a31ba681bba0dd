/* core/config/ini.c - entries: found, located, read from a file, overridden. */
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/text.h"
#include "core/config/ini_private.h"

enum { FILE_MAX_BYTES = 16 * 1024 * 1024, MAX_ENTRIES = 10000 };
static const char override_name[] = "--set";

void archai_ini_free(archai_ini *ini)
{
    for (size_t i = 0; i < ini->n; i++) {
        free(ini->at[i].section);
        free(ini->at[i].key);
        free(ini->at[i].value);
        free(ini->at[i].file);
    }
    free(ini->at);
    free(ini->file);
    memset(ini, 0, sizeof *ini);
}

int archai_ini_append(archai_ini *ini, const char *section, const char *key, const char *value,
                      const char *file, int line, archai_err *err)
{
    if (ini->n >= MAX_ENTRIES) /* look-ups are linear */
        return archai_fail(err, ARCHAI_EFORMAT, "more than %d keys", MAX_ENTRIES);
    ARCHAI_RESERVE(ini->at, ini->capacity, ini->n + 1);
    ini->at[ini->n++] = (archai_ini_entry){
        .section = archai_strdup(section),
        .key = key != NULL ? archai_strdup(key) : NULL,
        .value = archai_strdup(value),
        .file = archai_strdup(file),
        .line = line,
    };
    return ARCHAI_OK;
}

archai_ini_entry *archai_ini_find(const archai_ini *ini, const char *section, const char *key)
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

bool archai_ini_has_section(const archai_ini *ini, const char *section)
{
    return archai_ini_find(ini, section, NULL) != NULL;
}

const char *archai_ini_name(const archai_ini *ini)
{
    return ini->file != NULL ? ini->file : "configuration";
}

/* -- places of errors ------------------------------------------------------------------ */

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

        if (e->key != NULL && strncmp(text, e->section, section) == 0 && text[section] == '.' &&
            strncmp(text + section + 1, e->key, strlen(e->key)) == 0 &&
            strncmp(text + section + 1 + strlen(e->key), ": ", 2) == 0)
            return archai_ini_wrap(e, rc, err);
    }
    return rc;
}

/* -- files and overrides --------------------------------------------------------------- */

int archai_ini_read(archai_ini *out, const char *path, archai_err *err)
{
    char *text;
    size_t size;
    int rc;

    ARCHAI_TRY(archai_text_read(path, FILE_MAX_BYTES, &text, &size, err));
    rc = archai_ini_parse(out, path, text, size, err);
    free(text);
    return rc;
}

/* Insert as the last entry of its section. */
static int insert(archai_ini *ini, const char *section, const char *key, const char *value,
                  archai_err *err)
{
    archai_ini_entry added;
    size_t place;

    if (!archai_ini_has_section(ini, section))
        ARCHAI_TRY(archai_ini_append(ini, section, NULL, "", override_name, 0, err));
    place = ini->n;
    while (strcmp(ini->at[place - 1].section, section) != 0)
        place--;
    ARCHAI_TRY(archai_ini_append(ini, section, key, value, override_name, 0, err));
    added = ini->at[ini->n - 1];
    memmove(&ini->at[place + 1], &ini->at[place], (ini->n - 1 - place) * sizeof added);
    ini->at[place] = added;
    return ARCHAI_OK;
}

static void replace(archai_ini_entry *e, const char *value)
{
    free(e->file);
    free(e->value);
    e->file = archai_strdup(override_name);
    e->value = archai_strdup(value);
    e->line = 0;
}

/* `text` is a copy of the assignment, writable. */
static int set(archai_ini *ini, char *text, const char *assignment, archai_err *err)
{
    char *equals = strchr(text, '='), *dot, *value;
    archai_ini_entry *old;
    bool quoted = false;

    if (equals != NULL)
        *equals = '\0';
    dot = strrchr(text, '.');
    if (equals != NULL && dot != NULL) {
        *dot = '\0';
        value = equals + 1;
        archai_ini_trim(text);
        archai_ini_trim(dot + 1);
        archai_ini_trim(value);
        quoted = archai_ini_unquote(value);
    }
    if (equals == NULL || dot == NULL || !archai_ini_name_ok(text) || !archai_ini_name_ok(dot + 1))
        return archai_fail(err, ARCHAI_EINVAL, "%.200s: expected SECTION.KEY=VALUE",
                           assignment);
    old = archai_ini_find(ini, text, dot + 1);
    if (old == NULL) {
        ARCHAI_TRY(insert(ini, text, dot + 1, equals + 1, err));
        old = archai_ini_find(ini, text, dot + 1);
    } else {
        replace(old, equals + 1);
    }
    old->quoted = quoted;
    return ARCHAI_OK;
}

int archai_ini_set(archai_ini *ini, const char *assignment, archai_err *err)
{
    char *text = archai_strdup(assignment);
    int rc = archai_ini_check_bytes(text, strlen(text), err);

    if (rc == ARCHAI_OK)
        rc = set(ini, text, assignment, err);
    free(text);
    return archai_err_wrap(err, rc, "%s: ", override_name);
}
