/* Evaluations looked up in a CSV file: tabular benchmarks. */
#include "io/table/table.h"
#include "runner/evaluator/instant.h"
#include "runner/measure/measures.h"

typedef struct table_settings {
    char *delay, *table;
} table_settings;

/* clang-format off */
static const archai_option table_options[] = {
    {"table", ARCHAI_OPT_STRING, offsetof(table_settings, table), 0, 0, "", "", NULL, "path of a CSV file, a column for each source"},
    ARCHAI_DELAY_OPTION(table_settings),
    ARCHAI_OPTION_END,
};
/* clang-format on */
static const char *const measuring_keys[] = {"table", NULL};

typedef struct table_evaluator {
    archai_instant instant;
    archai_table *table; /* owned */
    archai_space *space; /* owned; knows which parameters exist; NULL: archids are the keys */
} table_evaluator;

static int open_table(const table_settings *s, archai_table **out, archai_err *err)
{
    return archai_err_wrap(err, archai_table_open(out, s->table, err), "evaluator.table: ");
}

static void table_check(const void *settings, archai_check *c)
{
    const table_settings *s = settings;
    archai_err why = ARCHAI_ERR_INIT;
    archai_table *table = NULL;

    archai_check_given(c, "table", s->table, "kind",
                       "missing, kind = table needs the path of a CSV file");
    if (s->table[0] != '\0' && archai_table_open(&table, s->table, &why) != ARCHAI_OK)
        archai_check_fail(c, "table", NULL, "%s", why.text);
    archai_table_close(table);
    archai_delay_check(s->delay, c);
}

/* An objective's source is a column, unless it follows from the architecture. */
static int check_column(const archai_table *table, const archai_objective *o, bool describes,
                        const char *path, archai_err *err)
{
    const char *near = archai_table_nearest(table, o->source);

    if (archai_table_has_column(table, o->source))
        return archai_err_wrap(err, archai_table_check_column(table, o->source, err),
                               "evaluator.table: ");
    if (describes && archai_measure_is_cheap(o->source))
        return ARCHAI_OK;
    return archai_fail(
        err, ARCHAI_EINVAL,
        "evaluator.table: %s: no column '%.100s', the source of objective.%s%s%s", path,
        o->source, o->name, near != NULL ? "; did you mean " : "", near != NULL ? near : "");
}

/* The key columns are named like members of the arch or, if none is, like the space's parameters. */
static int choose_keys(archai_table *table, archai_space *space, const archai_model *m,
                       archai_err *err)
{
    int rc = archai_table_choose_keys(table, m->arch, err);
    json_t *params = NULL;

    if (rc == ARCHAI_ENOTFOUND && archai_space_params(space, m, &params, NULL) == ARCHAI_OK)
        rc = archai_table_choose_keys(table, params, err);
    json_decref(params);
    return rc;
}

/* Tries the keys and columns with a random architecture. */
static int table_check_task(const void *settings, const archai_evaluator_task *task, archai_err *err)
{
    const table_settings *s = settings;
    archai_table *table = NULL;
    archai_model m = {.arch = NULL};
    int rc;

    ARCHAI_TRY(open_table(s, &table, err));
    rc = archai_space_random_sample(task->space, &m, err);
    if (rc == ARCHAI_OK)
        rc = archai_err_wrap(err, choose_keys(table, task->space, &m, err), "evaluator.table: ");
    for (size_t i = 0; i < task->objectives->measures.n && rc == ARCHAI_OK; i++)
        if (archai_table_has_column(table, task->objectives->measures.at[i].name))
            rc = archai_measures_check_name(&task->objectives->measures, task->objectives->measures.at[i].name,
                                            "evaluator.table", err);
    for (size_t i = 0; i < task->objectives->n && rc == ARCHAI_OK; i++)
        if (!archai_evaluator_is_measured(&task->objectives->measures,
                                          task->objectives->at[i].source))
            rc = check_column(table, &task->objectives->at[i],
                              archai_space_can(task->space, "describe"), s->table, err);
    archai_model_fini(&m);
    archai_table_close(table);
    return rc;
}

static int table_init(archai_evaluator *self, archai_err *err)
{
    const table_settings *s = self->setup->settings;
    table_evaluator *e = (table_evaluator *)self;

    ARCHAI_TRY(archai_delay_parse(s->delay, &e->instant.delay, err));
    ARCHAI_TRY(open_table(s, &e->table, err));
    return archai_table_has_column(e->table, "archid")
               ? ARCHAI_OK
               : archai_evaluator_space(self, &e->space, err);
}

static void table_fini(archai_evaluator *self)
{
    archai_table_close(((table_evaluator *)self)->table);
    archai_space_destroy(((table_evaluator *)self)->space);
}

/* By the members of its arch; if no row matches, by the parameters that this architecture has: a table may
 * leave the cells of the others empty, or be keyed by parameters only. */
static int look_up(table_evaluator *e, const archai_trial *c, archai_trial *to,
                   archai_err *err)
{
    json_t *arch =
        json_loads(c->arch, 0, NULL); /* NULL for other texts: then archid is the key */
    json_t *params = NULL;
    archai_model m = {.arch = NULL};
    int rc = archai_table_find(e->table, c->model.archid, arch, &to->measures, &to->n_measures, err);

    if (rc == ARCHAI_ENOTFOUND && e->space != NULL && arch != NULL &&
        archai_space_load_json(e->space, arch, &m, NULL) == ARCHAI_OK &&
        archai_space_params(e->space, &m, &params, NULL) == ARCHAI_OK)
        rc = archai_table_find(e->table, c->model.archid, params, &to->measures,
                               &to->n_measures, err);
    archai_model_fini(&m);
    json_decref(params);
    json_decref(arch);
    return rc;
}

static int table_begin(archai_evaluator *self, const archai_trial *c, archai_err *err)
{
    table_evaluator *e = (table_evaluator *)self;
    archai_trial *answer = archai_instant_answer(&e->instant, c);

    (void)err;
    e->instant.problem.code = look_up(e, c, answer, &e->instant.problem);
    return ARCHAI_OK;
}

const archai_evaluator_ops archai_evaluator_table = {
    .name = "table",
    .help = "looks measures up in a CSV file",
    .options = table_options,
    .settings_size = sizeof(table_settings),
    .measuring_keys = measuring_keys,
    .size = sizeof(table_evaluator),
    .check = table_check,
    .check_task = table_check_task,
    .init = table_init,
    .fini = table_fini,
    .begin = table_begin,
    .open = archai_instant_open,
    .poll = archai_instant_poll,
    .close = archai_instant_close,
    .due = archai_instant_due,
};
