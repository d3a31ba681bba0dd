/* io/dataset/loss.h - which loss and which measures go with which targets. */
#ifndef ARCHAI_IO_DATASET_LOSS_H
#define ARCHAI_IO_DATASET_LOSS_H
#include "core/config/train.h"
#include "io/dataset/dataset.h"

/* [train] loss, resolved: classes, pixels and tokens have cross_entropy, several labels bce,
 * numbers mse, l1 or huber (auto: mse). ARCHAI_EINVAL "train.loss: ...": it does not fit. */
int archai_loss_choose(int wish, archai_targets targets, int *out, archai_err *err);
/* Does a recipe go with such data? */
int archai_loss_check(const archai_train_settings *s, archai_targets targets, archai_err *err);
/* Can a network be measured so on such data? `measure` without val_ or test_: "miou". Measures
 * with other names, such as loss, exist always. */
bool archai_targets_have(archai_targets targets, int64_t num_classes, const char *measure);
#endif
