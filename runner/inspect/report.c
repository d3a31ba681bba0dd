/* report: report.html, one self-contained page about a run.
 *
 * No script, no font, no image from elsewhere: the page opens on a laptop without a network and can be
 * mailed. Plots are inline SVG. Every text that came from a file is escaped.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "io/file/beside.h"
#include "runner/inspect/inspect.h"
#include "runner/inspect/svg.h"

enum { POINTS_MAX = 5000, ERRORS_MAX = 12 }; /* more would make the page longer, not clearer */

static const char style[] =
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;"
    "color:#1c2430;background:#fff}h1{font-size:1.5em;margin-bottom:0}h2{font-size:1.15em;"
    "margin-top:2em}table{border-collapse:collapse;font-variant-numeric:tabular-nums}"
    "th,td{padding:.25em .8em;border-bottom:1px solid #dde3ea;text-align:right}"
    "th:first-child,td:first-child,.text{text-align:left}td{vertical-align:top}"
    "th{font-weight:600}code,pre{font:13px/1.45 "
    "ui-monospace,monospace}pre{background:#f5f7fa;padding:1em;overflow:auto}"
    ".muted{color:#66707d}svg{width:100%;max-width:640px;display:block}.frame{fill:none;"
    "stroke:#9aa5b1}.grid{stroke:#e8ecf1}.tick{font-size:12px;fill:#66707d}"
    ".axis{font-size:13px;fill:#1c2430}.other{fill:#9fb3c8;fill-opacity:.75}.best{fill:#d9480f}.front{fill:none;"
    "stroke:#d9480f;stroke-width:1.5}"
    "@media(prefers-color-scheme:dark){body{color:#e4e9ef;background:#14181d}"
    "pre{background:#1d232b}th,td{border-color:#2b333d}.grid{stroke:#242b33}.axis{fill:#e4e9ef}"
    "}";

static void cell(FILE *out, double v)
{
    if (isnan(v))
        (void)fputs("<td class=\"muted\">-</td>", out);
    else
        (void)fprintf(out, "<td>%.6g</td>", v);
}

static void summary(FILE *out, const archai_results *r)
{
    archai_svg_put(out, "<h1>Search over ", r->space, "</h1>\n<p class=\"muted\">", r->algorithm,
                   ", ", r->schedule, NULL);
    (void)fprintf(out, ", seed %lld, %lld rank%s; ", (long long)r->seed, (long long)r->ranks,
                  r->ranks == 1 ? "" : "s");
    archai_svg_put(out, "", r->state, "; started ", r->started, ", last change ", r->updated, NULL);
    (void)fprintf(out, "</p>\n<p>%zu evaluations", r->n);
    inspect_counts(r, out);
    (void)fprintf(out, "; %zu on the Pareto front.</p>\n", r->n_front);
}

/* Rows of the front, the best by the first objective first. Caller frees. */
static size_t *sorted_front(const archai_results *r)
{
    size_t *rows = archai_memdup(r->front, r->n_front * sizeof *rows);

    inspect_sort(r, rows, r->n_front, r->objectives[0].name, inspect_sign(&r->objectives[0]));
    return rows;
}

static void front_table(FILE *out, const archai_results *r)
{
    size_t *rows = sorted_front(r);

    (void)fputs("<h2>Pareto front</h2>\n<table><tr><th>archid</th>", out);
    for (size_t k = 0; k < r->n_objectives; k++)
        archai_svg_put(out, "<th>", r->objectives[k].name,
                       r->objectives[k].direction == ARCHAI_MAXIMIZE ? " &uarr;</th>" : " &darr;</th>",
                       NULL);
    (void)fputs("<th>id</th><th>seconds</th></tr>\n", out);
    for (size_t i = 0; i < r->n_front; i++) {
        const archai_trial *e = &r->rows[rows[i]];

        archai_svg_put(out, "<tr><td>", e->model.archid, "</td>", NULL);
        for (size_t k = 0; k < r->n_objectives; k++)
            cell(out, archai_results_value(r, rows[i], r->objectives[k].name));
        (void)fprintf(out, "<td>%lld</td><td>%.1f</td></tr>\n", (long long)e->id, e->seconds);
    }
    (void)fputs("</table>\n", out);
    free(rows);
}

/* What the models of the front are. */
static void parameter_table(FILE *out, const archai_results *r)
{
    size_t *rows = sorted_front(r);

    (void)fputs("<h2>Parameters of the front</h2>\n<table><tr><th>archid</th>"
                "<th class=\"text\">parameters</th></tr>\n",
                out);
    for (size_t i = 0; i < r->n_front; i++) {
        char *text = inspect_parameters(&r->rows[rows[i]]);

        archai_svg_put(out, "<tr><td>", r->rows[rows[i]].model.archid, "</td><td class=\"text\">",
                       text, "</td></tr>\n", NULL);
        free(text);
    }
    (void)fputs("</table>\n", out);
    free(rows);
}

/* A measure such as params, which spans two decades or more, is drawn on a log scale. */
static bool wants_log(const archai_results *r, const char *name)
{
    double low = INFINITY, high = 0;

    for (size_t i = 0; i < r->n; i++) {
        const double v = archai_results_value(r, i, name);

        if (isnan(v))
            continue;
        if (v <= 0)
            return false;
        low = fmin(low, v);
        high = fmax(high, v);
    }
    return high >= 100 * low;
}

