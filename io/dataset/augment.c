/* io/dataset/augment.c - does [data] augment fit the data? */
#include "core/config/augment.h"

#include "io/dataset/normalize.h"

static int refuse(archai_augment_kind kind, const char *why, archai_err *err)
{
    return archai_fail(err, ARCHAI_EINVAL, "data.augment: '%s' %s", archai_augment_name(kind),
                       why);
}

static int check_step(const archai_augment_step *step, const archai_dataset_facts *f,
                      int ignore_index, archai_err *err)
{
    const archai_augment_kind kind = step->kind;
    const int64_t channels = f->shape.channels;

    switch (kind) {
    case ARCHAI_AUGMENT_COLOR_JITTER:
    case ARCHAI_AUGMENT_RANDAUGMENT:
        if (f->image_dtype != ARCHAI_U8 || (channels != 1 && channels != 3))
            return refuse(kind, "needs pictures of bytes with 1 or 3 channels", err);
        break;
    case ARCHAI_AUGMENT_CROP:
        if (step->args[0] >= f->shape.height || step->args[0] >= f->shape.width)
            return archai_fail(err, ARCHAI_EINVAL,
                               "data.augment: 'crop' pads %g pixels on each side of pictures of %d x %d: some "
                               "would be empty",
                               step->args[0], f->shape.height, f->shape.width);
        if (f->targets == ARCHAI_TARGETS_MASK && ignore_index < 0)
            return refuse(kind,
                          "with a class for each pixel needs the data's ignore_index, for the "
                          "pixels outside",
                          err);
        break;
    default:
        break;
    }
    if (f->targets == ARCHAI_TARGETS_MASK &&
        (kind == ARCHAI_AUGMENT_RESIZED_CROP || kind == ARCHAI_AUGMENT_RANDAUGMENT ||
         kind == ARCHAI_AUGMENT_MIXUP || kind == ARCHAI_AUGMENT_CUTMIX))
        return refuse(kind, "does not know a class for each pixel", err);
    return ARCHAI_OK;
}

int archai_dataset_augment_fits(const archai_dataset_source *s, const archai_dataset_facts *f,
                                int ignore_index, archai_err *err)
{
    archai_augment a;

    ARCHAI_TRY(archai_augment_parse(s->augment, &a, err));
    if (a.n > 0 && f->shape.channels == 0)
        return archai_fail(err, ARCHAI_EINVAL, "data.augment: the data are not pictures");
    for (size_t i = 0; i < a.n; i++)
        ARCHAI_TRY(check_step(&a.steps[i], f, ignore_index, err));
    return ARCHAI_OK;
}
