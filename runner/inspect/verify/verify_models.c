/* verify: are the weights in /models what they should be, and is the front the front? */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/pareto/pareto.h"
#include "runner/inspect/verify/verify.h"

int verify_models(struct verifying *v, archai_err *err)
{
    archai_strings names = {NULL, 0};

    ARCHAI_TRY(archai_results_models(v->t->path, &names, err));
    for (size_t i = 0; i < names.n; i++) {
        archai_tensor *at = NULL;
        size_t n = 0, row;
        archai_err why = ARCHAI_ERR_INIT;

        if (archai_results_tensors(v->t->path, names.at[i], &at, &n, &why) != ARCHAI_OK)
            verify_fault(v, "%s", why.text);
        else if (n == 0)
            verify_fault(v, "/models/%s is empty", names.at[i]);
        if (inspect_find(v->t, names.at[i], &row, NULL) != ARCHAI_OK)
            verify_fault(v, "/models/%s belongs to no row", names.at[i]);
        for (size_t k = 0; k < n; k++)
            if (!archai_values_are_finite(at[k].dtype, at[k].data, at[k].bytes / archai_dtype_size(at[k].dtype)))
                verify_fault(v, "/models/%s/%s is not finite", names.at[i], at[k].name);
        archai_arrays_free(at, n);
    }
    verify_tell(v, "models", (int64_t)names.n, "%zu model%s with weights", names.n, names.n == 1 ? "" : "s");
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

void verify_front(struct verifying *v)
{
    const archai_results *r = &v->t->r;
    size_t k = r->n_objectives, n;
    double *points = archai_calloc(r->n * k, sizeof *points);
    size_t *front = archai_calloc(r->n, sizeof *front);
    bool *stands = standing_rows(r);

    for (size_t i = 0; i < r->n; i++)
        for (size_t j = 0; j < k; j++)
            points[i * k + j] = stands[i] ? inspect_sign(&r->objectives[j]) * r->values[i * k + j] : (double)NAN;
    n = archai_pareto_front(points, r->n, k, front);
    if (n != r->n_front || memcmp(front, r->front, n * sizeof *front) != 0)
        verify_fault(v, "/pareto/index, with %zu rows, is not the front, which has %zu", r->n_front, n);
    verify_tell(v, "front", (int64_t)n, "front of %zu model%s", n, n == 1 ? "" : "s");
    free(stands);
    free(front);
    free(points);
}
