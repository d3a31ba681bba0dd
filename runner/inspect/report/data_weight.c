/* Which parameters mattered. */
#include "runner/inspect/report/report.h"

static bool is_known(const inspect *t, const double *shares)
{
    for (size_t i = 0; i < t->n_params; i++)
        if (shares[i] > 0)
            return true;
    return false;
}

int report_weight(report *p, archai_err *err)
{
    const inspect *t = p->t;
    json_t *importance = json_object();

    (void)err;
    for (size_t k = 0; k < t->r.n_objectives; k++) {
        json_t *shares = json_object();

        for (size_t i = 0; is_known(t, p->f->importance[k]) && i < t->n_params; i++)
            if (t->differs[i])
                (void)json_object_set_new(shares, t->params[i].name, json_real(p->f->importance[k][i]));
        (void)json_object_set_new(importance, t->r.objectives[k].name, shares);
    }
    (void)json_object_set_new(p->out, "importance", importance);
    (void)json_object_set_new(p->out, "importance_method", json_string(inspect_importance_method));
    return ARCHAI_OK;
}
