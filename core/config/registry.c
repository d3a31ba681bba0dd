#include "core/config/registry.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/config/config.h"

enum { MAX_KINDS = 64 };

int archai_registry_find(const archai_registry *r, const char *name, size_t *out, archai_err *err)
{
    const char *names[MAX_KINDS];
    char known[512] = "";
    size_t n = 0;
    archai_kind kind;

    for (; n + 1 < MAX_KINDS && r->at(n, &kind); n++) {
        if (strcmp(kind.name, name) == 0) {
            *out = n;
            return ARCHAI_OK;
        }
        names[n] = kind.name;
    }
    if (r->plugin != NULL)
        names[n++] = r->plugin;
    for (size_t i = 0; i < n; i++)
        (void)snprintf(known + strlen(known), sizeof known - strlen(known), " %s", names[i]);
    return archai_fail(err, ARCHAI_EINVAL, "%s.%s: unknown '%.100s', expected one of:%s%s",
                       r->section, r->key, name, known, archai_suggest(name, names, n).text);
}

archai_choice archai_registry_choice(const archai_registry *r, const char *name)
{
    archai_kind kind;
    size_t i;

    if (name == NULL || archai_registry_find(r, name, &i, NULL) != ARCHAI_OK)
        return (archai_choice){.registry = r, .options = archai_no_options};
    (void)r->at(i, &kind);
    return (archai_choice){.registry = r, .name = kind.name, .options = kind.options};
}

int archai_settings_load(void **out, size_t size, const archai_option *options, const char *section,
                         archai_ini *ini, archai_err *err)
{
    void *settings = archai_calloc(1, size > 0 ? size : 1);
    int rc = archai_config_apply(ini, section, options, settings, err);

    if (rc == ARCHAI_OK)
        *out = settings;
    else
        archai_settings_free(settings, options);
    return rc;
}

void archai_settings_free(void *settings, const archai_option *options)
{
    if (settings != NULL)
        archai_option_free(options, settings);
    free(settings);
}

void archai_check_fail(archai_check *c, const char *key, const char *cause, const char *fmt, ...)
{
    const archai_ini_entry *e = archai_ini_find(c->ini, c->section, key);
    archai_err one = ARCHAI_ERR_INIT;
    char text[ARCHAI_ERR_TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    (void)archai_fail(&one, ARCHAI_EINVAL, "%s.%s: %.800s", c->section, key, text);
    if (e == NULL && cause != NULL)
        e = archai_ini_find(c->ini, c->section, cause);
    if (e == NULL)
        e = archai_ini_find(c->ini, c->section, NULL);
    if (e != NULL)
        (void)archai_ini_wrap(e, ARCHAI_EINVAL, &one);
    c->rc = archai_err_also(c->err, c->rc, ARCHAI_EINVAL, &one);
}

void archai_check_given(archai_check *c, const char *key, const char *value, const char *cause,
                        const char *why)
{
    if (value[0] == '\0')
        archai_check_fail(c, key, cause, "%s", why);
}
