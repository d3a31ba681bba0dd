/* The config space against Archai: golden_config.json is what its code drew. config_tree.json
 * is that file's tree with its model's usage as conditions: w is asked for where op is conv,
 * act in a block never. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>

#include "core/space/config/param_tree.h"
#include "core/base/python_text.h"
#include "core/search/space.h"
#include "json_data.h"
#include "tmpdir.h"

enum { MAX_FEATURES = 256 };

static char directory[TMPDIR_PATH_MAX];

static int make_directory(void **state)
{
    (void)state;
    return tmpdir_create(directory);
}

static int remove_directory(void **state)
{
    (void)state;
    return tmpdir_remove(directory);
}

/* -- opening spaces ---------------------------------------------------------------------- */

static int try_space(archai_space **s, const char *tree, const char *keys, archai_err *err)
{
    archai_ini ini = {.n = 0};
    char text[TMPDIR_PATH_MAX + 1024];
    int n = snprintf(text, sizeof text, "[space]\nname = config\ntree = \"%s\"\n%s", tree,
                     keys),
        rc;

    assert_int_equal(archai_ini_parse(&ini, "t.ini", text, (size_t)n, err), 0);
    rc = archai_space_create(s, &ini, NULL, err);
    archai_ini_free(&ini);
    return rc;
}

static archai_space *open_file(const char *tree, const char *keys)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_space *s = NULL;

    if (try_space(&s, tree, keys, &err) != 0)
        fail_msg("%s", err.text);
    return s;
}

static void write_tree(const char *text, char *path, size_t size)
{
    FILE *out;

    (void)snprintf(path, size, "%s/tree.yaml", directory);
    out = fopen(path, "w");
    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

static archai_space *open_tree(const char *text, const char *keys)
{
    char path[TMPDIR_PATH_MAX + 16];

    write_tree(text, path, sizeof path);
    return open_file(path, keys);
}

static archai_model load(archai_space *s, const char *text)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_model m = {.arch = NULL};

    if (archai_space_load_arch(s, text, strlen(text), &m, &err) != 0)
        fail_msg("%s: %s", text, err.text);
    return m;
}

static void assert_archid(archai_space *s, const char *arch, const char *expected)
{
    archai_model m = load(s, arch);

    assert_string_equal(m.archid, expected);
    archai_model_fini(&m);
}

/* -- Archai's stream --------------------------------------------------------------------- */

static void assert_step(archai_space *s, const json_t *step, const archai_model *m,
                        const char *name)
{
    const json_t *encoding = json_object_get(step, "encode");
    float features[MAX_FEATURES];
    char *got, *expected;

    assert_string_equal(m->archid, json_string_value(json_object_get(step, name)));
    got = archai_python_json(m->arch, false);
    expected = archai_python_json(json_object_get(step, "config"), false);
    assert_string_equal(got, expected); /* the order of keys too */
    free(got);
    free(expected);
    assert_int_equal(s->encoding_size, json_array_size(encoding));
    assert_int_equal(archai_space_encode(s, m, features, NULL), 0);
    for (size_t i = 0; i < s->encoding_size; i++)
        assert_true(features[i] == (float)json_number_value(json_array_get(encoding, i)));
}

static int apply(archai_space *s, const char *op, const archai_model *m, archai_model *out)
{
    int i, k;

    if (sscanf(op, "mutate %d", &i) == 1)
        return archai_space_mutate(s, &m[i], out, NULL);
    if (sscanf(op, "crossover %d,%d", &i, &k) == 2)
        return archai_space_crossover(s, (const archai_model *const[]){&m[i], &m[k]}, 2, out,
                                      NULL);
    return archai_space_random_sample(s, out, NULL);
}

