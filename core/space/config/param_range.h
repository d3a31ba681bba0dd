/* core/space/config/param_range.h - a parameter that is a number of a range.
 *
 * A range of whole numbers, or one with a step, has the values low, low + step, ... up to high;
 * any other has every number from low to high. Draws are those of CPython's random.Random:
 *
 *   without log, in steps       low + step * randrange(n), n the number of values
 *   without log                 uniform(low, high)
 *   log                         exp(uniform(log(low), log(high)))
 *   log, in steps               the value nearest to exp(uniform(log(a), log(b))), where a and
 * b are half a step below low (low itself if that is not above 0) and above high
 *
 * The last one as in Akiba, Sano, Yanase, Ohta, Koyama 2019, Optuna (suggest_int with log).
 */
#ifndef ARCHAI_CORE_SPACE_CONFIG_PARAM_RANGE_H
#define ARCHAI_CORE_SPACE_CONFIG_PARAM_RANGE_H
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "core/base/rng.h"

typedef struct archai_range {
    double low, high; /* low < high; both are values */
    double step;      /* 0: every number between them */
    bool log;         /* uniform, and near, on the logarithmic scale; low > 0 */
    bool integer;     /* values are whole numbers: |v| <= 2^53 */
} archai_range;

/* How many values there are; infinity without a step. */
double archai_range_count(const archai_range *r);
/* Value number k < count of a range with a step, ascending. */
double archai_range_at(const archai_range *r, uint64_t k);
/* The place on [0, 1] of a number between low and high, on the logarithmic scale with log. */
double archai_range_scale(const archai_range *r, double value);

double archai_range_draw(const archai_range *r, archai_rng *rng);
/* A value near `value`: normally distributed around it with a standard deviation of 0.2 on the
 * scale [0, 1], drawn again until it is on the scale. In steps it is another value: what is
 * nearest, else the next one on that side. Source: Hutter, Hoos, Leyton-Brown 2011, Sequential
 * Model-Based Optimization for General Algorithm Configuration, section 4.3 (neighbours of a
 * number). */
double archai_range_mutate(const archai_range *r, double value, archai_rng *rng);

/* As JSON: an integer or a real. A new reference. */
json_t *archai_range_value(const archai_range *r, double value);
/* A number from low to high, a whole one where the range has only such; it need not be one of
 * the steps. */
bool archai_range_takes(const archai_range *r, const json_t *v);
#endif
