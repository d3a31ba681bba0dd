/* core/config/augment.h - [data] augment: what is done to the training pictures.
 *
 *   augment = crop 4, flip, cutout 16
 *
 * Steps, separated by commas, each a word and numbers, with torchvision's names and meaning
 * where it has them. They run in three passes, each in the order of the list: on the pictures
 * as they are, 0 to 1; on the normalised pictures (cutout and erasing put 0 there); on the
 * whole batch (mixup and cutmix; where both are given, one of them is drawn for each batch).
 */
#ifndef ARCHAI_CORE_CONFIG_AUGMENT_H
#define ARCHAI_CORE_CONFIG_AUGMENT_H
#include <stdbool.h>
#include <stddef.h>
#include "core/base/err.h"

typedef enum archai_augment_kind {
    ARCHAI_AUGMENT_CROP, /* PADDING: RandomCrop of the same size after zeros on each side */
    ARCHAI_AUGMENT_RESIZED_CROP,  /* LOW HIGH = 0.08 1: RandomResizedCrop(scale=(LOW, HIGH)),
                                     bilinear */
    ARCHAI_AUGMENT_FLIP,          /* P = 0.5: RandomHorizontalFlip */
    ARCHAI_AUGMENT_VERTICAL_FLIP, /* P = 0.5: RandomVerticalFlip */
    ARCHAI_AUGMENT_COLOR_JITTER,  /* BRIGHTNESS CONTRAST SATURATION HUE = 0: ColorJitter; one
                                     order a batch */
    ARCHAI_AUGMENT_RANDAUGMENT,   /* OPS MAGNITUDE = 2 9: RandAugment, 31 magnitudes */
    ARCHAI_AUGMENT_CUTOUT,  /* SIDE: a square of zeros, DeVries & Taylor 2017, arXiv:1708.04552
                             */
    ARCHAI_AUGMENT_ERASING, /* P LOW HIGH = 0.5 0.02 0.33: RandomErasing(P, scale=(LOW, HIGH))
                             */
    ARCHAI_AUGMENT_MIXUP, /* ALPHA = 0.2: Zhang et al. 2018, arXiv:1710.09412, as torchvision's
                             reference */
    ARCHAI_AUGMENT_CUTMIX /* ALPHA = 1: Yun et al. 2019, arXiv:1905.04899, likewise */
} archai_augment_kind;

enum { ARCHAI_AUGMENT_ARGS = 4, ARCHAI_AUGMENT_MAX = 16 };

typedef struct archai_augment_step {
    archai_augment_kind kind;
    double args[ARCHAI_AUGMENT_ARGS];
} archai_augment_step;

typedef struct archai_augment {
    archai_augment_step steps[ARCHAI_AUGMENT_MAX];
    size_t n; /* 0: nothing is done */
} archai_augment;

#ifdef __cplusplus
extern "C" {
#endif
/* "" and "none": no steps. ARCHAI_EINVAL: "'crop': expected 1 number, PADDING". */
int archai_augment_parse(const char *text, archai_augment *out, archai_err *err);
bool archai_augment_has(const archai_augment *a, archai_augment_kind kind);
const char *archai_augment_name(archai_augment_kind kind);
#ifdef __cplusplus
}
#endif
#endif