/* `name` is what the archid must be: the hash, or the tuple where it is not hashed. */
static void replay(const char *keys, const char *name)
{
    json_t *golden = load_json_data("golden_config.json");
    const json_t *steps = json_object_get(golden, "steps");
    archai_space *s = open_file(ARCHAI_TEST_DATA "/config_tree.json", keys);
    archai_model m[16];
    size_t n = json_array_size(steps);

    assert_in_range(n, 9, 16);
    for (size_t i = 0; i < n; i++) {
        const json_t *step = json_array_get(steps, i);

        assert_int_equal(apply(s, json_string_value(json_object_get(step, "op")), m, &m[i]), 0);
        assert_step(s, step, &m[i], name);
    }
    for (size_t i = 0; i < n; i++)
        archai_model_fini(&m[i]);
    archai_space_destroy(s);
    json_decref(golden);
}

static void the_stream_is_that_of_archai(void **state)
{
    (void)state;
    replay("seed = 3\n", "archid");
    replay("seed = 3\nhash_archid = no\n", "tuple");
}

/* The hash printed in Archai's documentation for the features 1.0, 0.0 and an unused one. */
static void the_published_archid_is_reproduced(void **state)
{
    archai_space *s = open_tree(
        "a: {choice: [0, 1]}\nb: {choice: [0, 1]}\nc: {choice: [0, 1], when: {b: 1}}\n", "");

    (void)state;
    assert_archid(s, "{a: 1, b: 0, c: 1}", "260c332c6fc8c6c976736a379f3ae1ac439afd74");
    archai_space_destroy(s);
}

/* -- what exists ------------------------------------------------------------------------- */

static void what_does_not_exist_takes_no_part(void **state)
{
    archai_space *s = open_tree("op: {choice: [conv, pool]}\n"
                                "k: {choice: [3, 5], when: {op: conv}}\n"
                                "wide: {choice: [false, true], when: {k: [5]}}\n"
                                "g: {when: {op: pool}, kind: {choice: [max, avg]}, size: 2}\n",
                                "hash_archid = no\nunused_param_value = -7\n");
    archai_model m;
    float x[7];

    (void)state;
    assert_archid(s, "{op: conv, k: 3}", "(1.0, 0.0, 3.0, nan, nan, nan)");
    assert_archid(s, "{op: conv, k: 5, wide: yes}", "(1.0, 0.0, 5.0, 1.0, nan, nan)");
    /* k stands for nothing where op is pool, so wide does neither */
    assert_archid(s, "{op: pool, k: 5, wide: true, g: {kind: avg}}",
                  "(0.0, 1.0, nan, nan, 0.0, 1.0)");
    m = load(s, "{op: pool, g: {size: 2, kind: max}}");
    assert_int_equal(s->encoding_size, 6);
    assert_int_equal(archai_space_encode(s, &m, x, NULL), 0);
    assert_true(x[1] == 1.0f && x[2] == -7.0f && x[3] == -7.0f && x[4] == 1.0f);
    assert_string_equal(s->ops->encoding_kinds(s), "ccnncc");
    archai_model_fini(&m);
    archai_space_destroy(s);
}

static void everything_counts_where_usage_is_not_tracked(void **state)
{
    archai_space *s =
        open_tree("op: {choice: [conv, pool]}\nk: {choice: [3, 5], when: {op: conv}}\n",
                  "hash_archid = no\ntrack_unused_params = no\n");

    (void)state;
    assert_archid(s, "{op: pool, k: 5}", "(0.0, 1.0, 5.0)");
    assert_true(archai_space_cardinality(s) == 4.0);
    archai_space_destroy(s);
}

/* Archai looks at a shared parameter's first place only; here it exists where one of its places
 * does. */
static void a_shared_parameter_exists_in_any_of_its_places(void **state)
{
    archai_space *s = open_tree("op: {choice: [conv, pool]}\n"
                                "a: {choice: [1, 2, 3], id: S, when: {op: pool}}\n"
                                "b: {id: S, when: {op: conv}}\n",
                                "hash_archid = no\n");
    archai_err err = ARCHAI_ERR_INIT;
    archai_model m;

    (void)state;
    assert_archid(s, "{op: conv, a: 2, b: 2}", "(1.0, 0.0, 2.0)");
    assert_archid(s, "{op: conv, b: 3}", "(1.0, 0.0, 3.0)");
    assert_int_equal(archai_space_load_arch(s, "{op: conv, a: 2, b: 3}", 22, &m, &err),
                     ARCHAI_EINVAL);
    assert_string_equal(err.text,
                        "1: b: differs from its value elsewhere, but is the same parameter");
    archai_space_destroy(s);
}

