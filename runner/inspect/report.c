#include "runner/inspect/report.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/pareto/pareto.h"
#include "runner/inspect/svg.h"

enum { POINTS_MAX = 5000, ERRORS_MAX = 12 }; /* beyond, a page grows without telling more */

static const char style[] =
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;"
    "color:#1c2430;background:#fff}h1{font-size:1.5em;margin-bottom:0}h2{font-size:1.15em;"
    "margin-top:2em}table{border-collapse:collapse;font-variant-numeric:tabular-nums}"
    "th,td{padding:.25em .8em;border-bottom:1px solid #dde3ea;text-align:right}"
    "th:first-child,td:first-child{text-align:left}th{font-weight:600}code,pre{font:13px/1.45 "
    "ui-monospace,monospace}pre{background:#f5f7fa;padding:1em;overflow:auto}"
    ".muted{color:#66707d}svg{width:100%;max-width:640px;display:block}.frame{fill:none;"
    "stroke:#9aa5b1}.grid{stroke:#e8ecf1}.tick{font-size:12px;fill:#66707d}.axis{font-size:"
    "13px;"
    "fill:#1c2430}.other{fill:#9fb3c8;fill-opacity:.75}.best{fill:#d9480f}.front{fill:none;"
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

static void heading(FILE *out, const archai_results *r)
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
                  "; %zu on the Pareto front; %lld candidates turned away by a constraint "
                  "before evaluation.</p>\n",
                  r->n_front, (long long)r->rejected);
}

/* Row numbers of the front, the best by the first objective first; NULL when out of memory. */
static size_t *sorted_front(const archai_results *r)
{
    const int maximise = r->n_objectives > 0 && r->objectives[0].direction == ARCHAI_MAXIMIZE;
    size_t *rows = calloc(r->n_front + 1, sizeof *rows);

    for (size_t i = 0; rows != NULL && i < r->n_front;
         i++) { /* by insertion: fronts are short */
        const double v = archai_results_value(r, r->front[i], r->objectives[0].name);
        size_t at = i;

        for (; at > 0; at--) {
            const double before = archai_results_value(r, rows[at - 1], r->objectives[0].name);

            if (maximise ? before >= v : before <= v)
                break;
            rows[at] = rows[at - 1];
        }
        rows[at] = r->front[i];
    }
    return rows;
}

