/* runner/inspect/svg.h - the two plots of a report as inline SVG: a scatter and a step line. */
#ifndef ARCHAI_RUNNER_INSPECT_SVG_H
#define ARCHAI_RUNNER_INSPECT_SVG_H
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef struct archai_svg_point {
    double x, y;
    bool marked;       /* on the front: drawn larger, in the accent colour, joined by a line */
    const char *title; /* shown when the pointer rests on it; borrowed */
} archai_svg_point;

typedef struct archai_svg_axis {
    const char *label;
    bool logarithmic; /* only where every value is positive */
} archai_svg_axis;

/* A step line through the marked points in order of x. */
typedef enum archai_svg_line {
    ARCHAI_SVG_NO_LINE,
    ARCHAI_SVG_JOINED,     /* from the first to the last */
    ARCHAI_SVG_TO_THE_EDGE /* and on to the right edge: the best so far */
} archai_svg_line;

/* Points that are not finite, or that a log axis cannot show, are left out. An empty plot says so. */
void archai_svg_scatter(FILE *out, const archai_svg_point *points, size_t n,
                        const archai_svg_axis *x, const archai_svg_axis *y, archai_svg_line line);
/* Texts up to NULL, every other one escaped: put(out, "<b>", any_text, "</b>", NULL). Escaped are &, <,
 * > and quotes; control characters other than newlines become spaces. */
void archai_svg_put(FILE *out, ...) __attribute__((sentinel));
#endif