/* The groups of a list have parameters of their own, also of a name that is shared outside. */
static void lists_share_as_they_say(void **state)
{
    archai_space *own = open_tree("a: {choice: [1, 2], id: S}\n"
                                  "l: {repeat: {x: {id: S}, y: {id: S}}, times: 2}\n",
                                  "hash_archid = no\n");
    archai_space *shared = open_tree(
        "a: {choice: [1, 2], id: S}\n"
        "l: {repeat: {x: {id: S}, z: {choice: [5, 6]}}, times: 2, share_arch: true}\n",
        "hash_archid = no\n");

    (void)state;
    assert_archid(
        own, "{a: 1, l: {_repeat_times: 2, _configs: {'0': {x: 2, y: 2}, '1': {x: 1, y: 1}}}}",
        "(1.0, 2.0, 2.0, 1.0)");
    assert_archid(
        shared,
        "{a: 1, l: {_repeat_times: 2, _configs: {'0': {x: 1, z: 6}, '1': {x: 1, z: 6}}}}",
        "(1.0, 2.0, 6.0)");
    archai_space_destroy(own);
    archai_space_destroy(shared);
}

static void conditions_look_outwards_and_into_groups(void **state)
{
    archai_space *s = open_tree(
        "top: {choice: [a, b]}\n"
        "n: {repeat: {op: {choice: [c, d]},\n"
        "             x: {choice: [1, 2], when: {op: c, top: b}},\n"
        "             m: {repeat: {y: {choice: [1, 2], when: {op: d}}}, times: [0, 1]}},\n"
        "    times: [1, 2]}\n"
        "last: {choice: [0, 1], when: {n: 2, n._configs.1.op: [d, c]}}\n",
        "hash_archid = no\n");

    (void)state;
    assert_archid(s,
                  "{top: b, n: {_repeat_times: 1, _configs: {'0': {op: c, x: 2, m: "
                  "{_repeat_times: 1}}}}}",
                  "(0.0, 1.0, 1.0, 1.0, 0.0, 2.0, 1.0, nan, nan, nan, nan, nan, nan, nan)");
    assert_archid(s,
                  "{top: a, last: 1, n: {_repeat_times: 2, _configs: {'0': {op: c, m: "
                  "{_repeat_times: 0}},"
                  "'1': {op: d, m: {_repeat_times: 1, _configs: {'0': {y: 2}}}}}}}",
                  "(1.0, 0.0, 2.0, 1.0, 0.0, nan, 0.0, nan, 0.0, 1.0, nan, 1.0, 2.0, 1.0)");
    archai_space_destroy(s);
}

/* -- drawing
 * ------------------------------------------------------------------------------------------------
 */

static void weights_weigh_samples_only(void **state)
{
    archai_space *s =
        open_tree("x: {choice: [1, 2, 3], weights: [0, 1, 0.0]}\n", "mutation_prob = 1\n");
    bool other = false;
    archai_model m, child;

    (void)state;
    for (int i = 0; i < 200; i++) {
        assert_int_equal(archai_space_random_sample(s, &m, NULL), 0);
        assert_int_equal(json_integer_value(json_object_get(m.arch, "x")), 2);
        assert_int_equal(archai_space_mutate(s, &m, &child, NULL), 0);
        other |= json_integer_value(json_object_get(child.arch, "x")) != 2;
        archai_model_fini(&child);
        archai_model_fini(&m);
    }
    assert_true(other);
    archai_space_destroy(s);
}

/* -- enumerating
 * ---------------------------------------------------------------------------------------------
 */

