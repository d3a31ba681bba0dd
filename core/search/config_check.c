/* Keys and sections that nobody took: unknown ones are named with the nearest one that exists, those of
 * kinds that were not chosen are refused or noted. */
#include <stdio.h>
#include <string.h>

#include "core/config/config.h"
#include "core/search/objective.h"

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

static const archai_choice *choice_of(const archai_choice *choices, const char *section)
{
    for (const archai_choice *c = choices; c->registry != NULL; c++)
        if (strcmp(c->registry->section, section) == 0)
            return c;
    return NULL;
}

/* Keys that the section has whatever was chosen; NULL: there is no such section. */
static const archai_option *common_keys(const archai_choice *choices, const char *section)
{
    const archai_choice *c = choice_of(choices, section);

    for (const archai_config_section *s = archai_config_sections; s->name != NULL; s++)
        if (strcmp(s->name, section) == 0)
            return s->options;
    if (strncmp(section, objective_prefix, strlen(objective_prefix)) == 0)
        return archai_objective_options;
    if (strncmp(section, archai_measure_prefix, strlen(archai_measure_prefix)) == 0)
        return archai_measure_options;
    return c != NULL ? c->registry->common : NULL;
}

static int unknown_section(const archai_ini_entry *e, const archai_choice *choices,
                           archai_err *err)
{
    names known = {.n = 0};
    const char *near;

    for (const archai_config_section *s = archai_config_sections; s->name != NULL; s++)
        add_name(&known, s->name);
    for (const archai_choice *c = choices; c->registry != NULL; c++)
        add_name(&known, c->registry->section);
    add_name(&known, "objective");
    add_name(&known, "measure");
    near = archai_nearest(e->section, known.at, known.n);
    if (near != NULL && strcmp(near, "objective") == 0)
        near = "objective.NAME";
    if (near != NULL && strcmp(near, "measure") == 0)
        near = "measure.NAME";
    return archai_fail(err, ARCHAI_EINVAL, "[%.100s]: unknown section%s%s%s", e->section,
                       near != NULL ? "; did you mean [" : "", near != NULL ? near : "",
                       near != NULL ? "]?" : "");
}

/* -- keys of other kinds --------------------------------------------------------------- */

static bool is_refused(const archai_registry *r, const char *key)
{
    const size_t n = strlen(key);

    if (strcmp(r->refused, "*") == 0)
        return true;
    for (const char *p = r->refused; *p != '\0'; p += strspn(p, " ")) {
        const size_t w = strcspn(p, " ");

        if (w == n && memcmp(p, key, n) == 0)
            return true;
        p += w;
    }
    return false;
}

/* `option`: of the first of the kinds that have the key; `owners` names them all. */
static int foreign_key(const archai_ini_entry *e, const archai_choice *c,
                       const archai_option *option, const char *owners, FILE *notes,
                       archai_err *err)
{
    bool is_default;

    if (strcmp(c->registry->refused, "*") != 0) { /* what is spelled out must be right all the same */
        ARCHAI_TRY(archai_err_wrap(err, archai_option_is_default(option, e->value, &is_default, err),
                                   "%s.%s: ", e->section, e->key));
        if (is_default)
            return ARCHAI_OK;
    }
    if (is_refused(c->registry, e->key))
        return archai_fail(err, ARCHAI_EINVAL, "%s.%s: not a key of %s, only of %s", e->section,
                           e->key, c->name, owners);
    if (notes != NULL) {
        archai_err note = ARCHAI_ERR_INIT;

        (void)archai_ini_wrap(e,
                              archai_fail(&note, ARCHAI_EINVAL,
                                          "%s.%s: not used with %s = %s, only with %s", e->section,
                                          e->key, c->registry->key, c->name, owners),
                              &note);
        (void)fprintf(notes, "%s\n", note.text);
    }
    return ARCHAI_OK;
}

/* NULL: no kind of the registry has the key. `owners` gets the names of those that do. */
static const archai_option *find_owners(const archai_registry *r, const char *key, char *owners,
                                        size_t size)
{
    const archai_option *first = NULL;
    archai_kind kind;

    owners[0] = '\0';
    for (size_t i = 0; r->at(i, &kind); i++) {
        const archai_option *o = archai_option_find(kind.options, key);

        if (o == NULL)
            continue;
        (void)snprintf(owners + strlen(owners), size - strlen(owners), "%s%s",
                       first != NULL ? ", " : "", kind.name);
        first = first != NULL ? first : o;
    }
    return first;
}

static int unused_key(const archai_ini_entry *e, const archai_choice *c,
                      const archai_option *common, FILE *notes, archai_err *err)
{
    names known = {.n = 0};
    const char *near;
    char owners[512];

    if (c != NULL) {
        const archai_option *o = find_owners(c->registry, e->key, owners, sizeof owners);

        /* Not asked for, since something else is wrong? */
        if (archai_option_find(c->options, e->key) != NULL || (o != NULL && c->name == NULL))
            return ARCHAI_OK;
        if (o != NULL)
            return foreign_key(e, c, o, owners, notes, err);
        add_keys(&known, c->options);
    }
    add_keys(&known, common);
    near = archai_nearest(e->key, known.at, known.n);
    return archai_fail(err, ARCHAI_EINVAL, "%s.%.100s: unknown key%s%s%s", e->section, e->key,
                       near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
                       near != NULL ? "'?" : "");
}

/* `only`: of one section alone; NULL: of all. */
static int check(const archai_ini *ini, const archai_choice *choices, const char *only, FILE *notes,
                 archai_err *err)
{
    int rc = ARCHAI_OK;

    for (size_t i = 0; i < ini->n; i++) {
        const archai_ini_entry *e = &ini->at[i];
        const archai_option *common = common_keys(choices, e->section);
        archai_err one = ARCHAI_ERR_INIT;
        int one_rc = ARCHAI_OK;

        if (only != NULL && strcmp(only, e->section) != 0)
            continue;
        if (e->key == NULL && common == NULL)
            one_rc = unknown_section(e, choices, &one);
        else if (e->key != NULL && !e->used && common != NULL)
            one_rc = unused_key(e, choice_of(choices, e->section), common, notes, &one);
        rc = archai_err_also(err, rc, archai_ini_wrap(e, one_rc, &one), &one);
    }
    return rc;
}

int archai_config_check_section(const archai_ini *ini, const archai_choice *choice, archai_err *err)
{
    const archai_choice choices[] = {*choice, {.registry = NULL}};

    return check(ini, choices, choice->registry->section, NULL, err);
}

int archai_config_check_unused(const archai_ini *ini, const archai_choice *choices, FILE *notes,
                               archai_err *err)
{
    return check(ini, choices, NULL, notes, err);
}
