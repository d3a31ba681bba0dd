/* PyTorch files (io/file/pt/pt.h): nothing in them is run, and what is accepted are tensors whose sizes are those of
 * their shapes, not many times larger than the file. */
#include "fuzz.h"
#include "io/file/pt/pt.h"

static volatile uint8_t sink; /* so that the reads below are not optimised away */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_tensors tensors = {0};
    size_t total = 0;
    int rc;

    (void)archai_pt_is(data, size);
    rc = archai_pt_parse(&tensors, data, size, &err);
    if (rc != ARCHAI_OK) {
        FUZZ_CHECK_ERROR(rc, err);
        FUZZ_CHECK(tensors.at == NULL && tensors.n == 0);
        return 0;
    }
    FUZZ_CHECK(tensors.n > 0);
    for (size_t i = 0; i < tensors.n; i++) {
        const archai_tensor *t = &tensors.at[i];
        size_t bytes = archai_dtype_size(t->dtype);

        FUZZ_CHECK(t->ndim >= 0 && t->ndim <= ARCHAI_MAX_DIMS);
        for (int d = 0; d < t->ndim; d++) {
            FUZZ_CHECK(t->shape[d] >= 0);
            bytes *= (size_t)t->shape[d];
        }
        FUZZ_CHECK(bytes == t->bytes);
        FUZZ_CHECK(archai_tensors_find(&tensors, t->name) == t);
        for (size_t k = 0; k < bytes; k++)
            sink ^= ((const uint8_t *)t->data)[k];
        total += bytes;
    }
    FUZZ_CHECK(total <= 17 * (size + 64 * (tensors.n + 2)));
    archai_tensors_close(&tensors);
    return 0;
}
