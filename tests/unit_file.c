/* Publishing a file: its content is synced, then it is renamed, then its directory is synced, whatever the
 * file. The linker puts stand-ins before fsync and rename (tests/CMakeLists.txt). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/config/config.h"
#include "io/file/array.h"
#include "io/file/beside.h"
#include "io/file/checkpoint.h"
#include "io/file/file.h"
#include "io/results/index/index.h"
#include "runner/directory/rundir.h"
#include "runner/inspect/inspect.h"
#include "samples.h"
#include "tmpdir.h"

#define OK(call)                                                                               \
    do {                                                                                       \
        if ((call) != ARCHAI_OK)                                                               \
            fail_msg("%s: %s", #call, err.text);                                               \
    } while (0)

/* What happened to whom: 's' an inode was synced, 'r' it was renamed. */
static struct event {
    char what;
    ino_t inode;
} events[64];
static size_t n_events;
static ino_t refused; /* syncing it fails */

static void record(char what, ino_t inode)
{
    assert_true(n_events < sizeof events / sizeof events[0]);
    events[n_events++] = (struct event){what, inode};
}

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);

int __wrap_fsync(int fd)
{
    struct stat st;

    assert_int_equal(fstat(fd, &st), 0);
    record('s', st.st_ino);
    if (st.st_ino == refused) {
        errno = EIO;
        return -1;
    }
    return __real_fsync(fd);
}

int __wrap_rename(const char *from, const char *to)
{
    struct stat st;

    assert_int_equal(stat(from, &st), 0);
    record('r', st.st_ino);
    return __real_rename(from, to);
}

static ino_t inode_of(const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0)
        fail_msg("%s is not there", path);
    return st.st_ino;
}

/* The last thing that happened is that <directory>/<name> was published. */
static void assert_published(const char *directory, const char *name)
{
    char *path = archai_file_path(directory, name);
    const ino_t file = inode_of(path), parent = inode_of(directory);
    const struct event *last = &events[n_events];

    if (n_events < 3 || last[-3].what != 's' || last[-3].inode != file || last[-2].what != 'r' ||
        last[-2].inode != file || last[-1].what != 's' || last[-1].inode != parent)
        fail_msg("%s was not synced, renamed, and its directory synced", path);
    n_events = 0;
    free(path);
}

static void what_is_replaced(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;

    n_events = 0;
    OK(archai_file_replace(*state, "config.ini", "one", 3, &err));
    assert_published(*state, "config.ini");
    OK(archai_file_replace(*state, "config.ini", "two", 3, &err));
    assert_published(*state, "config.ini");
    refused = inode_of(*state);
    assert_int_equal(archai_file_replace(*state, "config.ini", "three", 5, &err), ARCHAI_EIO);
    assert_non_null(strstr(err.text, "sync the directory"));
    refused = 0;
}

static void write_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void assert_content(const char *path, const char *text)
{
    archai_err err = ARCHAI_ERR_INIT;
    char *there;
    size_t n;

    OK(archai_file_read(path, 1000, &there, &n, &err));
    assert_string_equal(there, text);
    free(there);
}

static int put(const char *path, const char *text, archai_err *err)
{
    archai_beside b = ARCHAI_BESIDE_INIT;
    int rc = archai_beside_output(&b, path, err);

    if (rc == ARCHAI_OK)
        rc = archai_file_pwrite(b.fd, text, strlen(text), 0, path, err);
    if (rc == ARCHAI_OK)
        rc = archai_beside_publish(&b, err);
    archai_beside_drop(&b);
    return rc;
}

