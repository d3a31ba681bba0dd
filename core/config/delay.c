#include "core/config/delay.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config/option.h"
#include "core/base/rng.h"

int archai_delay_parse(const char *text, archai_delay *out, archai_err *err)
{
    archai_delay d = {0};
    char kind[16], mean[32], sigma[32];
    char *end;
    int used = 0;

    if (text[strspn(text, " \t")] == '\0') {
        *out = d;
        return ARCHAI_OK;
    }
    if (sscanf(text, "%15s %31s %31s %n", kind, mean, sigma, &used) == 3 && used > 0 &&
        text[used] == '\0' && strcmp(kind, "lognormal") == 0) {
        ARCHAI_TRY(archai_parse_seconds(mean, &d.mean_s, err));
        d.sigma = strtod(sigma, &end);
        if (*end != '\0' || !(d.sigma >= 0 && d.sigma <= 10))
            return archai_fail(err, ARCHAI_EINVAL, "sigma '%s' is not a number from 0 to 10",
                               sigma);
    } else if (strncmp(text, "lognormal", 9) == 0) {
        return archai_fail(err, ARCHAI_EINVAL, "'%s', expected lognormal MEAN SIGMA, for example "
                                               "lognormal 1.5s 0.8",
                           text);
    } else {
        ARCHAI_TRY(archai_parse_seconds(text, &d.mean_s, err));
    }
    if (!(d.mean_s >= 0 && d.mean_s <= 86400))
        return archai_fail(err, ARCHAI_EINVAL, "'%s' is not a time from 0 to one day", text);
    *out = d;
    return ARCHAI_OK;
}

void archai_delay_check(const char *text, archai_check *c)
{
    archai_err why = ARCHAI_ERR_INIT;
    archai_delay parsed;

    if (archai_delay_parse(text, &parsed, &why) != ARCHAI_OK)
        archai_check_fail(c, "delay", NULL, "%s", why.text);
}

double archai_delay_draw(const archai_delay *d, uint64_t seed)
{
    const double two_pi = 6.283185307179586;
    double u, v;

    if (d->sigma <= 0 || d->mean_s <= 0)
        return d->mean_s;
    /* Box-Muller on two derived numbers (63 bits each): a whole generator would be seeded for one
     * draw */
    u = ((double)(archai_rng_derive(seed, 1) >> 11) + 0.5) / 0x1p52;
    v = ((double)(archai_rng_derive(seed, 2) >> 11) + 0.5) / 0x1p52;
    return d->mean_s * exp(d->sigma * sqrt(-2 * log(u)) * cos(two_pi * v) -
                           0.5 * d->sigma * d->sigma);
}
