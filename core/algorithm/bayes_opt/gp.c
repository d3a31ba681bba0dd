#include "core/algorithm/bayes_opt/gp.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

enum { BLOCK = 64 }; /* points that are appended at once */

/* Smallest variance that a point may add, relative: two equal points stay invertible. */
static const double least_pivot = 1e-10;

enum { RATE, LENGTH, NOISE, N_PARAMETERS };

/* Natural logarithms: the prior's middle, its width, and the bounds. The prior holds that two random
 * architectures tell something about each other (a correlation of e^-1 from their choices, 0.4 from
 * their numbers). With few results a rate so high that nothing tells anything about anything is often
 * as likely as any other, and the search would be a random one. */
struct prior {
    double middle, width, low, high;
};

static void prior_of(const archai_gp_features *f, struct prior p[N_PARAMETERS])
{
    const double rate = log(2.0 / fmax(f->mean_bits, 0.1));
    const double length = log(0.5 * sqrt(fmax((double)f->n_numbers, 1.0)));

    p[RATE] = (struct prior){rate, 0.7, rate - 8.0, rate + 1.4};
    p[LENGTH] = (struct prior){length, 0.7, length - 2.0, length + 3.0};
    p[NOISE] = (struct prior){-4.6, 1.5, -18.0, 0.0};
}

void archai_gp_init(archai_gp *gp, const archai_gp_features *features)
{
    struct prior prior[N_PARAMETERS];

    openblas_set_num_threads(1);
    prior_of(features, prior);
    *gp = (archai_gp){
        .features = features,
        .kernel = {.rate = exp(prior[RATE].middle), .length = exp(prior[LENGTH].middle)},
        .noise = exp(prior[NOISE].middle),
        .scale = 1.0,
        .table = archai_malloc((features->n_bits + 1) * sizeof *gp->table),
    };
}

void archai_gp_fini(archai_gp *gp)
{
    free(gp->points);
    free(gp->chol);
    free(gp->z);
    free(gp->table);
    *gp = (archai_gp){.points = NULL};
}

static void reserve(archai_gp *gp, size_t n)
{
    const size_t capacity = n + n / 4 + 32;
    double *chol;

    if (n <= gp->capacity)
        return;
    gp->points = archai_realloc(gp->points, capacity, gp->features->stride);
    gp->z = archai_realloc(gp->z, capacity, sizeof *gp->z);
    chol = archai_malloc(capacity * capacity * sizeof *chol);
    for (size_t i = 0; i < gp->n; i++)
        memcpy(&chol[i * capacity], &gp->chol[i * gp->capacity], (i + 1) * sizeof *chol);
    free(gp->chol);
    gp->chol = chol;
    gp->capacity = capacity;
}

/* Rows [first, first + count) of the factor, of which the first `first` columns are done: the rest of
 * them, column by column. */
static void factor_corner(archai_gp *gp, size_t first, size_t count)
{
    for (size_t i = first; i < first + count; i++) {
        double *row = &gp->chol[i * gp->capacity], pivot;

        for (size_t j = first; j < i; j++) {
            const double *other = &gp->chol[j * gp->capacity];

            row[j] = (row[j] - cblas_ddot((int)j, row, 1, other, 1)) / other[j];
        }
        pivot = 1.0 + gp->noise - cblas_ddot((int)i, row, 1, row, 1);
        row[i] = sqrt(fmax(pivot, least_pivot));
    }
}

void archai_gp_append(archai_gp *gp, const void *points, size_t count)
{
    const size_t stride = gp->features->stride;
    const unsigned char *from = points;

    reserve(gp, gp->n + count);
    if (count > 0)
        memcpy(gp->points + gp->n * stride, from, count * stride);
    for (size_t k; count > 0; count -= k) {
        const size_t n = gp->n;

        k = count < BLOCK ? count : BLOCK;
        for (size_t i = n; i < n + k; i++) {
            archai_gp_covariances(gp->features, &gp->kernel, gp->points + i * stride,
                                  gp->points, i, gp->table, &gp->chol[i * gp->capacity]);
            gp->z[i] = 0.0;
        }
        if (n > 0)
            cblas_dtrsm(CblasRowMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, (int)k,
                        (int)n, 1.0, gp->chol, (int)gp->capacity, &gp->chol[n * gp->capacity],
                        (int)gp->capacity);
        factor_corner(gp, n, k);
        gp->n += k;
    }
}