/* Temporary files follow no link, and a link that a user names is written through. */
static void links_are_not_followed_by_mistake(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    char *victim = archai_file_path(*state, "victim"), *link = archai_file_path(*state, "link");
    char *trap = archai_file_path(*state, ".config.ini.new"), *dangling = archai_file_path(*state, "dangling");
    char *target = archai_file_path(*state, "target"), *plain = archai_file_path(*state, "plain");
    char *inner = archai_file_path(*state, "config.ini");
    struct stat st;

    write_text(victim, "precious");
    assert_int_equal(symlink(victim, trap), 0);
    OK(archai_file_replace(*state, "config.ini", "ours", 4, &err));
    assert_content(inner, "ours");
    assert_content(victim, "precious");
    OK(put(plain, "new", &err)); /* a file that was not there, then one that was */
    assert_content(plain, "new");
    OK(put(plain, "newer", &err));
    assert_content(plain, "newer");
    assert_int_equal(symlink(victim, link), 0);
    OK(put(link, "through", &err));
    assert_content(victim, "through");
    assert_int_equal(lstat(link, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(symlink(target, dangling), 0);
    OK(put(dangling, "made", &err));
    assert_content(target, "made");
    OK(put("/dev/null", "gone", &err));
    assert_int_equal(put(*state, "x", &err), ARCHAI_EINVAL);
    assert_non_null(strstr(err.text, "is a directory"));
    free(victim);
    free(link);
    free(trap);
    free(dangling);
    free(target);
    free(plain);
    free(inner);
}

/* A process that was taken for dead goes on, and finds that its file is another one's. */
static void a_file_of_another_process_is_not_published(void **state)
{
    archai_beside one = ARCHAI_BESIDE_INIT, other = ARCHAI_BESIDE_INIT;
    archai_err err = ARCHAI_ERR_INIT;
    char *path = archai_file_path(*state, "owner");

    OK(archai_beside_inside(&one, *state, "owner", &err));
    OK(archai_beside_inside(&other, *state, "owner", &err));
    OK(archai_file_pwrite(other.fd, "other", 5, 0, path, &err));
    assert_int_equal(archai_beside_publish(&one, &err), ARCHAI_EIO);
    assert_non_null(strstr(err.text, "another process writes it"));
    OK(archai_beside_publish(&other, &err));
    assert_content(path, "other");
    free(path);
}

static void segments_and_the_index(void **state)
{
    static double bounds[] = {0, 2000};
    static char accuracy[] = "val_accuracy", params[] = "params", none[] = "";
    archai_objectives objectives = {
        .at = {{.name = accuracy, .source = accuracy, .direction = ARCHAI_MAXIMIZE, .expensive = 1, .unit = none},
               {.name = params, .source = params, .direction = ARCHAI_MINIMIZE, .constraint = {bounds, 2}, .unit = none}},
        .n = 2,
        .n_optimised = 2,
    };
    const archai_index_run run = {.directory = *state, .config_text = "", .space = "cnn", .software = "test", .started = "2023-11-14T22:13:20Z",
                                  .config = sample_config(ARCHAI_WEIGHTS_ALL), .objectives = &objectives};
    const archai_segment_size size = sample_segment_size(1024);
    archai_err err = ARCHAI_ERR_INIT;
    archai_segment s = ARCHAI_SEGMENT_INIT;
    archai_index *x = NULL;
    inspect t = {.count = -1};
    int64_t rows;

    n_events = 0;
    OK(archai_segment_create(*state, "segment-0-0.h5", &size, &err));
    assert_published(*state, "segment-0-0.h5");
    OK(archai_segment_open(&s, *state, "segment-0-0.h5", true, &err));
    OK(archai_index_open(&x, &run, &err));
    for (int64_t id = 0; id < 3; id++) {
        OK(sample_commit(&s, id, id, 1, &err));
        OK(archai_index_refresh(x, "running", 0, &rows, &err));
        assert_published(*state, "results.h5");
    }
    t.path = t.directory = *state;
    OK(archai_results_read(&t.r, *state, &err));
    OK(inspect_report(&t, &err));
    assert_published(*state, "report.html");
    archai_index_close(x);
    archai_segment_close(&s);
    inspect_names_free(&t);
    archai_results_free(&t.r);
}

static void checkpoints_and_arrays(void **state)
{
    static char name[] = "w", arch[] = "{}", parents[] = "[]";
    float weights[] = {1, 2, 3, 4};
    const archai_tensor t = {.name = name, .dtype = ARCHAI_F32, .ndim = 1, .shape = {4}, .data = weights, .bytes = sizeof weights};
    archai_trial c = {.id = 3, .arch = arch, .operator_ = "random", .parents = parents, .budget = 4};
    archai_err err = ARCHAI_ERR_INIT;
    char *path = archai_file_path(*state, "array.h5");

    n_events = 0;
    OK(archai_model_init(&c.model, json_object(), "L=3", NULL, &err));
    OK(archai_checkpoint_write(*state, &c, 3, 4, 2.5, &t, 1, NULL, 0, &err));
    assert_published(*state, "checkpoint-3.safetensors");
    OK(archai_array_write(path, "/w", &t, &err));
    assert_published(*state, "array.h5");
    archai_model_fini(&c.model);
    free(path);
}

static void owner_and_exit_code(void **state)
{
    char *path = archai_file_path(*state, "run");
    archai_err err = ARCHAI_ERR_INIT;
    archai_rundir d;

    n_events = 0;
    OK(archai_rundir_open(&d, path, false, -1, 1, &err));
    assert_int_equal(events[n_events - 1].what, 's'); /* `owner` was linked last */
    assert_int_equal(events[n_events - 1].inode, inode_of(path));
    OK(archai_rundir_beat(&d, d.last_beat + 2 * ARCHAI_OWNER_BEAT_S, &err));
    assert_published(path, "owner");
    OK(archai_rundir_finish(&d, 0, &err));
    assert_published(path, "exit_code");
    free(path);
}

static void what_was_left_beside_is_swept(void **state)
{
    static const struct {
        const char *name;
        bool stays;
    } files[] = {{".report.html.0123456789abcdef", false}, {".report.html.ffffffffffffffff", false},
                 {".report.html.0123456789abcdef0", true}, {".report.html.0123456789abcdeX", true},
                 {".report.html.mine", true},              {".other.html.0123456789abcdef", true},
                 {"report.html", true}};
    archai_err err = ARCHAI_ERR_INIT;

    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        OK(archai_file_replace(*state, files[i].name, "x", 1, &err));
    archai_beside_sweep(*state, "report.html");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char *path = archai_file_path(*state, files[i].name);

        if ((access(path, F_OK) == 0) != files[i].stays)
            fail_msg("%s %s", files[i].name, files[i].stays ? "is gone" : "is there");
        free(path);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tmpdir_setup, tmpdir_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_replaced),
        TEST(links_are_not_followed_by_mistake),
        TEST(a_file_of_another_process_is_not_published),
        TEST(segments_and_the_index),
        TEST(checkpoints_and_arrays),
        TEST(owner_and_exit_code), TEST(what_was_left_beside_is_swept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
