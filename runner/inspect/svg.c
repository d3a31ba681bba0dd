#include "runner/inspect/svg.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

enum {
    WIDTH = 640,
    HEIGHT = 400,
    LEFT = 78,
    RIGHT = 40, /* half of a tick's number */
    TOP = 14,
    BOTTOM = 52,
    TICKS_MAX = 12
};

static const double DRAWN_MAX = 1e300; /* a range of larger numbers would overflow */

typedef struct scale {
    double low, high; /* in data units, or their log10 */
    bool logarithmic;
} scale;

static void escape(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (strchr("&<>\"'", *text) != NULL)
            (void)fprintf(out, "&#%d;", *text);
        else
            (void)fputc((unsigned char)*text < 0x20 && *text != '\n' ? ' ' : *text, out);
    }
}

void archai_svg_put(FILE *out, ...)
{
    const char *text;
    bool is_foreign = false;
    va_list ap;

    va_start(ap, out);
    for (; (text = va_arg(ap, const char *)) != NULL; is_foreign = !is_foreign)
        if (is_foreign)
            escape(out, text);
        else
            (void)fputs(text, out);
    va_end(ap);
}

static double position(const scale *s, double v)
{
    if (s->logarithmic)
        v = log10(v);
    return (v - s->low) / (s->high - s->low);
}

static double to_x(const scale *s, double v)
{
    return LEFT + position(s, v) * (WIDTH - LEFT - RIGHT);
}

static double to_y(const scale *s, double v)
{
    return HEIGHT - BOTTOM - position(s, v) * (HEIGHT - TOP - BOTTOM);
}

static bool drawable(const archai_svg_point *p, bool log_x, bool log_y)
{
    return fabs(p->x) <= DRAWN_MAX && fabs(p->y) <= DRAWN_MAX && (!log_x || p->x > 0) &&
           (!log_y || p->y > 0);
}

/* The range of the drawable points, with a margin of 4 % on both sides. */
static scale fit(const archai_svg_point *points, size_t n, bool log_x, bool log_y, bool is_y)
{
    scale s = {INFINITY, -INFINITY, is_y ? log_y : log_x};
    double margin;

    for (size_t i = 0; i < n; i++) {
        double v = is_y ? points[i].y : points[i].x;

        if (!drawable(&points[i], log_x, log_y))
            continue;
        if (s.logarithmic)
            v = log10(v);
        s.low = fmin(s.low, v);
        s.high = fmax(s.high, v);
    }
    if (!(s.low <= s.high))
        s.low = 0, s.high = 1;
    margin = s.high > s.low ? 0.04 * (s.high - s.low) : fmax(0.5 * fabs(s.high), 0.5);
    s.low -= margin;
    s.high += margin;
    return s;
}

/* Tick positions at 1, 2 or 5 times a power of ten; at every power of ten on a log axis that
 * spans more than one. Returns how many. */
static int ticks(const scale *s, double at[TICKS_MAX])
{
    double span = s->high - s->low, raw, step, first;
    int n = 0;

    if (s->logarithmic && span > 1.0) {
        step = fmax(1.0, ceil(span / (TICKS_MAX - 2)));
        for (double e = ceil(s->low); e <= s->high && n < TICKS_MAX; e += step)
            at[n++] = pow(10, e);
        return n;
    }
    if (s->logarithmic) { /* less than a decade: linear ticks read better */
        scale linear = {pow(10, s->low), pow(10, s->high), false};

        return ticks(&linear, at);
    }
    raw = span / 6;
    step = pow(10, floor(log10(raw)));
    step *= raw / step > 5 ? 10 : raw / step > 2 ? 5 : raw / step > 1 ? 2 : 1;
    first = ceil(s->low / step);
    for (int i = 0; n < TICKS_MAX && (first + i) * step <= s->high; i++)
        at[n++] = (first + i) * step;
    return n;
}

/* A line of the grid, and its number at the end of it. */
static void tick(FILE *out, double x1, double x2, double y1, double y2, const char *anchor,
                 double x, double y, double value)
{
    (void)fprintf(out,
                  "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" class=\"grid\"/>"
                  "<text x=\"%.1f\" y=\"%.1f\" class=\"tick\" text-anchor=\"%s\">%g</text>\n",
                  x1, x2, y1, y2, x, y, anchor, value);
}

