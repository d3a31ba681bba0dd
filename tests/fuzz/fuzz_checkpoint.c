/* Checkpoints of trainings: what archai_checkpoint_check accepts must hold together, and the
 * candidate in it must be the one that it is of.
 *
 * The first byte of the input says whether the checksum is made right first: what lies behind a
 * right checksum is not trusted either. */
#include "fuzz.h"
#include <string.h>
#include "io/file/checkpoint.h"

/* The bytes with a right archai:crc, where there is one to be made right. */
static void make_sum_right(uint8_t *bytes, size_t size)
{
    archai_tensors t = {0};
    const archai_tensor *crc;
    int64_t sum;

    if (archai_safetensors_parse(&t, bytes, size, NULL) != ARCHAI_OK)
        return;
    crc = archai_tensors_find(&t, "archai:crc");
    if (crc != NULL && crc == &t.at[t.n - 1] && crc->bytes == sizeof sum) {
        sum = archai_checkpoint_sum(t.at, t.n - 1);
        memcpy(bytes + ((const uint8_t *)crc->data - bytes), &sum, sizeof sum);
    }
    archai_tensors_close(&t);
}

static void use(const archai_checkpoint *k)
{
    archai_trial c = {.id = -1};
    archai_err err = ARCHAI_ERR_INIT;
    int rc = archai_checkpoint_candidate(k, &c, &err);

    if (rc == ARCHAI_OK)
        FUZZ_CHECK(c.id == k->id && archai_checkpoint_is_of(k, &c));
    else
        FUZZ_CHECK_ERROR(rc, err);
    archai_trial_fini(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_checkpoint k = {.id = -1};
    uint8_t *bytes;
    int rc;

    if (size == 0)
        return 0;
    bytes = malloc(size);
    FUZZ_CHECK(bytes != NULL);
    memcpy(bytes, data + 1, size - 1);
    if (data[0] & 1)
        make_sum_right(bytes, size - 1);
    rc = archai_safetensors_parse(&k.file, bytes, size - 1, &err);
    if (rc == ARCHAI_OK)
        rc = archai_checkpoint_check(&k, &err);
    if (rc == ARCHAI_OK) {
        FUZZ_CHECK(k.epoch >= 1 && k.epoch <= k.epochs && k.arch != NULL &&
                   k.candidate != NULL);
        use(&k);
    } else {
        FUZZ_CHECK_ERROR(rc, err);
    }
    archai_checkpoint_close(&k);
    free(bytes);
    return 0;
}
