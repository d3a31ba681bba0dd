/* io/dataset/loss.c - losses and measures of each kind of target. */
#include "io/dataset/loss.h"

#include <string.h>

static const char *const names[] = {"auto", "cross_entropy", "bce", "mse", "l1", "huber"};

int archai_loss_choose(int wish, archai_targets targets, int *out, archai_err *err)
{
    const bool numbers = targets == ARCHAI_TARGETS_NUMBERS,
               labels = targets == ARCHAI_TARGETS_LABELS;
    const int usual = numbers  ? ARCHAI_LOSS_MSE
                      : labels ? ARCHAI_LOSS_BCE
                               : ARCHAI_LOSS_CROSS_ENTROPY;

    if (wish != ARCHAI_LOSS_AUTO && wish != usual && !(numbers && wish >= ARCHAI_LOSS_MSE))
        return archai_fail(err, ARCHAI_EINVAL,
                           "train.loss: %s does not go with %s, expected %s%s", names[wish],
                           archai_targets_text(targets), names[usual],
                           numbers ? ", l1 or huber" : "");
    *out = wish == ARCHAI_LOSS_AUTO ? usual : wish;
    return ARCHAI_OK;
}

int archai_loss_check(const archai_train_settings *s, archai_targets targets, archai_err *err)
{
    int loss = s->loss;

    ARCHAI_TRY(archai_loss_choose(s->loss, targets, &loss, err));
    if (s->label_smoothing > 0 && loss != ARCHAI_LOSS_CROSS_ENTROPY)
        return archai_fail(err, ARCHAI_EINVAL,
                           "train.label_smoothing: goes with cross_entropy alone");
    return ARCHAI_OK;
}

bool archai_targets_have(archai_targets targets, int64_t num_classes, const char *measure)
{
    if (strcmp(measure, "accuracy") == 0)
        return targets != ARCHAI_TARGETS_NUMBERS;
    if (strcmp(measure, "top5") == 0)
        return targets == ARCHAI_TARGETS_CLASS && num_classes > 5;
    if (strcmp(measure, "miou") == 0)
        return targets == ARCHAI_TARGETS_MASK;
    if (strcmp(measure, "mae") == 0 || strcmp(measure, "rmse") == 0)
        return targets == ARCHAI_TARGETS_NUMBERS;
    if (strcmp(measure, "perplexity") == 0)
        return targets == ARCHAI_TARGETS_NEXT_TOKEN;
    return true;
}
