#include "runner/coordinator/resume.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "core/base/alloc.h"
#include "core/registries.h"
#include "core/config/ini.h"
#include "io/file/checkpoint.h"
#include "runner/indexer/earlier.h"
#include "runner/rank/plan.h"
#include "runner/directory/rundir.h"

/* -- may it go on? ------------------------------------------------------------------------- */

static bool decides_results(const char *section, const char *key)
{
    return strcmp(section, "space") == 0 || strncmp(section, "objective.", 10) == 0 ||
           (strcmp(section, "search") == 0 && (strcmp(key, "seed") == 0 || strcmp(key, "models") == 0 ||
                                               strcmp(key, "fresh") == 0));
}

/* A search and --from never go on from each other. */
static int same_task(const archai_ini *before, const archai_ini *now, const char *directory, archai_err *err)
{
    const archai_ini_entry *was = archai_ini_find(before, "search", "algorithm"),
                           *is = archai_ini_find(now, "search", "algorithm");
    const bool trained = was != NULL && strcmp(was->value, "retrain") == 0;

    if (was == NULL || is == NULL || trained == (strcmp(is->value, "retrain") == 0))
        return ARCHAI_OK;
    return archai_fail(err, ARCHAI_EINVAL,
                       trained ? "search.algorithm: the run in %s trains models of other results (--from), this one is a "
                                 "search; --resume goes on with the same command only"
                               : "search.algorithm: the run in %s is a search, this one trains models of other results "
                                 "(--from); --resume goes on with the same command only",
                       directory);
}

/* Does the key say what holds where it is absent? An earlier version did not have every key. */
static bool is_default(const archai_ini *ini, const archai_ini_entry *e)
{
    const archai_ini_entry *name = archai_ini_find(ini, "space", "name");
    const archai_option *o = archai_option_find(archai_objective_options, e->key);
    bool same = false;

    if (strcmp(e->section, "space") == 0)
        o = archai_option_find(
            archai_registry_choice(&archai_space_registry, name != NULL ? name->value : NULL)
                .options,
            e->key);
    return o != NULL && archai_option_is_default(o, e->value, &same, NULL) == ARCHAI_OK && same;
}

/* Every key of `a` that decides what rows mean must be in `b` with the same value. */
static int same_meaning(const archai_ini *a, const archai_ini *b, const char *directory,
                        bool a_is_old, archai_err *err)
{
    for (size_t i = 0; i < a->n; i++) {
        const archai_ini_entry *e = &a->at[i], *other;
        const char *mine = e->value, *theirs;

        if (e->key == NULL || !decides_results(e->section, e->key))
            continue;
        other = archai_ini_find(b, e->section, e->key);
        if (other == NULL && archai_ini_has_section(b, e->section) && is_default(a, e))
            continue;
        theirs = other != NULL ? other->value : "(nothing)";
        if (strcmp(mine, theirs) != 0)
            return archai_fail(
                err, ARCHAI_EINVAL,
                "%s.%s: the run in %s has %s, this configuration says %s; --resume "
                "goes on with the same space, objectives and seed only",
                e->section, e->key, directory, a_is_old ? mine : theirs,
                a_is_old ? theirs : mine);
    }
    return ARCHAI_OK;
}

/* What decides how a candidate is evaluated. */
static bool decides_measures(const archai_evaluator_ops *evaluator, const char *section,
                             const char *key)
{
    if (strcmp(section, "data") == 0) /* where the examples lie and who reads them changes no bit */
        return strcmp(key, "resident") != 0 && strcmp(key, "workers") != 0;
    if (strcmp(section, "train") == 0)
        return strncmp(key, "checkpoint", strlen("checkpoint")) != 0;
    return strcmp(section, "evaluator") == 0 && archai_evaluator_measures_by(evaluator, key);
}

/* A sentence for every change that is allowed, for run.log. */
static void note_changes(archai_plan *p, const archai_ini *before, const archai_ini *now)
{
    size_t size = 0;
    FILE *out = archai_there(open_memstream(&p->changes, &size));

    for (size_t i = 0; i < now->n; i++) {
        const archai_ini_entry *e = &now->at[i], *was;

        if (e->key == NULL || decides_results(e->section, e->key) ||
            strcmp(e->section, "output") == 0)
            continue;
        was = archai_ini_find(before, e->section, e->key);
        if (was == NULL || strcmp(was->value, e->value) == 0)
            continue;
        (void)fprintf(out, "%s.%s: was %s, is %s from now on%s\n", e->section, e->key, was->value,
                      e->value,
                      decides_measures(p->evaluator, e->section, e->key)
                          ? "; earlier rows keep what was measured then"
                          : "");
    }
    (void)fclose(out);
}

