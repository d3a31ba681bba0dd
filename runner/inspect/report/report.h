/* runner/inspect/report/report.h - what the functions that gather a report's data share.
 *
 * The page is the script and the styles of page/ around one JSON object. Each function in the table of
 * report.c adds its members to the object (README.md lists them), and says which rows it names: their models
 * are in `models`, whatever else is left out.
 */
#ifndef ARCHAI_RUNNER_INSPECT_REPORT_REPORT_H
#define ARCHAI_RUNNER_INSPECT_REPORT_REPORT_H
#include <stdbool.h>
#include "runner/inspect/json.h"
#include "runner/inspect/report/facts.h"

typedef struct report {
    inspect *t;
    const inspect_facts *f;
    json_t *out;
    bool *is_named; /* owned; [rows] */
} report;

int report_run(report *p, archai_err *err);      /* run, objectives, params, front, best */
int report_growth(report *p, archai_err *err);   /* pairs, hypervolume */
int report_weight(report *p, archai_err *err);   /* importance, importance_method */
int report_curves(report *p, archai_err *err);   /* curves */
int report_time(report *p, archai_err *err);     /* utilisation, timeline */
int report_failures(report *p, archai_err *err); /* failures */
int report_config(report *p, archai_err *err);   /* config */
int report_models(report *p, archai_err *err);   /* models: the named rows and as many others as there is room for */

/* {evaluations, seconds, value}: at most 2000 points of the curve at equal distances, the last one among them. */
json_t *report_hypervolume(const archai_results_growth *g);
/* Is it an objective that fronts are made of? */
bool report_is_optimised(const archai_results_objective *o);

/* Write the page of `kind` ("report", "compare") around `data` to `path`; prints the path where it is a file. */
int report_publish(const char *path, const char *kind, const json_t *data, archai_err *err);
#endif
