/* io/file/finite.c - are floating-point values finite? */
#include <math.h>
#include <string.h>

#include "io/file/tensors.h"

bool archai_values_are_finite(archai_dtype dtype, const void *data, uint64_t n)
{
    const char *p = data;
    double d;
    float f;
    uint16_t h;

    for (uint64_t i = 0; i < n; i++)
        if (dtype == ARCHAI_F32) {
            memcpy(&f, p + i * sizeof f, sizeof f);
            if (!isfinite(f))
                return false;
        } else if (dtype == ARCHAI_F64) {
            memcpy(&d, p + i * sizeof d, sizeof d);
            if (!isfinite(d))
                return false;
        } else if (dtype == ARCHAI_F16) {
            memcpy(&h, p + i * sizeof h, sizeof h);
            if ((h & 0x7c00) == 0x7c00) /* the exponent of infinity and NaN */
                return false;
        }
    return true; /* integers always are */
}
