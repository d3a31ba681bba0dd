/* /pareto and /hypervolume.
 *
 * The hypervolume needs a reference point that does not move, or its curve would mean nothing: the
 * worst value of each objective among the first GROWTH_FIRST points (ok and cached rows, in order
 * of finishing; at the end of a generational search in order of id), plus a tenth of their range,
 * so that the extreme points count, too. Until there are that many points, each refresh recomputes
 * the curve. Later points that are worse than the reference add nothing. The curve has a point
 * wherever the front grew (thinned where much happened between two refreshes) and one for the
 * present.
 */
#include "io/results/index_private.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "io/file/h5.h"

/* Hypervolumes that one refresh may compute; with four objectives and a long front each is
 * expensive. */
enum { STEPS_MAX = 64 };

void index_growth_init(index_growth *g, const archai_objectives *objectives)
{
    *g = (index_growth){.objectives = objectives, .best_id = -1, .best = INFINITY};
    archai_front_init(&g->front, objectives->n_optimised);
}

void index_growth_fini(index_growth *g)
{
    archai_front_fini(&g->front);
    free(g->evaluations);
    free(g->seconds);
    free(g->value);
    *g = (index_growth){.best_id = -1};
}

/* -- the curve ----------------------------------------------------------------------------- */

static void append(index_growth *g, int64_t evaluations, double seconds, double value)
{
    ARCHAI_RESERVE(g->evaluations, g->evaluations_capacity, g->n + 1);
    ARCHAI_RESERVE(g->seconds, g->seconds_capacity, g->n + 1);
    ARCHAI_RESERVE(g->value, g->value_capacity, g->n + 1);
    g->evaluations[g->n] = evaluations;
    g->seconds[g->n] = seconds;
    g->value[g->n++] = value;
}

static void place_reference(index_growth *g)
{
    size_t k = g->objectives->n_optimised;

    for (size_t j = 0; j < k; j++) {
        double low = INFINITY, high = -INFINITY, margin;

        for (size_t i = 0; i < g->n_first; i++) {
            low = fmin(low, g->first[i * k + j]);
            high = fmax(high, g->first[i * k + j]);
        }
        margin = 0.1 * (high - low);
        if (!(margin > 0)) /* all the same: any margin will do */
            margin = high != 0 ? 0.1 * fabs(high) : 0.1;
        g->reference[j] = fmin(high + margin, DBL_MAX);
    }
}

/* The whole curve over the first points. */
static int retrace(index_growth *g, archai_err *err)
{
    size_t k = g->objectives->n_optimised;
    double before = -1;

    place_reference(g);
    g->n = 0;
    for (size_t i = 0; i < g->n_first; i++) {
        double value;

        ARCHAI_TRY(archai_pareto_hypervolume(g->first, i + 1, k, g->reference, &value, err));
        if (value > before)
            append(g, g->first_evaluations[i], g->first_seconds[i], value);
        before = value;
    }
    return ARCHAI_OK;
}

static int trace_present(index_growth *g, archai_err *err)
{
    double value;

    ARCHAI_TRY(archai_pareto_hypervolume(
        g->front.points, g->front.n, g->objectives->n_optimised, g->reference, &value, err));
    append(g, g->evaluated, g->last, value);
    return ARCHAI_OK;
}

static bool is_point(const double *point, size_t k)
{
    for (size_t i = 0; i < k; i++)
        if (!isfinite(point[i]))
            return false;
    return true;
}

int index_growth_add(index_growth *g, const index_news *news, archai_err *err)
{
    size_t k = g->objectives->n_optimised;
    size_t stride = news->n / STEPS_MAX + 1;
    size_t since = 0; /* members that joined since the curve's last point */
    bool with_curve = k <= GROWTH_OBJECTIVES;
    bool retraces = g->n_first < GROWTH_FIRST;

    for (size_t i = 0; i < news->n; i++) {
        const index_new *new_ = &news->at[i];
        const double *point = &news->points[new_->point];
        bool joined = false;

        if (g->began == 0 || new_->started < g->began)
            g->began = new_->started;
        g->last = fmax(g->last, new_->row.finished - g->began);
        g->evaluated += new_->row.status != ARCHAI_STATUS_CACHED;
        if (!is_point(point, k))
            continue;
        joined = archai_front_insert(&g->front, point, new_->row.id);
        if (point[0] < g->best) {
            g->best = point[0];
            g->best_id = new_->row.id;
        }
        if (with_curve && g->n_first < GROWTH_FIRST) {
            memcpy(&g->first[g->n_first * k], point, k * sizeof *point);
            g->first_evaluations[g->n_first] = g->evaluated;
            g->first_seconds[g->n_first++] = g->last;
            if (g->n_first == GROWTH_FIRST)
                ARCHAI_TRY(retrace(g, err));
            continue;
        }
        since += joined;
        if (with_curve && since >= stride) {
            ARCHAI_TRY(trace_present(g, err));
            since = 0;
        }
    }
    if (with_curve && retraces && g->n_first > 0 && g->n_first < GROWTH_FIRST)
        return retrace(g, err);
    return with_curve && since > 0 ? trace_present(g, err) : ARCHAI_OK;
}