/* Row-major lower is column-major upper, for which LAPACKE needs no transposed copy. */
static int factor(double *a, size_t n, size_t lda, archai_err *err)
{
    const lapack_int info =
        LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'U', (lapack_int)n, a, (lapack_int)lda);

    if (info != 0)
        return archai_fail(err, ARCHAI_EINTERNAL, "a covariance of %zu points is not positive definite",
                           n);
    return ARCHAI_OK;
}

/* Solve L x = b in place, L the lower triangle of [n, n] rows that are `lda` apart. */
static void solve_lower(const double *l, size_t n, size_t lda, double *x)
{
    cblas_dtrsv(CblasRowMajor, CblasLower, CblasNoTrans, CblasNonUnit, (int)n, l, (int)lda, x, 1);
}

/* -- targets ----------------------------------------------------------------------------------- */

/* The rows from `from` on, some of which have no target. The missing targets y are those that minimise
 * |z|^2, which is the conditional mean: z = c + B y with c = L^-1 (known - earlier rows) and B the
 * columns of L^-1 that belong to missing rows, so B'B y = -B'c. */
static int solve_missing(archai_gp *gp, const double *targets, const bool *known, size_t from,
                         double *filled, archai_err *err)
{
    const size_t k = gp->n - from, lda = gp->capacity;
    const double *below = &gp->chol[from * lda + from];
    double *b, *gram, *y, *c = &gp->z[from];
    size_t missing = 0, column = 0;
    int rc;

    for (size_t i = 0; i < k; i++)
        missing += !known[from + i];
    b = archai_calloc(k * missing, sizeof *b);
    gram = archai_malloc(missing * missing * sizeof *gram);
    y = archai_malloc(missing * sizeof *y);
    for (size_t i = 0; i < k; i++) {
        c[i] = known[from + i] ? targets[from + i] : 0.0;
        if (!known[from + i])
            b[i * missing + column++] = 1.0;
    }
    if (from > 0)
        cblas_dgemv(CblasRowMajor, CblasNoTrans, (int)k, (int)from, -1.0, &gp->chol[from * lda],
                    (int)lda, gp->z, 1, 1.0, c, 1);
    solve_lower(below, k, lda, c);
    cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, CblasNoTrans, CblasNonUnit, (int)k,
                (int)missing, 1.0, below, (int)lda, b, (int)missing);
    cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, (int)missing, (int)k, 1.0, b,
                (int)missing, 0.0, gram, (int)missing);
    cblas_dgemv(CblasRowMajor, CblasTrans, (int)k, (int)missing, -1.0, b, (int)missing, c, 1,
                0.0, y, 1);
    ARCHAI_TRY_GOTO(rc, factor(gram, missing, missing, err), out);
    solve_lower(gram, missing, missing, y);
    cblas_dtrsv(CblasRowMajor, CblasLower, CblasTrans, CblasNonUnit, (int)missing, gram,
                (int)missing, y, 1);
    cblas_dgemv(CblasRowMajor, CblasNoTrans, (int)k, (int)missing, 1.0, b, (int)missing, y, 1,
                1.0, c, 1);
    for (size_t i = 0, j = 0; filled != NULL && i < k; i++)
        if (!known[from + i])
            filled[from + i] = y[j++];
out:
    free(b);
    free(gram);
    free(y);
    return rc;
}

int archai_gp_solve(archai_gp *gp, const double *targets, const bool *known, double *filled,
                    archai_err *err)
{
    size_t from = 0, n_known = 0;

    for (size_t i = 0; filled != NULL && i < gp->n; i++)
        filled[i] = known[i] ? targets[i] : 0.0;
    while (from < gp->n && known[from])
        from++;
    for (size_t i = 0; i < gp->n; i++)
        n_known += known[i];
    if (from > 0) {
        memcpy(gp->z, targets, from * sizeof *targets);
        solve_lower(gp->chol, from, gp->capacity, gp->z);
    }
    if (from < gp->n)
        ARCHAI_TRY(solve_missing(gp, targets, known, from, filled, err));
    gp->scale =
        n_known > 0 ? cblas_ddot((int)gp->n, gp->z, 1, gp->z, 1) / (double)n_known : 1.0;
    gp->scale = fmax(gp->scale, 1e-6); /* all targets are alike */
    return ARCHAI_OK;
}

/* -- likelihood -------------------------------------------------------------------------------- */

static const double first_step = 1.0,
                    last_step = 0.2; /* of the search, in the same logarithms */
enum { MAX_LIKELIHOODS = 40 };

