/* tests/bench/search_quality.c - how good a search is, evaluation by evaluation.
 *
 *   search_quality CONFIG PROBLEM [OPTION]...      (--help)
 *
 * Runs the search of CONFIG (its [search], [space] and [objective.*]) once per seed, in this
 * process and with a simulated clock: an evaluation keeps its worker busy for a log-normal time
 * with mean 1 and sigma 0.8, and PROBLEM knows its outcome (bench_problem.h). Prints CSV: seed;
 * evaluations that were told; cost, the same in units of a training with the default budget (a
 * promoted candidate costs only the difference, since it continues from its weights); time on the
 * clock; the hypervolume of the front against the reference point, or without one the best value
 * of the first objective. On stderr, one line per seed with the CPU time of the proposals. With
 * --candidates it prints one line per candidate instead, in the order in which they were handed
 * out: id, operator, archid.
 */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench_problem.h"
#include "core/base/alloc.h"
#include "core/config/config.h"
#include "core/config/delay.h"
#include "core/search/search.h"
#include "shim/shim.h"

enum { MAX_WORKERS = 4096, MAX_SETS = 64 };

struct bench {
    const char *config;
    struct problem problem;
    const char *sets[MAX_SETS];
    size_t n_sets;
    unsigned long first_seed, n_seeds;
    size_t workers;
    double max, step; /* cost: when to stop, and between two lines */
    double reference[ARCHAI_MAX_OBJECTIVES];
    int n_reference;
    double unit;     /* budget that costs 1 */
    bool candidates; /* print these instead */
};

struct worker {
    archai_trial *candidate; /* the search's */
    double free_at, cost;
};