static int front_table(FILE *out, const archai_results *r, archai_err *err)
{
    size_t *rows = sorted_front(r);

    if (rows == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for a front of %zu", r->n_front);
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
    return ARCHAI_OK;
}

/* One flag a row, owned by the caller; NULL when out of memory. */
static char *front_flags(const archai_results *r)
{
    char *flags = calloc(r->n > 0 ? r->n : 1, 1);

    if (flags != NULL)
        for (size_t i = 0; i < r->n_front; i++)
            flags[r->front[i]] = 1;
    return flags;
}

/* Every decade counts for a measure such as params; only where it spans two of them. */
static int wants_log(const archai_results *r, const char *name)
{
    double low = INFINITY, high = 0;

    for (size_t i = 0; i < r->n; i++) {
        double v = archai_results_value(r, i, name);

        if (isnan(v))
            continue;
        if (v <= 0)
            return 0;
        low = fmin(low, v);
        high = fmax(high, v);
    }
    return high >= 100 * low;
}

static int pair_plot(FILE *out, const archai_results *r, size_t kx, size_t ky, archai_err *err)
{
    const char *xname = r->objectives[kx].name, *yname = r->objectives[ky].name;
    archai_svg_axis x = {xname, wants_log(r, xname)}, y = {yname, wants_log(r, yname)};
    size_t stride = r->n / POINTS_MAX + 1, n = 0;
    archai_svg_point *points = calloc(r->n > 0 ? r->n : 1, sizeof *points);
    char *front = front_flags(r);

    if (points == NULL || front == NULL) {
        free(points);
        free(front);
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for a plot of %zu rows", r->n);
    }
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
    return ARCHAI_OK;
}

/* The best value so far of one objective, over evaluations in order of id. */
static int progress_plot(FILE *out, const archai_results *r, size_t k, archai_err *err)
{
    const char *name = r->objectives[k].name;
    int maximise = r->objectives[k].direction == ARCHAI_MAXIMIZE;
    double best = NAN;
    archai_svg_axis x = {"evaluation", 0}, y = {name, wants_log(r, name)};
    size_t stride = r->n / POINTS_MAX + 1, n = 0;
    archai_svg_point *points = calloc(r->n > 0 ? r->n : 1, sizeof *points);

    if (points == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for a plot of %zu rows", r->n);
    for (size_t i = 0; i < r->n; i++) {
        double v = archai_results_value(r, i, name);
        int better = !isnan(v) && (isnan(best) || (maximise ? v > best : v < best));

        if (better)
            best = v;
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
    archai_svg_scatter(out, points, n, &x, &y, ARCHAI_SVG_GOES_ON);
    free(points);
    return ARCHAI_OK;
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
                      "<p class=\"muted\">The latest %zu; all of them are in results.h5.</p>\n",
                      shown);
}

int archai_report_write(const archai_results *r, FILE *out, archai_err *err)
{
    (void)fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
                "<title>archai-run: ",
                out);
    archai_svg_text(out, r->space);
    (void)fprintf(out, "</title><style>%s</style></head><body>\n", style);
    heading(out, r);
    ARCHAI_TRY(front_table(out, r, err));
    for (size_t a = 0; a < r->n_objectives; a++)
        for (size_t b = a + 1; b < r->n_objectives; b++)
            if (r->objectives[a].direction != ARCHAI_CONSTRAIN &&
                r->objectives[b].direction != ARCHAI_CONSTRAIN)
                ARCHAI_TRY(pair_plot(out, r, b, a, err));
    for (size_t k = 0; k < r->n_objectives; k++)
        if (r->objectives[k].expensive && r->objectives[k].direction != ARCHAI_CONSTRAIN)
            ARCHAI_TRY(progress_plot(out, r, k, err));
    failures(out, r);
    (void)fputs("<h2>Configuration</h2>\n<pre>", out);
    for (const char *line = r->config; *line != '\0';) { /* keep the line breaks */
        size_t n = strcspn(line, "\n");
        char *copy = strndup(line, n);

        if (copy == NULL)
            return archai_fail(err, ARCHAI_ENOMEM, "no memory for the configuration");
        archai_svg_text(out, copy);
        (void)fputc('\n', out);
        free(copy);
        line += n + (line[n] == '\n');
    }
    (void)fputs("</pre>\n<p class=\"muted\">", out);
    archai_svg_text(out, r->software);
    (void)fputs("</p>\n</body></html>\n", out);
    if (ferror(out))
        return archai_fail(err, ARCHAI_EIO, "%s", strerror(errno));
    return ARCHAI_OK;
}

int archai_report_make(const char *results, const char *path, archai_err *err)
{
    archai_results r = {0};
    char *beside = NULL;
    FILE *out = NULL;
    int rc;

    ARCHAI_TRY_GOTO(rc, archai_results_read(&r, results, err), out);
    if (asprintf(&beside, "%s.new-%ld", path, (long)getpid()) < 0) {
        beside = NULL;
        rc = archai_fail(err, ARCHAI_ENOMEM, "no memory for a path");
        goto out;
    }
    out = fopen(beside, "w");
    if (out == NULL) {
        rc = archai_fail(err, ARCHAI_EIO, "%s: %s", beside, strerror(errno));
        goto out;
    }
    rc = archai_report_write(&r, out, err);
    if (fclose(out) != 0 && rc == ARCHAI_OK)
        rc = archai_fail(err, ARCHAI_EIO, "%s", strerror(errno));
    if (rc == ARCHAI_OK && rename(beside, path) != 0)
        rc = archai_fail(err, ARCHAI_EIO, "%s", strerror(errno));
    if (rc != ARCHAI_OK) {
        (void)unlink(beside);
        (void)archai_err_wrap(err, rc, "%s: ", path);
    }
out:
    free(beside);
    archai_results_free(&r);
    return rc;
}
