#include "runner/rank/plan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/config/paths.h"
#include "core/registries.h"
#include "runner/coordinator/resume.h"
#include "runner/directory/rundir.h"
#include "runner/measure/measures.h"
#include "runner/rank/runlog.h"
#include "runner/rank/signals.h"

const archai_registry *const archai_run_registries[] = {
    &archai_algorithm_registry, &archai_space_registry, &archai_evaluator_registry,
    &archai_dataset_registry,   NULL,
};

/* -- reading ------------------------------------------------------------------------------- */

/* What is taken from beside the INI file is said on standard error; run.log has the resolved paths. */
static void resolve_paths(archai_plan *p)
{
    char *notes = NULL;
    size_t size = 0;
    FILE *out = archai_there(open_memstream(&notes, &size));
    archai_runlog none = {.file = NULL};

    archai_paths_resolve(&p->ini, getenv("HOME"), out);
    (void)fclose(out);
    archai_runlog_say_lines(&none, 0, notes);
    free(notes);
}

/* Messages about output.directory are to name the option that was given. */
static void name_output(archai_ini *ini)
{
    for (size_t i = 0; i < ini->n; i++) {
        archai_ini_entry *e = &ini->at[i];

        if (e->key == NULL || strcmp(e->section, "output") != 0 || strcmp(e->key, "directory") != 0)
            continue;
        free(e->file);
        e->file = archai_strdup("--output");
    }
}

static int read_ini(archai_plan *p, const archai_arguments *args, archai_err *err)
{
    char *quoted, *output;
    int rc = ARCHAI_OK;

    ARCHAI_TRY(archai_ini_read(&p->ini, args->config, err));
    ARCHAI_TRY(archai_retrain_configure(&p->ini, args, err));
    for (size_t i = 0; i < args->n_sets; i++)
        ARCHAI_TRY(archai_ini_set(&p->ini, args->sets[i], err));
    if (args->output != NULL) {
        quoted = archai_ini_quote(args->output); /* as it is, blanks around it and all */
        output = archai_printf("output.directory=%s", quoted);
        rc = archai_err_wrap(err, archai_ini_set(&p->ini, output, err), "--output: ");
        name_output(&p->ini);
        free(quoted);
        free(output);
    }
    resolve_paths(p);
    return rc;
}

/* Data are read, and a generational search that is resumed repeats all of its proposals, before the loop begins
 * (runner/coordinator/breath.h): a signal need not wait for that. */
static int check_stop(void *payload, archai_err *err)
{
    (void)payload;
    return archai_signals_count() == 0
               ? ARCHAI_OK
               : archai_fail(err, ARCHAI_EINTR, "stopped by %s before the search began; --resume continues it",
                             archai_signals_name());
}

static const archai_interrupt until_the_loop = {.check = check_stop};

/* The configuration, and the data format and evaluator that it chooses. */
static int load(archai_plan *p, archai_err *err)
{
    const archai_ini_entry *given = archai_ini_find(&p->ini, "evaluator", "kind");
    const char *kind = given != NULL ? given->value : NULL;
    archai_err one = ARCHAI_ERR_INIT;
    int rc = archai_config_load(&p->config, &p->ini, err);

    if (rc == ARCHAI_OK)
        kind = p->config.evaluator.kind;
    if (rc == ARCHAI_OK)
        archai_algorithm_fit_schedule(&p->config, &p->ini);
    rc = archai_err_also(err, rc, archai_dataset_source_open(&p->source, &p->ini, &one), &one);
    p->source.interrupt = &until_the_loop;
    if (kind != NULL)
        rc = archai_err_also(err, rc,
                             archai_evaluator_choose(kind, &p->ini, &p->evaluator,
                                                     &p->evaluator_settings, &one),
                             &one);
    return rc;
}

static bool uses_data(const archai_plan *p)
{
    return p->evaluator->needs_data || archai_ini_has_section(&p->ini, "data");
}

