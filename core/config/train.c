/* Keys of [train] that need each other. */
#include "core/config/train.h"

static bool ascends(const archai_doubles *list)
{
    for (size_t i = 1; i < list->n; i++)
        if (list->at[i] <= list->at[i - 1])
            return false;
    return true;
}

size_t archai_train_faults(const archai_train_settings *s, archai_train_fault *out, size_t max)
{
    static const char schedule[] = "learning_rate_schedule";
    const struct {
        bool is;
        archai_train_fault fault;
    } all[] = {
        {s->nesterov && s->optimizer == ARCHAI_OPTIMIZER_SGD && s->momentum == 0,
         {"nesterov", NULL, "needs momentum above 0"}},
        {s->learning_rate_schedule == ARCHAI_LR_STEP && s->step_size == 0,
         {"step_size", schedule,
          "missing, learning_rate_schedule = step needs epochs, or a share of the training "
          "below 1"}},
        {s->learning_rate_schedule == ARCHAI_LR_MULTISTEP && s->milestones.n == 0,
         {"milestones", schedule,
          "missing, learning_rate_schedule = multistep needs a list of epochs, or of shares of "
          "the training below 1"}},
        {!ascends(&s->milestones), {"milestones", NULL, "expected ascending numbers"}},
    };
    size_t n = 0;

    for (size_t i = 0; i < sizeof all / sizeof all[0] && n < max; i++)
        if (all[i].is)
            out[n++] = all[i].fault;
    return n;
}

void archai_train_check(const archai_train_settings *s, archai_check *c)
{
    archai_train_fault faults[8];
    const size_t n = archai_train_faults(s, faults, sizeof faults / sizeof faults[0]);

    for (size_t i = 0; i < n; i++)
        archai_check_fail(c, faults[i].key, faults[i].cause, "%s", faults[i].text);
}
