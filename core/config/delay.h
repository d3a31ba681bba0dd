/* core/config/delay.h - simulated durations, to rehearse a cluster without computing.
 *
 * "" (none), "60ms" (constant) or "lognormal 1.5s 0.8": a mean and the sigma of the underlying
 * normal distribution, so that mu = ln(mean) - sigma^2 / 2.
 */
#ifndef ARCHAI_CORE_CONFIG_DELAY_H
#define ARCHAI_CORE_CONFIG_DELAY_H
#include <stddef.h>
#include <stdint.h>
#include "core/base/err.h"
#include "core/config/registry.h"

typedef struct archai_delay {
    double mean_s;
    double sigma; /* 0: constant */
} archai_delay;

/* The option `delay` of a struct with a field `char *delay`, and its check. */
#define ARCHAI_DELAY_OPTION(type)                                                                  \
    {                                                                                              \
        "delay", ARCHAI_OPT_STRING, offsetof(type, delay), 0, 0, "", "", NULL,                     \
            "simulated time of an evaluation, `60ms` or `lognormal 1.5s 0.8` (mean, sigma)"        \
    }
void archai_delay_check(const char *text, archai_check *c);

int archai_delay_parse(const char *text, archai_delay *out, archai_err *err);
/* Seconds for the evaluation with this seed: the same seed, the same delay, on any rank. */
double archai_delay_draw(const archai_delay *d, uint64_t seed);
#endif