static int make_search(archai_plan *p, archai_err *err)
{
    const archai_search_settings settings = {
        .algorithm = p->config.search.algorithm,
        .schedule = (archai_schedule)p->config.search.schedule,
        .seed = (uint64_t)p->config.search.seed,
        .retries = (int)p->config.evaluator.retries,
        .default_budget = p->evaluator->trains ? p->config.train.epochs : 1,
        .inherit = p->config.train.inherit_weights,
        .max_infeasible = p->config.search.max_infeasible,
        .prune = p->config.search.prune,
        .prune_source = p->config.search.prune_source,
        .giver = &p->retrain.giver,
    };

    ARCHAI_TRY(
        archai_search_init(&p->search, p->space, &p->objectives, &settings, &p->ini, err));
    p->has_search = true;
    return archai_ini_locate(&p->ini, archai_retrain_check(&p->retrain, p->space, p->evaluator, &p->config, err), err);
}

/* Can it do what is asked of it? */
static int check_task(const archai_plan *p, archai_err *err)
{
    const archai_evaluator_task task = {
        .space = p->space, .objectives = &p->objectives, .data = &p->facts, .config = &p->config};
    archai_rng drawn;
    int rc;

    if (p->evaluator->needs_network && !archai_space_can(p->space, "describe"))
        return archai_fail(
            err, ARCHAI_EINVAL,
            "evaluator.kind: %s builds networks, which space %s does not describe",
            p->evaluator->name, p->space->ops->name);
    if (p->evaluator->needs_network && p->evaluator->trains && p->has_search) {
        const archai_space_use use = {.budgets = p->search.max_budget > 0};

        ARCHAI_TRY(archai_space_check_use(p->space, &use, err));
    }
    if (p->evaluator->check_task == NULL)
        return ARCHAI_OK;
    drawn = p->space->rng;
    rc = p->evaluator->check_task(p->evaluator_settings, &task, err);
    p->space->rng = drawn; /* the search begins as if nothing had been tried */
    return rc == ARCHAI_ENONE ? ARCHAI_OK : rc; /* no sample: the search says so */
}

/* A run that an earlier version began with such an objective is resumed all the same: --resume allows no other
 * objectives than its own. */
static int check_test_objectives(const archai_plan *p, bool resume, archai_err *err)
{
    char *earlier = archai_printf("%s/config.ini", p->config.output.directory);
    const bool allowed =
        p->config.search.allow_test_objective || (resume && access(earlier, F_OK) == 0);
    int rc = ARCHAI_OK;

    free(earlier);
    if (allowed)
        return ARCHAI_OK;
    for (size_t i = 0; i < p->objectives.n; i++) {
        const archai_objective *o = &p->objectives.at[i];
        archai_err one = ARCHAI_ERR_INIT;

        if (strncmp(o->source, "test_", 5) != 0)
            continue;
        (void)archai_fail(&one, ARCHAI_EINVAL,
                          "objective.%s.source: %s is measured on the test data, which then say nothing "
                          "more about new data; take val_%s, or say search.allow_test_objective = yes",
                          o->name, o->source, o->source + 5);
        rc = archai_err_also(err, rc, archai_ini_locate(&p->ini, ARCHAI_EINVAL, &one), &one);
    }
    return rc;
}

/* Their programs, and for those of the model a space that describes it. */
static int check_measures(const archai_plan *p, archai_err *err)
{
    const archai_measure_specs *all = &p->objectives.measures;

    ARCHAI_TRY(archai_evaluator_check_measures(all, &p->ini, err));
    for (size_t i = 0; i < all->n; i++) {
        const archai_measure_spec *m = &all->at[i];
        const char *lack = NULL;

        if (!archai_measure_is_of_model(m))
            continue;
        if (p->space != NULL && !archai_space_can(p->space, "describe"))
            lack = "the space does not describe networks";
        if (strcmp(p->config.evaluator.kind, "plugin") == 0)
            lack = "evaluator.kind = plugin builds none";
        if (lack == NULL)
            continue;
        (void)archai_fail(err, ARCHAI_EINVAL, "%s%s.kind: %s is measured of a network, but %s",
                          archai_measure_prefix, m->name, archai_measure_kind_name(m), lack);
        return archai_ini_locate(&p->ini, ARCHAI_EINVAL, err);
    }
    return ARCHAI_OK;
}

