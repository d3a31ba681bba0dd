/* What several kinds need: messages, dimensions by PyTorch's numbers, printing of arguments. */
#include <math.h>
#include <stdarg.h>

#include "core/base/number.h"
#include "core/network/kind/kind.h"

/* -- messages ----------------------------------------------------------------------------- */

int archai_tally_misfit(const archai_tally *t, const archai_shape *in, const char *expected,
                        int64_t wanted)
{
    return archai_tally_expected(t, in, "%s %lld", expected, (long long)wanted);
}

int archai_tally_expected(const archai_tally *t, const archai_shape *in, const char *format,
                          ...)
{
    char text[ARCHAI_SHAPE_TEXT], expected[160];
    va_list ap;

    va_start(ap, format);
    (void)vsnprintf(expected, sizeof expected, format, ap);
    va_end(ap);
    return archai_fail(t->err, ARCHAI_EINVAL, "module '%s': its input is %s, expected %s",
                       t->module->name, archai_shape_text(in, text), expected);
}

int archai_tally_fail(const archai_tally *t, const char *format, ...)
{
    char text[320];
    va_list ap;

    va_start(ap, format);
    (void)vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    return archai_fail(t->err, ARCHAI_EINVAL, "module '%s': %s", t->module->name, text);
}

/* -- shapes ------------------------------------------------------------------------------- */

int archai_tally_image(const archai_tally *t, const archai_shape *in)
{
    if (in->ndim != 3)
        return archai_tally_expected(t, in, "[channels, height, width]");
    return ARCHAI_OK;
}

int archai_tally_dim(const archai_tally *t, const archai_shape *in, int64_t dim, int *place)
{
    const int64_t at = dim < 0 ? dim + in->ndim : dim - 1;

    if (dim == 0 || dim == -in->ndim - 1)
        return archai_tally_fail(t, "dimension %lld is the batch, which stays as it is",
                                 (long long)dim);
    if (at < 0 || at >= in->ndim)
        return archai_tally_expected(t, in, "a dimension from 1 to %d, got %lld", in->ndim,
                                     (long long)dim);
    *place = (int)at;
    return ARCHAI_OK;
}

int archai_infer_same(archai_tally *t, const archai_module *m, const archai_shape *in,
                      archai_shape *out)
{
    (void)t;
    (void)m;
    *out = *in;
    return ARCHAI_OK;
}

/* -- printing ----------------------------------------------------------------------------- */

void archai_print_pair(FILE *out, const char *name, const double pair[2])
{
    (void)fprintf(out, "%s=(%.0f, %.0f)", name, pair[0], pair[1]);
}

void archai_print_size(FILE *out, const char *name, const double pair[2])
{
    if (pair[0] == pair[1])
        (void)fprintf(out, "%s=%.0f", name, pair[0]);
    else
        archai_print_pair(out, name, pair);
}

void archai_print_real(FILE *out, const char *name, double v)
{
    char text[32];

    archai_format_double(v, text);
    (void)fprintf(out, "%s=%s", name, isnan(v) ? "None" : text);
}

void archai_print_flag(FILE *out, const char *name, double v)
{
    (void)fprintf(out, "%s=%s", name, v != 0 ? "True" : "False");
}

void archai_print_list(FILE *out, const double *list)
{
    const int n = list[0] >= 0 && list[0] <= ARCHAI_ARG_LIST_MAX ? (int)list[0] : 0;

    (void)fputc('(', out);
    for (int i = 1; i <= n; i++)
        (void)fprintf(out, "%s%.0f", i > 1 ? ", " : "", list[i]);
    (void)fputs(n == 1 ? ",)" : ")", out);
}
