#include "core/algorithm/bayes_opt/gp_pool.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 64 }; /* members that are solved for at once */

void archai_gp_pool_fini(archai_gp_pool *p)
{
    free(p->points);
    free(p->v);
    free(p->explained);
    free(p->mean);
    free(p->ids);
    *p = (archai_gp_pool){.points = NULL};
}

static int reserve(archai_gp_pool *p, size_t members, size_t rows, size_t stride,
                   archai_err *err)
{
    const size_t capacity =
        members > p->capacity ? members + (p->capacity > 0 ? members / 4 : 0) : p->capacity;
    const size_t row_capacity = rows > p->row_capacity ? rows + rows / 4 + 32 : p->row_capacity;
    archai_gp_pool q = {
        .n = p->n, .capacity = capacity, .rows = p->rows, .row_capacity = row_capacity};

    if (capacity == p->capacity && row_capacity == p->row_capacity)
        return ARCHAI_OK;
    q.points = malloc(capacity * stride + 1);
    q.v = malloc((capacity * row_capacity + 1) * sizeof *q.v);
    q.explained = malloc((capacity + 1) * sizeof *q.explained);
    q.mean = malloc((capacity + 1) * sizeof *q.mean);
    q.ids = malloc((capacity + 1) * sizeof *q.ids);
    if (q.points == NULL || q.v == NULL || q.explained == NULL || q.mean == NULL ||
        q.ids == NULL) {
        archai_gp_pool_fini(&q);
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for predictions of %zu models",
                           capacity);
    }
    if (p->n > 0) {
        memcpy(q.points, p->points, p->n * stride);
        memcpy(q.explained, p->explained, p->n * sizeof *q.explained);
        memcpy(q.mean, p->mean, p->n * sizeof *q.mean);
        memcpy(q.ids, p->ids, p->n * sizeof *q.ids);
    }
    for (size_t i = 0; i < p->n; i++)
        memcpy(&q.v[i * row_capacity], &p->v[i * p->row_capacity],
               p->row_capacity * sizeof *q.v);
    archai_gp_pool_fini(p);
    *p = q;
    return ARCHAI_OK;
}

int archai_gp_pool_add(archai_gp_pool *p, const archai_gp *gp, const void *points,
                       const uint32_t *ids, size_t count, archai_err *err)
{
    const size_t stride = gp->features->stride, n = gp->n;
    const unsigned char *from = points;
    double *block = malloc((BLOCK * n + 1) * sizeof *block);
    int rc;

    if (block == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for predictions");
    ARCHAI_TRY_GOTO(rc, reserve(p, p->n + count, n, stride, err), out);
    memcpy(p->points + p->n * stride, from, count * stride);
    memcpy(&p->ids[p->n], ids, count * sizeof *ids);
    p->rows = n;
    for (size_t first = 0; first < count; first += BLOCK) {
        const size_t k = count - first < BLOCK ? count - first : BLOCK;

        for (size_t i = 0; i < k; i++)
            archai_gp_covariances(gp->features, &gp->kernel, from + (first + i) * stride,
                                  gp->points, n, gp->table, &block[i * n]);
        if (n > 0)
            cblas_dtrsm(CblasRowMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, (int)k,
                        (int)n, 1.0, gp->chol, (int)gp->capacity, block, (int)n);
        for (size_t i = 0; i < k; i++) {
            const size_t at = p->n + first + i;
            double sum = 0.0;

            for (size_t j = 0; j < n; j++) {
                p->v[at * p->row_capacity + j] = (float)block[i * n + j];
                sum += block[i * n + j] * block[i * n + j];
            }
            p->explained[at] = (float)sum;
            p->mean[at] = 0.0f;
        }
    }
    p->n += count;
out:
    free(block);
    return rc;
}

void archai_gp_pool_remove(archai_gp_pool *p, const archai_gp *gp, size_t at)
{
    const size_t stride = gp->features->stride, last = --p->n;

    if (at == last)
        return;
    memcpy(p->points + at * stride, p->points + last * stride, stride);
    memcpy(&p->v[at * p->row_capacity], &p->v[last * p->row_capacity], gp->n * sizeof *p->v);
    p->explained[at] = p->explained[last];
    p->mean[at] = p->mean[last];
    p->ids[at] = p->ids[last];
}

static void extend_by_one(archai_gp_pool *p, const archai_gp *gp, double *covariance,
                          float *narrow, float *product)
{
    const size_t stride = gp->features->stride, n = p->rows;
    const double *row = &gp->chol[n * gp->capacity];

    archai_gp_covariances(gp->features, &gp->kernel, gp->points + n * stride, p->points, p->n,
                          gp->table, covariance);
    for (size_t j = 0; j < n; j++)
        narrow[j] = (float)row[j];
    memset(product, 0, p->n * sizeof *product);
    if (n > 0)
        cblas_sgemv(CblasRowMajor, CblasNoTrans, (int)p->n, (int)n, 1.0f, p->v,
                    (int)p->row_capacity, narrow, 1, 0.0f, product, 1);
    for (size_t i = 0; i < p->n; i++) {
        const float v = (float)((covariance[i] - (double)product[i]) / row[n]);

        p->v[i * p->row_capacity + n] = v;
        p->explained[i] += v * v;
    }
    p->rows++;
}

int archai_gp_pool_extend(archai_gp_pool *p, const archai_gp *gp, archai_err *err)
{
    double *covariance = NULL;
    float *narrow = NULL, *product = NULL;
    int rc = ARCHAI_OK;

    if (p->n == 0 || p->rows == gp->n)
        return ARCHAI_OK;
    covariance = malloc(p->n * sizeof *covariance);
    narrow = malloc((gp->n + 1) * sizeof *narrow);
    product = malloc(p->n * sizeof *product);
    if (covariance == NULL || narrow == NULL || product == NULL) {
        rc = archai_fail(err, ARCHAI_ENOMEM, "no memory for predictions");
        goto out;
    }
    ARCHAI_TRY_GOTO(rc, reserve(p, p->n, gp->n, gp->features->stride, err), out);
    while (p->rows < gp->n)
        extend_by_one(p, gp, covariance, narrow, product);
out:
    free(covariance);
    free(narrow);
    free(product);
    return rc;
}

int archai_gp_pool_predict(archai_gp_pool *p, const archai_gp *gp, archai_err *err)
{
    float *z = malloc((gp->n + 1) * sizeof *z);

    if (z == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for predictions");
    for (size_t i = 0; i < gp->n; i++)
        z[i] = (float)gp->z[i];
    memset(p->mean, 0, p->n * sizeof *p->mean);
    if (p->n > 0 && gp->n > 0)
        cblas_sgemv(CblasRowMajor, CblasNoTrans, (int)p->n, (int)gp->n, 1.0f, p->v,
                    (int)p->row_capacity, z, 1, 0.0f, p->mean, 1);
    free(z);
    return ARCHAI_OK;
}

double archai_gp_pool_variance(const archai_gp_pool *p, const archai_gp *gp, size_t at)
{
    return gp->scale * fmax(1.0 - (double)p->explained[at], 0.0);
}
