#include "core/algorithm/bayes_opt/bayes_model.h"

#include <math.h>
#include <stdlib.h>

#include "core/base/alloc.h"

enum {
    FIT_POINTS = 160, /* that the likelihood looks at */
    FIT_TIMES = 40,   /* likelihoods of a fit, about */
    BLOCK = 64        /* points made at once */
};
static const double covariance_work = 20.0; /* multiplications in the time of one covariance */

void archai_bayes_model_init(archai_bayes_model *out, const archai_gp_features *features,
                             size_t m, size_t n_numbers)
{
    *out = (archai_bayes_model){
        .m = m,
        .way = archai_calloc(m, sizeof *out->way),
        .gp = archai_calloc(m, sizeof *out->gp),
        .pool = archai_calloc(m, sizeof *out->pool),
        .at = archai_malloc(n_numbers * sizeof *out->at),
    };
    for (size_t k = 0; k < m; k++)
        archai_gp_init(&out->gp[k], features);
    for (size_t i = 0; i < n_numbers; i++)
        out->at[i] = ARCHAI_BAYES_OUTSIDE;
}

void archai_bayes_model_fini(archai_bayes_model *x)
{
    for (size_t k = 0; k < x->m; k++) {
        archai_gp_fini(&x->gp[k]);
        archai_gp_pool_fini(&x->pool[k]);
    }
    free(x->way);
    free(x->gp);
    free(x->pool);
    free(x->at);
    free(x->rows);
    *x = (archai_bayes_model){.m = 0};
}

/* -- points ------------------------------------------------------------------------------------ */

void archai_bayes_model_row(archai_bayes_model *x, size_t record)
{
    ARCHAI_RESERVE(x->rows, x->row_capacity, x->n_rows + 1);
    x->rows[x->n_rows++] = record;
}

void archai_bayes_model_grow(archai_bayes_model *x, const archai_search *s, double *work)
{
    const archai_gp_features *f = x->gp[0].features;
    unsigned char *points = archai_malloc(BLOCK * f->stride);

    while (x->gp[0].n < x->n_rows && *work > 0.0) {
        const size_t first = x->gp[0].n,
                     k = x->n_rows - first < BLOCK ? x->n_rows - first : BLOCK;
        const double n = (double)(first + k), members = (double)x->pool[0].n;

        for (size_t i = 0; i < k; i++)
            archai_gp_features_pack(f, s->records[x->rows[first + i]].encoding,
                                    points + i * f->stride);
        for (size_t i = 0; i < x->m; i++) {
            archai_gp_append(&x->gp[i], points, k);
            archai_gp_pool_extend(&x->pool[i], &x->gp[i]);
        }
        *work -= (double)(k * x->m) *
                 (n * (0.5 * n + covariance_work) + members * (n + covariance_work));
    }
    free(points);
}

/* -- kernels ----------------------------------------------------------------------------------- */

static size_t fit_points(const archai_bayes_results *r)
{
    return r->n_known < FIT_POINTS ? r->n_known : FIT_POINTS;
}

double archai_bayes_model_fit_work(const archai_bayes_results *r)
{
    const double n = (double)fit_points(r);

    return 2.0 * FIT_TIMES * n * n * (n / 6.0 + 0.5 * covariance_work);
}

/* The likelihood looks at the best points and, evenly, at others. Plain targets are taken where they are
 * predicted much better than ranked ones: by 0.4 of log likelihood each. */
void archai_bayes_model_fit(archai_bayes_model *x, const archai_bayes_model *before, size_t k,
                            const archai_search *s, const size_t *rows,
                            const archai_bayes_results *r)
{
    const archai_gp_features *f = x->gp[k].features;
    const size_t n = fit_points(r), half = n / 2, others = r->n_known - half;
    unsigned char *points = archai_malloc(n * f->stride);
    double *targets = archai_malloc(n * sizeof *targets), best = -HUGE_VAL;
    archai_gp *gp = &x->gp[k];

    for (int way = 0; way < ARCHAI_BAYES_WAYS; way++) {
        const archai_gp_kernel kernel = gp->kernel;
        const double noise = gp->noise;
        double gain;

        if (!r->scale[way][k].usable)
            continue;
        for (size_t i = 0; i < n; i++) {
            const size_t at = r->order[i < half ? i : half + (i - half) * others / (n - half)];

            archai_gp_features_pack(f, s->records[rows[at]].encoding, points + i * f->stride);
            targets[i] = r->target[way][k * r->n + at];
        }
        gp->kernel = before->gp[k].kernel;
        gp->noise = before->gp[k].noise;
        gain = archai_gp_fit(gp, points, n, targets);
        if (way == ARCHAI_BAYES_RANKED || gain > best + 0.4) {
            best = gain;
            x->way[k] = (archai_bayes_way)way;
        } else {
            gp->kernel = kernel;
            gp->noise = noise;
        }
    }
    free(points);
    free(targets);
}

/* -- pools ------------------------------------------------------------------------------------- */

size_t archai_bayes_model_members(const archai_bayes_model *x)
{
    return x->pool[0].n;
}

double archai_bayes_model_add_work(const archai_bayes_model *x)
{
    const double n = (double)x->gp[0].n;

    return (double)x->m * n * (0.5 * n + covariance_work) + 1.0;
}

void archai_bayes_model_add(archai_bayes_model *x, const uint32_t *numbers, const void *points,
                            size_t n)
{
    const size_t first = archai_bayes_model_members(x);

    for (size_t k = 0; k < x->m; k++)
        archai_gp_pool_add(&x->pool[k], &x->gp[k], points, numbers, n);
    for (size_t i = 0; i < n; i++)
        x->at[numbers[i]] = (uint32_t)(first + i);
}

void archai_bayes_model_remove(archai_bayes_model *x, uint32_t number)
{
    const uint32_t at = x->at[number];

    if (at == ARCHAI_BAYES_OUTSIDE)
        return;
    for (size_t k = 0; k < x->m; k++)
        archai_gp_pool_remove(&x->pool[k], &x->gp[k], at);
    if (at < x->pool[0].n)
        x->at[x->pool[0].ids[at]] = at;
    x->at[number] = ARCHAI_BAYES_OUTSIDE;
}

int archai_bayes_model_predict(archai_bayes_model *x, const archai_bayes_results *r,
                               double *filled, archai_err *err)
{
    for (size_t k = 0; k < x->m; k++) {
        ARCHAI_TRY(archai_gp_solve(&x->gp[k], &r->target[x->way[k]][k * r->n], r->known,
                                   &filled[k * r->n], err));
        archai_gp_pool_predict(&x->pool[k], &x->gp[k]);
    }
    return ARCHAI_OK;
}

void archai_bayes_model_member(const archai_bayes_model *x, size_t i, double *mean,
                               double *deviation)
{
    for (size_t k = 0; k < x->m; k++) {
        mean[k] = x->pool[k].mean[i];
        deviation[k] = sqrt(archai_gp_pool_variance(&x->pool[k], &x->gp[k], i));
    }
}
