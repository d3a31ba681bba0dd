/* Were the slots busy? */
#include <math.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "runner/inspect/report/report.h"

enum { PARTS = 120, RANKS_MAX = 256 };

static bool takes_time(const archai_trial *e)
{
    return e->status != ARCHAI_STATUS_CACHED && e->started > 0 && e->seconds >= 0;
}

/* Adds the seconds of [from, to) to the parts that they fall into. */
static void spread(double *parts, double width, double from, double to)
{
    for (size_t i = from > 0 ? (size_t)(from / width) : 0; i < PARTS && (double)i * width < to; i++)
        parts[i] += fmax(0, fmin(to, (double)(i + 1) * width) - fmax(from, (double)i * width));
}

/* Of each rank, in thousandths of each part: how long it evaluated, and how long what failed. Of very many rows single
 * evaluations would be too short to be seen. */
static json_t *by_rank(const report *p, double width)
{
    const archai_results *r = &p->t->r;
    int highest = -1;
    double(*busy)[2][PARTS];
    json_t *list = archai_there(json_array());

    for (size_t i = 0; i < r->n; i++)
        if (takes_time(&r->rows[i]) && r->rows[i].rank >= 0 && r->rows[i].rank < RANKS_MAX && r->rows[i].rank > highest)
            highest = r->rows[i].rank;
    busy = archai_calloc((size_t)(highest + 1), sizeof *busy);
    for (size_t i = 0; i < r->n; i++) {
        const archai_trial *e = &r->rows[i];
        const double from = e->started - p->f->began, to = e->started + e->seconds - p->f->began;

        if (!takes_time(e) || e->rank < 0 || e->rank >= RANKS_MAX)
            continue;
        spread(busy[e->rank][0], width, from, to);
        if (e->status == ARCHAI_STATUS_FAILED)
            spread(busy[e->rank][1], width, from, to);
    }
    for (int rank = 0; rank <= highest; rank++) {
        json_t *shares[2] = {json_array(), json_array()};

        for (int k = 0; k < 2; k++)
            for (int i = 0; i < PARTS; i++)
                (void)json_array_append_new(shares[k],
                                            json_integer((json_int_t)lround(1000 * busy[rank][k][i] / width)));
        (void)json_array_append_new(list,
                                    json_pack("{s:i, s:o, s:o}", "rank", rank, "busy", shares[0], "failed", shares[1]));
    }
    free(busy);
    return list;
}

int report_time(report *p, archai_err *err)
{
    const archai_results *r = &p->t->r;
    const double share = inspect_utilisation(p->f);
    double parts[PARTS] = {0}, seconds = 0;
    json_t *shares = archai_there(json_array()), *ranks = NULL;

    (void)err;
    for (size_t i = 0; i < r->n; i++)
        if (takes_time(&r->rows[i]))
            seconds = fmax(seconds, r->rows[i].started + r->rows[i].seconds - p->f->began);
    if (isfinite(seconds) && seconds > 0 && p->f->slots > 0) {
        for (size_t i = 0; i < r->n; i++)
            if (takes_time(&r->rows[i]))
                spread(parts, seconds / PARTS, r->rows[i].started - p->f->began,
                       r->rows[i].started + r->rows[i].seconds - p->f->began);
        for (size_t i = 0; i < PARTS; i++)
            (void)json_array_append_new(shares, inspect_json_number(parts[i] / (seconds / PARTS) / p->f->slots));
        ranks = by_rank(p, seconds / PARTS);
    }
    (void)json_object_set_new(p->out, "utilisation", inspect_json_number(share));
    (void)json_object_set_new(p->out, "timeline",
                              json_pack("{s:o, s:o, s:i, s:o, s:o}", "began", inspect_json_number(p->f->began),
                                        "seconds", inspect_json_number(seconds), "slots", p->f->slots, "shares", shares,
                                        "ranks", ranks != NULL ? ranks : json_array()));
    return ARCHAI_OK;
}
