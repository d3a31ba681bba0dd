/* An evaluator of kind command with a program behind it, one candidate after the other. */
#ifndef ARCHAI_TESTS_PROGRAM_BENCH_H
#define ARCHAI_TESTS_PROGRAM_BENCH_H
#include <stdio.h>
#include <unistd.h>

#include "runner/evaluator/evaluator.h"
#include "tmpdir.h"

enum { PATIENCE_MS = 30000 }; /* only so that a broken build ends */

typedef struct bench {
    void *settings;
    archai_config config;
    archai_evaluator_setup setup;
    archai_evaluator *evaluator;
    char directory[TMPDIR_PATH_MAX];
    char text[2 * TMPDIR_PATH_MAX];
} bench;

static inline void write_file(const char *directory, const char *name, const char *text, char *path)
{
    FILE *out;

    (void)snprintf(path, TMPDIR_PATH_MAX, "%.*s/%s", TMPDIR_PATH_MAX - 64, directory, name);
    out = fopen(path, "w");
    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

static inline void open_bench(bench *b, const char *command, bool persistent)
{
    static const char tree[] =
        "op: {choice: [conv, pool]}\nk: {choice: [3, 5], when: {op: conv}}\n";
    const archai_evaluator_ops *ops;
    archai_err err = ARCHAI_ERR_INIT;
    char path[TMPDIR_PATH_MAX], set[4096];
    int n;
    archai_ini ini;

    *b = (bench){.setup = {.data_fd = -1, .device = "cpu", .threads = 3}};
    assert_int_equal(tmpdir_create(b->directory), 0);
    write_file(b->directory, "tree.yaml", tree, path);
    (void)snprintf(b->text, sizeof b->text, "[space]\nname = config\ntree = \"%s\"\n", path);
    b->setup.config = &b->config;
    b->setup.config_text = b->text;
    assert_int_equal(archai_ini_parse(&ini, "t.ini", "", 0, &err), 0);
    n = snprintf(set, sizeof set, "evaluator.command=%s", command);
    assert_true(n > 0 && (size_t)n < sizeof set);
    assert_int_equal(archai_ini_set(&ini, set, &err), 0);
    if (persistent)
        assert_int_equal(archai_ini_set(&ini, "evaluator.persistent=yes", &err), 0);
    assert_int_equal(archai_evaluator_choose("command", &ini, &ops, &b->settings, &err), 0);
    archai_ini_free(&ini);
    b->setup.settings = b->settings;
    if (archai_evaluator_create(&b->evaluator, ops, &b->setup, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(ops->open(b->evaluator, &err), 0);
}

static inline void close_bench(bench *b)
{
    archai_settings_free(b->settings, b->evaluator->ops->options);
    archai_evaluator_destroy(b->evaluator);
    assert_int_equal(tmpdir_remove(b->directory), 0);
}

static inline archai_evaluator_event next_event(bench *b)
{
    archai_evaluator_event e = {.kind = ARCHAI_EVALUATOR_NOTHING};
    archai_err err = ARCHAI_ERR_INIT;

    for (int i = 0; i < PATIENCE_MS && e.kind == ARCHAI_EVALUATOR_NOTHING; i++) {
        if (b->evaluator->ops->poll(b->evaluator, &e, &err) != 0)
            fail_msg("%s", err.text);
        if (e.kind == ARCHAI_EVALUATOR_NOTHING)
            (void)usleep(1000);
    }
    return e;
}

static inline void begin(bench *b, int64_t id)
{
    archai_err err = ARCHAI_ERR_INIT;
    const archai_trial c = {
        .id = id,
        .model = {.archid = (char *)"abc"},
        .arch = (char *)"{\"op\": \"pool\", \"k\": 5}",
        .budget = 2.5,
        .seed = 123456789012,
    };

    if (b->evaluator->ops->begin(b->evaluator, &c, &err) != 0)
        fail_msg("%s", err.text);
}
#endif
