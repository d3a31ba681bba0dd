/* Arguments and texts as Python writes them. */
#include <math.h>
#include <string.h>

#include "core/base/number.h"
#include "core/base/text.h"
#include "io/model/python/python_private.h"

/* -- texts ---------------------------------------------------------------------------------- */

static unsigned long code_point(const char *s, size_t n)
{
    unsigned long c = (unsigned char)s[0];

    if (n > 1)
        c &= 0xffu >> (n + 1);
    for (size_t i = 1; i < n; i++)
        c = c << 6 | ((unsigned char)s[i] & 0x3f);
    return c;
}

void archai_python_literal(const char *text, FILE *out)
{
    (void)fputc('"', out);
    while (*text != '\0') {
        const size_t n = archai_utf8_length(text, strlen(text));
        const unsigned long c = n > 0 ? code_point(text, n) : '?';

        if (c == '"' || c == '\\')
            (void)fprintf(out, "\\%c", (int)c);
        else if (c >= ' ' && c < 127)
            (void)fputc((int)c, out);
        else
            (void)fprintf(out, c < 0x10000 ? "\\u%04lx" : "\\U%08lx", c);
        text += n > 0 ? n : 1;
    }
    (void)fputc('"', out);
}

/* -- arguments ------------------------------------------------------------------------------ */

static void put_number(const archai_arg *a, double v, FILE *out)
{
    char text[32];

    if (isnan(v)) {
        (void)fputs("None", out);
    } else if (a->type == ARCHAI_ARG_FLAG) {
        (void)fputs(v != 0 ? "True" : "False", out);
    } else if (a->type == ARCHAI_ARG_REAL) {
        archai_format_double(v, text);
        (void)fputs(text, out);
    } else {
        (void)fprintf(out, "%.0f", v);
    }
}

static void put_tuple(const archai_arg *a, const double *v, size_t n, FILE *out)
{
    (void)fputc('(', out);
    for (size_t i = 0; i < n; i++) {
        (void)fputs(i > 0 ? ", " : "", out);
        put_number(a, v[i], out);
    }
    (void)fputs(n == 1 ? ",)" : ")", out);
}

/* `same` with a stride, which PyTorch refuses, is a number on both sides (core/network/kind/conv.c). */
static bool put_same(const archai_module *m, const archai_arg *a, size_t n, FILE *out)
{
    const double *kernel = archai_module_arg(m, "kernel_size"), *dilation = archai_module_arg(m, "dilation");
    const double *stride = archai_module_arg(m, "stride");
    double sides[2];

    if (stride == NULL || kernel == NULL || dilation == NULL || (stride[0] == 1 && stride[n - 1] == 1))
        return false;
    for (size_t i = 0; i < n; i++)
        sides[i] = floor(dilation[i] * (kernel[i] - 1) / 2);
    put_tuple(a, sides, n, out);
    return true;
}

static void put_value(const archai_module *m, const archai_arg *a, const double *v, FILE *out)
{
    const size_t width = archai_arg_width(a);

    if (a->type == ARCHAI_ARG_WORD && !isnan(v[0])) {
        archai_python_literal(a->words[(size_t)v[0]], out);
    } else if (a->words != NULL && v[0] < 0 && a->type != ARCHAI_ARG_WORD) {
        if (v[0] != -1 || !put_same(m, a, width, out))
            archai_python_literal(a->words[(size_t)(-v[0]) - 1], out);
    } else if (a->type == ARCHAI_ARG_PAIR && !isnan(v[0])) {
        put_tuple(a, v, 2, out);
    } else if (a->type == ARCHAI_ARG_LIST && !isnan(v[0]) && v[0] != 1) {
        put_tuple(a, v + 1, (size_t)v[0], out);
    } else {
        put_number(a, a->type == ARCHAI_ARG_LIST && !isnan(v[0]) ? v[1] : v[0], out);
    }
}

/* A layer that wrote over its input would change what others read. */
static bool is_left_out(const char *name)
{
    return strcmp(name, "inplace") == 0;
}

void python_arguments(const archai_module *m, FILE *out)
{
    const double *v = m->args;
    const char *comma = "";

    for (const archai_arg *a = m->kind->args; a != NULL && a->name != NULL; v += archai_arg_width(a), a++) {
        if (is_left_out(a->name))
            continue;
        (void)fprintf(out, "%s%s=", comma, a->name);
        put_value(m, a, v, out);
        comma = ", ";
    }
}
