#include "runner/resume.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "io/checkpoint.h"
#include "io/index.h"
#include "io/segment.h"
#include "runner/plan.h"

typedef struct row_list {
    archai_evaluation *at; /* owned */
    size_t n, capacity;
} row_list;

static int push(row_list *l, archai_evaluation *e, archai_err *err)
{
    if (l->n == l->capacity) {
        const size_t capacity = l->capacity > 0 ? 2 * l->capacity : 256;
        archai_evaluation *grown = realloc(l->at, capacity * sizeof *grown);

        if (grown == NULL)
            return archai_fail(err, ARCHAI_ENOMEM, "out of memory for %zu rows", capacity);
        l->at = grown;
        l->capacity = capacity;
    }
    l->at[l->n++] = *e;
    *e = (archai_evaluation){0};
    return ARCHAI_OK;
}

static void free_rows(row_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        archai_evaluation_fini(&l->at[i]);
    free(l->at);
    *l = (row_list){0};
}

/* -- collecting ---------------------------------------------------------------------------- */

typedef struct collector {
    row_list *rows;
    const archai_segment *segment;
} collector;

static int collect(void *payload, int64_t row, const archai_row *r, archai_err *err)
{
    const collector *c = payload;
    archai_evaluation e = {0};
    bool valid;
    int rc;

    (void)row;
    ARCHAI_TRY(archai_segment_detail(c->segment, r, &valid, &e, err));
    if (!valid)
        return ARCHAI_OK;
    rc = push(c->rows, &e, err);
    archai_evaluation_fini(&e);
    return rc;
}

static int collect_segments(row_list *rows, const char *directory, archai_err *err)
{
    archai_strings names = {0};
    int rc;

    ARCHAI_TRY(archai_segment_list(directory, &names, err));
    rc = ARCHAI_OK;
    for (size_t i = 0; i < names.n && rc == ARCHAI_OK; i++) {
        archai_segment s = ARCHAI_SEGMENT_INIT;
        collector c = {.rows = rows, .segment = &s};

        rc = archai_segment_open(&s, directory, names.at[i], false, err);
        if (rc == ARCHAI_OK)
            rc = archai_segment_scan(&s, 0, s.size.rows, collect, &c, err);
        archai_segment_close(&s);
    }
    archai_strings_free(&names);
    return rc;
}

/* Candidates under way when an asynchronous run ended, as their checkpoints tell: handed out again
 * under their ids. (A generational search comes to them by itself.) What is damaged is skipped. */
static int collect_checkpoints(row_list *rows, const char *directory, archai_err *err)
{
    int64_t *ids;
    size_t n;
    int rc = archai_checkpoints_list(directory, &ids, &n, err);

    for (size_t i = 0; i < n && rc == ARCHAI_OK; i++) {
        archai_checkpoint k = {.id = -1};
        archai_candidate c = {.id = -1};
        archai_evaluation e = {0};

        if (archai_checkpoint_open(&k, directory, ids[i], NULL) != ARCHAI_OK)
            continue;
        if (archai_checkpoint_candidate(&k, &c, NULL) == ARCHAI_OK && c.id == ids[i]) {
            e = (archai_evaluation){
                .id = c.id,
                .archid = c.model.archid,
                .arch = c.arch,
                .status = ARCHAI_STATUS_RUNNING,
                .operator_ = strdup(c.operator_),
                .parents = c.parents,
                .metadata = json_dumps(c.model.metadata, JSON_SORT_KEYS),
                .generation = c.generation,
                .budget = c.budget,
                .encoding = c.encoding,
                .n_encoding = c.n_encoding,
            };
            c.model.archid = c.arch = c.parents = NULL;
            c.encoding = NULL;
            rc = push(rows, &e, err);
            archai_evaluation_fini(&e);
        }
        archai_candidate_fini(&c);
        archai_checkpoint_close(&k);
    }
    free(ids);
    return rc;
}

/* In order of id. The index repeats what the segments hold; two evaluations with one id, of a rank
 * that was taken for lost and of the one that got its work, stand as in the index: the one that
 * was finished first. */
static int compare_ids(const void *a, const void *b)
{
    const archai_evaluation *x = a, *y = b;

    const double u = x->started + x->seconds, v = y->started + y->seconds;

    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    /* a row outweighs a checkpoint that was left beside it */
    if ((x->status == ARCHAI_STATUS_RUNNING) != (y->status == ARCHAI_STATUS_RUNNING))
        return x->status == ARCHAI_STATUS_RUNNING ? 1 : -1;
    return (u > v) - (u < v);
}

static int merge(row_list *rows, archai_results *results, archai_err *err)
{
    size_t kept = 0;

    for (size_t i = 0; i < results->n; i++)
        ARCHAI_TRY(push(rows, &results->rows[i], err));
    if (rows->n > 0)
        qsort(rows->at, rows->n, sizeof *rows->at, compare_ids);
    for (size_t i = 0; i < rows->n; i++) {
        if (kept > 0 && rows->at[kept - 1].id == rows->at[i].id) {
            archai_evaluation_fini(&rows->at[i]);
            continue;
        }
        if (kept != i) {
            rows->at[kept] = rows->at[i];
            rows->at[i] = (archai_evaluation){0};
        }
        kept++;
    }
    rows->n = kept;
    return ARCHAI_OK;
}

