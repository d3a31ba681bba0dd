/* Architectures of other results: an algorithm that trains them once more, and a search that begins with them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/alloc.h"
#include "small_search.h"
#include "tmpdir.h"

static const struct {
    const char *archid, *arch;
} known[] = {
    {"L=2, K=3, H=16", "{\"nb_layers\": 2, \"kernel_size\": 3, \"hidden_dim\": 16}"},
    {"L=12, K=7, H=128", "{\"nb_layers\": 12, \"kernel_size\": 7, \"hidden_dim\": 128}"}, /* too large */
    {"L=1, K=1, H=16", "{\"nb_layers\": 1, \"kernel_size\": 1, \"hidden_dim\": 16}"},
};
enum { KNOWN = sizeof known / sizeof known[0] };

struct asked {
    char path[256], models[256];
    bool fresh;
    const char *archid; /* instead of the first one's; NULL: as it is */
    const char *arch;   /* likewise */
    size_t many;        /* models of the whole space instead */
};

/* Model i of all 192 of the space, the largest first. Caller frees. */
static char *arch_of(size_t i)
{
    return archai_printf("{\"nb_layers\": %zu, \"kernel_size\": %zu, \"hidden_dim\": %d}", (191 - i) / 16 + 1,
                         (191 - i) / 4 % 4 * 2 + 1, 16 << (191 - i) % 4);
}

static char *archid_of(size_t i)
{
    return archai_printf("L=%zu, K=%zu, H=%d", (191 - i) / 16 + 1, (191 - i) / 4 % 4 * 2 + 1,
                         16 << (191 - i) % 4);
}

static int give(void *payload, archai_given **out, size_t *n, bool weights)
{
    const struct asked *a = payload;

    if (a->many > 0) {
        *n = a->many;
        *out = archai_calloc(*n, sizeof **out);
        for (size_t i = 0; i < *n; i++)
            (*out)[i] = (archai_given){.archid = archid_of(i), .arch = arch_of(i), .begin_at = -(int64_t)i - 1};
        return ARCHAI_OK;
    }
    *n = KNOWN;
    *out = archai_calloc(*n, sizeof **out);
    for (size_t i = 0; i < KNOWN; i++)
        (*out)[i] = (archai_given){
            .archid = archai_strdup(i == 0 && a->archid != NULL ? a->archid : known[i].archid),
            .arch = archai_strdup(i == 0 && a->arch != NULL ? a->arch : known[i].arch),
            .metadata = archai_strdup("{\"parent\": \"someone\"}"),
            .begin_at = weights ? -(int64_t)i - 1 : 0,
        };
    return ARCHAI_OK;
}

static int front(void *payload, const char *path, archai_given **out, size_t *n, archai_err *err)
{
    struct asked *a = payload;

    (void)err;
    (void)snprintf(a->path, sizeof a->path, "%s", path);
    return give(payload, out, n, false);
}

static int chosen(void *payload, const char *path, const archai_strings *models, bool fresh, archai_given **out,
                  size_t *n, archai_err *err)
{
    struct asked *a = payload;

    (void)err;
    (void)snprintf(a->path, sizeof a->path, "%s", path);
    a->models[0] = '\0';
    for (size_t i = 0; i < models->n; i++)
        (void)snprintf(a->models + strlen(a->models), sizeof a->models - strlen(a->models), "%s[%s]",
                       i > 0 ? " " : "", models->at[i]);
    a->fresh = fresh;
    return give(payload, out, n, !fresh);
}

/* A world in which results can be read. */
static int open_with(struct world *w, const char *algorithm, const char *more, struct asked *a, archai_giver *giver,
                     archai_err *err)
{
    char text[4096];
    archai_search_settings settings = {.algorithm = algorithm, .seed = 3, .giver = giver};

    *giver = (archai_giver){.payload = a, .front = front, .chosen = chosen};
    (void)snprintf(text, sizeof text, "%s", constrained(algorithm, ARCHAI_ASYNC, more, "constraint = 0 200000\n"));
    world_open(w, constrained("random_search", ARCHAI_ASYNC, "", "constraint = 0 200000\n"));
    archai_search_fini(&w->search);
    archai_ini_free(&w->ini);
    assert_int_equal(archai_ini_parse(&w->ini, "t.ini", text, strlen(text), err), ARCHAI_OK);
    return archai_search_init(&w->search, w->space, &w->objectives, &settings, &w->ini, err);
}

static void chosen_models_are_trained_once_each(void **state)
{
    (void)state;
    for (int fresh = 0; fresh < 2; fresh++) {
        struct log log = {.rows = NULL};
        struct asked a = {.fresh = false};
        archai_giver giver;
        archai_trial c = {.id = -1};
        struct world w;

        assert_int_equal(open_with(&w, "retrain",
                                   fresh ? "from = there\nmodels = top \"a, b\" 3\nfresh = yes\n" : "from = there\n", &a,
                                   &giver, NULL),
                         ARCHAI_OK);
        assert_string_equal(a.path, "there");
        assert_string_equal(a.models, fresh ? "[top] [a, b] [3]" : "[pareto]");
        assert_int_equal(a.fresh, fresh);
        ask_one(&w, &c);
        assert_string_equal(c.model.archid, known[0].archid);
        assert_string_equal(c.operator_, "retrain");
        assert_string_equal(c.metadata, "{\"parent\": \"someone\"}");
        assert_true(c.begin_at == (fresh ? 0 : -1));
        assert_int_equal(archai_search_requeue(&w.search, c.id, NULL), ARCHAI_OK);
        archai_trial_fini(&c);
        drive(&w, accuracy, NULL, 2, 5, SIZE_MAX, &log);
        assert_string_equal(w.search.done, "all 3 chosen models were trained");
        assert_int_equal(log.n, 3);
        for (size_t i = 0; i < 3; i++)
            assert_string_equal(log.rows[i].archid, known[i].archid);
        assert_int_equal(log.rows[1].status, ARCHAI_STATUS_INFEASIBLE); /* given, so it is a row */
        log_free(&log);
        world_close(&w);
    }
}

