/* runner/svg.h - the two plots of a report as inline SVG: a scatter and a step line. */
#ifndef ARCHAI_RUNNER_SVG_H
#define ARCHAI_RUNNER_SVG_H
#include <stddef.h>
#include <stdio.h>

typedef struct archai_svg_point {
    double x, y;
    int marked;          /* on the front: drawn larger, in the accent colour, joined by a line */
    const char *title;   /* shown when the pointer rests on it; borrowed, NULL: none */
} archai_svg_point;

typedef struct archai_svg_axis {
    const char *label;
    int logarithmic;     /* only where every value is positive */
} archai_svg_axis;

/* Points that are not finite are left out. `joined` draws a step line through the marked points in
 * order of x. Fewer than one finite point draws an empty frame with a word. */
void archai_svg_scatter(FILE *out, const archai_svg_point *points, size_t n,
                        const archai_svg_axis *x, const archai_svg_axis *y, int joined);
/* Text with &, <, > and quotes made harmless, control characters as spaces. */
void archai_svg_text(FILE *out, const char *text);
#endif
