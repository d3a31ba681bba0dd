#include "core/algorithm/bayes_opt/bayes_improvement.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

enum { LINE = 24 /* steps of the quadrature */ };
static const double hope = 3.5; /* standard deviations */

void archai_improvement_fini(archai_improvement *x)
{
    for (size_t k = 0; k < x->m; k++) {
        free(x->axis[k].cost);
        free(x->axis[k].target);
        free(x->axis[k].psi);
    }
    free(x->axis);
    free(x->front);
    free(x->box);
    free(x->line);
    *x = (archai_improvement){.m = 0};
}

/* -- knots ------------------------------------------------------------------------------------- */

struct knot {
    double cost, target;
};

static int compare_knots(const void *a, const void *b)
{
    const struct knot *x = a, *y = b;

    return x->cost < y->cost ? -1 : x->cost > y->cost;
}

static bool below_reference(const archai_improvement_front *f, size_t i)
{
    for (size_t k = 0; k < f->m; k++)
        if (!(f->cost[i * f->m + k] < f->reference_cost[k]))
            return false;
    return true;
}

/* Different costs of the front in objective k, and the reference. */
static void make_axis(struct archai_improvement_axis *a, const archai_improvement_front *f, size_t k)
{
    struct knot *knots = archai_malloc((f->n + 1) * sizeof *knots);
    size_t n = 0;

    a->cost = archai_malloc((f->n + 1) * sizeof *a->cost);
    a->target = archai_malloc((f->n + 1) * sizeof *a->target);
    a->psi = archai_calloc(f->n + 2, sizeof *a->psi);
    a->below = f->below[k];
    for (size_t i = 0; i < f->n; i++)
        if (below_reference(f, i))
            knots[n++] = (struct knot){f->cost[i * f->m + k], f->target[i * f->m + k]};
    knots[n++] = (struct knot){f->reference_cost[k], f->reference_target[k]};
    qsort(knots, n, sizeof *knots, compare_knots);
    for (size_t i = 0; i < n; i++) {
        if (a->n > 0 && knots[i].cost <= a->cost[a->n - 1])
            continue;
        a->cost[a->n] = knots[i].cost;
        a->target[a->n++] = knots[i].target;
    }
    free(knots);
}

/* The number that psi has for a cost which is a knot. */
static unsigned short number_of(const struct archai_improvement_axis *a, double cost)
{
    size_t low = 0, high = a->n - 1;

    while (low < high) {
        const size_t mid = low + (high - low) / 2;

        if (a->cost[mid] < cost)
            low = mid + 1;
        else
            high = mid;
    }
    return (unsigned short)(low + 1);
}

/* -- boxes ------------------------------------------------------------------------------------- */

/* What the points met so far leave open in the plane of the first two objectives: strips from left to
 * right, each lower than the one before, with the third value (`since`) from which on it is like this. */
struct strip {
    unsigned short left, right, top, since;
};

struct sweep {
    struct strip *at; /* [n] */
    size_t n;
    bool flat; /* two objectives: no third one */
};

static void close_strip(archai_improvement *x, const struct sweep *s, const struct strip *t,
                        unsigned short left, unsigned short until)
{
    if (until <= t->since && !s->flat)
        return;
    ARCHAI_RESERVE(x->box, x->box_capacity, x->n_boxes + 1);
    x->box[x->n_boxes++] = (struct archai_improvement_box){.low = {left, 0, t->since},
                                                           .high = {t->right, t->top, until}};
}

/* A point cuts off what lies right of and above it. */
static void meet(archai_improvement *x, struct sweep *s, const unsigned short *p)
{
    const unsigned short z = s->flat ? 0 : p[2];
    struct strip cut = {.left = p[0], .top = p[1], .since = z};
    size_t first = 0, last, keep;

    while (first < s->n && s->at[first].right <= p[0])
        first++;
    for (last = first; last < s->n && s->at[last].top > p[1]; last++) {
        const struct strip *t = &s->at[last];

        if (!s->flat)
            close_strip(x, s, t, t->left > p[0] ? t->left : p[0], z);
        cut.right = t->right;
    }
    if (last == first) /* another point was there before */
        return;
    keep = s->at[first].left < p[0] ? 1 : 0; /* the left part of the first one stays */
    memmove(&s->at[first + keep + 1], &s->at[last], (s->n - last) * sizeof *s->at);
    s->n = s->n - (last - first) + keep + 1;
    if (keep == 1)
        s->at[first].right = p[0];
    s->at[first + keep] = cut;
}

static int compare_third(const void *a, const void *b)
{
    const unsigned short *p = a, *q = b;

    return p[2] < q[2] ? -1 : p[2] > q[2];
}

/* points: [n, 3] numbers of psi. */
static void make_boxes(archai_improvement *x, unsigned short *points, size_t n)
{
    struct sweep s = {.at = archai_malloc((n + 2) * sizeof *s.at), .n = 1, .flat = x->m < 3};
    const unsigned short end = s.flat ? 0 : (unsigned short)x->axis[2].n;

    s.at[0] = (struct strip){.right = (unsigned short)x->axis[0].n,
                             .top = x->m > 1 ? (unsigned short)x->axis[1].n : 1};
    qsort(points, n, 3 * sizeof *points, compare_third);
    for (size_t i = 0; i < n; i++)
        meet(x, &s, &points[3 * i]);
    for (size_t i = 0; i < s.n; i++)
        if (x->m > 1 || s.at[i].left == 0)
            close_strip(x, &s, &s.at[i], s.at[i].left, end);
    free(s.at);
}

/* -- a line ------------------------------------------------------------------------------------ */

