/* report: report.html, one self-contained page about a run.
 *
 * The page opens without a network and can be mailed: it loads nothing, and its Content-Security-Policy lets
 * nothing be loaded. Texts from files reach it as JSON alone, and its script writes them with textContent, so
 * none of them can become markup. The plots are SVG that the script draws from the same JSON, which therefore
 * is all that the page knows. A drawing library would have saved the axes and little else, and have brought
 * 50 kB (uPlot, which knows neither categories nor parallel coordinates) to a megabyte (Plotly, ECharts) into
 * every report.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "io/file/beside.h"
#include "runner/inspect/report/page.h"
#include "runner/inspect/report/report.h"

/* The last one needs to know which rows the others named. */
static int (*const parts[])(report *p, archai_err *err) = {
    report_run, report_growth, report_weight, report_curves, report_time, report_failures, report_config, report_models,
};

bool report_is_optimised(const archai_results_objective *o)
{
    return o->direction == ARCHAI_MAXIMIZE || o->direction == ARCHAI_MINIMIZE;
}

static void write_page(FILE *out, const char *kind, const json_t *data)
{
    char *text = archai_there(json_dumps(data, JSON_COMPACT));

    (void)fprintf(out,
                  "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                  "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
                  "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                  "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n"
                  "<title>archai-run</title>\n<style>\n%s</style></head>\n<body data-kind=\"%s\">\n"
                  "<noscript>This page draws itself with a script of its own, which this viewer does not run. What it "
                  "shows stands in its source as JSON.</noscript>\n<main></main>\n"
                  "<script type=\"application/json\" id=\"archai-%s\">",
                  report_style, kind, kind);
    for (const char *s = text; *s != '\0'; s++) /* a '<' could end the element */
        if (*s == '<')
            (void)fputs("\\u003c", out);
        else
            (void)fputc(*s, out);
    (void)fprintf(out, "</script>\n<script>\n%s</script>\n</body></html>\n", report_script);
    free(text);
}

/* Through a descriptor of its own: the stream closes it. */
static int write_file(const archai_beside *b, const char *kind, const json_t *data, archai_err *err)
{
    const int fd = fcntl(b->fd, F_DUPFD_CLOEXEC, 0);
    FILE *out = fd >= 0 ? fdopen(fd, "w") : NULL;
    bool failed = out == NULL;

    if (out != NULL) {
        write_page(out, kind, data);
        failed = ferror(out) != 0;
        failed = fclose(out) != 0 || failed;
    }
    return failed ? archai_fail(err, ARCHAI_EIO, "%s: %s", b->path, strerror(errno)) : ARCHAI_OK;
}

int report_publish(const char *path, const char *kind, const json_t *data, archai_err *err)
{
    archai_beside b = ARCHAI_BESIDE_INIT;
    int rc = archai_beside_output(&b, path, err);
    bool is_file;

    if (rc == ARCHAI_OK)
        rc = write_file(&b, kind, data, err);
    is_file = b.name != NULL; /* else it may be standard output, and holds the page alone */
    if (rc == ARCHAI_OK)
        rc = archai_beside_publish(&b, err);
    if (rc == ARCHAI_OK && is_file)
        (void)puts(path);
    archai_beside_drop(&b);
    return rc;
}

static int gather(inspect *t, json_t **out, archai_err *err)
{
    inspect_facts f = {0};
    report p = {.t = t, .f = &f, .out = archai_there(json_object())};
    int rc = inspect_facts_make(t, &f, err);

    if (rc == ARCHAI_OK)
        inspect_facts_weigh(t, &f);
    p.is_named = archai_calloc(t->r.n, sizeof *p.is_named);
    for (size_t i = 0; rc == ARCHAI_OK && i < sizeof parts / sizeof parts[0]; i++)
        rc = parts[i](&p, err);
    inspect_facts_free(t, &f);
    free(p.is_named);
    *out = p.out;
    return rc;
}

int inspect_report(inspect *t, archai_err *err)
{
    char *path = t->output != NULL ? archai_strdup(t->output) : archai_printf("%s/report.html", t->directory);
    json_t *data = NULL;
    int rc = gather(t, &data, err);

    if (rc == ARCHAI_OK && t->json)
        inspect_json_print(json_incref(data));
    else if (rc == ARCHAI_OK)
        rc = report_publish(path, "report", data, err);
    json_decref(data);
    free(path);
    return rc;
}
