/* io/dataset/source.c - section [data]: which format, and its keys. */
#include <stddef.h>
#include <string.h>

#include "core/config/augment.h"
#include "core/config/config.h"
#include "io/dataset/format.h"
#include "io/dataset/normalize.h"

/* clang-format off */
#define AT(member) offsetof(archai_dataset_source, member)

static const archai_option common_options[] = {
    {"format",      ARCHAI_OPT_STRING, AT(name),        0, 0,      "synthetic", "", NULL, "format of the data files"},
    {"validation",  ARCHAI_OPT_DOUBLE, AT(validation),  0, 0.9,    "0.1", "", NULL, "share of the training data to validate on, if there are no files for that"},
    {"max_samples", ARCHAI_OPT_INT,    AT(max_samples), 1, 0x1p63, "all", "examples", "all=0", "use only the first ones of the training data"},
    {"seed",        ARCHAI_OPT_INT,    AT(seed),        0, 0x1p63, "1", "", NULL, "seed of the split and of synthetic pictures"},
    {"normalize",   ARCHAI_OPT_STRING, AT(normalize),   0, 0,      "none", "", NULL, "pictures, by channel: none, auto (from the training pictures) or means / deviations"},
    {"augment",     ARCHAI_OPT_STRING, AT(augment),     0, 0,      "none", "", NULL, "training pictures, steps separated by commas: crop PADDING, resized_crop, flip, vertical_flip, color_jitter B C S H, randaugment OPS MAGNITUDE, cutout SIDE, erasing, mixup ALPHA, cutmix ALPHA"},
    {"resident",    ARCHAI_OPT_CHOICE, AT(resident),    0, 0,      "auto", "", "auto yes no", "held in memory, once on each node, or read while training; auto: held where it fits. The batches are the same"},
    {"workers",     ARCHAI_OPT_INT,    AT(workers),     1, ARCHAI_DATASET_MAX_WORKERS, "auto", "threads", "auto=0", "threads that read and decode; auto: as many as the process (of what is not resident: the evaluator) has cores"},
    ARCHAI_OPTION_END,
};
/* clang-format on */

static bool format_at(size_t i, archai_kind *out)
{
    const archai_dataset_format *format = archai_dataset_formats[i];

    if (format != NULL)
        *out = (archai_kind){format->name, format->help, format->options};
    return format != NULL;
}

const archai_registry archai_dataset_registry = {
    .section = "data",
    .key = "format",
    .common = common_options,
    .at = format_at,
    .refused = "",
};

static void check_pictures(const archai_dataset_source *s, archai_check *c)
{
    archai_err why = ARCHAI_ERR_INIT;
    archai_augment steps;

    archai_dataset_normalize_check(s, c);
    if (archai_augment_parse(s->augment, &steps, &why) != ARCHAI_OK)
        archai_check_fail(c, "augment", NULL, "%s", why.text);
}

int archai_dataset_source_open(archai_dataset_source *out, archai_ini *ini, archai_err *err)
{
    archai_dataset_source s = {.name = NULL};
    archai_check check = {.ini = ini, .section = "data", .err = err};
    archai_err one = ARCHAI_ERR_INIT;
    size_t i;

    check.rc = archai_config_apply(ini, "data", common_options, &s, err);
    if (archai_registry_find(&archai_dataset_registry, s.name, &i, &one) != ARCHAI_OK) {
        check.rc = archai_err_also(err, check.rc, archai_ini_locate(ini, one.code, &one), &one);
    } else {
        s.format = archai_dataset_formats[i];
        check.rc = archai_err_also(err, check.rc,
                                   archai_settings_load(&s.settings, s.format->settings_size,
                                                        s.format->options, "data", ini, &one),
                                   &one);
    }
    if (check.rc == ARCHAI_OK && s.format->check != NULL)
        s.format->check(&s, &check);
    if (check.rc == ARCHAI_OK)
        check_pictures(&s, &check);
    if (check.rc == ARCHAI_OK)
        *out = s;
    else
        archai_dataset_source_close(&s);
    return check.rc;
}

void archai_dataset_source_close(archai_dataset_source *s)
{
    if (s->format != NULL)
        archai_settings_free(s->settings, s->format->options);
    archai_option_free(common_options, s);
    memset(s, 0, sizeof *s);
}

archai_choice archai_dataset_choice(const archai_dataset_source *s)
{
    return (archai_choice){.registry = &archai_dataset_registry,
                           .name = s->format->name,
                           .options = s->format->options,
                           .common = s,
                           .own = s->settings};
}
