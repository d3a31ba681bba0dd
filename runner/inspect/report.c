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
#include "runner/inspect/facts.h"
#include "runner/inspect/svg.h"

enum { POINTS_MAX = 5000, ERRORS_MAX = 12, BARS_MAX = 20 }; /* more would make the page longer, not clearer */

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
    "stroke:#d9480f;stroke-width:1.5}.bar{background:#9fb3c8;height:.8em;min-width:1px}"
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

static void summary(FILE *out, const archai_results *r, const inspect_facts *f)
{
    const double share = inspect_utilisation(f);

    archai_svg_put(out, "<h1>Search over ", r->space, "</h1>\n<p class=\"muted\">", r->algorithm,
                   ", ", r->schedule, NULL);
    (void)fprintf(out, ", seed %lld, %lld rank%s; ", (long long)r->seed, (long long)r->ranks,
                  r->ranks == 1 ? "" : "s");
    archai_svg_put(out, "", r->state, "; started ", r->started, ", last change ", r->updated, NULL);
    (void)fprintf(out, "</p>\n<p>%zu evaluations", r->n);
    inspect_counts(r, out);
    (void)fprintf(out, "; %zu on the Pareto front", f->n_front);
    if (!isnan(share))
        (void)fprintf(out, "; %d slot%s busy %.0f %% of the time", f->slots,
                      f->slots == 1 ? "" : "s", 100 * share);
    (void)fputs(".</p>\n", out);
}

static void front_table(FILE *out, const inspect *t, const inspect_facts *f)
{
    const archai_results *r = &t->r;

    (void)fputs("<h2>Pareto front</h2>\n<table><tr><th>model</th>", out);
    for (size_t k = 0; k < r->n_objectives; k++)
        archai_svg_put(out, "<th>", r->objectives[k].name,
                       r->objectives[k].direction == ARCHAI_MAXIMIZE ? " &uarr;</th>" : " &darr;</th>",
                       NULL);
    (void)fputs("<th>id</th><th>seconds</th><th class=\"text\">parameters that differ</th></tr>\n", out);
    for (size_t i = 0; i < f->n_front; i++) {
        const archai_trial *e = &r->rows[f->front[i]];
        char *name = inspect_short(t, f->front[i]), *differing = inspect_differing(t, f->front[i]);

        archai_svg_put(out, "<tr><td title=\"", e->model.archid, "\">", name, "</td>", NULL);
        for (size_t k = 0; k < r->n_objectives; k++)
            cell(out, archai_results_value(r, f->front[i], r->objectives[k].name));
        (void)fprintf(out, "<td>%lld</td><td>%.1f</td>", (long long)e->id, e->seconds);
        archai_svg_put(out, "<td class=\"text\">", differing, "</td></tr>\n", NULL);
        free(name);
        free(differing);
    }
    (void)fputs("</table>\n", out);
}

/* What the models of the front are. */
static void parameter_table(FILE *out, const inspect *t, const inspect_facts *f)
{
    (void)fputs("<h2>Parameters of the front</h2>\n<table><tr><th>archid</th>"
                "<th class=\"text\">parameters</th></tr>\n",
                out);
    for (size_t i = 0; i < f->n_front; i++) {
        char *text = inspect_parameters(&t->r.rows[f->front[i]]);

        archai_svg_put(out, "<tr><td>", t->r.rows[f->front[i]].model.archid,
                       "</td><td class=\"text\">", text, "</td></tr>\n", NULL);
        free(text);
    }
    (void)fputs("</table>\n", out);
}

static void loading(FILE *out, const inspect *t, const inspect_facts *f)
{
    if (f->n_front == 0)
        return;
    archai_svg_put(out, "<h2>Load the best</h2>\n<pre>archai-inspect '", t->path,
                   "' show front:1\narchai-inspect '", t->path,
                   "' export front:1 --format pt -o best.pt        # its state_dict, where weights were kept\n"
                   "archai-inspect '",
                   t->path, "' export front:1 --format arch -o best.json\n</pre>\n", NULL);
}

