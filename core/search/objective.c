#include "core/search/objective.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/text.h"
#include "core/config/config.h"
#include "core/network/network.h"

/* clang-format off */
static const char *const cheap_names[] = {"params", "macs", "flops", "madd", "non_embedding_params"};
enum { N_CHEAP = sizeof cheap_names / sizeof *cheap_names };

const archai_option archai_objective_options[] = {
    {.key = "source", .kind = ARCHAI_OPT_STRING, .offset = offsetof(archai_objective, source),
     .def = "", .unit = "",
     .help = "the measure; by default the one with the objective's name"},
    {.key = "direction", .kind = ARCHAI_OPT_CHOICE, .offset = offsetof(archai_objective, direction),
     .def = NULL, .unit = "", .choices = "maximize minimize none",
     .help = "none: not optimised, only its constraint counts"},
    {.key = "expensive", .kind = ARCHAI_OPT_CHOICE, .offset = offsetof(archai_objective, expensive),
     .def = "auto", .unit = "", .choices = "no yes auto",
     .help = "auto: yes unless the source follows from the architecture alone (params macs flops madd non_embedding_params)"},
    {.key = "constraint", .kind = ARCHAI_OPT_DOUBLES, .offset = offsetof(archai_objective, constraint),
     .min = -HUGE_VAL, .max = HUGE_VAL, .def = "", .unit = "",
     .help = "lowest and highest value allowed, both included"},
    {.key = "unit", .kind = ARCHAI_OPT_STRING, .offset = offsetof(archai_objective, unit),
     .def = "", .unit = "", .help = "written beside the values"},
    ARCHAI_OPTION_END,
};
/* clang-format on */

enum { EXPENSIVE_AUTO = 2 }; /* index into the choices above */
static const char prefix[] = "objective.";

/* An error about a section or one of its keys, with its file and line. */
static int fail_at(const archai_ini *ini, const char *section, const char *key, archai_err *err,
                   const char *text)
{
    const archai_ini_entry *at = key != NULL ? archai_ini_find(ini, section, key) : NULL;

    for (size_t i = 0; at == NULL && i < ini->n; i++)
        if (strcmp(ini->at[i].section, section) == 0)
            at = &ini->at[i];
    (void)archai_fail(err, ARCHAI_EINVAL, "%s%s%s: %s", section, key != NULL ? "." : "",
                      key != NULL ? key : "", text);
    return at != NULL ? archai_ini_wrap(at, ARCHAI_EINVAL, err) : ARCHAI_EINVAL;
}

static void set_source(archai_objective *o, const char *source)
{
    char *copy = archai_strdup(source); /* it may be the old one */

    free(o->source);
    o->source = copy;
}

static int check(archai_objective *o, const archai_measure_specs *measures, const archai_ini *ini,
                 const char *section, archai_err *err)
{
    const archai_doubles *c = &o->constraint;
    const archai_measure_spec *m;

    if (o->source[0] == '\0')
        set_source(o, o->name);
    m = archai_measure_specs_find(measures, o->source);
    if (m != NULL && archai_measure_is_described(m)) /* another name for it */
        set_source(o, archai_measure_kind_name(m));
    if (c->n != 0 && c->n != 2)
        return fail_at(ini, section, "constraint", err,
                       "two numbers were expected, the lowest and the highest value allowed");
    if (c->n == 2 && !(c->at[0] <= c->at[1]))
        return fail_at(ini, section, "constraint", err,
                       "no value can satisfy it: the first number is above the second");
    if (o->direction == ARCHAI_CONSTRAIN && c->n == 0)
        return fail_at(ini, section, "direction", err,
                       "'none' makes sense with a constraint only; add constraint = LOW HIGH");
    if (o->expensive == EXPENSIVE_AUTO)
        o->expensive = !archai_measure_is_cheap(o->source);
    else if (!o->expensive && !archai_measure_is_cheap(o->source))
        return fail_at(
            ini, section, "expensive", err,
            "'no' is for measures that follow from the architecture alone: params macs flops "
            "madd non_embedding_params");
    return ARCHAI_OK;
}

/* Objectives are names of datasets, of columns and on terminals: only what needs no escaping is one. A measure
 * may have any name: `source` takes it. */
static bool is_plain(const char *name)
{
    char *escaped = archai_name_escape(name);
    const bool plain = strcmp(escaped, name) == 0;

    free(escaped);
    return plain;
}

static int add(archai_objectives *out, archai_ini *ini, const char *section, archai_err *err)
{
    archai_objective *o = &out->at[out->n];

    if (section[sizeof prefix - 1] == '\0')
        return fail_at(ini, section, NULL, err, "a name was expected: [objective.accuracy]");
    if (strpbrk(section, "/\n\r\t") != NULL)
        return fail_at(ini, section, NULL, err, "a name may not contain '/' or a tab");
    if (!is_plain(section + sizeof prefix - 1))
        return fail_at(ini, section, NULL, err,
                       "a name is UTF-8 text without control characters, and neither . nor ..");
    if (out->n == ARCHAI_MAX_OBJECTIVES)
        return fail_at(ini, section, NULL, err, "at most 16 objectives are possible");
    *o = (archai_objective){.name = archai_strdup(section + sizeof prefix - 1)};
    out->n++; /* from here on archai_objectives_free() sees it */
    ARCHAI_TRY(archai_config_apply(ini, section, archai_objective_options, o, err));
    ARCHAI_TRY(check(o, &out->measures, ini, section, err));
    out->n_optimised += o->direction != ARCHAI_CONSTRAIN;
    return ARCHAI_OK;
}

