/* io/dataset/format/cifar10.c - CIFAR-10's binary version: data_batch_1.bin to data_batch_5.bin and, for the test
 * split, test_batch.bin. A label byte, from 0 to 9, stands before each picture. */
#include <stddef.h>

#include "io/dataset/format/cifar.h"

static const char *const files[] = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                    "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"};
static const archai_cifar cifar10 = {
    .name = "CIFAR-10", .files = files, .n_train = 5, .label_bytes = 1, .label = 0, .classes = 10};

typedef struct cifar10_settings {
    char *file;
} cifar10_settings;

/* clang-format off */
static const archai_option cifar10_options[] = {
    {"file", ARCHAI_OPT_STRING, offsetof(cifar10_settings, file), 0, 0, "", "", NULL, "directory of the binary files"},
    ARCHAI_OPTION_END,
};
/* clang-format on */

static const char *directory(const archai_dataset_source *source)
{
    return ((const cifar10_settings *)source->settings)->file;
}

static void cifar10_check(const archai_dataset_source *source, archai_check *c)
{
    archai_check_given(c, "file", directory(source), "format",
                       "missing, format = cifar10 needs the directory of its binary files");
}

static int cifar10_plan(const archai_dataset_source *source, archai_dataset_plan *out,
                        archai_err *err)
{
    return archai_cifar_plan(&cifar10, directory(source), out, err);
}

static int cifar10_open(archai_dataset_reader *r, archai_err *err)
{
    return archai_cifar_open(&cifar10, directory(r->source), r, err);
}

const archai_dataset_format archai_dataset_cifar10 = {
    .name = "cifar10",
    .help = "CIFAR-10's binary version",
    .options = cifar10_options,
    .settings_size = sizeof(cifar10_settings),
    .check = cifar10_check,
    .plan = cifar10_plan,
    .open = cifar10_open,
    .read = archai_cifar_read,
    .close = archai_cifar_close,
};
