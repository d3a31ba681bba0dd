#include "runner/rank/plan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/dataset/dataset.h"
#include "runner/coordinator/resume.h"
#include "runner/directory/rundir.h"
#include "runner/rank/signals.h"

/* -- reading ------------------------------------------------------------------------------- */

static int read_ini(archai_plan *p, const archai_arguments *args, archai_err *err)
{
    char *output = NULL;
    int rc;

    ARCHAI_TRY(archai_ini_read(&p->ini, args->config, err));
    for (size_t i = 0; i < args->n_sets; i++)
        ARCHAI_TRY(
            archai_err_wrap(err, archai_ini_set(&p->ini, args->sets[i], err), "--set: "));
    if (args->output == NULL)
        return ARCHAI_OK;
    if (asprintf(&output, "output.directory=%s", args->output) < 0)
        return archai_fail(err, ARCHAI_ENOMEM, "out of memory for a path");
    rc = archai_ini_set(&p->ini, output, err);
    free(output);
    return archai_err_wrap(err, rc, "--output: ");
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
        .default_budget = p->evaluator->trains ? (double)p->config.train.epochs : 1,
        .inherit = p->config.train.inherit_weights,
    };

    ARCHAI_TRY(
        archai_search_init(&p->search, p->space, &p->objectives, &settings, &p->ini, err));
    p->has_search = true;
    return ARCHAI_OK;
}

static int check_evaluator(const archai_plan *p, archai_err *err)
{
    archai_rng drawn;
    int rc;

    if (p->evaluator->needs_network && !archai_space_can(p->space, "describe"))
        return archai_fail(
            err, ARCHAI_EINVAL,
            "evaluator.kind: %s builds networks, which space %s does not describe",
            p->evaluator->name, p->space->ops->name);
    if (p->evaluator->check != NULL)
        ARCHAI_TRY(p->evaluator->check(&p->config, err));
    if (p->evaluator->check_sources == NULL)
        return ARCHAI_OK;
    drawn = p->space->rng;
    rc = p->evaluator->check_sources(&p->config, p->space, &p->objectives, err);
    p->space->rng = drawn; /* the search begins as if nothing had been tried */
    return rc == ARCHAI_ENONE ? ARCHAI_OK : rc; /* no sample: for the search to say */
}

/* Before there is a loop (runner/coordinator/breath.h): a generational search that is resumed proposes again all that it
 * had proposed, and whoever stops it need not wait for that. */
static int heed_stop(void *payload, archai_err *err)
{
    (void)payload;
    return archai_signals_count() == 0
               ? ARCHAI_OK
               : archai_fail(err, ARCHAI_EINTR, "stopped by %s before the search began; --resume goes on",
                             archai_signals_name());
}

static const archai_interrupt until_the_loop = {.check = heed_stop};

/* Each part is looked at even if another one is wrong, as far as it can be: a user mends all at
 * once. */
static int read_parts(archai_plan *p, archai_err *err)
{
    archai_err one = ARCHAI_ERR_INIT;
    int rc, data_rc = ARCHAI_OK, space_rc;

    rc = archai_config_load(&p->config, &p->ini, err);
    if (rc != ARCHAI_OK)
        return rc; /* everything below follows from it */
    ARCHAI_TRY(archai_evaluator_find(p->config.evaluator.kind, &p->evaluator, err));
    if (uses_data(p))
        rc = data_rc =
            archai_ini_locate(&p->ini, archai_dataset_probe(&p->config, &p->data, err), err);
    space_rc = archai_space_create(&p->space, &p->ini, &p->data, &one);
    if (p->space != NULL)
        p->space->interrupt = &until_the_loop;
    if (rc == ARCHAI_OK) /* else the space may only lack what the data would have told */
        rc = archai_err_also(err, rc, space_rc, &one);
    rc =
        archai_err_also(err, rc, archai_objectives_create(&p->objectives, &p->ini, &one), &one);
    if (p->space != NULL && p->objectives.n > 0)
        rc = archai_err_also(err, rc, make_search(p, &one), &one);
    if (p->space != NULL && data_rc == ARCHAI_OK) /* it looks at the data too */
        rc = archai_err_also(err, rc,
                             archai_ini_locate(&p->ini, check_evaluator(p, &one), &one), &one);
    return archai_err_also(
        err, rc,
        archai_config_check_unused(&p->ini, p->config.search.algorithm,
                                   p->space != NULL ? p->space->ops->name : "", &one),
        &one);
}

