/* verify: check results.h5 against the segments that it was made from.
 *
 * Every committed row must be in the table, every stored weight must match its checksum and be finite,
 * every model in /models must be the one in its segment, the front must be the front, and a checkpoint
 * must be complete.
 */
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/pareto/pareto.h"
#include "io/file/checkpoint.h"
#include "io/results/reconcile.h"
#include "io/segment/segment.h"
#include "runner/inspect/inspect.h"

enum { FAULTS_SHOWN = 20 };

struct verifying {
    const inspect *t;
    archai_segment *segment; /* the current one */
    size_t faults;
    int64_t rows, values; /* seen */
    archai_reconciled reconciled;
    int64_t absent, repeated; /* rows that results.h5 should have; that do not count (reconcile.h) */
    int64_t pending;      /* rows that a running search has committed since its last refresh */
    bool *stored;         /* [r.n]: some segment holds the row */
};

__attribute__((format(printf, 2, 3))) static void fault(struct verifying *v, const char *fmt, ...)
{
    va_list ap;

    if (v->faults++ >= FAULTS_SHOWN)
        return;
    va_start(ap, fmt);
    (void)vprintf(fmt, ap);
    va_end(ap);
    (void)putchar('\n');
}

/* -- values -------------------------------------------------------------------------------- */

static bool is_finite(archai_dtype dtype, const void *data, uint64_t n)
{
    const char *p = data;
    double d;
    float f;
    uint16_t h;

    for (uint64_t i = 0; i < n; i++)
        if (dtype == ARCHAI_F32) {
            memcpy(&f, p + i * sizeof f, sizeof f);
            if (!isfinite(f))
                return false;
        } else if (dtype == ARCHAI_F64) {
            memcpy(&d, p + i * sizeof d, sizeof d);
            if (!isfinite(d))
                return false;
        } else if (dtype == ARCHAI_F16) {
            memcpy(&h, p + i * sizeof h, sizeof h);
            if ((h & 0x7c00) == 0x7c00) /* the exponent of infinity and NaN */
                return false;
        }
    return true; /* integers always are */
}