/* By hand: op = conv: k = 3 (1) or k = 5 with wide (2); op = pool: kind (2). Times lists of 0
 * to 2 groups of two choices: 1 + 2 + 4. */
static void architectures_are_counted_exactly(void **state)
{
    archai_space *s = open_tree("op: {choice: [conv, pool, conv]}\n"
                                "k: {choice: [3, 5, 5.0], when: {op: conv}}\n"
                                "wide: {choice: [false, true], when: {k: 5}}\n"
                                "kind: {choice: [max, avg], when: {op: pool}}\n"
                                "l: {repeat: {x: {choice: [1, 2]}}, times: [0, 1, 2]}\n",
                                "");
    char *seen[35];
    archai_model m;
    size_t n;

    (void)state;
    assert_true(archai_space_cardinality(s) == 5.0 * 7.0);
    for (n = 0; n < 35; n++) {
        assert_int_equal(s->ops->at(s, n, &m, NULL), 0);
        seen[n] = strdup(m.archid);
        for (size_t i = 0; i < n; i++)
            assert_string_not_equal(seen[i], seen[n]);
        archai_model_fini(&m);
    }
    assert_int_equal(s->ops->at(s, 7, &m, NULL), 0); /* and back */
    assert_string_equal(m.archid, seen[7]);
    archai_model_fini(&m);
    for (int i = 0; i < 500; i++) { /* nothing else is drawn */
        assert_int_equal(archai_space_random_sample(s, &m, NULL), 0);
        for (n = 0; n < 35 && strcmp(seen[n], m.archid) != 0; n++)
            ;
        assert_true(n < 35);
        archai_model_fini(&m);
    }
    for (n = 0; n < 35; n++)
        free(seen[n]);
    archai_space_destroy(s);
}

/* "x: {choice: [0, 1, 2, ...]}", each number twice; caller frees. */
static char *long_list(int n)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    (void)fprintf(out, "{choice: [");
    for (int i = 0; i < 2 * n; i++)
        (void)fprintf(out, "%s%d%s", i > 0 ? ", " : "", i % n, i < n ? "" : ".0");
    (void)fprintf(out, "]}");
    assert_int_equal(fclose(out), 0);
    return text;
}

static void long_lists_of_choices_are_no_burden(void **state)
{
    char *list = long_list(20000), *text = NULL, path[TMPDIR_PATH_MAX + 16];
    archai_err err = ARCHAI_ERR_INIT;
    archai_space *s;
    archai_model m;

    (void)state;
    assert_true(asprintf(&text, "x: %s\ny: {choice: [a, b]}\n", list) > 0);
    s = open_tree(text, "");
    assert_true(archai_space_cardinality(s) == 40000.0);
    for (uint64_t i = 0; i < 40000; i += 13) {
        assert_int_equal(s->ops->at(s, i, &m, NULL), 0);
        assert_int_equal(json_integer_value(json_object_get(m.arch, "x")), i / 2);
        archai_model_fini(&m);
    }
    archai_space_destroy(s);
    free(text);
    assert_true(asprintf(&text, "l: {repeat: {x: %s}, times: 1000}\n", list) > 0);
    write_tree(text, path, sizeof path);
    assert_int_equal(try_space(&s, path, "", &err), ARCHAI_EINVAL);
    assert_non_null(strstr(err.text, "l._configs.6.x: too many choices"));
    free(text);
    free(list);
}

static void large_spaces_say_so(void **state)
{
    archai_space *product = open_tree(
        "l: {repeat: {x: {choice: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}}, times: 12}\n", "");
    archai_space *endless = open_tree(
        "l: {repeat: {x: {choice: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}}, times: [1, 12]}\n", "");
    archai_err err = ARCHAI_ERR_INIT;
    archai_model m;

    (void)state;
    assert_true(archai_space_cardinality(product) == 1e12);
    assert_int_equal(product->ops->at(product, 123456789012, &m, NULL), 0);
    archai_model_fini(&m);
    assert_true(isinf(archai_space_cardinality(endless)));
    assert_int_equal(endless->ops->at(endless, 0, &m, &err), ARCHAI_ENOTSUP);
    archai_space_destroy(product);
    archai_space_destroy(endless);
}