/* A later start has the rows of the earlier one, more of them than an algorithm may propose in vain, and goes on
 * behind them. */
static void what_is_trained_is_not_trained_again(void **state)
{
    enum { ROWS = 150 };
    struct asked a = {.many = ROWS + 1};
    archai_trial c = {.id = -1};
    archai_giver giver;
    struct world w;
    char *next = archid_of(ROWS);

    (void)state;
    assert_int_equal(open_with(&w, "retrain", "from = there\n", &a, &giver, NULL), ARCHAI_OK);
    for (size_t i = 0; i < ROWS; i++) {
        archai_trial row = {.id = (int64_t)i, .status = ARCHAI_STATUS_OK, .budget = 1};

        row.model.archid = archid_of(i);
        row.arch = arch_of(i);
        archai_trial_set_measure(&row, "accuracy", 0.5);
        archai_trial_set_measure(&row, "params", 7);
        assert_int_equal(archai_search_restore(&w.search, &row, NULL), ARCHAI_OK);
        archai_trial_fini(&row);
    }
    ask_one(&w, &c);
    assert_string_equal(c.model.archid, next);
    assert_string_equal(c.operator_, "retrain");
    assert_true(c.begin_at == -(int64_t)ROWS - 1);
    archai_trial_fini(&c);
    free(next);
    world_close(&w);
}

static void what_is_no_model_here_is_refused(void **state)
{
    static const struct {
        const char *more, *archid, *arch, *message;
    } cases[] = {
        {"", NULL, NULL, "t.ini:1: search.from: missing, algorithm retrain needs the results whose models are trained"},
        {"from = there\n", "L=9, K=9, H=9", NULL,
         "t.ini:5: search.from: there: 'L=9, K=9, H=9' is 'L=2, K=3, H=16' in this space, expected [space] as it was "
         "there"},
        {"from = there\n", NULL, "{\"depth\": 3}", "t.ini:5: search.from: there: 'L=2, K=3, H=16' is no model of this space: "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct asked a = {.archid = cases[i].archid, .arch = cases[i].arch};
        archai_err err = ARCHAI_ERR_INIT;
        archai_giver giver;
        struct world w;

        assert_int_not_equal(open_with(&w, "retrain", cases[i].more, &a, &giver, &err), ARCHAI_OK);
        if (strncmp(err.text, cases[i].message, strlen(cases[i].message)) != 0)
            fail_msg("%s", err.text);
        world_close(&w);
    }
}

static void write_file(const char *folder, const char *name, const char *text)
{
    char *path = archai_printf("%s/%s", folder, name);
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    free(path);
}

static void make_folder(const char *in, const char *name)
{
    char *path = archai_printf("%s/%s", in, name);

    assert_int_equal(mkdir(path, 0700), 0);
    free(path);
}

/* Files with any name, folders in order of name, results: in the order in which they stand. */
static void a_search_begins_with_files_folders_and_results(void **state)
{
    static const char *const expected[] = {"L=1, K=1, H=16", "L=3, K=3, H=16", "L=4, K=3, H=16", "L=2, K=3, H=16"};
    char dir[TMPDIR_PATH_MAX], *more, *folder;
    struct log log = {.rows = NULL};
    archai_err err = ARCHAI_ERR_INIT;
    struct asked a = {.fresh = false};
    archai_giver giver;
    struct world w;

    (void)state;
    assert_int_equal(tmpdir_create(dir), 0);
    write_file(dir, "a \"b\", c", known[2].arch);
    folder = archai_printf("%s/folder", dir);
    make_folder(dir, "folder");
    make_folder(dir, "results");
    make_folder(dir, "empty");
    write_file(folder, "1.json", "{\"nb_layers\": 4, \"kernel_size\": 3, \"hidden_dim\": 16}");
    write_file(folder, "0", "{\"nb_layers\": 3, \"kernel_size\": 3, \"hidden_dim\": 16}");
    write_file(folder, "0.pt", "weights");
    write_file(folder, ".hidden", "nothing");
    write_file(dir, "results/results.h5", "");
    more = archai_printf("initial_population_paths = \"%s/a \\\"b\\\", c\" %s %s/results\n", dir, folder, dir);
    assert_int_equal(open_with(&w, "evolution_pareto", more, &a, &giver, &err), ARCHAI_OK);
    assert_non_null(strstr(a.path, "/results"));
    drive(&w, accuracy, NULL, 1, 0, 4, &log);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(log.rows[i].archid, expected[i]);
        assert_string_equal(log.rows[i].operator_, "initial");
    }
    log_free(&log);
    world_close(&w);
    free(more);
    more = archai_printf("initial_population_paths = %s/empty\n", dir);
    assert_int_equal(open_with(&w, "evolution_pareto", more, &a, &giver, &err), ARCHAI_EINVAL);
    assert_non_null(strstr(err.text, "/empty: a folder without arch files"));
    world_close(&w);
    free(more);
    free(folder);
    assert_int_equal(tmpdir_remove(dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chosen_models_are_trained_once_each),
        cmocka_unit_test(what_is_trained_is_not_trained_again),
        cmocka_unit_test(what_is_no_model_here_is_refused),
        cmocka_unit_test(a_search_begins_with_files_folders_and_results),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
