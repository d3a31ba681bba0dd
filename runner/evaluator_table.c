/* Evaluations looked up in a CSV file: tabular benchmarks. `delay` pretends a duration. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/delay.h"
#include "io/table.h"
#include "runner/clock.h"
#include "runner/evaluator.h"

typedef struct table_evaluator {
    archai_evaluator base;
    archai_delay delay;
    archai_table *table; /* owned */
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

static int table_init(archai_evaluator *self, archai_err *err)
{
    table_evaluator *e = (table_evaluator *)self;

    ARCHAI_TRY(archai_delay_parse(self->setup->config->evaluator.delay, &e->delay, err));
    return open_table(self->setup->config, &e->table, err);
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

static int table_begin(archai_evaluator *self, const archai_candidate *c, archai_err *err)
{
    table_evaluator *e = (table_evaluator *)self;
    const double delay = archai_delay_draw(&e->delay, c->seed);
    archai_err why = ARCHAI_ERR_INIT;
    json_t *arch =
        json_loads(c->arch, 0, NULL); /* NULL for other texts: then archid is the key */

    forget(e);
    e->code = archai_table_find(e->table, c->model.archid, arch, &e->found, &e->n, &why);
    json_decref(arch);
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
    .init = table_init,
    .fini = table_fini,
    .open = table_open,
    .begin = table_begin,
    .poll = table_poll,
    .close = table_close,
    .due = table_due,
};
