/* tests/support/tree_space.h - spaces `config` made of texts; make the directory first. */
#ifndef ARCHAI_TESTS_TREE_SPACE_H
#define ARCHAI_TESTS_TREE_SPACE_H
#include <stdio.h>
#include <string.h>

#include "core/search/space.h"
#include "tmpdir.h"

static char tree_directory[TMPDIR_PATH_MAX];

static inline int make_tree_directory(void **state)
{
    (void)state;
    return tmpdir_create(tree_directory);
}

static inline int remove_tree_directory(void **state)
{
    (void)state;
    return tmpdir_remove(tree_directory);
}

static inline void write_tree_file(const char *name, const char *text)
{
    char path[TMPDIR_PATH_MAX + 64];
    FILE *out;

    (void)snprintf(path, sizeof path, "%s/%s", tree_directory, name);
    out = fopen(path, "w");
    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

/* The space of "tree.yaml" with this text; `keys` are further lines of [space]. */
static inline int try_tree(archai_space **s, const char *text, const char *keys,
                           const archai_data_shape *data, archai_err *err)
{
    archai_ini ini = {.n = 0};
    char config[TMPDIR_PATH_MAX + 1024];
    int n, rc;

    write_tree_file("tree.yaml", text);
    n = snprintf(config, sizeof config, "[space]\nname = config\ntree = \"%s/tree.yaml\"\n%s",
                 tree_directory, keys);
    assert_int_equal(archai_ini_parse(&ini, "t.ini", config, (size_t)n, err), 0);
    rc = archai_space_create(s, &ini, data, err);
    archai_ini_free(&ini);
    return rc;
}

static inline archai_space *open_tree(const char *text, const char *keys)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_space *s = NULL;

    if (try_tree(&s, text, keys, NULL, &err) != 0)
        fail_msg("%s", err.text);
    return s;
}

/* An error that holds `message` and ends the program with 2. */
static inline void assert_tree_refused(const char *text, const char *keys, const char *message)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_space *s = NULL;
    const int rc = try_tree(&s, text, keys, NULL, &err);

    if (archai_rc_exit_status(rc) != 2 || strstr(err.text, message) == NULL)
        fail_msg("'%s': %d '%s' lacks '%s'", text, rc, err.text, message);
}

static inline archai_model load_arch(archai_space *s, const char *text)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_model m = {.arch = NULL};

    if (archai_space_load_arch(s, text, strlen(text), &m, &err) != 0)
        fail_msg("%s: %s", text, err.text);
    return m;
}

static inline void assert_arch_refused(archai_space *s, const char *text, const char *message)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_model m;

    assert_int_equal(archai_space_load_arch(s, text, strlen(text), &m, &err), ARCHAI_EINVAL);
    if (strstr(err.text, message) == NULL)
        fail_msg("'%s' lacks '%s'", err.text, message);
}
#endif
