/* Evaluations looked up in a CSV file: tabular benchmarks. `delay` pretends a duration. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config/delay.h"
#include "io/table/table.h"
#include "runner/process/clock.h"
#include "runner/evaluator/evaluator.h"

typedef struct table_evaluator {
    archai_evaluator base;
    archai_delay delay;
    archai_table *table; /* owned */
    archai_space *space; /* owned; tells which parameters exist; NULL: archids are the keys */
    bool is_open, told, busy;
    double ready_at;
    archai_measure *found; /* owned; [n] */
    size_t n;
    int code; /* of the look-up */
    char text[ARCHAI_ERR_TEXT_MAX];
} table_evaluator;

static int open_table(const archai_config *config, archai_table **out, archai_err *err)
{
    const char *path = config->evaluator.table;

    if (path[0] == '\0')
        return archai_fail(err, ARCHAI_EINVAL,
                           "evaluator.table: missing, kind = table looks into a CSV file");
    return archai_err_wrap(err, archai_table_open(out, path, err), "evaluator.table: ");
}

static int table_check(const archai_config *config, archai_err *err)
{
    archai_table *table = NULL;

    ARCHAI_TRY(open_table(config, &table, err));
    archai_table_close(table);
    return ARCHAI_OK;
}

/* What an objective counts is a column, unless it follows from the architecture. */
static int check_column(const archai_table *table, const archai_objective *o, bool describes,
                        const char *path, archai_err *err)
{
    const char *near = archai_table_nearest(table, o->source);

    if (archai_table_has_column(table, o->source) ||
        (describes && archai_measure_is_cheap(o->source)))
        return ARCHAI_OK;
    return archai_fail(
        err, ARCHAI_EINVAL,
        "evaluator.table: %s: no column '%.100s', the source of objective.%s%s%s", path,
        o->source, o->name, near != NULL ? "; did you mean " : "", near != NULL ? near : "");
}

/* The keys and the columns, by an architecture drawn at random. */
static int table_check_sources(const archai_config *config, archai_space *space,
                               const archai_objectives *objectives, archai_err *err)
{
    archai_table *table = NULL;
    archai_model m = {.arch = NULL};
    int rc;

    ARCHAI_TRY(open_table(config, &table, err));
    rc = archai_space_random_sample(space, &m, err);
    if (rc == ARCHAI_OK)
        rc = archai_err_wrap(err, archai_table_choose_keys(table, m.arch, err),
                             "evaluator.table: ");
    for (size_t i = 0; i < objectives->n && rc == ARCHAI_OK; i++)
        rc = check_column(table, &objectives->at[i], archai_space_can(space, "describe"),
                          config->evaluator.table, err);
    archai_model_fini(&m);
    archai_table_close(table);
    return rc;
}

static int table_init(archai_evaluator *self, archai_err *err)
{
    table_evaluator *e = (table_evaluator *)self;

    ARCHAI_TRY(archai_delay_parse(self->setup->config->evaluator.delay, &e->delay, err));
    ARCHAI_TRY(open_table(self->setup->config, &e->table, err));
    return archai_table_has_column(e->table, "archid")
               ? ARCHAI_OK
               : archai_evaluator_space(self, &e->space, err);
}

static void forget(table_evaluator *e)
{
    archai_measures_free(e->found, e->n);
    e->found = NULL;
    e->n = 0;
    e->busy = false;
}

static void table_fini(archai_evaluator *self)
{
    archai_table_close(((table_evaluator *)self)->table);
    archai_space_destroy(((table_evaluator *)self)->space);
}

static int table_open(archai_evaluator *self, archai_err *err)
{
    table_evaluator *e = (table_evaluator *)self;

    (void)err;
    e->is_open = true;
    e->told = false;
    return ARCHAI_OK;
}

static void table_close(archai_evaluator *self)
{
    table_evaluator *e = (table_evaluator *)self;

    forget(e);
    e->is_open = false;
}

/* By all parameters, and where there is no such row by those that exist: the cells of others
 * are empty then. */
static int look_up(table_evaluator *e, const archai_trial *c, archai_err *err)
{
    json_t *arch =
        json_loads(c->arch, 0, NULL); /* NULL for other texts: then archid is the key */
    json_t *params = NULL;
    archai_model m = {.arch = NULL};
    int rc = archai_table_find(e->table, c->model.archid, arch, &e->found, &e->n, err);

    if (rc == ARCHAI_ENOTFOUND && e->space != NULL && arch != NULL &&
        archai_space_load_json(e->space, arch, &m, NULL) == ARCHAI_OK &&
        archai_space_params(e->space, &m, &params, NULL) == ARCHAI_OK)
        rc = archai_table_find(e->table, c->model.archid, params, &e->found, &e->n, err);
    archai_model_fini(&m);
    json_decref(params);
    json_decref(arch);
    return rc;
}

static int table_begin(archai_evaluator *self, const archai_trial *c, archai_err *err)
{
    table_evaluator *e = (table_evaluator *)self;
    const double delay = archai_delay_draw(&e->delay, c->seed);
    archai_err why = ARCHAI_ERR_INIT;

    forget(e);
    e->code = look_up(e, c, &why);
    if (e->code == ARCHAI_ENOMEM)
        return archai_fail(err, ARCHAI_ENOMEM, "out of memory for a table's row");
    (void)snprintf(e->text, sizeof e->text, "%s", why.text);
    e->busy = true;
    e->ready_at = delay > 0 ? archai_clock_s() + delay : 0;
    return ARCHAI_OK;
}

static int table_poll(archai_evaluator *self, archai_evaluator_event *out, archai_err *err)
{
    table_evaluator *e = (table_evaluator *)self;

    if (e->is_open && !e->told) {
        e->told = true;
        out->kind = ARCHAI_EVALUATOR_READY;
        return ARCHAI_OK;
    }
    if (!e->busy || (e->ready_at > 0 && archai_clock_s() < e->ready_at))
        return ARCHAI_OK;
    if (e->code != ARCHAI_OK) {
        out->kind = ARCHAI_EVALUATOR_FAILED;
        out->code = e->code;
        (void)snprintf(out->text, sizeof out->text, "%s", e->text);
    } else {
        out->result = calloc(1, sizeof *out->result);
        if (out->result == NULL)
            return archai_fail(err, ARCHAI_ENOMEM, "out of memory for an evaluation");
        out->kind = ARCHAI_EVALUATOR_MEASURED;
        out->result->measures = e->found;
        out->result->n_measures = e->n;
        e->found = NULL;
        e->n = 0;
    }
    forget(e);
    return ARCHAI_OK;
}

static double table_due(archai_evaluator *self)
{
    const table_evaluator *e = (const table_evaluator *)self;

    return e->busy ? e->ready_at : 0;
}

const archai_evaluator_ops archai_evaluator_table = {
    .name = "table",
    .kind = ARCHAI_EVALUATOR_TABLE,
    .help = "measures looked up in a CSV file",
    .size = sizeof(table_evaluator),
    .check = table_check,
    .check_sources = table_check_sources,
    .init = table_init,
    .fini = table_fini,
    .open = table_open,
    .begin = table_begin,
    .poll = table_poll,
    .close = table_close,
    .due = table_due,
};