static void pair_plot(FILE *out, const archai_results *r, size_t kx, size_t ky)
{
    const char *xname = r->objectives[kx].name, *yname = r->objectives[ky].name;
    archai_svg_axis x = {xname, wants_log(r, xname)}, y = {yname, wants_log(r, yname)};
    size_t stride = r->n / POINTS_MAX + 1, n = 0;
    archai_svg_point *points = archai_calloc(r->n, sizeof *points);
    char *front = inspect_front_flags(r);

    for (size_t i = 0; i < r->n; i++) {
        if (!front[i] && i % stride != 0)
            continue;
        points[n].x = archai_results_value(r, i, xname);
        points[n].y = archai_results_value(r, i, yname);
        points[n].marked = front[i];
        points[n++].title = r->rows[i].model.archid;
    }
    archai_svg_put(out, "<h2>", yname, " against ", xname, "</h2>\n", NULL);
    archai_svg_scatter(out, points, n, &x, &y,
                       r->n_objectives == 2 ? ARCHAI_SVG_JOINED : ARCHAI_SVG_NO_LINE);
    free(front);
    free(points);
}

/* The best value so far of one objective, over the evaluations in the order of their ids. */
static void progress_plot(FILE *out, const archai_results *r, size_t k)
{
    const char *name = r->objectives[k].name;
    const double sign = inspect_sign(&r->objectives[k]);
    double best = INFINITY;
    archai_svg_axis x = {"evaluation", false}, y = {name, wants_log(r, name)};
    size_t stride = r->n / POINTS_MAX + 1, n = 0;
    archai_svg_point *points = archai_calloc(r->n, sizeof *points);

    for (size_t i = 0; i < r->n; i++) {
        const double v = archai_results_value(r, i, name);
        const bool better = sign * v < best;

        if (better)
            best = sign * v;
        if (!better && i % stride != 0)
            continue;
        points[n].x = (double)r->rows[i].id;
        points[n].y = v;
        points[n].marked = better;
        points[n++].title = r->rows[i].model.archid;
    }
    archai_svg_put(out, "<h2>", name, " over the search</h2>\n", NULL);
    archai_svg_scatter(out, points, n, &x, &y, ARCHAI_SVG_TO_THE_EDGE);
    free(points);
}

static void failures(FILE *out, const archai_results *r)
{
    size_t shown = 0, failed = 0;

    for (size_t i = 0; i < r->n; i++)
        failed += r->rows[i].status == ARCHAI_STATUS_FAILED;
    if (failed == 0)
        return;
    (void)fprintf(out,
                  "<h2>Failed evaluations (%zu)</h2>\n<table><tr><th>archid</th>"
                  "<th>error</th></tr>\n",
                  failed);
    for (size_t i = r->n; i-- > 0 && shown < ERRORS_MAX;) {
        if (r->rows[i].status != ARCHAI_STATUS_FAILED)
            continue;
        archai_svg_put(out, "<tr><td>", r->rows[i].model.archid,
                       "</td><td class=\"text\">", r->rows[i].error, "</td></tr>\n", NULL);
        shown++;
    }
    (void)fputs("</table>\n", out);
    if (failed > shown)
        (void)fprintf(out,
                      "<p class=\"muted\">The latest %zu; results.h5 has all of them.</p>\n",
                      shown);
}

static void write_page(const archai_results *r, FILE *out)
{
    archai_svg_put(out,
                   "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                   "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
                   "<title>archai-run: ",
                   r->space, "</title><style>", NULL);
    (void)fprintf(out, "%s</style></head><body>\n", style);
    summary(out, r);
    front_table(out, r);
    for (size_t a = 0; a < r->n_objectives; a++)
        for (size_t b = a + 1; b < r->n_objectives; b++)
            if (r->objectives[a].direction != ARCHAI_CONSTRAIN &&
                r->objectives[b].direction != ARCHAI_CONSTRAIN)
                pair_plot(out, r, b, a);
    for (size_t k = 0; k < r->n_objectives; k++)
        if (r->objectives[k].expensive && r->objectives[k].direction != ARCHAI_CONSTRAIN)
            progress_plot(out, r, k);
    parameter_table(out, r);
    failures(out, r);
    archai_svg_put(out, "<h2>Configuration</h2>\n<pre>", r->config, "</pre>\n<p class=\"muted\">",
                   r->software, "</p>\n</body></html>\n", NULL);
}

/* Through a descriptor of its own: the stream closes it. */
static int write_file(const archai_results *r, const archai_beside *b, archai_err *err)
{
    const int fd = fcntl(b->fd, F_DUPFD_CLOEXEC, 0);
    FILE *out = fd >= 0 ? fdopen(fd, "w") : NULL;
    int rc = ARCHAI_OK;

    if (out != NULL)
        write_page(r, out);
    if (out == NULL || ferror(out))
        rc = archai_fail(err, ARCHAI_EIO, "%s: %s", b->path, strerror(errno));
    if (out != NULL && fclose(out) != 0 && rc == ARCHAI_OK)
        rc = archai_fail(err, ARCHAI_EIO, "%s: %s", b->path, strerror(errno));
    return rc;
}

int inspect_report(inspect *t, archai_err *err)
{
    char *path = t->output != NULL ? archai_strdup(t->output)
                                   : archai_printf("%s/report.html", t->directory);
    archai_beside b = ARCHAI_BESIDE_INIT;
    int rc = archai_beside_output(&b, path, err);
    bool is_file;

    if (rc == ARCHAI_OK)
        rc = write_file(&t->r, &b, err);
    is_file = b.name != NULL; /* else it may be standard output, and holds the page alone */
    if (rc == ARCHAI_OK)
        rc = archai_beside_publish(&b, err);
    if (rc == ARCHAI_OK && is_file)
        (void)puts(path);
    archai_beside_drop(&b);
    free(path);
    return rc;
}