/* What the plan chose of each registry; borrows from the plan and `common`. */
static void choices_of(const archai_plan *p, archai_space_common *common, archai_choice out[5])
{
    out[0] = archai_dataset_choice(&p->source);
    out[1] = archai_evaluator_choice(p->evaluator, p->evaluator_settings);
    out[2] = archai_space_choice(p->space, common);
    out[3] = archai_algorithm_choice(p->search.algorithm);
    if (out[3].name == NULL) /* no search because of an error, but its keys are known */
        out[3] = archai_registry_choice(&archai_algorithm_registry, p->config.search.algorithm);
    out[4] = (archai_choice){.registry = NULL};
}

static int check_unused(archai_plan *p, archai_err *err)
{
    archai_space_common common;
    archai_choice choices[5];
    size_t size = 0;
    FILE *notes = archai_there(open_memstream(&p->unused, &size));
    int rc;

    choices_of(p, &common, choices);
    rc = archai_config_check_unused(&p->ini, choices, notes, err);
    (void)fclose(notes);
    return rc;
}

/* Checks as much as possible even when something is wrong, so that all problems can be fixed at once. */
static int read_parts(archai_plan *p, bool resume, archai_err *err)
{
    archai_err one = ARCHAI_ERR_INIT;
    int rc, load_rc, evaluator_rc = ARCHAI_OK, data_rc = ARCHAI_OK, space_rc;

    rc = load_rc = load(p, err);
    if (p->evaluator_settings != NULL)
        evaluator_rc =
            archai_evaluator_check(p->evaluator, p->evaluator_settings, &p->config, &p->ini, &one);
    rc = archai_err_also(err, rc, evaluator_rc, &one);
    if (load_rc != ARCHAI_OK)
        return rc; /* everything below needs it */
    if (uses_data(p))
        data_rc = archai_ini_locate(
            &p->ini, archai_dataset_probe(&p->source, &p->facts, &one), &one);
    p->data = p->facts.shape;
    archai_retrain_init(&p->retrain, &p->config, resume);
    rc = archai_err_also(err, rc, data_rc, &one);
    space_rc = archai_space_create(&p->space, &p->ini, &p->data, &one);
    if (p->space != NULL)
        p->space->interrupt = &until_the_loop;
    if (data_rc == ARCHAI_OK) /* else the space may only lack what the data would have said */
        rc = archai_err_also(err, rc, space_rc, &one);
    rc =
        archai_err_also(err, rc, archai_objectives_create(&p->objectives, &p->ini, &one), &one);
    rc = archai_err_also(err, rc, check_test_objectives(p, resume, &one), &one);
    rc = archai_err_also(err, rc, check_measures(p, &one), &one);
    if (p->space != NULL && p->objectives.n > 0)
        rc = archai_err_also(err, rc, make_search(p, &one), &one);
    if (p->space != NULL && data_rc == ARCHAI_OK && evaluator_rc == ARCHAI_OK)
        rc = archai_err_also(err, rc,
                             archai_ini_locate(&p->ini, check_task(p, &one), &one), &one);
    return archai_err_also(err, rc, check_unused(p, &one), &one);
}

static int resolve(archai_plan *p, archai_err *err)
{
    archai_space_common common;
    archai_choice choices[5];
    size_t size = 0;
    FILE *out = archai_there(open_memstream(&p->text, &size));
    int rc;

    choices_of(p, &common, choices);
    rc = archai_config_write(&p->config, choices, &p->objectives, out, err);
    (void)fclose(out);
    return rc;
}

/* The resolved value of a key of the algorithm; 0: it has no such key. */
static double number_of(const archai_ini *resolved, const char *key)
{
    const archai_ini_entry *e = archai_ini_find(resolved, "search", key);

    return e != NULL ? strtod(e->value, NULL) : 0.0;
}

