/* Were the slots busy? */
#include <math.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "runner/inspect/report/report.h"

enum { PARTS = 120 };

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

int report_time(report *p, archai_err *err)
{
    const archai_results *r = &p->t->r;
    const double share = inspect_utilisation(p->f);
    double parts[PARTS] = {0}, seconds = 0;
    json_t *shares = archai_there(json_array());

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
    }
    (void)json_object_set_new(p->out, "utilisation", inspect_json_number(share));
    (void)json_object_set_new(p->out, "timeline",
                              json_pack("{s:o, s:o, s:i, s:o}", "began", inspect_json_number(p->f->began), "seconds",
                                        inspect_json_number(seconds), "slots", p->f->slots, "shares", shares));
    return ARCHAI_OK;
}