/* CPU time, so that other processes do not count. */
static double cpu_seconds(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Hypervolume of the front, or the best value of the first objective. */
static int quality(const struct bench *b, const archai_search *s, double *out, archai_err *err)
{
    const archai_objectives *o = s->objectives;
    double reference[ARCHAI_MAX_OBJECTIVES];

    *out = b->n_reference == 0 ? NAN : 0.0;
    if (s->front.n == 0)
        return ARCHAI_OK;
    if (b->n_reference == 0) {
        *out = o->at[0].direction == ARCHAI_MAXIMIZE ? -s->front.points[0] : s->front.points[0];
        return ARCHAI_OK;
    }
    archai_objectives_minimised(o, b->reference, reference);
    return archai_pareto_hypervolume(s->front.points, s->front.n, s->front.n_objectives,
                                     reference, out, err);
}

/* What training this candidate costs, less what it was trained before. */
static double cost_of(const struct bench *b, const archai_search *s, const archai_trial *c)
{
    double before = 0.0;

    if (strcmp(c->operator_, ARCHAI_OPERATOR_PROMOTION) == 0)
        for (size_t i = 0; i < s->n_records; i++)
            if (s->records[i].status == ARCHAI_STATUS_OK && s->records[i].budget < c->budget &&
                strcmp(s->records[i].archid, c->model.archid) == 0)
                before = fmax(before, s->records[i].budget);
    return (c->budget - before) / b->unit;
}

/* -- one search -------------------------------------------------------------------------- */

struct run {
    const struct bench *b;
    archai_search *s;
    unsigned long seed;
    struct worker *workers; /* [n] are busy */
    size_t n, told;
    double clock, begun, done, next; /* time; cost that was begun, that was told, of the next line */
    double last, asking, worst, late, busy; /* late: the worst of the second half */
    size_t asked;
    bool over;
    shim_surrogate *surrogate;
    size_t held;
    double fitting;
};

/* Compute the predictions that the algorithm wants at once, in this process. */
static int serve_jobs(struct run *r, archai_err *err)
{
    archai_surrogate_job job;
    archai_surrogate_answer answer;
    bool got = false, busy = true;
    size_t n;
    int rc;

    while (busy && !got)
        ARCHAI_TRY(archai_search_job(r->s, r->held, &job, &got, &busy, err));
    if (!got)
        return ARCHAI_OK;
    n = job.n_queries / (size_t)job.n_features * (size_t)job.n_targets;
    answer = (archai_surrogate_answer){.id = job.id,
                                       .mean = archai_calloc(n, sizeof *answer.mean),
                                       .var = archai_calloc(n, sizeof *answer.var),
                                       .n_mean = n,
                                       .n_var = n};
    r->held += job.n_y / (size_t)job.n_targets;
    rc = shim_surrogate_serve(r->surrogate, &job, answer.mean, answer.var, err);
    archai_surrogate_job_fini(&job);
    if (rc == ARCHAI_OK)
        return archai_search_answer(r->s, &answer, err);
    archai_surrogate_answer_fini(&answer);
    return rc;
}

/* Give every free worker a candidate. */
static int hand_out(struct run *r, archai_err *err)
{
    const archai_delay delay = {.mean_s = 1.0, .sigma = 0.8};

    r->fitting -= cpu_seconds();
    ARCHAI_TRY(serve_jobs(r, err));
    r->fitting += cpu_seconds();
    while (r->n < r->b->workers && r->begun < r->b->max && !r->over) {
        struct worker *w = &r->workers[r->n];
        archai_trial cached = {.id = 0};
        archai_ask what = ARCHAI_ASK_WAIT;
        const double start = cpu_seconds();

        ARCHAI_TRY(archai_search_ask(r->s, &what, &w->candidate, &cached, err));
        r->last = cpu_seconds() - start;
        r->asking += r->last;
        r->worst = fmax(r->worst, r->last);
        if (r->begun >= 0.5 * r->b->max)
            r->late = fmax(r->late, r->last);
        r->asked++;
        r->over = what == ARCHAI_ASK_DONE;
        if (what == ARCHAI_ASK_WAIT || what == ARCHAI_ASK_DONE)
            break;
        if (what == ARCHAI_ASK_CACHED) {
            archai_trial_fini(&cached);
            continue;
        }
        if (r->b->candidates)
            printf("%lld,%s,%s\n", (long long)w->candidate->id, w->candidate->operator_,
                   w->candidate->model.archid);
        w->cost = cost_of(r->b, r->s, w->candidate);
        w->free_at = r->clock + w->cost * archai_delay_draw(&delay, w->candidate->seed);
        r->busy += w->free_at - r->clock;
        r->begun += w->cost;
        r->n++;
    }
    return ARCHAI_OK;
}

/* The next worker is free: tell its result. */
static int take_in(struct run *r, archai_err *err)
{
    archai_trial e = {.id = 0};
    struct worker *w;
    size_t at = 0;
    bool joins;
    int rc;

    for (size_t i = 1; i < r->n; i++)
        if (r->workers[i].free_at < r->workers[at].free_at)
            at = i;
    w = &r->workers[at];
    r->clock = w->free_at;
    rc = problem_evaluate(&r->b->problem, r->s->space, w->candidate, &e, err);
    if (rc == ARCHAI_OK)
        rc = archai_search_assess(r->s, &e, &joins, err);
    if (rc == ARCHAI_OK)
        rc = archai_search_tell(r->s, &e, &joins, err);
    r->done += w->cost;
    r->told++;
    archai_trial_fini(&e);
    *w = r->workers[--r->n];
    return rc;
}

static int print_line(struct run *r, archai_err *err)
{
    double q;

    if (r->b->candidates || (r->done + 1e-9 < r->next && r->n > 0))
        return ARCHAI_OK;
    ARCHAI_TRY(quality(r->b, r->s, &q, err));
    printf("%lu,%zu,%.6g,%.6g,%.10g\n", r->seed, r->told, r->done, r->clock, q);
    while (r->next <= r->done + 1e-9)
        r->next += r->b->step;
    return ARCHAI_OK;
}

static int run_search(const struct bench *b, archai_search *s, unsigned long seed,
                      archai_err *err)
{
    struct run r = {.b = b, .s = s, .seed = seed, .next = b->step};
    int rc;

    s->slots = b->workers;
    r.workers = archai_calloc(b->workers, sizeof *r.workers);
    rc = shim_surrogate_open(&r.surrogate, err);
    if (rc == ARCHAI_OK)
        rc = hand_out(&r, err);
    while (rc == ARCHAI_OK && (r.n > 0 || s->job != 0)) {
        if (r.n > 0)
            rc = take_in(&r, err);
        if (rc == ARCHAI_OK)
            rc = hand_out(&r, err);
        if (rc == ARCHAI_OK)
            rc = print_line(&r, err);
    }
    fprintf(
        stderr,
        "seed %lu: %zu evaluations, time %.1f, workers busy %.1f %%, proposals %.3f ms of CPU "
        "on average, %.3f at worst, %.3f at worst in the second half, %.3f the last, %.3f s in "
        "surrogates; %s\n",
        seed, r.told, r.clock, 100.0 * r.busy / (r.clock * (double)b->workers),
        1e3 * r.asking / (double)(r.asked > 0 ? r.asked : 1), 1e3 * r.worst, 1e3 * r.late,
        1e3 * r.last, r.fitting, s->done);
    free(r.workers);
    shim_surrogate_close(r.surrogate);
    return rc;
}

static int read_config(struct bench *b, unsigned long seed, archai_ini *ini, archai_err *err)
{
    char set[64];

    ARCHAI_TRY(archai_ini_read(ini, b->config, err));
    for (size_t i = 0; i < b->n_sets; i++)
        ARCHAI_TRY(archai_ini_set(ini, b->sets[i], err));
    (void)snprintf(set, sizeof set, "space.seed=%lu", seed);
    return archai_ini_set(ini, set, err);
}

static int run_seed(struct bench *b, unsigned long seed, archai_err *err)
{
    archai_objectives objectives = {.n = 0};
    archai_search search = {.space = NULL};
    archai_search_settings settings = {.seed = seed, .algorithm = "random_search"};
    archai_space *space = NULL;
    archai_ini ini = {.n = 0};
    const archai_ini_entry *e;
    int rc;

    ARCHAI_TRY_GOTO(rc, read_config(b, seed, &ini, err), out);
    e = archai_ini_find(&ini, "search", "schedule");
    if (e != NULL && strcmp(e->value, "generational") == 0)
        settings.schedule = ARCHAI_GENERATIONAL;
    e = archai_ini_find(&ini, "search", "algorithm");
    if (e != NULL)
        settings.algorithm = e->value;
    e = archai_ini_find(&ini, "train", "epochs");
    settings.default_budget = b->unit = e != NULL ? strtod(e->value, NULL) : 1.0;
    ARCHAI_TRY_GOTO(rc, archai_space_create(&space, &ini, NULL, err), out);
    ARCHAI_TRY_GOTO(rc, archai_objectives_create(&objectives, &ini, err), out);
    ARCHAI_TRY_GOTO(rc, archai_search_init(&search, space, &objectives, &settings, &ini, err),
                    out);
    rc = run_search(b, &search, seed, err);
out:
    archai_search_fini(&search);
    archai_objectives_free(&objectives);
    archai_space_destroy(space);
    archai_ini_free(&ini);
    return rc;
}

/* -- command line ------------------------------------------------------------------------ */

static void usage(FILE *to)
{
    fputs("usage: search_quality CONFIG PROBLEM [OPTION]...\n"
          "PROBLEM: a CSV file, zdt1 or dtlz2\n"
          "  --set SECTION.KEY=VALUE   override the configuration\n"
          "  --seeds FIRST:COUNT       default 1:1\n"
          "  --workers N               default 1\n"
          "  --max COST                evaluations, default 100\n"
          "  --step COST               between two lines, default 1\n"
          "  --reference X,Y,...       point of the hypervolume, one number per objective\n"
          "  --failing SHARE           share of the architectures that fail, 0 to 1\n"
          "  --curve                   the table has a column NAME_k for each budget k\n"
          "  --candidates              print id, operator and archid of each, as handed out\n",
          to);
}

static int read_reference(struct bench *b, const char *text)
{
    char *end;

    for (b->n_reference = 0; b->n_reference < ARCHAI_MAX_OBJECTIVES; text = end + 1) {
        b->reference[b->n_reference++] = strtod(text, &end);
        if (end == text)
            return 2;
        if (*end == '\0')
            return 0;
    }
    return 2;
}

static int read_option(struct bench *b, int option)
{
    switch (option) {
    case 's':
        if (b->n_sets == MAX_SETS)
            return 2;
        b->sets[b->n_sets++] = optarg;
        return 0;
    case 'e':
        return sscanf(optarg, "%lu:%lu", &b->first_seed, &b->n_seeds) == 2 ? 0 : 2;
    case 'w':
        b->workers = strtoul(optarg, NULL, 10);
        return b->workers >= 1 && b->workers <= MAX_WORKERS ? 0 : 2;
    case 'm':
        b->max = strtod(optarg, NULL);
        return 0;
    case 't':
        b->step = strtod(optarg, NULL);
        return b->step > 0.0 ? 0 : 2;
    case 'r':
        return read_reference(b, optarg);
    case 'f':
        b->problem.failing = strtod(optarg, NULL);
        return 0;
    case 'c':
        b->problem.curve = true;
        return 0;
    case 'n':
        b->candidates = true;
        return 0;
    default:
        return 2;
    }
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"set", required_argument, NULL, 's'},
        {"seeds", required_argument, NULL, 'e'},
        {"workers", required_argument, NULL, 'w'},
        {"max", required_argument, NULL, 'm'},
        {"step", required_argument, NULL, 't'},
        {"reference", required_argument, NULL, 'r'},
        {"failing", required_argument, NULL, 'f'},
        {"curve", no_argument, NULL, 'c'},
        {"candidates", no_argument, NULL, 'n'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct bench b = {.first_seed = 1, .n_seeds = 1, .workers = 1, .max = 100.0, .step = 1.0};
    archai_err err = ARCHAI_ERR_INIT;
    shim_device *device = NULL;
    int rc, option;

    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (option == 'h') {
            usage(stdout);
            return 0;
        }
        if (read_option(&b, option) != 0) {
            usage(stderr);
            return 2;
        }
    }
    if (optind + 2 != argc) {
        usage(stderr);
        return 2;
    }
    b.config = argv[optind];
    rc = shim_device_open(&device, "cpu", 1, &err);
    if (rc == ARCHAI_OK)
        rc = problem_open(&b.problem, argv[optind + 1], &err);
    for (unsigned long i = 0; rc == ARCHAI_OK && i < b.n_seeds; i++)
        rc = run_seed(&b, b.first_seed + i, &err);
    problem_close(&b.problem);
    shim_device_close(device);
    if (rc != ARCHAI_OK)
        fprintf(stderr, "search_quality: %s\n", err.text);
    return archai_rc_exit_status(rc);
}
