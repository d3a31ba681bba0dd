/* The HDF5 helpers: errors that say what and why, types that h5py knows, attributes from
 * anyone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/file/file.h"
#include "io/file/h5.h"
#include "tmpdir.h"

#define OK(call)                                                                               \
    do {                                                                                       \
        if ((call) != ARCHAI_OK)                                                               \
            fail_msg("%s: %s", #call, err.text);                                               \
    } while (0)

static char path[TMPDIR_PATH_MAX + 32];

static hid_t new_file(const char *directory)
{
    archai_err err = ARCHAI_ERR_INIT;
    hid_t fapl = H5I_INVALID_HID, file = H5I_INVALID_HID;

    (void)snprintf(path, sizeof path, "%s/x.h5", directory);
    OK(archai_h5_access(&fapl, &err));
    OK(archai_h5_id(&err, &file, H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, fapl)));
    archai_h5_release(&fapl);
    return file;
}

static void an_error_says_what_and_why(void **state)
{
    hid_t file = new_file(*state), group = H5I_INVALID_HID;
    archai_err err = ARCHAI_ERR_INIT;

    assert_int_equal(archai_h5_id(&err, &group, H5Gopen2(file, "nothing", H5P_DEFAULT)),
                     ARCHAI_EIO);
    assert_int_equal(strncmp(err.text, "H5Gopen2: ", 10), 0);
    assert_non_null(strstr(err.text, "nothing")); /* the innermost frame's word */
    assert_true(group == H5I_INVALID_HID);
    assert_true(H5Eget_num(H5E_DEFAULT) == 0);
    OK(archai_h5_close(&file, &err));
}

static void types_go_there_and_back(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    hid_t file = new_file(*state);

    for (int t = 0; t < ARCHAI_DTYPE_COUNT; t++) {
        hid_t type = H5I_INVALID_HID;

        OK(archai_h5_type(&type, (archai_dtype)t, &err));
        assert_int_equal(H5Tget_size(type), archai_dtype_size((archai_dtype)t));
        assert_int_equal(archai_h5_type_of(type), t);
        archai_h5_release(&type);
    }
    assert_int_equal(archai_h5_type_of(H5T_STD_B64LE), ARCHAI_DTYPE_COUNT);
    OK(archai_h5_close(&file, &err));
}

static void attributes_are_made_and_replaced(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    hid_t file = new_file(*state);
    char *long_text = malloc(200001), *text;
    int64_t number;

    memset(long_text, 'c', 200000); /* beyond the 64 KiB that an object header can hold */
    long_text[200000] = '\0';
    OK(archai_h5_set_string(file, "s", "first", &err));
    OK(archai_h5_set_string(file, "s", long_text, &err));
    OK(archai_h5_set_int(file, "i", -5, &err));
    OK(archai_h5_set_doubles(file, "d", (double[]){-INFINITY, 1}, 2, &err));
    OK(archai_h5_get_string(file, "s", &text, &err));
    assert_string_equal(text, long_text);
    free(text);
    OK(archai_h5_get_int(file, "i", &number, &err));
    assert_int_equal(number, -5);
    assert_int_equal(archai_h5_get_int(file, "s", &number, &err), ARCHAI_EFORMAT);
    assert_int_equal(archai_h5_get_string(file, "i", &text, &err), ARCHAI_EFORMAT);
    assert_int_equal(archai_h5_get_int(file, "none", &number, &err), ARCHAI_ENOTFOUND);
    free(long_text);
    OK(archai_h5_close(&file, &err));
}

static void what_is_no_hdf5_is_told_from_what_is_not_there(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    hid_t file = H5I_INVALID_HID;

    assert_int_equal(archai_h5_open(&file, "/nowhere/x.h5", &err), ARCHAI_ENOTFOUND);
    assert_int_equal(archai_h5_open(&file, *state, &err), ARCHAI_EFORMAT);
    OK(archai_file_replace(*state, "text", "abc", 3, &err));
    (void)snprintf(path, sizeof path, "%s/text", (char *)*state);
    assert_int_equal(archai_h5_open(&file, path, &err), ARCHAI_EFORMAT);
    assert_int_equal(strncmp(err.text, path, strlen(path)), 0);
}

/* In a child: a file size limit stands for the full disk. */
static void a_full_disk_is_recognised(void **state)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        struct rlimit limit = {100000, 100000};
        archai_err err = ARCHAI_ERR_INIT;
        hid_t file, space, dataset;
        hsize_t n = 1000000;
        double *data = calloc((size_t)n, sizeof *data);
        int rc;

        (void)signal(SIGXFSZ, SIG_IGN);
        file = new_file(*state);
        (void)setrlimit(RLIMIT_FSIZE, &limit);
        space = H5Screate_simple(1, &n, NULL);
        dataset =
            H5Dcreate2(file, "d", H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        rc = archai_h5_ok(
            &err, H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, data));
        _exit(rc == ARCHAI_EIO && strstr(err.text, "disk full writing 7") != NULL ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tmpdir_setup, tmpdir_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_error_says_what_and_why),
        TEST(types_go_there_and_back),
        TEST(attributes_are_made_and_replaced),
        TEST(what_is_no_hdf5_is_told_from_what_is_not_there),
        TEST(a_full_disk_is_recognised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