/* -- networks
 * --------------------------------------------------------------------------------------------------
 */

static void names_of_the_cnn_make_its_network(void **state)
{
    archai_space *s = open_tree(
        "nb_layers: {choice: [1, 2]}\nkernel_size: 3\nhidden_dim: {choice: [8, 16]}\n", "");
    archai_space *t = open_tree("nb_layers: {choice: [1, 2]}\nkernel_size: {choice: [3, 1]}\n"
                                "hidden_dim: {choice: [8, 16]}\nlr: {choice: [0.1, 0.01]}\n",
                                "");
    json_t *forward = load_json_data("forward.json"),
           *small = json_object_get(forward, "cnn_small");
    archai_model m = load(t, "{nb_layers: 2, kernel_size: 3, hidden_dim: 16, lr: 0.1}");
    archai_network net;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    assert_true(archai_space_can(s, "describe"));
    assert_true(archai_space_can(t, "describe"));
    assert_int_equal(archai_space_describe(t, &m, &net, NULL), 0);
    assert_int_equal(archai_module_print(net.root, out), 0);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, json_string_value(json_object_get(small, "repr")));
    assert_int_equal(archai_module_params(net.root),
                     json_integer_value(json_object_get(small, "num_params")));
    free(text);
    archai_network_fini(&net);
    archai_model_fini(&m);
    archai_space_destroy(s);
    archai_space_destroy(t);
    json_decref(forward);
}

static void other_trees_have_no_network(void **state)
{
    archai_space *s = open_tree("x: {choice: [a, b]}\n", "");
    archai_model m = load(s, "{x: b}");
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    assert_false(archai_space_can(s, "describe"));
    assert_int_equal(archai_space_print(s, &m, out, NULL), 0);
    assert_int_equal(fclose(out), 0);
    assert_non_null(strstr(text, "arch={'x': 'b'}"));
    free(text);
    archai_model_fini(&m);
    archai_space_destroy(s);
}

/* -- arch files
 * -------------------------------------------------------------------------------------------------
 */

static void numbers_outside_the_choices_are_accepted(void **state)
{
    archai_space *s =
        open_tree("x: {choice: [1, 2]}\nlr: {choice: [0.1, 1]}\n", "hash_archid = no\n");
    archai_model m, child;

    (void)state;
    assert_archid(s, "{x: 77, lr: 1e-5}", "(77.0, 1e-05)");
    m = load(s, "{x: 2.0, lr: 1.0}"); /* as the tree writes them */
    assert_true(json_is_integer(json_object_get(m.arch, "x")));
    assert_true(json_is_integer(json_object_get(m.arch, "lr")));
    archai_model_fini(&m);
    m = load(s, "{x: 77, lr: 1e-5}");
    for (int i = 0; i < 50; i++) {
        assert_int_equal(archai_space_mutate(s, &m, &child, NULL), 0);
        archai_model_fini(&child);
    }
    archai_model_fini(&m);
    archai_space_destroy(s);
}