/* `text`: the configuration that results.h5 holds, "": there is none. */
static int check_config(archai_plan *p, const char *text, archai_err *err)
{
    const char *directory = p->config.output.directory;
    archai_ini before = {0}, now = {0};
    char *path = NULL;
    int rc;

    if (*text != '\0') {
        rc = archai_ini_parse(&before, "results.h5", text, strlen(text), err);
    } else {
        path = archai_printf("%s/config.ini", directory);
        rc = access(path, F_OK) == 0 ? archai_ini_read(&before, path, err) : ARCHAI_OK;
    }
    ARCHAI_TRY_GOTO(rc, rc, out);
    if (before.n == 0)
        goto out;
    ARCHAI_TRY_GOTO(rc, archai_ini_parse(&now, "configuration", p->text, strlen(p->text), err),
                    out);
    ARCHAI_TRY_GOTO(rc, same_task(&before, &now, directory, err), out);
    ARCHAI_TRY_GOTO(rc, same_meaning(&before, &now, directory, true, err), out);
    ARCHAI_TRY_GOTO(rc, same_meaning(&now, &before, directory, false, err), out);
    note_changes(p, &before, &now);
out:
    free(path);
    archai_ini_free(&before);
    archai_ini_free(&now);
    return rc;
}

/* 0: it has none. */
static long long iterations_of(const archai_ini *ini)
{
    const archai_ini_entry *e = archai_ini_find(ini, "search", "num_iters");

    return e != NULL ? strtoll(e->value, NULL, 10) : 0;
}

/* Of a complete run: has every row failed? Then p->failures tells why. The first row that has not ends the
 * reading. */
static int read_failures(archai_plan *p, archai_earlier *earlier, bool *all, archai_err *err)
{
    bool got = true;

    *all = false;
    for (;;) {
        archai_trial e = {0};
        bool failed;

        ARCHAI_TRY(archai_earlier_next(earlier, &e, &got, err));
        failed = got && e.status == ARCHAI_STATUS_FAILED;
        if (failed)
            archai_failures_add(&p->failures, e.error, e.id);
        archai_trial_fini(&e);
        if (!got)
            *all = p->failures.total > 0;
        if (!failed)
            return ARCHAI_OK;
    }
}

/* A complete run with more evaluations or iterations than before goes on, and one whose front is to be measured
 * on the test data. */
static int check_complete(archai_plan *p, archai_earlier *from, archai_err *err)
{
    const archai_message *earlier = &from->head;
    const char *directory = p->config.output.directory;
    archai_ini before = {0}, now = {0};
    archai_config config = {0};
    bool same = true, all_failed;
    char *why;

    if (strcmp(earlier->state, "complete") != 0)
        return ARCHAI_OK;
    if (archai_ini_parse(&before, "results.h5", earlier->text, strlen(earlier->text), NULL) ==
            ARCHAI_OK &&
        archai_ini_parse(&now, "configuration", p->text, strlen(p->text), NULL) == ARCHAI_OK &&
        archai_config_load(&config, &before, NULL) == ARCHAI_OK) {
        same = p->config.search.max_evaluations <= config.search.max_evaluations &&
               (p->config.train.test != ARCHAI_TEST_FRONT ||
                config.train.test == ARCHAI_TEST_FRONT) &&
               p->config.search.max_infeasible <= config.search.max_infeasible &&
               iterations_of(&now) <= iterations_of(&before);
        archai_config_free(&config);
    }
    archai_ini_free(&before);
    archai_ini_free(&now);
    if (!same)
        return ARCHAI_OK;
    ARCHAI_TRY(read_failures(p, from, &all_failed, err));
    if (all_failed) {
        why = archai_failures_all(&p->failures);
        p->complete_code = 1;
        p->complete = archai_printf("%s is complete: %s", directory, why);
        free(why);
        return ARCHAI_OK;
    }
    p->complete = archai_printf(
        "%s is complete (%lld rows): nothing is left to do; archai-inspect %s summary shows it",
        directory, (long long)earlier->n_rows, directory);
    return ARCHAI_OK;
}

/* -- entering ------------------------------------------------------------------------------ */

/* Candidates under way when an asynchronous run ended, as their checkpoints tell: handed out again
 * under their ids. */
typedef struct underway {
    int64_t *ids; /* owned; ascending */
    size_t n, at;
} underway;

/* To be removed once the directory is ours: until then nothing is changed. */
static void note_left_over(archai_plan *p, int64_t id)
{
    p->left_over = archai_realloc(p->left_over, p->n_left_over + 1, sizeof *p->left_over);
    p->left_over[p->n_left_over++] = id;
}

static int restore_checkpoint(archai_plan *p, int64_t id, archai_err *err)
{
    archai_checkpoint k = {.id = -1};
    archai_trial c = {.id = -1};
    int rc = ARCHAI_OK;

    if (archai_checkpoint_open(&k, p->config.output.directory, id, NULL) != ARCHAI_OK)
        return ARCHAI_OK; /* damaged: no head start */
    if (archai_checkpoint_candidate(&k, &c, NULL) == ARCHAI_OK && c.id == id) {
        c.status = ARCHAI_STATUS_RUNNING;
        rc = archai_search_restore(&p->search, &c, err);
    }
    archai_trial_fini(&c);
    archai_checkpoint_close(&k);
    return rc;
}

