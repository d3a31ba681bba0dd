/* runner/inspect/report/compare.h - what compare.c and compare_json.c share. */
#ifndef ARCHAI_RUNNER_INSPECT_REPORT_COMPARE_H
#define ARCHAI_RUNNER_INSPECT_REPORT_COMPARE_H
#include "core/config/ini.h"
#include "runner/inspect/json.h"
#include "runner/inspect/report/facts.h"

enum { COMPARE_SHARES = 4, COMPARE_POINTS = 24 }; /* quarters; points of the curve, a multiple of the quarters */

typedef struct compare_run {
    inspect t;
    inspect_facts f;
    archai_ini ini;
    int64_t evaluations[COMPARE_POINTS]; /* after so many ... */
    double seconds[COMPARE_POINTS];      /* ... and so long since the first one started */
    double volume[COMPARE_POINTS];       /* against one reference point for all runs; NaN: none */
} compare_run;

typedef struct comparison {
    compare_run *at; /* owned; [n] */
    size_t n;
    const archai_results *first;
} comparison;

/* A setting that is not the same in all runs; values [n], NULL: a run does not have it. */
typedef void compare_take(void *payload, const char *name, const char *const *values, size_t n);
void compare_each_difference(const comparison *c, compare_take *take, void *payload);
double compare_best(const compare_run *one, size_t objective); /* NaN: none */
size_t compare_failed(const compare_run *one);

json_t *compare_json(const comparison *c); /* README.md has the schema; new reference */
#endif