static int verify_tensor(struct verifying *v, const archai_trial *e,
                         const archai_tensor_place *p, archai_err *err)
{
    uint64_t n = 0;
    size_t bytes;
    void *data;
    int rc;

    if (!archai_segment_holds(v->segment, p, &n)) /* the scan has checked that it does */
        return ARCHAI_OK;
    bytes = (size_t)n * archai_dtype_size(p->dtype);
    data = malloc(bytes + 1);
    if (data == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for the %zu bytes of %s", bytes, p->name);
    rc = archai_segment_read_tensor(v->segment, p, data, err);
    if (rc == ARCHAI_OK && archai_segment_crc(data, bytes) != p->crc)
        fault(v, "%s: %s of %s (id %lld) does not match its checksum", v->segment->name, p->name,
              e->model.archid, (long long)e->id);
    else if (rc == ARCHAI_OK && !archai_tensor_is_state(p->name) && !is_finite(p->dtype, data, n))
        fault(v, "%s: %s of %s (id %lld) is not finite", v->segment->name, p->name, e->model.archid,
              (long long)e->id);
    v->values += (int64_t)n;
    free(data);
    return rc;
}

/* -- rows ---------------------------------------------------------------------------------- */

static int compare_ids(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = ((const archai_trial *)b)->id;

    return (x > y) - (x < y);
}

/* What was measured on the test data is in the row that it belongs to. */
static void verify_test(struct verifying *v, const archai_trial *e, const archai_trial *known)
{
    if (strcmp(v->t->r.state, "running") == 0)
        return;
    for (size_t i = 0; i < e->n_measures; i++) {
        const archai_measure *m = &e->measures[i];
        const double there =
            known != NULL ? archai_measure_get(known->measures, known->n_measures, m->name)
                          : (double)NAN;

        if (there != m->value)
            fault(v, "%s: %s = %g of id %lld is not in results.h5", v->segment->name, m->name,
                  m->value, (long long)e->id);
    }
}

static int verify_row(void *payload, int64_t row, const archai_row *r, archai_err *err)
{
    struct verifying *v = payload;
    const archai_results *results = &v->t->r;
    const archai_reconciled_row *settled =
        archai_reconciled_find(&v->reconciled, archai_segment_place(v->segment->name, row));
    const archai_trial *known;
    archai_trial e = {0};
    bool valid;
    int rc;

    ARCHAI_TRY(archai_segment_detail(v->segment, r, &valid, &e, err));
    if (!valid) {
        fault(v, "%s: row %lld (id %lld) is damaged", v->segment->name, (long long)row,
              (long long)r->id);
        return ARCHAI_OK;
    }
    if (settled != NULL && settled->id >= 0)
        e.id = settled->id;
    known = bsearch(&e.id, results->rows, results->n, sizeof *results->rows, compare_ids);
    if (e.is_test) {
        if (settled == NULL || settled->id >= 0)
            verify_test(v, &e, known);
        archai_trial_fini(&e);
        return ARCHAI_OK;
    }
    v->rows++;
    if (settled != NULL && settled->id < 0)
        v->repeated++;
    else if (known == NULL && strcmp(results->state, "running") == 0)
        v->pending++;
    else if (known == NULL && ++v->absent > 0)
        fault(v, "%s: row %lld (id %lld, %s) is not in results.h5", v->segment->name,
              (long long)row, (long long)e.id, e.model.archid);
    else if (strcmp(known->model.archid, e.model.archid) != 0 && ++v->absent > 0)
        fault(v, "%s: id %lld is %s, results.h5 says %s", v->segment->name, (long long)e.id,
              e.model.archid, known->model.archid);
    else
        v->stored[known - results->rows] = true;
    rc = ARCHAI_OK;
    for (size_t i = 0; rc == ARCHAI_OK && i < e.n_tensors; i++)
        rc = verify_tensor(v, &e, &e.tensors[i], err);
    archai_trial_fini(&e);
    return rc;
}

static int verify_damaged(void *payload, int64_t row, const archai_row *r, archai_err *err)
{
    (void)r;
    (void)err;
    fault(payload, "%s: row %lld is damaged: neither free nor committed",
          ((struct verifying *)payload)->segment->name, (long long)row);
    return ARCHAI_OK;
}

static int verify_segments(struct verifying *v, archai_err *err)
{
    archai_strings names = {NULL, 0};
    size_t missing = 0;
    int rc = ARCHAI_OK;

    ARCHAI_TRY(archai_segment_list(v->t->directory, &names, err));
    for (size_t i = 0; rc == ARCHAI_OK && i < names.n; i++) {
        archai_segment s = ARCHAI_SEGMENT_INIT;
        archai_err why = ARCHAI_ERR_INIT;

        if (archai_segment_open(&s, v->t->directory, names.at[i], false, &why) != ARCHAI_OK) {
            fault(v, "%s", why.text);
            continue;
        }
        v->segment = &s;
        rc = archai_segment_scan(&s, 0, s.size.rows, verify_row, v, err);
        /* a running search may be about to complete such a row */
        if (rc == ARCHAI_OK && strcmp(v->t->r.state, "running") != 0)
            rc = archai_segment_scan_damaged(&s, verify_damaged, v, err);
        archai_segment_close(&s);
    }
    for (size_t i = 0; i < v->t->r.n; i++)
        missing += !v->stored[i];
    (void)printf("%zu segment%s, %lld row%s, %lld weights\n", names.n, names.n == 1 ? "" : "s",
                 (long long)v->rows, v->rows == 1 ? "" : "s", (long long)v->values);
    if (missing > 0) /* of a segment that was deleted */
        (void)printf("%zu rows are only in results.h5\n", missing);
    if (v->repeated > 0)
        (void)printf("%lld rows repeat an evaluation that another run finished first, and do not count\n",
                     (long long)v->repeated);
    if (v->absent > 0)
        (void)puts("verify --repair and archai-run --resume take in what results.h5 lacks");
    if (v->pending > 0)
        (void)printf("%lld rows are not in results.h5 yet\n", (long long)v->pending);
    archai_strings_free(&names);
    return rc;
}

/* -- checkpoints --------------------------------------------------------------------------- */

/* Is it complete, and of the candidate in its name? Then `about` says how far it got. */
static int open_checkpoint(const struct verifying *v, int64_t id, char about[64], archai_err *err)
{
    archai_checkpoint k = {.id = -1};
    archai_trial c = {.id = -1};
    int rc;

    ARCHAI_TRY(archai_checkpoint_open(&k, v->t->directory, id, err));
    rc = archai_checkpoint_candidate(&k, &c, err);
    if (rc == ARCHAI_OK && c.id != id)
        rc = archai_fail(err, ARCHAI_EFORMAT, "belongs to candidate %lld", (long long)c.id);
    (void)archai_err_wrap(err, rc, "checkpoint-%lld.safetensors: ", (long long)id);
    if (rc == ARCHAI_OK && archai_checkpoint_is_marker(&k))
        (void)snprintf(about, 64, "under way in a program");
    else
        (void)snprintf(about, 64, "epoch %lld of %lld", (long long)k.epoch, (long long)k.epochs);
    archai_trial_fini(&c);
    archai_checkpoint_close(&k);
    return rc;
}

static int verify_checkpoints(struct verifying *v, archai_err *err)
{
    const archai_results *r = &v->t->r;
    int64_t *ids;
    size_t n;

    ARCHAI_TRY(archai_checkpoints_list(v->t->directory, &ids, &n, err));
    for (size_t i = 0; i < n; i++) {
        const bool is_over = bsearch(&ids[i], r->rows, r->n, sizeof *r->rows, compare_ids) != NULL;
        archai_err why = ARCHAI_ERR_INIT;
        char about[64];
        const int rc = open_checkpoint(v, ids[i], about, &why);

        if (rc == ARCHAI_ENOTFOUND) /* its row has just been committed */
            continue;
        if (rc != ARCHAI_OK)
            fault(v, "%s", why.text);
        else
            (void)printf("checkpoint-%lld.safetensors: %s%s\n", (long long)ids[i], about,
                         is_over ? ", left over: its row is committed" : "");
    }
    free(ids);
    return ARCHAI_OK;
}

/* -- models and front ---------------------------------------------------------------------- */

static int verify_models(struct verifying *v, archai_err *err)
{
    archai_strings names = {NULL, 0};

    ARCHAI_TRY(archai_results_models(v->t->path, &names, err));
    for (size_t i = 0; i < names.n; i++) {
        archai_tensor *at = NULL;
        size_t n = 0, row;
        archai_err why = ARCHAI_ERR_INIT;

        if (archai_results_tensors(v->t->path, names.at[i], &at, &n, &why) != ARCHAI_OK)
            fault(v, "%s", why.text);
        else if (n == 0)
            fault(v, "/models/%s is empty", names.at[i]);
        if (inspect_find(v->t, names.at[i], &row, NULL) != ARCHAI_OK)
            fault(v, "/models/%s belongs to no row", names.at[i]);
        for (size_t k = 0; k < n; k++)
            if (!is_finite(at[k].dtype, at[k].data, at[k].bytes / archai_dtype_size(at[k].dtype)))
                fault(v, "/models/%s/%s is not finite", names.at[i], at[k].name);
        archai_arrays_free(at, n);
    }
    (void)printf("%zu model%s with weights\n", names.n, names.n == 1 ? "" : "s");
    archai_strings_free(&names);
    return ARCHAI_OK;
}

static int by_architecture(const void *a, const void *b, void *results)
{
    const archai_results *r = results;
    const size_t i = *(const size_t *)a, k = *(const size_t *)b;
    const int order = strcmp(r->rows[i].model.archid, r->rows[k].model.archid);

    if (order != 0)
        return order;
    if (r->rows[i].budget != r->rows[k].budget)
        return r->rows[i].budget > r->rows[k].budget ? -1 : 1;
    return (i > k) - (i < k);
}

/* [r->n]: does the row stand for its architecture? The first row with values of the highest budget at which there is
 * one does. Caller frees. */
static bool *standing_rows(const archai_results *r)
{
    bool *stands = archai_calloc(r->n, sizeof *stands);
    size_t *rows = archai_calloc(r->n, sizeof *rows), n = 0;

    for (size_t i = 0; i < r->n; i++)
        if (inspect_has_values(&r->rows[i]))
            rows[n++] = i;
    if (n > 1)
        qsort_r(rows, n, sizeof *rows, by_architecture, (void *)(uintptr_t)r);
    for (size_t i = 0; i < n; i++)
        stands[rows[i]] = i == 0 || strcmp(r->rows[rows[i]].model.archid, r->rows[rows[i - 1]].model.archid) != 0;
    free(rows);
    return stands;
}

static void verify_front(struct verifying *v)
{
    const archai_results *r = &v->t->r;
    size_t k = r->n_objectives, n;
    double *points = archai_calloc(r->n * k, sizeof *points);
    size_t *front = archai_calloc(r->n, sizeof *front);
    bool *stands = standing_rows(r);

    for (size_t i = 0; i < r->n; i++)
        for (size_t j = 0; j < k; j++)
            points[i * k + j] = stands[i]
                                    ? inspect_sign(&r->objectives[j]) * r->values[i * k + j]
                                    : (double)NAN;
    n = archai_pareto_front(points, r->n, k, front);
    if (n != r->n_front || memcmp(front, r->front, n * sizeof *front) != 0)
        fault(v, "/pareto/index, with %zu rows, is not the front, which has %zu", r->n_front, n);
    (void)printf("front of %zu model%s\n", n, n == 1 ? "" : "s");
    free(stands);
    free(front);
    free(points);
}

int inspect_verify(inspect *t, archai_err *err)
{
    struct verifying v = {.t = t};
    int rc;

    ARCHAI_TRY(archai_reconciled_read(&v.reconciled, t->directory, err));
    v.stored = archai_calloc(t->r.n, sizeof *v.stored);
    for (size_t i = 1; i < t->r.n; i++)
        if (t->r.rows[i].id <= t->r.rows[i - 1].id)
            fault(&v, "row %zu: ids do not ascend", i);
    rc = verify_segments(&v, err);
    if (rc == ARCHAI_OK)
        rc = verify_models(&v, err);
    if (rc == ARCHAI_OK)
        verify_front(&v);
    if (rc == ARCHAI_OK)
        rc = verify_checkpoints(&v, err);
    archai_reconciled_free(&v.reconciled);
    free(v.stored);
    if (rc == ARCHAI_OK && v.faults > 0)
        return archai_fail(err, ARCHAI_EFORMAT, "%s: %zu fault%s", t->path, v.faults,
                           v.faults == 1 ? "" : "s");
    if (rc == ARCHAI_OK)
        (void)puts("ok");
    return rc;
}