/* A promotion must train for at least one more epoch. */
static int check_budgets(const archai_plan *p, archai_err *err)
{
    const double max = p->search.max_budget * (1 + 1e-9);
    archai_ini resolved = {0};
    double low, high, by;
    int rc = ARCHAI_OK;

    if (!p->evaluator->trains || max == 0.0)
        return ARCHAI_OK;
    ARCHAI_TRY(archai_ini_parse(&resolved, "configuration", p->text, strlen(p->text), err));
    low = number_of(&resolved, "init_budget");
    by = number_of(&resolved, "budget_multiplier");
    archai_ini_free(&resolved);
    for (; rc == ARCHAI_OK && by > 1.0 && (high = low * by) <= max && isfinite(high);
         low = high)
        if (round(fmax(low, 1.0)) >= round(fmax(high, 1.0)))
            rc = archai_fail(
                err, ARCHAI_EINVAL,
                "search.budget_multiplier: evaluator.kind = %s trains whole epochs, to "
                "which budgets %.4g and %.4g are the same",
                p->evaluator->name, low, high);
    return rc;
}

/* --dry-run shows what would hold, also where a run stands already. */
static int check_directory(const archai_plan *p, const archai_arguments *args, archai_err *err)
{
    archai_err why = ARCHAI_ERR_INIT;
    const int rc = archai_rundir_check(p->config.output.directory, args->resume, &why);

    if (rc == ARCHAI_EEXIST && args->dry_run) {
        (void)fprintf(stderr, "archai-run: note: output.directory: %s\n", why.text);
        return ARCHAI_OK;
    }
    if (rc != ARCHAI_OK && err != NULL)
        *err = why;
    return archai_err_wrap(err, rc, "output.directory: ");
}

int archai_plan_make(archai_plan *p, const archai_arguments *args, archai_err *err)
{
    *p = (archai_plan){.text = NULL};
    ARCHAI_TRY(read_ini(p, args, err));
    ARCHAI_TRY(read_parts(p, args->resume, err));
    ARCHAI_TRY(resolve(p, err));
    ARCHAI_TRY(archai_ini_locate(&p->ini, check_budgets(p, err), err));
    ARCHAI_TRY(archai_ini_locate(&p->ini, check_directory(p, args, err), err));
    if (!args->dry_run) /* before the rows are read: a living run would add more */
        ARCHAI_TRY(archai_rundir_watch(p->config.output.directory, stderr, &until_the_loop, err));
    return args->resume ? archai_resume(p, err) : ARCHAI_OK;
}

int archai_plan_from_text(archai_plan *p, char *text, const archai_data_shape *data,
                          archai_err *err)
{
    *p = (archai_plan){.text = text, .data = *data};
    ARCHAI_TRY(
        archai_ini_parse(&p->ini, "the resolved configuration", text, strlen(text), err));
    ARCHAI_TRY(load(p, err));
    return archai_objectives_create(&p->objectives, &p->ini, err);
}

void archai_plan_fini(archai_plan *p)
{
    if (p->has_search)
        archai_search_fini(&p->search);
    archai_retrain_fini(&p->retrain);
    archai_space_destroy(p->space);
    archai_objectives_free(&p->objectives);
    if (p->evaluator != NULL)
        archai_settings_free(p->evaluator_settings, p->evaluator->options);
    archai_dataset_source_close(&p->source);
    archai_config_free(&p->config);
    archai_ini_free(&p->ini);
    free(p->text);
    free(p->data_set);
    free(p->unused);
    free(p->complete);
    archai_failures_free(&p->failures);
    free(p->changes);
    free(p->told);
    free(p->settled);
    free(p->left_over);
    memset(p, 0, sizeof *p);
}

void archai_plan_sentence(const archai_plan *p, int workers, char *out, size_t size)
{
    const double cardinality = archai_space_cardinality(p->space);
    char models[64] = "", limit[64] = "unlimited evaluations";

    if (cardinality < 1e15)
        (void)snprintf(models, sizeof models, " (%.0f models)", cardinality);
    if (p->config.search.max_evaluations < INT64_MAX)
        (void)snprintf(limit, sizeof limit, "%lld evaluations",
                       (long long)p->config.search.max_evaluations);
    (void)snprintf(out, size, "%s on space %s%s: %s with %s on %d worker%s, results in %s",
                   p->config.search.algorithm, p->space->ops->name, models, limit,
                   p->evaluator->name, workers, workers == 1 ? "" : "s",
                   p->config.output.directory);
}
