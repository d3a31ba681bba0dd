/* Bytes from another rank, an evaluator or a segment file: io/wire/message.h must refuse or understand
 * them, and what it understands must survive being packed and read again. */
#include "fuzz.h"
#include <string.h>
#include "io/wire/message.h"

static void message(const char *data, size_t size)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_message m = {0}, again = {0};
    archai_buffer once = {0}, twice = {0};
    int rc = archai_message_unpack(data, size, &m, &err);

    if (rc != ARCHAI_OK) {
        FUZZ_CHECK_ERROR(rc, err);
        return;
    }
    FUZZ_CHECK(archai_message_pack(&m, &once, &err) == ARCHAI_OK);
    FUZZ_CHECK(archai_message_unpack(once.data, once.size, &again, &err) == ARCHAI_OK);
    FUZZ_CHECK(archai_message_pack(&again, &twice, &err) == ARCHAI_OK);
    FUZZ_CHECK(once.size == twice.size && memcmp(once.data, twice.data, once.size) == 0);
    archai_message_fini(&m);
    archai_message_fini(&again);
    archai_buffer_free(&once);
    archai_buffer_free(&twice);
}

static void evaluation(const char *data, size_t size)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_trial e = {0}, again = {0};
    archai_buffer once = {0}, twice = {0};
    int rc = archai_trial_unpack(data, size, &e, &err);

    if (rc != ARCHAI_OK) {
        FUZZ_CHECK_ERROR(rc, err);
        return;
    }
    FUZZ_CHECK(archai_trial_pack(&e, &once, &err) == ARCHAI_OK);
    FUZZ_CHECK(archai_trial_unpack(once.data, once.size, &again, &err) == ARCHAI_OK);
    FUZZ_CHECK(archai_trial_pack(&again, &twice, &err) == ARCHAI_OK);
    FUZZ_CHECK(once.size == twice.size && memcmp(once.data, twice.data, once.size) == 0);
    archai_trial_fini(&e);
    archai_trial_fini(&again);
    archai_buffer_free(&once);
    archai_buffer_free(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    message((const char *)data, size);
    evaluation((const char *)data, size);
    return 0;
}