static void frame(FILE *out, const scale *sx, const scale *sy, const archai_svg_axis *x,
                  const archai_svg_axis *y)
{
    double at[TICKS_MAX];
    int n = ticks(sx, at);

    (void)fprintf(out,
                  "<svg viewBox=\"0 0 %d %d\" role=\"img\">\n"
                  "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" class=\"frame\"/>\n",
                  WIDTH, HEIGHT, LEFT, TOP, WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM);
    for (int i = 0; i < n; i++)
        tick(out, to_x(sx, at[i]), to_x(sx, at[i]), TOP, HEIGHT - BOTTOM, "middle", to_x(sx, at[i]),
             HEIGHT - BOTTOM + 18, at[i]);
    n = ticks(sy, at);
    for (int i = 0; i < n; i++)
        tick(out, LEFT, WIDTH - RIGHT, to_y(sy, at[i]), to_y(sy, at[i]), "end", LEFT - 8,
             to_y(sy, at[i]) + 4, at[i]);
    (void)fprintf(out, "<text x=\"%d\" y=\"%d\" class=\"axis\" text-anchor=\"middle\"",
                  (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10);
    archai_svg_put(out, ">", x->label, "</text>\n", NULL);
    (void)fprintf(out,
                  "<text transform=\"translate(16 %d) rotate(-90)\" class=\"axis\" "
                  "text-anchor=\"middle\"",
                  (TOP + HEIGHT - BOTTOM) / 2);
    archai_svg_put(out, ">", y->label, "</text>\n", NULL);
}

static int by_x(const void *a, const void *b)
{
    const archai_svg_point *p = a, *q = b;

    return (p->x > q->x) - (p->x < q->x);
}

/* A step line: nothing better is known between two neighbours, nor, with to_the_edge, after the last. */
static void join(FILE *out, const archai_svg_point *points, size_t n, const scale *sx,
                 const scale *sy, bool to_the_edge)
{
    archai_svg_point *marked = archai_calloc(n, sizeof *marked);
    size_t m = 0;

    for (size_t i = 0; i < n; i++)
        if (points[i].marked && drawable(&points[i], sx->logarithmic, sy->logarithmic))
            marked[m++] = points[i];
    qsort(marked, m, sizeof *marked, by_x);
    if (m > 1 || (m == 1 && to_the_edge)) {
        (void)fputs("<path class=\"front\" d=\"", out);
        for (size_t i = 0; i < m; i++)
            (void)fprintf(out, i == 0 ? "M%.1f %.1f" : "H%.1fV%.1f", to_x(sx, marked[i].x),
                          to_y(sy, marked[i].y));
        if (to_the_edge)
            (void)fprintf(out, "H%d", WIDTH - RIGHT);
        (void)fputs("\"/>\n", out);
    }
    free(marked);
}

void archai_svg_scatter(FILE *out, const archai_svg_point *points, size_t n,
                        const archai_svg_axis *x, const archai_svg_axis *y,
                        archai_svg_line line)
{
    scale sx = fit(points, n, x->logarithmic, y->logarithmic, false);
    scale sy = fit(points, n, x->logarithmic, y->logarithmic, true);
    size_t drawn = 0;

    frame(out, &sx, &sy, x, y);
    if (line != ARCHAI_SVG_NO_LINE)
        join(out, points, n, &sx, &sy, line == ARCHAI_SVG_TO_THE_EDGE);
    for (int marked = 0; marked <= 1; marked++) { /* the front on top of the others */
        for (size_t i = 0; i < n; i++) {
            if (points[i].marked != marked ||
                !drawable(&points[i], sx.logarithmic, sy.logarithmic))
                continue;
            (void)fprintf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%s\" class=\"%s\">",
                          to_x(&sx, points[i].x), to_y(&sy, points[i].y), marked ? "4.5" : "3",
                          marked ? "best" : "other");
            archai_svg_put(out, "<title>", points[i].title, "</title></circle>\n", NULL);
            drawn++;
        }
    }
    if (drawn == 0)
        (void)fprintf(out,
                      "<text x=\"%d\" y=\"%d\" class=\"axis\" text-anchor=\"middle\">"
                      "nothing to draw yet</text>\n",
                      WIDTH / 2, HEIGHT / 2);
    (void)fputs("</svg>\n", out);
}