/* Those with ids below `id`. (A generational search proposes them again by itself.) Where there is a row
 * as well as a checkpoint, the row counts. */
static int restore_underway(archai_plan *p, underway *u, int64_t id, archai_err *err)
{
    const bool are_known = p->config.train.checkpoint == ARCHAI_CHECKPOINT_NONE ||
                           p->config.search.schedule != ARCHAI_ASYNC;

    for (; u->at < u->n && u->ids[u->at] < id; u->at++)
        if (!are_known)
            ARCHAI_TRY(restore_checkpoint(p, u->ids[u->at], err));
    if (u->at < u->n && u->ids[u->at] == id) {
        u->at++;
        note_left_over(p, id);
    }
    return ARCHAI_OK;
}

static bool decides_candidates(const char *change)
{
    return strncmp(change, "search.", 7) == 0 &&
           strncmp(change, "search.max_evaluations:", 23) != 0 &&
           strncmp(change, "search.max_infeasible:", 22) != 0 &&
           strncmp(change, "search.max_time:", 16) != 0;
}

/* Which changes may have led a generational search to other candidates than before. */
static int wrap_changes(const archai_plan *p, int rc, archai_err *err)
{
    char keys[512] = "";

    if (rc != ARCHAI_EFORMAT || p->config.search.schedule != ARCHAI_GENERATIONAL)
        return rc;
    for (const char *line = p->changes; line != NULL && *line != '\0';) {
        const char *end = strchr(line, '\n');

        if (decides_candidates(line))
            (void)snprintf(keys + strlen(keys), sizeof keys - strlen(keys), "%s%.*s",
                           keys[0] != '\0' ? ", " : "", (int)strcspn(line, ":"), line);
        line = end != NULL ? end + 1 : NULL;
    }
    return keys[0] != '\0' ? archai_err_wrap(err, rc, "changed since then: %s; ", keys) : rc;
}

/* One row at a time, so that a resume takes no more memory than the search keeps. */
static int enter_rows(archai_plan *p, archai_earlier *earlier, archai_err *err)
{
    underway u = {0};
    bool got = true;
    int rc = ARCHAI_OK;

    ARCHAI_TRY(archai_checkpoints_list(p->config.output.directory, &u.ids, &u.n, err));
    while (rc == ARCHAI_OK && got) {
        archai_trial e = {0};

        ARCHAI_TRY_GOTO(rc, archai_earlier_next(earlier, &e, &got, err), out);
        rc = restore_underway(p, &u, got ? e.id : INT64_MAX, err);
        if (rc == ARCHAI_OK && got && e.status == ARCHAI_STATUS_FAILED)
            archai_failures_add(&p->failures, e.error, e.id);
        if (rc == ARCHAI_OK && got)
            rc = archai_search_restore(&p->search, &e, err);
        archai_trial_fini(&e);
    }
    if (rc == ARCHAI_OK)
        rc = archai_search_restore_end(&p->search, err);
    rc = archai_err_wrap(err, wrap_changes(p, rc, err), "%s: ", p->config.output.directory);
out:
    free(u.ids);
    return rc;
}

int archai_resume(archai_plan *p, archai_err *err)
{
    const char *directory = p->config.output.directory;
    archai_earlier earlier = ARCHAI_EARLIER_INIT;
    int rc;

    if (access(directory, F_OK) != 0)
        return ARCHAI_OK;
    p->starts = archai_rundir_starts(directory);
    rc = archai_earlier_open(&earlier, directory, err);
    ARCHAI_TRY_GOTO(rc, rc, out);
    p->earlier_ranks = earlier.head.ranks;
    ARCHAI_TRY_GOTO(rc, check_config(p, earlier.head.text, err), out);
    ARCHAI_TRY_GOTO(rc, check_complete(p, &earlier, err), out);
    if (p->complete != NULL)
        goto out;
    ARCHAI_TRY_GOTO(rc,
                    archai_ini_locate(&p->ini,
                                      archai_err_wrap(err, archai_rundir_writable(directory, err),
                                                      "output.directory: "),
                                      err),
                    out);
    p->search.rejected = earlier.head.rejected;
    ARCHAI_TRY_GOTO(rc, enter_rows(p, &earlier, err), out);
    p->told = earlier.told;
    p->settled = earlier.settled;
    earlier.told = earlier.settled = NULL;
out:
    archai_earlier_close(&earlier);
#ifdef __GLIBC__
    (void)malloc_trim(0); /* what came through the pipe left holes */
#endif
    return rc;
}
