/* core/progress/growing.h - learning curves that grow report by report while a candidate trains.
 *
 * After an epoch: a value has its epoch's place, counted from 1 (from 0 where the first report says 0), and what was
 * not reported is NaN. After a step, or where neither is said: values stand in the order in which they came, the steps
 * themselves are one more curve, and of long ones every second value is dropped, again and again. What does not fit
 * within the bounds is left out: a program may report what it likes.
 */
#ifndef ARCHAI_CORE_PROGRESS_GROWING_H
#define ARCHAI_CORE_PROGRESS_GROWING_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ARCHAI_GROWING_EPOCHS = 100000,  /* places */
    ARCHAI_GROWING_STEPS = 2000,     /* values of a curve by steps */
    ARCHAI_GROWING_CURVES = 200,
    ARCHAI_GROWING_VALUES = 1 << 20  /* of all curves together */
};

typedef struct archai_growing_curve {
    char *name;    /* owned */
    float *values; /* owned; [n] */
    size_t n, capacity;
} archai_growing_curve;

typedef struct archai_growing {
    archai_growing_curve *at; /* owned; [n] */
    size_t n, capacity;
    size_t n_values;   /* of all */
    int64_t n_reports;
    int64_t base;      /* the epoch of place 0 */
    int64_t stride;    /* by steps: every so manieth report is kept; 0: none was yet */
    size_t n_kept;
} archai_growing;

void archai_growing_clear(archai_growing *g); /* as zeroed; frees all; safe on a zeroed struct */
/* A report begins: where its values go. False: they are not kept. `at` is the epoch, or the step; NaN: neither. */
bool archai_growing_begin(archai_growing *g, double at, bool by_epoch, size_t *place);
void archai_growing_add(archai_growing *g, size_t place, const char *name, double value);
#endif