/* -- writing ------------------------------------------------------------------------------- */

/* A short 1-D dataset that is rewritten each time. */
static int write_list(hid_t group, const char *name, archai_dtype type, const void *data,
                      size_t n, archai_err *err)
{
    hid_t dataset = H5I_INVALID_HID;
    hid_t space = H5I_INVALID_HID;
    hid_t dcpl = H5I_INVALID_HID;
    hid_t ours = H5I_INVALID_HID;
    hsize_t dims[1] = {n};
    hsize_t most[1] = {H5S_UNLIMITED};
    hsize_t chunk[1] = {256};
    int rc;

    ARCHAI_TRY(archai_h5_type(&ours, type, err));
    if (archai_h5_has(group, name)) {
        ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &dataset, H5Dopen2(group, name, H5P_DEFAULT)),
                        out);
        ARCHAI_TRY_GOTO(rc, archai_h5_ok(err, H5Dset_extent(dataset, dims)), out);
    } else {
        ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &space, H5Screate_simple(1, dims, most)), out);
        ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &dcpl, H5Pcreate(H5P_DATASET_CREATE)), out);
        ARCHAI_TRY_GOTO(rc, archai_h5_ok(err, H5Pset_chunk(dcpl, 1, chunk)), out);
        ARCHAI_TRY_GOTO(
            rc,
            archai_h5_id(err, &dataset,
                         H5Dcreate2(group, name, ours, space, H5P_DEFAULT, dcpl, H5P_DEFAULT)),
            out);
    }
    if (n > 0)
        rc = archai_h5_ok(err, H5Dwrite(dataset, ours, H5S_ALL, H5S_ALL, H5P_DEFAULT, data));
    if (rc == ARCHAI_OK)
        rc = archai_h5_close(&dataset, err);
out:
    archai_h5_release(&dataset);
    archai_h5_release(&dcpl);
    archai_h5_release(&space);
    archai_h5_release(&ours);
    return archai_err_wrap(err, rc, "dataset %s: ", name);
}

static int compare_rows(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static int write_front(const index_growth *g, const index_table *t, hid_t file, archai_err *err)
{
    hid_t group = H5I_INVALID_HID;
    int64_t *rows = archai_malloc(g->front.n * sizeof *rows);
    int rc;

    for (size_t i = 0; i < g->front.n; i++)
        rows[i] = (int64_t)index_table_find(t, g->front.tags[i]);
    if (g->front.n > 1)
        qsort(rows, g->front.n, sizeof *rows, compare_rows);
    rc = archai_h5_group(file, "pareto", &group, err);
    if (rc == ARCHAI_OK)
        rc = write_list(group, "index", ARCHAI_I64, rows, g->front.n, err);
    archai_h5_release(&group);
    free(rows);
    return rc;
}

/* The reference point in the objectives' own units and directions. */
static int write_reference(const index_growth *g, hid_t group, archai_err *err)
{
    double natural[GROWTH_OBJECTIVES];
    size_t k = 0;

    for (size_t i = 0; i < g->objectives->n; i++) {
        int direction = g->objectives->at[i].direction;

        if (direction == ARCHAI_CONSTRAIN)
            continue;
        natural[k] = direction == ARCHAI_MAXIMIZE ? -g->reference[k] : g->reference[k];
        k++;
    }
    return archai_h5_set_doubles(group, "reference", natural, k, err);
}

int index_growth_write(index_growth *g, const index_table *t, hid_t file, archai_err *err)
{
    hid_t group = H5I_INVALID_HID;
    size_t n = g->n;
    int rc;

    ARCHAI_TRY(write_front(g, t, file, err));
    ARCHAI_TRY(archai_h5_group(file, "hypervolume", &group, err));
    if (n > 0 && g->evaluated > g->evaluations[n - 1]) /* a level line up to the present */
        append(g, g->evaluated, g->last, g->value[g->n - 1]);
    ARCHAI_TRY_GOTO(rc, write_list(group, "evaluations", ARCHAI_I64, g->evaluations, g->n, err),
                    out);
    ARCHAI_TRY_GOTO(rc, write_list(group, "seconds", ARCHAI_F64, g->seconds, g->n, err), out);
    ARCHAI_TRY_GOTO(rc, write_list(group, "value", ARCHAI_F64, g->value, g->n, err), out);
    if (g->n_first > 0)
        rc = write_reference(g, group, err);
out:
    g->n = n; /* the line to the present is not kept: the present moves */
    archai_h5_release(&group);
    return rc;
}
