#include "core/algorithm/bayes_opt/gp_pool.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

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

static void reserve(archai_gp_pool *p, size_t members, size_t rows, size_t stride)
{
    const size_t capacity =
        members > p->capacity ? members + (p->capacity > 0 ? members / 4 : 0) : p->capacity;
    const size_t row_capacity = rows > p->row_capacity ? rows + rows / 4 + 32 : p->row_capacity;
    float *v;

    if (capacity == p->capacity && row_capacity == p->row_capacity)
        return;
    p->points = archai_realloc(p->points, capacity, stride);
    p->explained = archai_realloc(p->explained, capacity, sizeof *p->explained);
    p->mean = archai_realloc(p->mean, capacity, sizeof *p->mean);
    p->ids = archai_realloc(p->ids, capacity, sizeof *p->ids);
    v = archai_malloc(capacity * row_capacity * sizeof *v);
    for (size_t i = 0; i < p->n; i++)
        memcpy(&v[i * row_capacity], &p->v[i * p->row_capacity], p->row_capacity * sizeof *v);
    free(p->v);
    p->v = v;
    p->capacity = capacity;
    p->row_capacity = row_capacity;
}

void archai_gp_pool_add(archai_gp_pool *p, const archai_gp *gp, const void *points,
                        const uint32_t *ids, size_t count)
{
    const size_t stride = gp->features->stride, n = gp->n;
    const unsigned char *from = points;
    double *block = archai_malloc(BLOCK * n * sizeof *block);

    reserve(p, p->n + count, n, stride);
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
    free(block);
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

void archai_gp_pool_extend(archai_gp_pool *p, const archai_gp *gp)
{
    double *covariance;
    float *narrow, *product;

    if (p->n == 0 || p->rows == gp->n)
        return;
    covariance = archai_malloc(p->n * sizeof *covariance);
    narrow = archai_malloc(gp->n * sizeof *narrow);
    product = archai_malloc(p->n * sizeof *product);
    reserve(p, p->n, gp->n, gp->features->stride);
    while (p->rows < gp->n)
        extend_by_one(p, gp, covariance, narrow, product);
    free(covariance);
    free(narrow);
    free(product);
}

void archai_gp_pool_predict(archai_gp_pool *p, const archai_gp *gp)
{
    float *z = archai_malloc(gp->n * sizeof *z);

    for (size_t i = 0; i < gp->n; i++)
        z[i] = (float)gp->z[i];
    if (p->n > 0) {
        memset(p->mean, 0, p->n * sizeof *p->mean);
        if (gp->n > 0)
            cblas_sgemv(CblasRowMajor, CblasNoTrans, (int)p->n, (int)gp->n, 1.0f, p->v,
                        (int)p->row_capacity, z, 1, 0.0f, p->mean, 1);
    }
    free(z);
}

double archai_gp_pool_variance(const archai_gp_pool *p, const archai_gp *gp, size_t at)
{
    return gp->scale * fmax(1.0 - (double)p->explained[at], 0.0);
}
