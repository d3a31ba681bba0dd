/* Learning curves of the front. */
#include "core/base/alloc.h"
#include "runner/inspect/report/report.h"

enum { MODELS_MAX = 12, EPOCHS_MAX = 1000 }; /* more would be a tangle; of longer curves one epoch in so many */

static json_t *values_of(const archai_curve *c, size_t stride)
{
    json_t *values = archai_there(json_array());

    for (size_t e = stride - 1; e < c->n; e += stride)
        (void)json_array_append_new(values, inspect_json_number((double)c->values[e]));
    return values;
}

int report_curves(report *p, archai_err *err)
{
    json_t *list = json_array();

    for (size_t i = 0; i < p->f->n_front && i < MODELS_MAX; i++) {
        json_t *of_model = archai_there(json_object());
        archai_curve *curves;
        size_t n, epochs = 0, stride;

        ARCHAI_TRY(archai_results_curves(p->t->path, p->f->front[i], &curves, &n, err));
        for (size_t k = 0; k < n; k++)
            epochs = curves[k].n > epochs ? curves[k].n : epochs;
        stride = epochs / EPOCHS_MAX + 1;
        for (size_t k = 0; k < n; k++)
            (void)json_object_set_new(of_model, curves[k].name, values_of(&curves[k], stride));
        archai_results_curves_free(curves, n);
        (void)json_array_append_new(list,
                                    json_pack("{s:I, s:I, s:o}", "id", (json_int_t)p->t->r.rows[p->f->front[i]].id,
                                              "stride", (json_int_t)stride, "curves", of_model));
    }
    (void)json_object_set_new(p->out, "curves", list);
    return ARCHAI_OK;
}