/* Position of a cost between the ideal point (0) and the reference (1). */
static double relative(const archai_improvement *x, size_t k, double cost)
{
    const struct archai_improvement_axis *a = &x->axis[k];
    const double extent = a->cost[a->n - 1] - a->cost[0];

    return extent > 0.0 ? (cost - a->cost[0]) / extent : 0.0;
}

static double target_at(const struct archai_improvement_axis *a, double cost)
{
    const archai_bayes_scale map = {
        .n = a->n, .cost = a->cost, .target = a->target, .below = a->below};

    return archai_bayes_target_of(&map, cost);
}

/* Equal steps from the best scalarised cost of the front to the ideal point and somewhat beyond, as
 * targets. */
static void make_line(archai_improvement *x, const archai_improvement_front *f,
                      const double *weights)
{
    const double past = -0.25;
    double best = 0.0;

    for (size_t k = 0; k < x->m; k++)
        best = fmax(best, weights[k]);
    for (size_t i = 0; i < f->n; i++) {
        double worst = 0.0;

        for (size_t k = 0; k < x->m; k++)
            worst = fmax(worst, weights[k] * relative(x, k, f->cost[i * x->m + k]));
        best = fmin(best, worst);
    }
    x->line = archai_malloc(LINE * x->m * sizeof *x->line);
    x->n_line = LINE;
    for (size_t i = 0; i < LINE; i++) {
        const double t = best + (past - best) * ((double)i + 0.5) / LINE;

        for (size_t k = 0; k < x->m; k++) {
            const struct archai_improvement_axis *a = &x->axis[k];
            const double extent = a->cost[a->n - 1] - a->cost[0];

            x->line[i * x->m + k] =
                target_at(a, a->cost[0] + extent * t / fmax(weights[k], 1e-3));
        }
    }
}

/* -- all of it --------------------------------------------------------------------------------- */

void archai_improvement_init(archai_improvement *out, const archai_improvement_front *f,
                             const double *weights)
{
    archai_improvement x = {.m = f->m,
                            .axis = archai_calloc(f->m, sizeof *x.axis),
                            .front = archai_malloc(f->n * f->m * sizeof *x.front)};
    unsigned short *points;

    for (size_t k = 0; k < x.m; k++)
        make_axis(&x.axis[k], f, k);
    if (x.m > ARCHAI_IMPROVEMENT_EXACT) {
        make_line(&x, f, weights);
        *out = x;
        return;
    }
    points = archai_calloc(3 * f->n, sizeof *points);
    for (size_t i = 0; i < f->n; i++) {
        if (!below_reference(f, i))
            continue;
        for (size_t k = 0; k < x.m; k++)
            points[3 * x.n_front + k] = number_of(&x.axis[k], f->cost[i * x.m + k]);
        memcpy(&x.front[x.n_front++ * x.m], &f->target[i * x.m], x.m * sizeof *x.front);
    }
    make_boxes(&x, points, x.n_front);
    free(points);
    *out = x;
}

/* -- a candidate ------------------------------------------------------------------------------- */

static double normal(double x)
{
    return 0.5 * erfc(-x * 0.70710678118654752);
}

/* Integral of the normal distribution's function up to x. */
static double integral(double x)
{
    if (x < -8.0)
        return 0.0;
    if (x > 8.0)
        return x;
    return x * normal(x) + 0.39894228040143268 * exp(-0.5 * x * x);
}

/* Integral of P(Y <= .) up to every knot. */
static void set_psi(const struct archai_improvement_axis *a, double mean, double sigma)
{
    double before = 0.0, sum = 0.0;

    for (size_t i = 0; i < a->n; i++) {
        const double z = a->target[i] - mean;
        const double g = sigma > 0.0 ? sigma * integral(z / sigma) : fmax(z, 0.0);

        sum += i == 0 ? a->below * g
                      : (g - before) * (a->cost[i] - a->cost[i - 1]) /
                            (a->target[i] - a->target[i - 1]);
        before = g;
        a->psi[i + 1] = sum;
    }
}

static bool hopeless(const archai_improvement *x, const double *mean, const double *sigma)
{
    double best[ARCHAI_IMPROVEMENT_EXACT];

    for (size_t k = 0; k < x->m; k++) {
        best[k] = mean[k] - hope * sigma[k];
        if (best[k] >= x->axis[k].target[x->axis[k].n - 1])
            return true;
    }
    for (size_t i = 0; i < x->n_front; i++) {
        bool dominated = true;

        for (size_t k = 0; dominated && k < x->m; k++)
            dominated = x->front[i * x->m + k] <= best[k];
        if (dominated)
            return true;
    }
    return false;
}

static double along_line(const archai_improvement *x, const double *mean, const double *sigma)
{
    double sum = 0.0;

    for (size_t i = 0; i < x->n_line; i++) {
        double p = 1.0;

        for (size_t k = 0; p > 1e-12 && k < x->m; k++) {
            const double z = x->line[i * x->m + k] - mean[k];

            p *= sigma[k] > 0.0 ? normal(z / sigma[k]) : (double)(z >= 0.0);
        }
        sum += p;
    }
    return sum / (double)x->n_line;
}

double archai_improvement_expected(const archai_improvement *x, const double *mean,
                                   const double *deviation)
{
    double sum = 0.0;

    if (x->m > ARCHAI_IMPROVEMENT_EXACT)
        return along_line(x, mean, deviation);
    if (hopeless(x, mean, deviation))
        return 0.0;
    for (size_t k = 0; k < x->m; k++)
        set_psi(&x->axis[k], mean[k], deviation[k]);
    for (size_t i = 0; i < x->n_boxes; i++) {
        const struct archai_improvement_box *b = &x->box[i];
        double product = 1.0;

        for (size_t k = 0; k < x->m; k++)
            product *= x->axis[k].psi[b->high[k]] - x->axis[k].psi[b->low[k]];
        sum += product;
    }
    return sum;
}