struct fit {
    size_t n;
    const double *targets;
    unsigned *bits;  /* [n, n], lower triangle; owned */
    double *squared; /* likewise */
    double *a, *z;   /* scratch [n, n] and [n] */
    struct prior prior[N_PARAMETERS];
};

/* Log likelihood with the best variance, plus the prior; minus infinity where the covariance cannot be
 * factored. */
static double likelihood(const struct fit *f, const double *p)
{
    const archai_gp_kernel kernel = {.rate = exp(p[RATE]), .length = exp(p[LENGTH])};
    const double n = (double)f->n;
    double sum, determinant = 0.0;

    for (size_t i = 0; i < f->n; i++) {
        for (size_t j = 0; j < i; j++)
            f->a[i * f->n + j] =
                archai_gp_covariance(&kernel, f->bits[i * f->n + j], f->squared[i * f->n + j]);
        f->a[i * f->n + i] = 1.0 + exp(p[NOISE]);
    }
    if (factor(f->a, f->n, f->n, NULL) != ARCHAI_OK)
        return -HUGE_VAL;
    for (size_t i = 0; i < f->n; i++)
        determinant += log(f->a[i * f->n + i]);
    memcpy(f->z, f->targets, f->n * sizeof *f->z);
    solve_lower(f->a, f->n, f->n, f->z);
    sum = -(0.5 * n * log(fmax(cblas_ddot((int)f->n, f->z, 1, f->z, 1) / n, 1e-12)) +
            determinant);
    for (int i = 0; i < N_PARAMETERS; i++)
        sum -= 0.5 * pow((p[i] - f->prior[i].middle) /
                             ((p[i] < f->prior[i].middle ? 2.0 : 1.0) * f->prior[i].width),
                         2.0);
    return sum;
}

/* Pattern search: a step up or down along each parameter, halved when none is better. */
static double climb(const struct fit *f, double *p, const bool *free_parameter)
{
    double best = likelihood(f, p), step = first_step;

    for (int count = 1; step >= last_step && count < MAX_LIKELIHOODS;) {
        bool better = false;

        for (int i = 0; i < N_PARAMETERS; i++)
            for (int sign = -1; free_parameter[i] && sign <= 1; sign += 2) {
                const double old = p[i];
                double value;

                p[i] = fmin(fmax(old + sign * step, f->prior[i].low), f->prior[i].high);
                value = p[i] != old ? likelihood(f, p) : -HUGE_VAL;
                count += p[i] != old;
                if (value > best) {
                    best = value;
                    better = true;
                    break;
                }
                p[i] = old;
            }
        if (!better)
            step *= 0.5;
    }
    return best;
}

/* Log likelihood of the targets as noise. */
static double white(const struct fit *f)
{
    const double n = (double)f->n, *y = f->targets;

    return -0.5 * n * log(fmax(cblas_ddot((int)f->n, y, 1, y, 1) / n, 1e-12));
}

double archai_gp_fit(archai_gp *gp, const void *points, size_t n, const double *targets)
{
    const size_t stride = gp->features->stride;
    const unsigned char *from = points;
    const bool free_parameter[N_PARAMETERS] = {
        [RATE] = gp->features->n_bits > 0,
        [LENGTH] = gp->features->n_numbers > 0,
        [NOISE] = true,
    };
    double p[N_PARAMETERS] = {log(gp->kernel.rate), log(gp->kernel.length), log(gp->noise)};
    double middle[N_PARAMETERS], best;
    struct fit f = {.n = n,
                    .targets = targets,
                    .bits = archai_malloc(n * n * sizeof *f.bits),
                    .squared = archai_malloc(n * n * sizeof *f.squared),
                    .a = archai_malloc(n * n * sizeof *f.a),
                    .z = archai_malloc(n * sizeof *f.z)};

    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            archai_gp_distances(gp->features, from + i * stride, from + j * stride,
                                &f.bits[i * n + j], &f.squared[i * n + j]);
    prior_of(gp->features, f.prior);
    for (int i = 0; i < N_PARAMETERS; i++)
        middle[i] = f.prior[i].middle;
    if (likelihood(&f, middle) > likelihood(&f, p))
        memcpy(p, middle, sizeof p);
    best = climb(&f, p, free_parameter);
    gp->kernel = (archai_gp_kernel){.rate = exp(p[RATE]), .length = exp(p[LENGTH])};
    gp->noise = exp(p[NOISE]);
    free(f.bits);
    free(f.squared);
    free(f.a);
    free(f.z);
    return (best - white(&f)) / (double)n;
}
