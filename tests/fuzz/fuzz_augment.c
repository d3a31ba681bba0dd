/* [data] augment on the first line, [data] normalize on the second. What is accepted is within its bounds, and the
 * means and deviations that are kept are finite, whatever the pictures are. */
#include <math.h>
#include <string.h>
#include "core/config/augment.h"
#include "fuzz.h"
#include "io/dataset/format.h"
#include "io/dataset/normalize.h"

enum { PICTURES = 2, PIXELS = 4, CHANNELS_MAX = 3 };

static void check_steps(const char *text)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_augment a = {.n = 99};
    const int rc = archai_augment_parse(text, &a, &err);

    if (rc != ARCHAI_OK) {
        FUZZ_CHECK_ERROR(rc, err);
        FUZZ_CHECK(a.n == 99); /* untouched */
        return;
    }
    FUZZ_CHECK(a.n <= ARCHAI_AUGMENT_MAX);
    for (size_t i = 0; i < a.n; i++) {
        FUZZ_CHECK(archai_augment_name(a.steps[i].kind)[0] != '\0');
        FUZZ_CHECK(archai_augment_has(&a, a.steps[i].kind));
        for (size_t k = 0; k < ARCHAI_AUGMENT_ARGS; k++)
            FUZZ_CHECK(a.steps[i].args[k] >= 0 && a.steps[i].args[k] <= 4096);
    }
}

static void check_fits(const archai_dataset_source *s)
{
    for (int i = 0; i < 2 * 4 * 2; i++) {
        const archai_dataset_facts f = {
            .shape = {.channels = i / 2 % 4, .height = 2, .width = 2},
            .targets = i % 2 == 0 ? ARCHAI_TARGETS_CLASS : ARCHAI_TARGETS_MASK,
            .image_dtype = i / 8 == 0 ? ARCHAI_U8 : ARCHAI_F32};
        archai_err err = ARCHAI_ERR_INIT;
        int rc = archai_dataset_augment_fits(s, &f, i % 3 == 0 ? 255 : -1, &err);

        if (rc != ARCHAI_OK)
            FUZZ_CHECK_ERROR(rc, err);
        err = (archai_err)ARCHAI_ERR_INIT;
        rc = archai_dataset_normalize_fits(s, &f, &err);
        if (rc != ARCHAI_OK)
            FUZZ_CHECK_ERROR(rc, err);
    }
}

/* Of pictures made of the input itself: bytes, and floats that may be anything. */
static void check_statistics(const archai_dataset_source *s, const uint8_t *data, size_t size)
{
    union {
        uint8_t bytes[PICTURES * CHANNELS_MAX * PIXELS];
        float floats[PICTURES * CHANNELS_MAX * PIXELS];
    } x;

    memset(&x, 0, sizeof x);
    memcpy(&x, data, size < sizeof x ? size : sizeof x);
    for (int i = 0; i < 2 * CHANNELS_MAX; i++) {
        const archai_dataset_plan plan = {.channels = 1 + i / 2,
                                          .height = 2,
                                          .width = 2,
                                          .image_dtype = i % 2 == 0 ? ARCHAI_U8 : ARCHAI_F32};
        archai_err err = ARCHAI_ERR_INIT;
        json_t *about = json_object();
        const json_t *both;
        archai_normalize m;

        archai_normalize_begin(&m, s, &plan);
        while (m.pass < m.passes) {
            archai_normalize_see(&m, &x, PICTURES);
            archai_normalize_turn(&m);
        }
        if (archai_normalize_put(&m, s, about, &err) == ARCHAI_OK) {
            both = json_object_get(about, "normalize");
            for (size_t c = 0; both != NULL && c < (size_t)plan.channels; c++) {
                FUZZ_CHECK(isfinite(json_number_value(json_array_get(json_object_get(both, "mean"), c))));
                FUZZ_CHECK(json_number_value(json_array_get(json_object_get(both, "std"), c)) > 0);
            }
        }
        json_decref(about);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1), *second;
    archai_dataset_source s = {.normalize = (char *)""};
    const archai_dataset_facts three = {.shape = {.channels = 3, .height = 2, .width = 2}};

    FUZZ_CHECK(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    second = strchr(text, '\n');
    if (second != NULL) {
        *second = '\0';
        s.normalize = second + 1;
    }
    s.augment = text;
    check_steps(text);
    check_fits(&s);
    if (archai_dataset_normalize_fits(&s, &three, NULL) == ARCHAI_OK)
        check_statistics(&s, data, size);
    free(text);
    return 0;
}