static int resolve(archai_plan *p, archai_err *err)
{
    size_t size = 0;
    FILE *out = open_memstream(&p->text, &size);
    int rc;

    if (out == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "out of memory for the configuration");
    rc = archai_config_write(&p->config, p->space, &p->objectives, p->search.algorithm, out,
                             err);
    if (fclose(out) != 0 && rc == ARCHAI_OK)
        rc = archai_fail(err, ARCHAI_ENOMEM, "out of memory for the configuration");
    return rc;
}

/* Of a key of the algorithm's own, as it was resolved; 0: it has none. */
static double number_of(const archai_ini *resolved, const char *key)
{
    const archai_ini_entry *e = archai_ini_find(resolved, "search", key);

    return e != NULL ? strtod(e->value, NULL) : 0.0;
}

/* Promotions that would train for not one epoch more are not what anybody means. */
static int check_budgets(const archai_plan *p, archai_err *err)
{
    const double max = p->search.max_budget * (1 + 1e-9);
    archai_ini resolved = {0};
    double low, high, by;
    int rc = ARCHAI_OK;

    if (p->evaluator->kind != ARCHAI_EVALUATOR_TORCH || max == 0.0)
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
                "search.budget_multiplier: evaluator.kind = torch trains whole epochs, to "
                "which budgets %.4g and %.4g are the same",
                low, high);
    return rc;
}

int archai_plan_make(archai_plan *out, const archai_arguments *args, archai_err *err)
{
    archai_plan *p = out;

    memset(p, 0, sizeof *p);
    ARCHAI_TRY(read_ini(p, args, err));
    ARCHAI_TRY(read_parts(p, err));
    ARCHAI_TRY(resolve(p, err));
    ARCHAI_TRY(archai_ini_locate(&p->ini, check_budgets(p, err), err));
    ARCHAI_TRY(archai_ini_locate(
        &p->ini,
        archai_err_wrap(err, archai_rundir_check(p->config.output.directory, args->resume, err),
                        "output.directory: "),
        err));
    return args->resume ? archai_resume(p, err) : ARCHAI_OK;
}

int archai_plan_from_text(archai_plan *out, char *text, const archai_data_shape *data,
                          archai_err *err)
{
    archai_plan *p = out;

    memset(p, 0, sizeof *p);
    p->text = text;
    p->data = *data;
    ARCHAI_TRY(
        archai_ini_parse(&p->ini, "the resolved configuration", text, strlen(text), err));
    ARCHAI_TRY(archai_config_load(&p->config, &p->ini, err));
    ARCHAI_TRY(archai_evaluator_find(p->config.evaluator.kind, &p->evaluator, err));
    return archai_objectives_create(&p->objectives, &p->ini, err);
}

void archai_plan_fini(archai_plan *p)
{
    if (p->has_search)
        archai_search_fini(&p->search);
    archai_space_destroy(p->space);
    archai_objectives_free(&p->objectives);
    archai_config_free(&p->config);
    archai_ini_free(&p->ini);
    free(p->text);
    free(p->complete);
    free(p->changes);
    free(p->left_over);
    memset(p, 0, sizeof *p);
}

void archai_plan_sentence(const archai_plan *p, int workers, char *out, size_t size)
{
    const double cardinality = archai_space_cardinality(p->space);
    char models[64] = "", budget[64] = "evaluations until the search ends by itself";

    if (cardinality < 1e15)
        (void)snprintf(models, sizeof models, " (%.0f models)", cardinality);
    if (p->config.search.max_evaluations < INT64_MAX)
        (void)snprintf(budget, sizeof budget, "%lld evaluations",
                       (long long)p->config.search.max_evaluations);
    (void)snprintf(out, size, "%s on space %s%s: %s by %s on %d worker%s, results in %s",
                   p->config.search.algorithm, p->space->ops->name, models, budget,
                   p->evaluator->name, workers, workers == 1 ? "" : "s",
                   p->config.output.directory);
}
