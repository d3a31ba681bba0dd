/* Keys and sections that nobody took: each is named, with the nearest one that exists. */
#include <stdio.h>
#include <string.h>

#include "core/search/algorithm.h"
#include "core/config/config.h"
#include "core/search/objective.h"
#include "core/search/space.h"

enum { MAX_NAMES = 512 };
static const char objective_prefix[] = "objective.";

typedef struct names {
    const char *at[MAX_NAMES];
    size_t n;
} names;

static void add_name(names *to, const char *name)
{
    if (to->n < MAX_NAMES)
        to->at[to->n++] = name;
}

static void add_keys(names *to, const archai_option *table)
{
    for (const archai_option *o = table; o->key != NULL; o++)
        add_name(to, o->key);
}

static const archai_option *options_of(const char *section)
{
    for (const archai_config_section *s = archai_config_sections; s->name != NULL; s++)
        if (strcmp(s->name, section) == 0)
            return s->options;
    if (strncmp(section, objective_prefix, strlen(objective_prefix)) == 0)
        return archai_objective_options;
    return strcmp(section, "space") == 0 ? archai_space_common_options : NULL;
}

static bool has_key(const archai_option *table, const char *key)
{
    for (const archai_option *o = table; o->key != NULL; o++)
        if (strcmp(o->key, key) == 0)
            return true;
    return false;
}

static int unknown_section(const archai_ini_entry *e, archai_err *err)
{
    names known = {.n = 0};
    const char *near;

    for (const archai_config_section *s = archai_config_sections; s->name != NULL; s++)
        add_name(&known, s->name);
    add_name(&known, "space");
    add_name(&known, "objective");
    near = archai_nearest(e->section, known.at, known.n);
    if (near != NULL && strcmp(near, "objective") == 0)
        near = "objective.NAME";
    return archai_fail(err, ARCHAI_EINVAL, "[%.100s]: unknown section%s%s%s", e->section,
                       near != NULL ? "; did you mean [" : "", near != NULL ? near : "",
                       near != NULL ? "]?" : "");
}

/* The algorithms or spaces that would take the key. */
static names owners_of(const char *section, const char *key)
{
    names owners = {.n = 0};

    if (strcmp(section, "search") == 0)
        for (size_t i = 0; archai_algorithms[i] != NULL; i++)
            if (has_key(archai_algorithms[i]->options, key))
                add_name(&owners, archai_algorithms[i]->name);
    if (strcmp(section, "space") == 0)
        for (size_t i = 0; archai_spaces[i] != NULL; i++)
            if (has_key(archai_spaces[i]->options, key))
                add_name(&owners, archai_spaces[i]->name);
    return owners;
}

static int foreign_key(const archai_ini_entry *e, const names *owners, const char *chosen,
                       archai_err *err)
{
    char list[512] = "";

    for (size_t i = 0; i < owners->n; i++)
        (void)snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s",
                       i > 0 ? ", " : "", owners->at[i]);
    return archai_fail(err, ARCHAI_EINVAL, "%s.%s: no key of %s, only of %s", e->section,
                       e->key, chosen != NULL ? chosen : "what is chosen here", list);
}

static int unknown_key(const archai_ini_entry *e, const char *algorithm, const char *space,
                       archai_err *err)
{
    const char *chosen = strcmp(e->section, "search") == 0 ? algorithm : space;
    const names owners = owners_of(e->section, e->key);
    names known = {.n = 0};
    const char *near;

    for (size_t i = 0; i < owners.n; i++)
        if (chosen != NULL && strcmp(owners.at[i], chosen) == 0)
            return ARCHAI_OK; /* it was not asked for, since something else is wrong */
    if (owners.n > 0)
        return foreign_key(e, &owners, chosen, err);
    add_keys(&known, options_of(e->section));
    if (strcmp(e->section, "search") == 0)
        for (size_t i = 0; archai_algorithms[i] != NULL; i++)
            if (algorithm != NULL && strcmp(archai_algorithms[i]->name, algorithm) == 0)
                add_keys(&known, archai_algorithms[i]->options);
    if (strcmp(e->section, "space") == 0)
        for (size_t i = 0; archai_spaces[i] != NULL; i++)
            if (space != NULL && strcmp(archai_spaces[i]->name, space) == 0)
                add_keys(&known, archai_spaces[i]->options);
    near = archai_nearest(e->key, known.at, known.n);
    return archai_fail(err, ARCHAI_EINVAL, "%s.%.100s: unknown key%s%s%s", e->section, e->key,
                       near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
                       near != NULL ? "'?" : "");
}

int archai_config_check_space(const archai_ini *ini, const char *space, archai_err *err)
{
    int rc = ARCHAI_OK;

    for (size_t i = 0; i < ini->n; i++) {
        const archai_ini_entry *e = &ini->at[i];
        archai_err one = ARCHAI_ERR_INIT;
        int one_rc = ARCHAI_OK;

        if (e->key != NULL && !e->used && strcmp(e->section, "space") == 0)
            one_rc = unknown_key(e, NULL, space, &one);
        rc = archai_err_also(err, rc, archai_ini_wrap(e, one_rc, &one), &one);
    }
    return rc;
}

int archai_config_check_unused(const archai_ini *ini, const char *algorithm, const char *space,
                               archai_err *err)
{
    int rc = ARCHAI_OK;

    for (size_t i = 0; i < ini->n; i++) {
        const archai_ini_entry *e = &ini->at[i];
        const bool known = options_of(e->section) != NULL;
        archai_err one = ARCHAI_ERR_INIT;
        int one_rc = ARCHAI_OK;

        if (e->key == NULL && !known)
            one_rc = unknown_section(e, &one);
        else if (e->key != NULL && !e->used && known)
            one_rc = unknown_key(e, algorithm, space, &one);
        rc = archai_err_also(err, rc, archai_ini_wrap(e, one_rc, &one), &one);
    }
    return rc;
}
