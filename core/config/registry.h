/* core/config/registry.h - sections in which one key chooses among registered kinds.
 *
 * [space] name, [search] algorithm, [evaluator] kind, [data] format: each kind brings an option table,
 * whose keys are known only where it is chosen. core/ does not know which kinds io/ and runner/ bring:
 * a program passes the registries that it links.
 */
#ifndef ARCHAI_CORE_CONFIG_REGISTRY_H
#define ARCHAI_CORE_CONFIG_REGISTRY_H
#include "core/config/ini.h"
#include "core/config/option.h"

/* What every registered kind has, whatever else its table of functions holds. */
typedef struct archai_kind {
    const char *name, *help;
    const archai_option *options; /* its own keys */
} archai_kind;

typedef struct archai_registry {
    const char *section, *key;     /* "evaluator", "kind" */
    const archai_option *common;   /* keys of every kind; NULL: archai_config has them */
    /* Kind number i, in the order of the table; false behind the last one. */
    bool (*at)(size_t i, archai_kind *out);
    /* Keys, separated by blanks, that are refused where the chosen kind does not have them ("*": all).
     * Others are accepted, so that a configuration may spell out more than it uses. */
    const char *refused;
    const char *plugin; /* the name of a kind that is loaded, not registered; NULL: there is none */
} archai_registry;

/* The number of the kind, or ARCHAI_EINVAL with the known ones; the error names section.key. */
int archai_registry_find(const archai_registry *r, const char *name, size_t *out, archai_err *err);

/* What a configuration chose of a registry. Lists end with registry NULL. */
typedef struct archai_choice {
    const archai_registry *registry;
    const char *name;             /* NULL: not known, since something else is wrong */
    const archai_option *options; /* the chosen kind's keys */
    const void *common, *own;     /* the structs of registry->common and options; NULL: not written */
} archai_choice;
/* Of a name alone, without values. */
archai_choice archai_registry_choice(const archai_registry *r, const char *name);

/* A kind's own struct, filled from its table; errors as those of archai_config_apply. */
int archai_settings_load(void **out, size_t size, const archai_option *options, const char *section,
                         archai_ini *ini, archai_err *err);
void archai_settings_free(void *settings, const archai_option *options); /* NULL is allowed */

/* -- keys that need each other ----------------------------------------------------------- */

/* Collects the problems of one section, a line each. */
typedef struct archai_check {
    const archai_ini *ini;
    const char *section;
    archai_err *err;
    int rc; /* of the first problem */
} archai_check;

/* "section.key: ..." with the place of the key; where that is not given, of `cause`, another key of the
 * section; else of the section. */
void archai_check_fail(archai_check *c, const char *key, const char *cause, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Fails where `value` is empty. */
void archai_check_given(archai_check *c, const char *key, const char *value, const char *cause,
                        const char *why);
#endif
