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
#include "io/file/checkpoint.h"
#include "runner/inspect/verify/verify.h"

enum { FAULTS_SHOWN = 20, FAULTS_TOLD = 1000 }; /* as text; with --json */

void verify_fault(struct verifying *v, const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;

    if (v->faults++ >= (v->out != NULL ? FAULTS_TOLD : FAULTS_SHOWN))
        return;
    va_start(ap, fmt);
    if (vasprintf(&text, fmt, ap) < 0)
        text = NULL;
    va_end(ap);
    if (v->out != NULL)
        (void)json_array_append_new(v->told, inspect_json_text(text));
    else
        (void)puts(text != NULL ? text : "");
    free(text);
}

void verify_tell(struct verifying *v, const char *name, int64_t value, const char *fmt, ...)
{
    va_list ap;

    if (v->out != NULL)
        (void)json_object_set_new(v->out, name, json_integer(value));
    if (v->out != NULL)
        return;
    va_start(ap, fmt);
    (void)vprintf(fmt, ap);
    va_end(ap);
    (void)putchar('\n');
}

/* -- values -------------------------------------------------------------------------------- */

static int verify_tensor(struct verifying *v, const archai_trial *e, const archai_tensor_place *p, archai_err *err)
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
        verify_fault(v, "%s: %s of %s (id %lld) does not match its checksum", v->segment->name, p->name,
                     e->model.archid, (long long)e->id);
    else if (rc == ARCHAI_OK && !archai_tensor_is_state(p->name) && !archai_values_are_finite(p->dtype, data, n))
        verify_fault(v, "%s: %s of %s (id %lld) is not finite", v->segment->name, p->name, e->model.archid,
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
            known != NULL ? archai_measure_get(known->measures, known->n_measures, m->name) : (double)NAN;

        if (there != m->value)
            verify_fault(v, "%s: %s = %g of id %lld is not in results.h5", v->segment->name, m->name, m->value,
                         (long long)e->id);
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
        verify_fault(v, "%s: row %lld (id %lld) is damaged", v->segment->name, (long long)row, (long long)r->id);
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
        verify_fault(v, "%s: row %lld (id %lld, %s) is not in results.h5", v->segment->name, (long long)row,
                     (long long)e.id, e.model.archid);
    else if (strcmp(known->model.archid, e.model.archid) != 0 && ++v->absent > 0)
        verify_fault(v, "%s: id %lld is %s, results.h5 says %s", v->segment->name, (long long)e.id, e.model.archid,
                     known->model.archid);
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
    verify_fault(payload, "%s: row %lld is damaged: neither free nor committed",
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
            verify_fault(v, "%s", why.text);
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
    verify_tell(v, "segments", (int64_t)names.n, "%zu segment%s, %lld row%s, %lld weights", names.n,
                names.n == 1 ? "" : "s", (long long)v->rows, v->rows == 1 ? "" : "s", (long long)v->values);
    if (v->out != NULL) {
        verify_tell(v, "rows", v->rows, " ");
        verify_tell(v, "weights", v->values, " ");
    }
    if (missing > 0 || v->out != NULL) /* of a segment that was deleted */
        verify_tell(v, "only_in_results", (int64_t)missing, "%zu rows are only in results.h5", missing);
    if (v->repeated > 0 || v->out != NULL)
        verify_tell(v, "repeated", v->repeated,
                    "%lld rows repeat an evaluation that another run finished first, and do not count",
                    (long long)v->repeated);
    if (v->absent > 0 || v->out != NULL)
        verify_tell(v, "absent", v->absent, "verify --repair and archai-run --resume take in what results.h5 lacks");
    if (v->pending > 0 || v->out != NULL)
        verify_tell(v, "pending", v->pending, "%lld rows are not in results.h5 yet", (long long)v->pending);
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
            verify_fault(v, "%s", why.text);
        else if (v->out != NULL)
            (void)json_array_append_new(v->checkpoints, json_pack("{s:I, s:s, s:b}", "id", (json_int_t)ids[i], "about",
                                                                  about, "left_over", (int)is_over));
        else
            (void)printf("checkpoint-%lld.safetensors: %s%s\n", (long long)ids[i], about,
                         is_over ? ", left over: its row is committed" : "");
    }
    free(ids);
    return ARCHAI_OK;
}

int inspect_verify(inspect *t, archai_err *err)
{
    struct verifying v = {.t = t};
    int rc;

    if (t->json) {
        v.told = json_array();
        v.checkpoints = json_array();
        v.out = archai_there(json_pack("{s:o}", "path", inspect_json_text(t->path)));
    }
    ARCHAI_TRY(archai_reconciled_read(&v.reconciled, t->directory, err));
    v.stored = archai_calloc(t->r.n, sizeof *v.stored);
    for (size_t i = 1; i < t->r.n; i++)
        if (t->r.rows[i].id <= t->r.rows[i - 1].id)
            verify_fault(&v, "row %zu: ids do not ascend", i);
    rc = verify_segments(&v, err);
    if (rc == ARCHAI_OK)
        rc = verify_models(&v, err);
    if (rc == ARCHAI_OK)
        verify_front(&v);
    if (rc == ARCHAI_OK)
        rc = verify_checkpoints(&v, err);
    archai_reconciled_free(&v.reconciled);
    free(v.stored);
    if (t->json) {
        (void)json_object_set_new(v.out, "checkpoints", v.checkpoints);
        (void)json_object_set_new(v.out, "faults", v.told);
        (void)json_object_set_new(v.out, "ok", json_boolean(rc == ARCHAI_OK && v.faults == 0));
        inspect_json_print(v.out);
    }
    if (rc == ARCHAI_OK && v.faults > 0)
        return archai_fail(err, ARCHAI_EFORMAT, "%s: %zu fault%s", t->path, v.faults, v.faults == 1 ? "" : "s");
    if (rc == ARCHAI_OK && !t->json)
        (void)puts("ok");
    return rc;
}