static void importance(FILE *out, const inspect *t, const inspect_facts *f, size_t k)
{
    bool *shown = archai_calloc(t->n_params, sizeof *shown);

    archai_svg_put(out, "<h2>Which parameters mattered for ", t->r.objectives[k].name,
                   "</h2>\n<table><tr><th>parameter</th><th>share</th><th></th></tr>\n", NULL);
    for (int line = 0; line < BARS_MAX; line++) {
        size_t most = t->n_params;

        for (size_t i = 0; i < t->n_params; i++)
            if (t->differs[i] && !shown[i] &&
                (most == t->n_params || f->importance[k][i] > f->importance[k][most]))
                most = i;
        if (most == t->n_params)
            break;
        shown[most] = true;
        archai_svg_put(out, "<tr><td>", t->params[most].name, NULL);
        (void)fprintf(out,
                      "</td><td>%.3f</td><td class=\"text\"><div class=\"bar\" "
                      "style=\"width:%.1fem\"></div></td></tr>\n",
                      f->importance[k][most], 20 * f->importance[k][most]);
    }
    (void)fputs("</table>\n", out);
    free(shown);
}

/* A measure such as params, which spans two decades or more, is drawn on a log scale. */
static bool wants_log(const archai_results *r, const char *name)
{
    double low = INFINITY, high = 0;

    for (size_t i = 0; i < r->n; i++) {
        const double v = archai_results_value(r, i, name);

        if (isnan(v) || !inspect_has_values(&r->rows[i]))
            continue;
        if (v <= 0)
            return false;
        low = fmin(low, v);
        high = fmax(high, v);
    }
    return high >= 100 * low;
}

/* What is shown when the pointer rests on a point; freed with free_titles. */
static char *title(const inspect *t, size_t row)
{
    char *name = inspect_short(t, row), *differing = inspect_differing(t, row);
    char *text = archai_printf("%s%s%s", name, differing[0] != '\0' ? ": " : "", differing);

    free(name);
    free(differing);
    return text;
}

static void free_titles(archai_svg_point *points, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free((char *)(uintptr_t)points[i].title);
    free(points);
}

static void pair_plot(FILE *out, const inspect *t, const inspect_facts *f, size_t kx, size_t ky)
{
    const archai_results *r = &t->r;
    const char *xname = r->objectives[kx].name, *yname = r->objectives[ky].name;
    archai_svg_axis x = {xname, wants_log(r, xname)}, y = {yname, wants_log(r, yname)};
    size_t stride = f->n_standing / POINTS_MAX + 1, n = 0;
    archai_svg_point *points = archai_calloc(f->n_standing, sizeof *points);
    char *front = inspect_front_flags(r);

    for (size_t i = 0; i < f->n_standing; i++) {
        const size_t row = f->standing[i];

        if (!front[row] && i % stride != 0)
            continue;
        points[n].x = archai_results_value(r, row, xname);
        points[n].y = archai_results_value(r, row, yname);
        points[n].marked = front[row];
        points[n++].title = title(t, row);
    }
    archai_svg_put(out, "<h2>", yname, " against ", xname, "</h2>\n", NULL);
    if (stride > 1)
        (void)fprintf(out, "<p class=\"muted\">The front, and one of %zu of the others.</p>\n", stride);
    archai_svg_scatter(out, points, n, &x, &y,
                       r->n_objectives == 2 ? ARCHAI_SVG_JOINED : ARCHAI_SVG_NO_LINE);
    free(front);
    free_titles(points, n);
}

/* The best value so far of one objective, over the evaluations, among the others that have results. */
static void progress_plot(FILE *out, const inspect *t, const inspect_facts *f, size_t k)
{
    const archai_results *r = &t->r;
    const char *name = r->objectives[k].name;
    archai_svg_axis x = {"evaluation", false}, y = {name, wants_log(r, name)};
    size_t stride = f->n_standing / POINTS_MAX + 1, n = 0;
    archai_svg_point *points = archai_calloc(f->n_standing + f->n_best[k], sizeof *points);

    for (size_t i = 0; i < f->n_standing; i += stride) {
        points[n].x = (double)f->evaluation[f->standing[i]];
        points[n].y = archai_results_value(r, f->standing[i], name);
        points[n++].title = title(t, f->standing[i]);
    }
    for (size_t i = 0; i < f->n_best[k]; i++) {
        points[n].x = (double)f->best[k][i].evaluation;
        points[n].y = archai_results_value(r, f->best[k][i].row, name);
        points[n].marked = true;
        points[n++].title = title(t, f->best[k][i].row);
    }
    archai_svg_put(out, "<h2>", name, " over the search</h2>\n", NULL);
    archai_svg_scatter(out, points, n, &x, &y, ARCHAI_SVG_TO_THE_EDGE);
    free_titles(points, n);
}

