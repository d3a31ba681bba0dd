#include "core/space/config/param_range.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/alloc.h"

static const double deviation = 0.2;

static double within(double v, double low, double high)
{
    return v < low ? low : v > high ? high : v;
}

double archai_range_count(const archai_range *r)
{
    return r->step > 0 ? round((r->high - r->low) / r->step) + 1 : INFINITY;
}

/* 15 digits: 0.1 + 2 * 0.1 is meant to be 0.3. */
double archai_range_at(const archai_range *r, uint64_t k)
{
    const double v = r->low + (double)k * r->step;
    char text[32];

    if (r->integer || k == 0)
        return v;
    (void)snprintf(text, sizeof text, "%.15g", v);
    return within(strtod(text, NULL), r->low, r->high);
}

double archai_range_scale(const archai_range *r, double value)
{
    const double low = r->log ? log(r->low) : r->low, high = r->log ? log(r->high) : r->high;

    value = within(value, r->low, r->high);
    return within(((r->log ? log(value) : value) - low) / (high - low), 0, 1);
}

static double unscale(const archai_range *r, double x)
{
    const double low = r->log ? log(r->low) : r->low, high = r->log ? log(r->high) : r->high;
    const double v = low + x * (high - low);

    return within(r->log ? exp(v) : v, r->low, r->high);
}

/* The number of the value that is nearest. */
static double nearest(const archai_range *r, double v)
{
    return within(round((v - r->low) / r->step), 0, archai_range_count(r) - 1);
}

static double uniform(archai_rng *rng, double a, double b)
{
    return a + (b - a) * archai_rng_random(rng);
}

double archai_range_draw(const archai_range *r, archai_rng *rng)
{
    const double half = r->step / 2;

    if (!r->log)
        return r->step > 0
                   ? archai_range_at(r, archai_rng_below(rng, (uint64_t)archai_range_count(r)))
                   : within(uniform(rng, r->low, r->high), r->low, r->high);
    if (r->step > 0) {
        const double low = r->low > half ? r->low - half : r->low;

        return archai_range_at(
            r, (uint64_t)nearest(r, exp(uniform(rng, log(low), log(r->high + half)))));
    }
    return within(exp(uniform(rng, log(r->low), log(r->high))), r->low, r->high);
}

double archai_range_mutate(const archai_range *r, double value, archai_rng *rng)
{
    const double x = archai_range_scale(r, value);
    double y, k, old;

    do
        y = x + deviation * archai_rng_normal(rng);
    while (y < 0 || y > 1);
    if (r->step == 0)
        return unscale(r, y);
    k = nearest(r, unscale(r, y));
    old = nearest(r, value);
    if (k == old)
        k += (y >= x && k < archai_range_count(r) - 1) || k == 0 ? 1 : -1;
    return archai_range_at(r, (uint64_t)k);
}

json_t *archai_range_value(const archai_range *r, double value)
{
    return archai_there(r->integer ? json_integer((json_int_t)value) : json_real(value));
}

bool archai_range_takes(const archai_range *r, const json_t *v)
{
    const double x = json_number_value(v);

    return json_is_number(v) && x >= r->low && x <= r->high && (!r->integer || x == floor(x));
}