static void bad_arch_files_are_refused_with_line_and_key(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"op: conv\nk: x\n", "2: k: is not one of the choices [3, 5]"},
        {"op: pol\n", "1: op: is not one of the choices [\"conv\", \"pool\"]"},
        {"op: conv\n", "1: k: missing"},
        {"op: pool\nkk: 3\n", "2: kk: unknown key; did you mean 'k'?"},
        {"op: pool\nc: 2\n", "2: c: differs from the tree's constant"},
        {"op: pool\nl: 2\n", "2: l: expected a list"},
        {"op: pool\nl: {_repeat_times: 3}\n",
         "2: l._repeat_times: is not one of the choices [0, 1]"},
        {"op: pool\nl: {_repeat_times: 1}\n", "2: l._configs.0.x: missing"},
        {"op: pool\nl: {_repeat_times: 1, _configs: {'5': {x: 1}}}\n", "2: l.5: unknown key"},
        {"op: pool\nl: {times: 1}\n", "2: l.times: unknown key"},
        {"op: conv\nk: [3]\n", "2: k: is not one of"},
        {"op: conv\nk: 1e300\n", "2: k: is not one of"},
        {"[op]\n", "1: tree: expected a mapping"},
    };
    archai_space *s =
        open_tree("op: {choice: [conv, pool]}\nk: {choice: [3, 5], when: {op: conv}}\nc: 1\n"
                  "l: {repeat: {x: {choice: [1, 2]}}, times: [0, 1]}\n",
                  "");

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        archai_err err = ARCHAI_ERR_INIT;
        archai_model m;
        int rc = archai_space_load_arch(s, cases[i].text, strlen(cases[i].text), &m, &err);

        if (archai_rc_exit_status(rc) != 2 || strstr(err.text, cases[i].message) == NULL)
            fail_msg("%d '%s' lacks '%s'", rc, err.text, cases[i].message);
    }
    archai_space_destroy(s);
}

/* -- bad trees
 * ----------------------------------------------------------------------------------------------------
 */

static void bad_trees_are_refused_with_file_and_path(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"[1]\n", "tree: expected a mapping"},
        {"a: 1\n", "tree: there is nothing to choose"},
        {"a: {choice: []}\n", "a.choice: expected a list"},
        {"a: {choice: 3}\n", "a.choice: expected a list"},
        {"a: {choice: [1, {b: 2}]}\n", "a.choice: expected strings"},
        {"a: {choice: [1, 1e300]}\n", "a.choice: expected strings"},
        {"{\"a\": {\"choice\": [NaN, 1]}}\n", "tree.yaml:1: "},
        {"a: {choice: [1, 2], weight: [1, 1]}\n",
         "a.weight: unknown key; did you mean 'weights'?"},
        {"a: {choice: [1, 2], weights: [1]}\n", "a.weights: expected a list of as many"},
        {"a: {choice: [1, 2], weights: [0, 0]}\n", "a.weights: expected a positive sum"},
        {"a: {choice: [1, 2], weights: [1, -1]}\n", "a.weights: expected numbers"},
        {"a: {choice: [x], encode: numeric}\n", "a.encode: the choices are not all numbers"},
        {"a: {choice: [1], encode: 7}\n", "a.encode: expected auto"},
        {"a: {choice: [1], id: 3}\n", "a.id: expected a text"},
        {"a: {id: S}\n", "a.id: no earlier parameter"},
        {"a: {choice: [1], id: S}\nb: {choice: [2], id: S}\n", "b.choice: differs"},
        {"g: {a.b: {choice: [1]}}\n", "g.a.b: a name must not be empty or contain a dot"},
        {"_configs: {choice: [1]}\n", "_configs: this name is reserved"},
        {"l: {repeat: 3, times: 1}\n", "l.repeat: expected a group"},
        {"l: {repeat: {a: {choice: [1]}}}\n", "l.times: expected a number"},
        {"l: {repeat: {a: {choice: [1]}}, times: [1, -1]}\n",
         "l.times: expected whole numbers"},
        {"l: {repeat: {a: {choice: [1]}}, times: 1, share: yes}\n", "l.share: unknown key"},
        {"l: {repeat: {a: {choice: [1]}}, times: 1, share_arch: 3}\n",
         "l.share_arch: expected true"},
        {"l: {repeat: {m: {repeat: {n: {repeat: {a: {choice: [1]}}, times: 100}}, times: "
         "100}}, times: 100}\n",
         "too many parameters"},
        {"l: {repeat: {m: {repeat: {a: 1}, times: 1000}}, times: 1000}\n", "too many members"},
        {"a: {choice: [1], when: b}\n", "a.when: expected names and values"},
        {"a: {choice: [1], when: {b: 1}}\n", "a.when.b: there is no such parameter"},
        {"a: {choice: [1], when: {b: 3}}\nb: {choice: [1, 2]}\n",
         "a.when.b: the parameter has no such choice"},
        {"a: {choice: [1], when: {b: 1}}\nb: {choice: [1], when: {a: 1}}\n",
         "a: whether it exists depends on itself"},
        {"a: {choice: [1], when: {a: 1}}\n", "a: whether it exists depends on itself"},
        {"a: {choice: [1]}\nwhen: {a: 1}\n", "when: the tree itself cannot have a condition"},
        {"a: {choice: [1]\n", "t"},
    };
    char path[TMPDIR_PATH_MAX + 16];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        archai_err err = ARCHAI_ERR_INIT;
        archai_space *s = NULL;
        int rc;

        write_tree(cases[i].text, path, sizeof path);
        rc = try_space(&s, path, "", &err);
        if (archai_rc_exit_status(rc) != 2 || strstr(err.text, cases[i].message) == NULL)
            fail_msg("%d '%s' lacks '%s'", rc, err.text, cases[i].message);
        assert_memory_equal(err.text, "t.ini:3: space.tree: /", 22);
        assert_non_null(strstr(err.text, "tree.yaml:"));
    }
}

