/* report: report.html, one self-contained page about a run.
 *
 * No script, no font, no image from elsewhere: the page opens on a laptop without a network and can be
 * mailed. Plots are inline SVG. Every text that came from a file is escaped.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "io/file/file.h"
#include "runner/inspect/inspect.h"
#include "runner/inspect/svg.h"

enum { POINTS_MAX = 5000, ERRORS_MAX = 12 }; /* more would make the page longer, not clearer */

static const char style[] =
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;"
    "color:#1c2430;background:#fff}h1{font-size:1.5em;margin-bottom:0}h2{font-size:1.15em;"
    "margin-top:2em}table{border-collapse:collapse;font-variant-numeric:tabular-nums}"
    "th,td{padding:.25em .8em;border-bottom:1px solid #dde3ea;text-align:right}"
    "th:first-child,td:first-child{text-align:left}th{font-weight:600}code,pre{font:13px/1.45 "
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
    size_t count[ARCHAI_STATUS_COUNT] = {0};

    for (size_t i = 0; i < r->n; i++)
        if (r->rows[i].status >= 0 && r->rows[i].status < ARCHAI_STATUS_COUNT)
            count[r->rows[i].status]++;
    (void)fputs("<h1>Search over ", out);
    archai_svg_text(out, r->space);
    (void)fputs("</h1>\n<p class=\"muted\">", out);
    archai_svg_text(out, r->algorithm);
    (void)fputs(", ", out);
    archai_svg_text(out, r->schedule);
    (void)fprintf(out, ", seed %lld, %lld ranks; ", (long long)r->seed, (long long)r->ranks);
    archai_svg_text(out, r->state);
    (void)fputs("; started ", out);
    archai_svg_text(out, r->started);
    (void)fputs(", last change ", out);
    archai_svg_text(out, r->updated);
    (void)fprintf(out, "</p>\n<p>%zu evaluations:", r->n);
    for (int s = 0; s < ARCHAI_STATUS_COUNT; s++)
        if (count[s] > 0)
            (void)fprintf(out, " %zu %s", count[s], archai_status_name(s));
    (void)fprintf(out,
                  "; %zu on the Pareto front; %lld more candidates rejected by a constraint before "
                  "evaluation.</p>\n",
                  r->n_front, (long long)r->rejected);
}

/* Row numbers of the front, the best by the first objective first; caller frees. */
static size_t *sorted_front(const archai_results *r)
{
    const archai_results_objective *first = r->objectives;
    size_t *rows = archai_calloc(r->n_front, sizeof *rows);

    for (size_t i = 0; i < r->n_front; i++) { /* by insertion: fronts are short */
        const double v = archai_results_value(r, r->front[i], first->name) * inspect_sign(first);
        size_t at = i;

        for (; at > 0; at--) {
            if (archai_results_value(r, rows[at - 1], first->name) * inspect_sign(first) <= v)
                break;
            rows[at] = rows[at - 1];
        }
        rows[at] = r->front[i];
    }
    return rows;
}

static void front_table(FILE *out, const archai_results *r)
{
    size_t *rows = sorted_front(r);

    (void)fputs("<h2>Pareto front</h2>\n<table><tr><th>archid</th>", out);
    for (size_t k = 0; k < r->n_objectives; k++) {
        (void)fputs("<th>", out);
        archai_svg_text(out, r->objectives[k].name);
        (void)fputs(r->objectives[k].direction == ARCHAI_MAXIMIZE ? " &uarr;" : " &darr;", out);
        (void)fputs("</th>", out);
    }
    (void)fputs("<th>id</th><th>seconds</th></tr>\n", out);
    for (size_t i = 0; i < r->n_front; i++) {
        const archai_trial *e = &r->rows[rows[i]];

        (void)fputs("<tr><td>", out);
        archai_svg_text(out, e->model.archid);
        (void)fputs("</td>", out);
        for (size_t k = 0; k < r->n_objectives; k++)
            cell(out, archai_results_value(r, rows[i], r->objectives[k].name));
        (void)fprintf(out, "<td>%lld</td><td>%.1f</td></tr>\n", (long long)e->id, e->seconds);
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
    (void)fputs("<h2>", out);
    archai_svg_text(out, yname);
    (void)fputs(" against ", out);
    archai_svg_text(out, xname);
    (void)fputs("</h2>\n", out);
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
    (void)fputs("<h2>", out);
    archai_svg_text(out, name);
    (void)fputs(" over the search</h2>\n", out);
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
        (void)fputs("<tr><td>", out);
        archai_svg_text(out, r->rows[i].model.archid);
        (void)fputs("</td><td style=\"text-align:left\">", out);
        archai_svg_text(out, r->rows[i].error);
        (void)fputs("</td></tr>\n", out);
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
    (void)fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
                "<title>archai-run: ",
                out);
    archai_svg_text(out, r->space);
    (void)fprintf(out, "</title><style>%s</style></head><body>\n", style);
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
    failures(out, r);
    (void)fputs("<h2>Configuration</h2>\n<pre>", out);
    for (const char *line = r->config; *line != '\0';) { /* keep the line breaks */
        size_t n = strcspn(line, "\n");
        char *copy = archai_strndup(line, n);

        archai_svg_text(out, copy);
        (void)fputc('\n', out);
        free(copy);
        line += n + (line[n] == '\n');
    }
    (void)fputs("</pre>\n<p class=\"muted\">", out);
    archai_svg_text(out, r->software);
    (void)fputs("</p>\n</body></html>\n", out);
}

int inspect_report(inspect *t, archai_err *err)
{
    char *path = t->output != NULL ? archai_strdup(t->output)
                                   : archai_printf("%s/report.html", t->directory);
    char *beside = archai_printf("%s.new-%ld", path, (long)getpid());
    FILE *out = fopen(beside, "w");
    int rc = ARCHAI_OK;

    if (out != NULL)
        write_page(&t->r, out);
    if (out == NULL || ferror(out))
        rc = archai_fail(err, ARCHAI_EIO, "%s: %s", beside, strerror(errno));
    if (out != NULL && fclose(out) != 0 && rc == ARCHAI_OK)
        rc = archai_fail(err, ARCHAI_EIO, "%s: %s", beside, strerror(errno));
    if (rc == ARCHAI_OK)
        rc = archai_file_publish(beside, path, err);
    if (rc == ARCHAI_OK)
        (void)puts(path);
    else
        (void)unlink(beside);
    free(beside);
    free(path);
    return rc;
}
