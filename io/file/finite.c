/* io/file/finite.c - are floating-point values finite? */
#include <math.h>
#include <string.h>

#include "io/file/tensors.h"

/* The bits of the exponent, all set in infinity and NaN; 0: the type has neither. */
static uint16_t exponent_of(archai_dtype dtype)
{
    return dtype == ARCHAI_F16 ? 0x7c00 : dtype == ARCHAI_BF16 ? 0x7f80 : dtype == ARCHAI_F8_E5M2 ? 0x7c : 0;
}

static bool is_finite(archai_dtype dtype, const char *p)
{
    const uint16_t exponent = exponent_of(dtype);
    uint16_t bits = 0;
    double d = 0;
    float f[2] = {0, 0};

    if (dtype == ARCHAI_F64)
        memcpy(&d, p, sizeof d);
    else if (dtype == ARCHAI_F32)
        memcpy(f, p, sizeof *f);
    else if (dtype == ARCHAI_C64)
        memcpy(f, p, sizeof f);
    else if (exponent != 0)
        memcpy(&bits, p, archai_dtype_size(dtype)); /* little-endian */
    return isfinite(d) && isfinite(f[0]) && isfinite(f[1]) && (exponent == 0 || (bits & exponent) != exponent);
}

bool archai_values_are_finite(archai_dtype dtype, const void *data, uint64_t n)
{
    const size_t size = archai_dtype_size(dtype);

    for (uint64_t i = 0; i < n; i++)
        if (!is_finite(dtype, (const char *)data + i * size))
            return false;
    return true;
}