/* The resolved configuration holds the tree's sha1: comments may change, the declaration may
 * not. */
static void a_changed_tree_is_noticed(void **state)
{
    archai_space *s = open_tree("a: {choice: [1, 2]}\n", "");
    char *sha1 = archai_option_format(&s->ops->options[1], s), keys[128],
         path[TMPDIR_PATH_MAX + 16];
    archai_err err = ARCHAI_ERR_INIT;

    (void)state;
    assert_string_equal(s->ops->options[1].key, "tree_sha1");
    assert_int_equal(strlen(sha1), 40);
    (void)snprintf(keys, sizeof keys, "tree_sha1 = %s\n", sha1);
    archai_space_destroy(s);
    s = open_tree("# a comment\na:\n  choice: [1, 2]\n", keys);
    archai_space_destroy(s);
    s = NULL;
    write_tree("a: {choice: [1, 3]}\n", path, sizeof path);
    assert_int_equal(try_space(&s, path, keys, &err), ARCHAI_EINVAL);
    assert_non_null(strstr(err.text, "tree.yaml: has changed: its sha1 is "));
    free(sha1);
}

static void a_missing_tree_is_named(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_space *s = NULL;

    (void)state;
    assert_int_equal(try_space(&s, "/nowhere/tree.json", "", &err), ARCHAI_ENOTFOUND);
    assert_string_equal(err.text,
                        "t.ini:3: space.tree: /nowhere/tree.json: No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_stream_is_that_of_archai),
        cmocka_unit_test(the_published_archid_is_reproduced),
        cmocka_unit_test(what_does_not_exist_takes_no_part),
        cmocka_unit_test(everything_counts_where_usage_is_not_tracked),
        cmocka_unit_test(a_shared_parameter_exists_in_any_of_its_places),
        cmocka_unit_test(lists_share_as_they_say),
        cmocka_unit_test(conditions_look_outwards_and_into_groups),
        cmocka_unit_test(weights_weigh_samples_only),
        cmocka_unit_test(architectures_are_counted_exactly),
        cmocka_unit_test(long_lists_of_choices_are_no_burden),
        cmocka_unit_test(large_spaces_say_so),
        cmocka_unit_test(names_of_the_cnn_make_its_network),
        cmocka_unit_test(other_trees_have_no_network),
        cmocka_unit_test(numbers_outside_the_choices_are_accepted),
        cmocka_unit_test(bad_arch_files_are_refused_with_line_and_key),
        cmocka_unit_test(bad_trees_are_refused_with_file_and_path),
        cmocka_unit_test(a_changed_tree_is_noticed),
        cmocka_unit_test(a_missing_tree_is_named),
    };

    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