static bool known(const archai_objectives *o, const char *name)
{
    for (size_t i = 0; i < o->n; i++)
        if (strcmp(o->at[i].name, name) == 0)
            return true;
    return false;
}

/* The trainer takes a measure of the model by its name, without a section for it. Other evaluators may
 * report one of that name themselves. */
static void imply_measures(archai_objectives *o, const archai_ini *ini)
{
    const archai_ini_entry *kind = archai_ini_find(ini, "evaluator", "kind");

    if (kind != NULL && strcmp(kind->value, "torch") != 0)
        return;
    for (size_t i = 0; i < o->n; i++)
        if (archai_measure_specs_find(&o->measures, o->at[i].source) == NULL)
            (void)archai_measure_specs_imply(&o->measures, o->at[i].source);
}

int archai_objectives_create(archai_objectives *out, archai_ini *ini, archai_err *err)
{
    archai_err problem = ARCHAI_ERR_INIT;
    archai_objectives o = {.n = 0};
    bool full = false; /* one message about all that are too many */
    int rc = archai_measure_specs_create(&o.measures, ini, err);

    for (size_t i = 0; i < ini->n && !full; i++) {
        const char *section = ini->at[i].section;
        const bool was_full = o.n == ARCHAI_MAX_OBJECTIVES;

        if (ini->at[i].key == NULL && strncmp(section, prefix, sizeof prefix - 1) == 0 &&
            !known(&o, section + sizeof prefix - 1)) {
            rc = archai_err_also(err, rc, add(&o, ini, section, &problem), &problem);
            full = was_full;
        }
    }
    if (rc != ARCHAI_OK)
        goto out;
    if (o.n == 0)
        rc = archai_fail(err, ARCHAI_EINVAL,
                         "%s: nothing to optimise: a section [objective.NAME] was expected",
                         archai_ini_name(ini));
    else if (o.n_optimised == 0)
        rc = archai_fail(err, ARCHAI_EINVAL,
                         "%s: nothing to optimise: every objective has direction = none",
                         archai_ini_name(ini));
out:
    imply_measures(&o, ini);
    if (rc == ARCHAI_OK)
        *out = o;
    else
        archai_objectives_free(&o);
    return rc;
}

void archai_objectives_free(archai_objectives *o)
{
    for (size_t i = 0; i < o->n; i++) {
        archai_option_free(archai_objective_options, &o->at[i]);
        free(o->at[i].name);
    }
    archai_measure_specs_free(&o->measures);
    *o = (archai_objectives){.n = 0};
}

int archai_measures_cheap(archai_space *space, const archai_model *m, archai_measure **out,
                          size_t *n, archai_err *err)
{
    archai_counts counts;

    *out = NULL;
    *n = 0;
    if (!archai_space_can(space, "describe"))
        return ARCHAI_OK;
    ARCHAI_TRY(archai_space_count(space, m, &counts, err));
    *out = archai_calloc(N_CHEAP, sizeof **out);
    for (int i = 0; i < N_CHEAP; i++) {
        const int64_t value[N_CHEAP] = {counts.params, counts.macs, counts.flops, counts.madd,
                                        counts.params - counts.embedding_params};

        if (value[i] >= 0) /* else the input's size is unknown */
            (*out)[(*n)++] = (archai_measure){archai_strdup(cheap_names[i]), (double)value[i]};
    }
    return ARCHAI_OK;
}

void archai_measures_free(archai_measure *at, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(at[i].name);
    free(at);
}

double archai_measure_get(const archai_measure *at, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(at[i].name, name) == 0)
            return at[i].value;
    return NAN;
}

void archai_objectives_values(const archai_objectives *o, const archai_measure *at, size_t n,
                              double *values)
{
    for (size_t i = 0; i < o->n; i++)
        values[i] = archai_measure_get(at, n, o->at[i].source);
}

int archai_objectives_violated(const archai_objectives *o, const double *values, int expensive)
{
    int missing = -1;

    for (size_t i = 0; i < o->n; i++) {
        const archai_doubles *c = &o->at[i].constraint;

        if (o->at[i].expensive != expensive || c->n != 2 ||
            (values[i] >= c->at[0] && values[i] <= c->at[1]))
            continue;
        if (!isnan(values[i]))
            return (int)i;
        if (missing < 0)
            missing = (int)i;
    }
    return missing;
}

bool archai_objectives_all_measured(const archai_objectives *o, const double *values)
{
    for (size_t i = 0; i < o->n; i++)
        if (o->at[i].direction != ARCHAI_CONSTRAIN && isnan(values[i]))
            return false;
    return true;
}

char *archai_objective_explain(const archai_objective *o, double value)
{
    return archai_printf("%s = %g is outside the constraint [%g, %g] of objective %s", o->source, value,
                         o->constraint.at[0], o->constraint.at[1], o->name);
}

void archai_objectives_minimised(const archai_objectives *o, const double *values, double *point)
{
    size_t k = 0;

    for (size_t i = 0; i < o->n; i++)
        if (o->at[i].direction != ARCHAI_CONSTRAIN)
            point[k++] = o->at[i].direction == ARCHAI_MAXIMIZE ? -values[i] : values[i];
}
