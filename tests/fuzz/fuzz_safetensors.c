/* Weights that a user's evaluator or file hands over: every tensor that io/file/tensors.h accepts must
 * lie inside the bytes, have the size its shape says. */
#include "fuzz.h"
#include "io/file/tensors.h"

static volatile uint8_t sink; /* so that the reads below are not optimised away */

static void read_all(const archai_tensor *t)
{
    const uint8_t *p = t->data;

    for (size_t i = 0; i < t->bytes; i++)
        sink ^= p[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_tensors tensors = {0};
    int rc = archai_safetensors_parse(&tensors, data, size, &err);

    if (rc != ARCHAI_OK) {
        FUZZ_CHECK_ERROR(rc, err);
        FUZZ_CHECK(tensors.at == NULL && tensors.n == 0);
        return 0;
    }
    for (size_t i = 0; i < tensors.n; i++) {
        const archai_tensor *t = &tensors.at[i];
        size_t bytes = archai_dtype_size(t->dtype);

        FUZZ_CHECK(t->ndim >= 0 && t->ndim <= ARCHAI_MAX_DIMS);
        for (int d = 0; d < t->ndim; d++) {
            FUZZ_CHECK(t->shape[d] >= 0);
            bytes *= (size_t)t->shape[d];
        }
        FUZZ_CHECK(bytes == t->bytes && bytes <= size);
        FUZZ_CHECK(archai_tensors_find(&tensors, t->name) != NULL);
        read_all(t);
    }
    archai_tensors_close(&tensors);
    return 0;
}
