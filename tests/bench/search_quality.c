/* tests/bench/search_quality.c - how good a search is, evaluation by evaluation.
 *
 *   search_quality CONFIG TABLE SEEDS WORKERS MAX [REFERENCE...]
 *
 * Runs the search of CONFIG (its [search], [space] and [objective.*]) once per seed, in this process,
 * with as many imaginary workers, whose evaluations are looked up in TABLE and come back in a
 * random order. Prints CSV: seed, evaluations, and at each power of 2^(1/2) the hypervolume of what
 * was found against REFERENCE (one number per objective, in its own unit), or without one the best
 * value of the first objective. SEEDS is FIRST:COUNT.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/config.h"
#include "core/search.h"
#include "io/table.h"
#include "shim/shim.h"

enum { MAX_WORKERS = 1024 };

struct problem {
    const char *config;
    archai_table *table;
    size_t workers, max;
    double reference[ARCHAI_MAX_OBJECTIVES];
    int n_reference;
};

/* Of the processor, so that whatever else runs does not count. */
static double seconds(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Hypervolume of the front, or the best value of the only objective. */
static int quality(const struct problem *p, const archai_search *s, double *out, archai_err *err)
{
    const archai_objectives *o = s->objectives;
    double reference[ARCHAI_MAX_OBJECTIVES];

    *out = NAN;
    if (s->front.n == 0)
        return ARCHAI_OK;
    if (p->n_reference == 0) {
        *out = o->at[0].direction == ARCHAI_MAXIMIZE ? -s->front.points[0] : s->front.points[0];
        return ARCHAI_OK;
    }
    archai_pareto_minimised(o, p->reference, reference);
    return archai_pareto_hypervolume(s->front.points, s->front.n, s->front.n_objectives, reference,
                                     out, err);
}

static int evaluate(const struct problem *p, archai_candidate *c, archai_evaluation *e,
                    archai_err *err)
{
    *e = (archai_evaluation){.id = c->id, .budget = c->budget};
    e->archid = strdup(c->model.archid);
    ARCHAI_TRY(archai_table_find(p->table, c->model.archid, c->model.arch, &e->measures,
                                 &e->n_measures, err));
    return ARCHAI_OK;
}

/* Predictions that the algorithm wants are computed at once, in this process. */
static int serve_jobs(archai_search *s, shim_surrogate *surrogate, size_t *held, archai_err *err)
{
    archai_surrogate_job job;
    bool got = false, busy = true;
    int rc = ARCHAI_OK;

    while (rc == ARCHAI_OK && busy && !got)
        rc = archai_search_job(s, *held, &job, &got, &busy, err);
    if (rc == ARCHAI_OK && got) {
        const size_t n = job.n_queries / (size_t)job.n_features * (size_t)job.n_targets;
        archai_surrogate_answer answer = {.id = job.id, .n_mean = n, .n_var = n};

        answer.mean = calloc(n + 1, sizeof *answer.mean);
        answer.var = calloc(n + 1, sizeof *answer.var);
        *held += job.n_y / (size_t)job.n_targets;
        rc = shim_surrogate_serve(surrogate, &job, answer.mean, answer.var, err);
        archai_surrogate_job_fini(&job);
        if (rc == ARCHAI_OK)
            rc = archai_search_answer(s, &answer, err);
        else
            archai_surrogate_answer_fini(&answer);
    }
    return rc;
}

static int run_search(const struct problem *p, archai_search *s, unsigned long seed,
                      archai_err *err)
{
    archai_candidate *busy = calloc(p->workers, sizeof *busy);
    size_t n = 0, begun = 0, done = 0;
    double next = 8.0, asking = 0.0, worst = 0.0, fitting = 0.0, q;
    shim_surrogate *surrogate = NULL;
    size_t held = 0;
    int rc = shim_surrogate_open(&surrogate, err);
    archai_rng order;

    archai_rng_seed(&order, seed + 1000003);
    while (rc == ARCHAI_OK) {
        archai_evaluation e = {.id = 0};
        archai_ask what = ARCHAI_ASK_WAIT;
        bool on_front;
        size_t at;

        fitting -= seconds();
        rc = serve_jobs(s, surrogate, &held, err);
        fitting += seconds();
        while (rc == ARCHAI_OK && n < p->workers && begun < p->max) {
            const double t = seconds();

            rc = archai_search_ask(s, &what, &busy[n], &e, err);
            asking += seconds() - t;
            worst = fmax(worst, seconds() - t);
            if (rc != ARCHAI_OK || what == ARCHAI_ASK_WAIT || what == ARCHAI_ASK_DONE)
                break;
            if (what == ARCHAI_ASK_CACHED) {
                archai_evaluation_fini(&e);
                continue;
            }
            n++;
            begun++;
        }
        if (rc == ARCHAI_OK && n == 0 && s->job != 0)
            continue;
        if (rc != ARCHAI_OK || n == 0)
            break;
        at = archai_rng_below(&order, n);
        rc = evaluate(p, &busy[at], &e, err);
        if (rc == ARCHAI_OK)
            rc = archai_search_tell(s, &e, &on_front, err);
        archai_evaluation_fini(&e);
        archai_candidate_fini(&busy[at]);
        busy[at] = busy[--n];
        done++;
        if (rc == ARCHAI_OK && ((double)done >= next || done == p->max)) {
            rc = quality(p, s, &q, err);
            printf("%lu,%zu,%.10g\n", seed, done, q);
            next *= sqrt(2.0);
        }
    }
    fprintf(stderr, "seed %lu: %zu evaluations, %.3f ms of CPU per proposal, at worst %.3f, %.3f s in surrogates; %s\n",
            seed, done, 1e3 * asking / (double)(begun > 0 ? begun : 1), 1e3 * worst, fitting, s->done);
    shim_surrogate_close(surrogate);
    for (size_t i = 0; i < n; i++)
        archai_candidate_fini(&busy[i]);
    free(busy);
    return rc;
}

static int run_seed(const struct problem *p, unsigned long seed, archai_err *err)
{
    archai_objectives objectives = {.n = 0};
    archai_search search = {.space = NULL};
    archai_search_settings settings = {.seed = seed};
    archai_space *space = NULL;
    archai_ini ini = {.n = 0};
    const archai_ini_entry *schedule, *algorithm;
    char set[64];
    int rc;

    (void)snprintf(set, sizeof set, "space.seed=%lu", seed);
    ARCHAI_TRY_GOTO(rc, archai_ini_read(&ini, p->config, err), out);
    ARCHAI_TRY_GOTO(rc, archai_ini_set(&ini, set, err), out);
    schedule = archai_ini_find(&ini, "search", "schedule");
    algorithm = archai_ini_find(&ini, "search", "algorithm");
    settings.schedule = schedule != NULL && strcmp(schedule->value, "generational") == 0
                            ? ARCHAI_GENERATIONAL
                            : ARCHAI_ASYNC;
    settings.algorithm = algorithm != NULL ? algorithm->value : "random_search";
    ARCHAI_TRY_GOTO(rc, archai_space_create(&space, &ini, NULL, err), out);
    ARCHAI_TRY_GOTO(rc, archai_objectives_create(&objectives, &ini, err), out);
    ARCHAI_TRY_GOTO(rc, archai_search_init(&search, space, &objectives, &settings, &ini, err), out);
    rc = run_search(p, &search, seed, err);
out:
    archai_search_fini(&search);
    archai_objectives_free(&objectives);
    archai_space_destroy(space);
    archai_ini_free(&ini);
    return rc;
}

int main(int argc, char **argv)
{
    archai_err err = ARCHAI_ERR_INIT;
    struct problem p = {.config = argc > 1 ? argv[1] : ""};
    unsigned long first = 1, count = 1;
    shim_device *device = NULL;
    int rc;

    if (argc < 6 || argc > 6 + ARCHAI_MAX_OBJECTIVES ||
        sscanf(argv[3], "%lu:%lu", &first, &count) != 2) {
        fprintf(stderr, "usage: %s CONFIG TABLE FIRST:COUNT WORKERS MAX [REFERENCE...]\n", argv[0]);
        return 2;
    }
    p.workers = strtoul(argv[4], NULL, 10);
    p.max = strtoul(argv[5], NULL, 10);
    if (p.workers < 1 || p.workers > MAX_WORKERS) {
        fprintf(stderr, "%s: 1 to %d workers\n", argv[0], MAX_WORKERS);
        return 2;
    }
    for (p.n_reference = 0; p.n_reference < argc - 6; p.n_reference++)
        p.reference[p.n_reference] = strtod(argv[6 + p.n_reference], NULL);
    rc = shim_device_open(&device, "cpu", 1, &err);
    if (rc == ARCHAI_OK)
        rc = archai_table_open(&p.table, argv[2], &err);
    for (unsigned long i = 0; rc == ARCHAI_OK && i < count; i++)
        rc = run_seed(&p, first + i, &err);
    archai_table_close(p.table);
    shim_device_close(device);
    if (rc != ARCHAI_OK)
        fprintf(stderr, "%s: %s\n", argv[0], err.text);
    return archai_rc_exit_status(rc);
}
