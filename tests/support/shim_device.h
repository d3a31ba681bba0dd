/* tests/support/shim_device.h - a CPU with one thread, for tests of the shim; tests/gpu/check sets ARCHAI_TEST_DEVICE=cuda.
 * After cmocka.h; setup and teardown of a group are open_device and close_device. */
#ifndef ARCHAI_TESTS_SHIM_DEVICE_H
#define ARCHAI_TESTS_SHIM_DEVICE_H
#include <stdlib.h>

#include "shim/shim.h"

static shim_device *device;

static inline const char *test_device(void)
{
    const char *other = getenv("ARCHAI_TEST_DEVICE");

    return other != NULL ? other : "cpu";
}

static inline int open_device(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;

    (void)state;
    if (shim_device_open(&device, test_device(), 1, &err) == ARCHAI_OK)
        return 0;
    print_error("%s\n", err.text);
    return -1;
}

static inline int close_device(void **state)
{
    (void)state;
    shim_device_close(device);
    return 0;
}

/* For shim_model_predict. */
static inline void *allocate(void *payload, size_t bytes)
{
    (void)payload;
    return malloc(bytes);
}
#endif
