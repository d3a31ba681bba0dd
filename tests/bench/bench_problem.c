#include "bench_problem.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/hash.h"

/* -- functions --------------------------------------------------------------------------- */

struct distance {
    const char *text;
    double value;
};

/* Distances of the choices; the best one has 0. Lists end with NULL. */
static const struct distance operators[] = {{"conv3", 0.5}, {"conv5", 0.7}, {"sep3", 0.2},
                                            {"sep5", 0.0},  {"pool", 0.9},  {"skip", 1.0},
                                            {NULL, 0.0}};
static const struct distance norms[] = {
    {"batch", 0.3}, {"layer", 0.6}, {"group", 0.0}, {"none", 1.0}, {NULL, 0.0}};
static const struct distance activations[] = {
    {"relu", 0.5}, {"gelu", 0.2}, {"tanh", 1.0}, {"swish", 0.0}, {NULL, 0.0}};
/* What is best in a block depends on which one it is. */
static const struct distance blocks[3][6] = {
    {{"conv", 0.0}, {"sep", 0.3}, {"pool", 0.6}, {"skip", 0.8}, {"none", 1.0}, {NULL, 0.0}},
    {{"conv", 0.6}, {"sep", 0.0}, {"pool", 0.8}, {"skip", 0.3}, {"none", 1.0}, {NULL, 0.0}},
    {{"conv", 0.8}, {"sep", 0.6}, {"pool", 0.0}, {"skip", 0.3}, {"none", 1.0}, {NULL, 0.0}},
};

static double number(const json_t *params, const char *name)
{
    return json_number_value(json_object_get(params, name));
}

static double choice(const json_t *params, const char *name, const struct distance *list)
{
    const char *text = json_string_value(json_object_get(params, name));

    for (; text != NULL && list->text != NULL; list++)
        if (strcmp(text, list->text) == 0)
            return list->value;
    return 1.0;
}

static double block_distance(const json_t *params, int i)
{
    char op[64], residual[64];

    (void)snprintf(op, sizeof op, "blocks._configs.%d.op", i);
    (void)snprintf(residual, sizeof residual, "blocks._configs.%d.residual", i);
    return 0.7 * choice(params, op, blocks[i]) +
           0.3 * (json_is_true(json_object_get(params, residual)) ? 0.0 : 1.0);
}

/* Mean distance from the front of everything but position and tilt. */
static double mean_distance(const json_t *params)
{
    const double op = choice(params, "operator", operators),
                 norm = choice(params, "norm", norms);
    const int n_blocks = (int)number(params, "blocks._repeat_times");
    const bool adam = json_object_get(params, "beta") != NULL;
    double sum = 0.0, chain = 0.0;

    sum += fabs(number(params, "depth") - 6.0) / 5.0;
    sum += fabs(log2(number(params, "width") / 48.0)) / log2(6.0);
    sum += fabs(number(params, "rate") - 0.2) / 0.3;
    sum += 0.4 * op + 0.4 * norm + 0.2 * ((op > 0.0) != (norm > 0.0) ? 1.0 : 0.0); /* jointly */
    sum += choice(params, "activation", activations);
    sum += adam ? fmin(fabs(number(params, "beta") - 0.99) / 0.09, 1.0)
                : 0.4 + 0.6 * fabs(number(params, "momentum") - 0.9) / 0.9;
    for (int i = 0; i < n_blocks && i < 3; i++)
        chain += block_distance(params, i) / n_blocks;
    sum += 0.75 * chain + 0.25 * fabs(n_blocks - 2.0);
    return sum / 7.0;
}

static int set(archai_trial *e, const char *name, double value, archai_err *err)
{
    (void)err;
    archai_trial_set_measure(e, name, value);
    return ARCHAI_OK;
}

static int zdt1(const json_t *params, archai_trial *e, archai_err *err)
{
    const double tilt = fabs(number(params, "tilt") - 0.5) / 0.5;
    const double d = (7.0 * mean_distance(params) + tilt) / 8.0;
    const double f1 = number(params, "position"), g = 1.0 + 9.0 * d;

    ARCHAI_TRY(set(e, "f1", f1, err));
    return set(e, "f2", g * (1.0 - sqrt(f1 / g)), err);
}

static int dtlz2(const json_t *params, archai_trial *e, archai_err *err)
{
    const double half_pi = acos(0.0), radius = 1.0 + 4.0 * mean_distance(params);
    const double a = number(params, "position") * half_pi, b = number(params, "tilt") * half_pi;

    ARCHAI_TRY(set(e, "f1", radius * cos(a) * cos(b), err));
    ARCHAI_TRY(set(e, "f2", radius * cos(a) * sin(b), err));
    return set(e, "f3", radius * sin(a), err);
}

/* -- problems ---------------------------------------------------------------------------- */

int problem_open(struct problem *p, const char *name, archai_err *err)
{
    p->dtlz2 = strcmp(name, "dtlz2") == 0;
    if (p->dtlz2 || strcmp(name, "zdt1") == 0)
        return ARCHAI_OK;
    return archai_table_open(&p->table, name, err);
}

void problem_close(struct problem *p)
{
    archai_table_close(p->table);
    p->table = NULL;
}

/* By archid alone, so that an architecture fails whenever it is tried. */
static bool fails(const struct problem *p, const char *archid)
{
    return (double)(archai_rng_derive(archai_hash(archid), 0) >> 11) * 0x1p-53 < p->failing;
}

/* Columns NAME_k, k the budget in epochs, become measures NAME. */
static int keep_budget(archai_trial *e, double budget, archai_err *err)
{
    char suffix[32];
    const int n = snprintf(suffix, sizeof suffix, "_%d", (int)budget);

    for (size_t i = e->n_measures; i-- > 0;) {
        const size_t size = strlen(e->measures[i].name);
        char name[256];

        if (size <= (size_t)n || strcmp(e->measures[i].name + size - (size_t)n, suffix) != 0)
            continue;
        (void)snprintf(name, sizeof name, "%.*s", (int)(size - (size_t)n), e->measures[i].name);
        ARCHAI_TRY(set(e, name, e->measures[i].value, err));
    }
    return ARCHAI_OK;
}

int problem_evaluate(const struct problem *p, archai_space *space, const archai_trial *c,
                     archai_trial *e, archai_err *err)
{
    json_t *params;
    int rc;

    *e = (archai_trial){.id = c->id, .budget = c->budget};
    e->model.archid = archai_strdup(c->model.archid);
    e->error = archai_strdup("");
    if (fails(p, c->model.archid)) {
        e->status = ARCHAI_STATUS_FAILED;
        return ARCHAI_OK;
    }
    if (p->table != NULL) {
        ARCHAI_TRY(archai_table_find(p->table, c->model.archid, c->model.arch, &e->measures,
                                     &e->n_measures, err));
        return p->curve ? keep_budget(e, c->budget, err) : ARCHAI_OK;
    }
    ARCHAI_TRY(archai_space_params(space, &c->model, &params, err));
    rc = p->dtlz2 ? dtlz2(params, e, err) : zdt1(params, e, err);
    json_decref(params);
    return rc;
}