/* -- may it go on? ------------------------------------------------------------------------- */

static bool decides_results(const char *section, const char *key)
{
    return strcmp(section, "space") == 0 || strncmp(section, "objective.", 10) == 0 ||
           (strcmp(section, "search") == 0 && strcmp(key, "seed") == 0);
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

static int check_config(const archai_plan *p, const archai_results *results, archai_err *err)
{
    const char *directory = p->config.output.directory;
    archai_ini before = {0}, now = {0};
    char *path = NULL;
    int rc;

    if (results->config != NULL) {
        rc = archai_ini_parse(&before, "results.h5", results->config, strlen(results->config),
                              err);
    } else if (asprintf(&path, "%s/config.ini", directory) < 0) {
        path = NULL;
        rc = archai_fail(err, ARCHAI_ENOMEM, "out of memory for a path");
    } else {
        rc = access(path, F_OK) == 0 ? archai_ini_read(&before, path, err) : ARCHAI_OK;
    }
    ARCHAI_TRY_GOTO(rc, rc, out);
    if (before.n == 0)
        goto out;
    ARCHAI_TRY_GOTO(rc, archai_ini_parse(&now, "configuration", p->text, strlen(p->text), err),
                    out);
    ARCHAI_TRY_GOTO(rc, same_meaning(&before, &now, directory, true, err), out);
    ARCHAI_TRY_GOTO(rc, same_meaning(&now, &before, directory, false, err), out);
out:
    free(path);
    archai_ini_free(&before);
    archai_ini_free(&now);
    return rc;
}

/* A complete run with a larger budget than before goes on. */
static int check_complete(archai_plan *p, const archai_results *results, archai_err *err)
{
    const char *directory = p->config.output.directory;
    archai_ini before = {0};
    archai_config config = {0};
    bool same = true;

    if (results->state == NULL || strcmp(results->state, "complete") != 0 ||
        results->config == NULL)
        return ARCHAI_OK;
    if (archai_ini_parse(&before, "results.h5", results->config, strlen(results->config),
                         NULL) == ARCHAI_OK &&
        archai_config_load(&config, &before, NULL) == ARCHAI_OK) {
        same = p->config.search.max_evaluations <= config.search.max_evaluations;
        archai_config_free(&config);
    }
    archai_ini_free(&before);
    if (!same)
        return ARCHAI_OK;
    if (asprintf(&p->complete,
                 "%s is complete (%zu rows): nothing is left to do; archai-inspect %s summary "
                 "shows it",
                 directory, results->n, directory) < 0) {
        p->complete = NULL;
        return archai_fail(err, ARCHAI_ENOMEM, "out of memory for a message");
    }
    return ARCHAI_OK;
}

static bool has_index(const char *directory)
{
    char *path = NULL;
    bool there;

    if (asprintf(&path, "%s/results.h5", directory) < 0)
        return false;
    there = access(path, F_OK) == 0;
    free(path);
    return there;
}

int archai_resume(archai_plan *p, archai_err *err)
{
    const char *directory = p->config.output.directory;
    archai_results results = {0};
    row_list rows = {0};
    int rc = ARCHAI_OK;

    if (access(directory, F_OK) != 0)
        return ARCHAI_OK;
    if (has_index(directory))
        ARCHAI_TRY(archai_results_read(&results, directory, err));
    ARCHAI_TRY_GOTO(rc, check_config(p, &results, err), out);
    ARCHAI_TRY_GOTO(rc, check_complete(p, &results, err), out);
    if (p->complete != NULL)
        goto out;
    p->search.rejected = results.rejected;
    ARCHAI_TRY_GOTO(rc, collect_segments(&rows, directory, err), out);
    if (p->config.train.checkpoint != ARCHAI_CHECKPOINT_NONE &&
        p->config.search.schedule == ARCHAI_ASYNC)
        ARCHAI_TRY_GOTO(rc, collect_checkpoints(&rows, directory, err), out);
    ARCHAI_TRY_GOTO(rc, merge(&rows, &results, err), out);
    for (size_t i = 0; i < rows.n; i++) {
        ARCHAI_TRY_GOTO(rc, archai_search_restore(&p->search, &rows.at[i], err), out);
        archai_evaluation_fini(&rows.at[i]);
    }
    if (rows.n > 0)
        rc = archai_search_restore_end(&p->search, err);
    rc = archai_err_wrap(err, rc, "%s: ", directory);
out:
    free_rows(&rows);
    archai_results_free(&results);
#ifdef __GLIBC__
    (void)malloc_trim(0); /* the rows of a large run took more than the search keeps of them */
#endif
    return rc;
}