static void failures(FILE *out, const inspect_facts *f)
{
    size_t shown = 0;

    if (f->failures.total == 0)
        return;
    (void)fprintf(out,
                  "<h2>Failed evaluations (%zu)</h2>\n<table><tr><th>kind (N: a number)</th><th>count</th>"
                  "<th>id</th><th class=\"text\">example</th></tr>\n",
                  f->failures.total);
    for (size_t i = 0; i < f->failures.n && i < ERRORS_MAX; i++) {
        const archai_failure *kind = &f->failures.at[i];

        archai_svg_put(out, "<tr><td>", kind->kind, NULL);
        (void)fprintf(out, "</td><td>%zu</td><td>%lld</td>", kind->n, (long long)kind->id);
        archai_svg_put(out, "<td class=\"text\">", kind->example, "</td></tr>\n", NULL);
        shown += kind->n;
    }
    (void)fputs("</table>\n", out);
    if (f->failures.total > shown)
        (void)fprintf(out, "<p class=\"muted\">%zu more of other kinds; results.h5 has all of them.</p>\n",
                      f->failures.total - shown);
}

/* What the page draws, to be taken out by programs. A '<' could end the element. */
static void data_block(FILE *out, const inspect *t, const inspect_facts *f)
{
    json_t *facts = inspect_facts_json(t, f);
    char *text = archai_there(json_dumps(facts, 0));

    (void)fputs("<script type=\"application/json\" id=\"archai-report\">", out);
    for (const char *s = text; *s != '\0'; s++)
        if (*s == '<')
            (void)fputs("\\u003c", out);
        else
            (void)fputc(*s, out);
    (void)fputs("</script>\n", out);
    free(text);
    json_decref(facts);
}

static void write_page(const inspect *t, const inspect_facts *f, FILE *out)
{
    const archai_results *r = &t->r;

    archai_svg_put(out,
                   "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                   "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
                   "<title>archai-run: ",
                   r->space, "</title><style>", NULL);
    (void)fprintf(out, "%s</style></head><body>\n", style);
    summary(out, r, f);
    front_table(out, t, f);
    loading(out, t, f);
    for (size_t a = 0; a < r->n_objectives; a++)
        for (size_t b = a + 1; b < r->n_objectives; b++)
            if (r->objectives[a].direction != ARCHAI_CONSTRAIN &&
                r->objectives[b].direction != ARCHAI_CONSTRAIN)
                pair_plot(out, t, f, b, a);
    for (size_t k = 0; k < r->n_objectives; k++)
        if (r->objectives[k].expensive && r->objectives[k].direction != ARCHAI_CONSTRAIN)
            progress_plot(out, t, f, k);
    for (size_t k = 0; k < r->n_objectives; k++)
        importance(out, t, f, k);
    archai_svg_put(out, "<p class=\"muted\">Shares: ", inspect_importance_method, ".</p>\n", NULL);
    parameter_table(out, t, f);
    failures(out, f);
    data_block(out, t, f);
    archai_svg_put(out, "<h2>Configuration</h2>\n<pre>", r->config, "</pre>\n<p class=\"muted\">",
                   r->software, "</p>\n</body></html>\n", NULL);
}

/* Through a descriptor of its own: the stream closes it. */
static int write_file(inspect *t, const archai_beside *b, archai_err *err)
{
    inspect_facts facts = {0};
    const int fd = fcntl(b->fd, F_DUPFD_CLOEXEC, 0);
    FILE *out = fd >= 0 ? fdopen(fd, "w") : NULL;
    int rc = inspect_facts_make(t, &facts, err);

    if (out != NULL && rc == ARCHAI_OK)
        write_page(t, &facts, out);
    inspect_facts_free(t, &facts);
    if (rc == ARCHAI_OK && (out == NULL || ferror(out)))
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
        rc = write_file(t, &b, err);
    is_file = b.name != NULL; /* else it may be standard output, and holds the page alone */
    if (rc == ARCHAI_OK)
        rc = archai_beside_publish(&b, err);
    if (rc == ARCHAI_OK && is_file)
        (void)puts(path);
    archai_beside_drop(&b);
    free(path);
    return rc;
}
