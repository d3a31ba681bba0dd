/* io/dataset/format/cifar100.c - CIFAR-100's binary version: train.bin and, for the test split, test.bin. Two
 * label bytes stand before each picture: one of 20 coarse classes, and one of 100 fine ones. */
#include <stddef.h>

#include "io/dataset/format/cifar.h"

enum { FINE, COARSE };

static const char *const files[] = {"train.bin", "test.bin"};
static const archai_cifar versions[] = {
    [FINE] = {.name = "CIFAR-100", .files = files, .n_train = 1, .label_bytes = 2, .label = 1, .classes = 100},
    [COARSE] = {.name = "CIFAR-100", .files = files, .n_train = 1, .label_bytes = 2, .label = 0, .classes = 20},
};

typedef struct cifar100_settings {
    char *file;
    int labels;
} cifar100_settings;

/* clang-format off */
static const archai_option cifar100_options[] = {
    {"file",   ARCHAI_OPT_STRING, offsetof(cifar100_settings, file),   0, 0, "",     "", NULL, "directory of the binary files"},
    {"labels", ARCHAI_OPT_CHOICE, offsetof(cifar100_settings, labels), 0, 0, "fine", "", "fine coarse", "100 classes, or the 20 that they belong to"},
    ARCHAI_OPTION_END,
};
/* clang-format on */

static const char *directory(const archai_dataset_source *source)
{
    return ((const cifar100_settings *)source->settings)->file;
}

static const archai_cifar *version(const archai_dataset_source *source)
{
    return &versions[((const cifar100_settings *)source->settings)->labels];
}

static void cifar100_check(const archai_dataset_source *source, archai_check *c)
{
    archai_check_given(c, "file", directory(source), "format",
                       "missing, format = cifar100 needs the directory of its binary files");
}

static int cifar100_plan(const archai_dataset_source *source, archai_dataset_plan *out,
                         archai_err *err)
{
    return archai_cifar_plan(version(source), directory(source), out, err);
}

static int cifar100_open(archai_dataset_reader *r, archai_err *err)
{
    return archai_cifar_open(version(r->source), directory(r->source), r, err);
}

const archai_dataset_format archai_dataset_cifar100 = {
    .name = "cifar100",
    .help = "CIFAR-100's binary version",
    .options = cifar100_options,
    .settings_size = sizeof(cifar100_settings),
    .check = cifar100_check,
    .plan = cifar100_plan,
    .open = cifar100_open,
    .read = archai_cifar_read,
    .close = archai_cifar_close,
};
