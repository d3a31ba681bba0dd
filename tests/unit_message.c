/* The codec against bytes written by hand from the msgpack specification, and against damage.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/wire/message.h"

static char *copy(const char *s)
{
    char *c = strdup(s);

    assert_non_null(c);
    return c;
}

static void fill_evaluation(archai_trial *e)
{
    *e = (archai_trial){
        .id = 41,
        .model.archid = copy("L=3, K=1, H=64"),
        .arch = copy("{\"nb_layers\": 3}"),
        .status = ARCHAI_STATUS_FAILED,
        .error = copy("killed by signal 9 \xc3\xbc"),
        .operator_ = copy("mutation"),
        .parents = copy("[\"L=1, K=1, H=8\"]"),
        .metadata = copy("{}"),
        .device = copy("cpu"),
        .generation = 7,
        .rank = 3,
        .budget = 2.5,
        .started = 1.7e9 + 0.125,
        .seconds = 0.1,
    };
    e->encoding = malloc(3 * sizeof(float));
    e->n_encoding = 3;
    memcpy(e->encoding, (const float[]){3, 1, 64}, 3 * sizeof(float));
    archai_trial_set_measure(e, "val_accuracy", NAN);
    archai_trial_set_measure(e, "params", 18378);
    e->curves = calloc(1, sizeof *e->curves);
    e->n_curves = 1;
    e->curves[0].name = copy("val_loss");
    e->curves[0].values = malloc(2 * sizeof(float));
    e->curves[0].values[0] = 2.25f;
    e->curves[0].values[1] = INFINITY;
    e->curves[0].n = 2;
    e->tensors = calloc(2, sizeof *e->tensors);
    e->n_tensors = 2;
    e->tensors[0].name = copy("model.0.weight");
    e->tensors[0].dtype = ARCHAI_F32;
    e->tensors[0].ndim = 4;
    memcpy(e->tensors[0].shape, (const int64_t[]){64, 1, 3, 3}, 4 * sizeof(int64_t));
    e->tensors[0].offset = INT64_C(1) << 40;
    e->tensors[0].crc = 0xdeadbeef;
    e->tensors[1].name = copy("model.1.num_batches_tracked");
    e->tensors[1].dtype = ARCHAI_I64;
}

static void assert_evaluation(const archai_trial *e)
{
    assert_int_equal(e->id, 41);
    assert_string_equal(e->model.archid, "L=3, K=1, H=64");
    assert_string_equal(e->arch, "{\"nb_layers\": 3}");
    assert_int_equal(e->status, ARCHAI_STATUS_FAILED);
    assert_string_equal(e->error, "killed by signal 9 \xc3\xbc");
    assert_string_equal(e->operator_, "mutation");
    assert_string_equal(e->parents, "[\"L=1, K=1, H=8\"]");
    assert_string_equal(e->metadata, "{}");
    assert_string_equal(e->device, "cpu");
    assert_int_equal(e->generation, 7);
    assert_int_equal(e->rank, 3);
    assert_true(e->budget == 2.5 && e->started == 1.7e9 + 0.125 && e->seconds == 0.1);
    assert_int_equal(e->n_encoding, 3);
    assert_true(e->encoding[0] == 3 && e->encoding[1] == 1 && e->encoding[2] == 64);
    assert_int_equal(e->n_measures, 2);
    assert_string_equal(e->measures[0].name, "val_accuracy");
    assert_true(isnan(e->measures[0].value));
    assert_true(e->measures[1].value == 18378);
    assert_int_equal(e->n_curves, 1);
    assert_string_equal(e->curves[0].name, "val_loss");
    assert_int_equal(e->curves[0].n, 2);
    assert_true(e->curves[0].values[0] == 2.25f && isinf(e->curves[0].values[1]));
    assert_int_equal(e->n_tensors, 2);
    assert_string_equal(e->tensors[0].name, "model.0.weight");
    assert_int_equal(e->tensors[0].ndim, 4);
    assert_int_equal(e->tensors[0].shape[0], 64);
    assert_int_equal(e->tensors[0].shape[3], 3);
    assert_int_equal(e->tensors[0].offset, INT64_C(1) << 40);
    assert_int_equal(e->tensors[0].crc, 0xdeadbeef);
    assert_int_equal(e->tensors[1].dtype, ARCHAI_I64);
    assert_int_equal(e->tensors[1].ndim, 0);
}

static void an_evaluation_survives_the_way(void **state)
{
    archai_trial e, back = {0};
    archai_buffer b = {0};
    archai_err err = ARCHAI_ERR_INIT;

    (void)state;
    fill_evaluation(&e);
    assert_int_equal(archai_trial_pack(&e, &b, &err), ARCHAI_OK);
    assert_int_equal(archai_trial_unpack(b.data, b.size, &back, &err), ARCHAI_OK);
    assert_evaluation(&back);
    archai_trial_fini(&back);
    archai_trial_fini(&e);
    archai_buffer_free(&b);
}

/* Every field that a type may carry is set: what it does not carry must stay behind. */
static void every_message_type_survives_the_way(void **state)
{
    (void)state;
    for (int t = 0; t < ARCHAI_MSG_COUNT; t++) {
        archai_trial e;
        archai_trial c = {
            .id = 5,
            .model = {.archid = (char *)"a"},
            .metadata = (char *)"{\"k\": 1}",
            .arch = (char *)"{}",
            .operator_ = (char *)"crossover",
            .parents = (char *)"[]",
            .generation = 2,
            .budget = 1,
            .seed = UINT64_MAX,
            .begin_at = INT64_C(0x100020003),
            .max_budget = 27,
            .keep = true,
        };
        float numbers[] = {1, -2, NAN, 4};
        archai_surrogate_job job = {
            .id = 9,
            .settings = {"dnn_ensemble", 5, 4, 64, 500, 1e-3, -1},
            .seed = UINT64_MAX,
            .warm = true,
            .kinds = (char *)"cn",
            .n_features = 2,
            .n_targets = 1,
            .held = 7,
            .x = numbers,
            .n_x = 4,
            .y = numbers,
            .n_y = 2,
            .queries = numbers,
            .n_queries = 2,
        };
        archai_surrogate_answer answer = {9, numbers, numbers, 1, 2};
        archai_message m = {
            .type = (archai_message_type)t,
            .id = -1,
            .text = (char *)"text",
            .device = (char *)"cuda:0",
            .code = ARCHAI_ETORCH,
            .epoch = 1,
            .epochs = 3,
            .threads = 2,
            .seconds = 0.5,
            .keep = true,
            .at_once = true,
            .data = {1, 28, 28, 10},
            .segment = (char *)"segment-0-0.h5",
            .stored = INT64_C(0x100020003),
            .row = 4096,
            .n_rows = 64,
            .text_offset = 1 << 20,
            .text_bytes = 1 << 16,
            .candidates = &c,
            .n_candidates = 1,
            .evaluation = &e,
            .reports = &e,
            .n_reports = 1,
            .shape = {1, 2, 3},
            .ndim = 3,
            .job = &job,
            .answer = &answer,
            .state = (char *)"interrupted",
            .rejected = 7,
            .ranks = 3,
            .directory = (char *)"caf\xe9",
            .space = (char *)"cnn",
            .software = (char *)"software",
            .started = (char *)"2023-11-14T22:13:20Z",
            .data_set = (char *)"{}",
            .is_resume = true,
        };
        archai_message back = {0};
        archai_buffer b = {0};
        archai_err err = ARCHAI_ERR_INIT;

        fill_evaluation(&e);
        assert_int_equal(archai_message_pack(&m, &b, &err), ARCHAI_OK);
        assert_int_equal(archai_message_unpack(b.data, b.size, &back, &err), ARCHAI_OK);
        assert_int_equal(back.type, t);
        if (t == ARCHAI_MSG_WORK) {
            assert_int_equal(back.n_candidates, 1);
            assert_string_equal(back.candidates[0].operator_, "crossover");
            assert_string_equal(back.candidates[0].model.archid, "a");
            assert_string_equal(back.candidates[0].metadata, "{\"k\": 1}");
            assert_null(back.candidates[0].model.arch);
            assert_true(back.candidates[0].seed == UINT64_MAX);
            assert_true(back.candidates[0].begin_at == INT64_C(0x100020003));
            assert_true(back.candidates[0].max_budget == 27 && back.candidates[0].keep);
        }
        if (t == ARCHAI_MSG_ROW) {
            assert_true(back.stored == INT64_C(0x100020003));
            assert_evaluation(back.evaluation);
        } else if (t == ARCHAI_MSG_DONE || t == ARCHAI_MSG_OFFER || t == ARCHAI_MSG_VERDICT) {
            const archai_trial *got =
                t == ARCHAI_MSG_DONE ? &back.reports[0] : back.evaluation;

            assert_true(got->id == e.id && got->status == e.status && got->seconds == e.seconds);
            assert_string_equal(got->error, e.error);
            assert_int_equal(got->n_measures, e.n_measures);
            assert_true(got->measures[1].value == e.measures[1].value);
            assert_int_equal(got->n_tensors, t == ARCHAI_MSG_DONE ? 0 : e.n_tensors);
            assert_null(got->arch); /* who gets it has what does not change */
            assert_null(got->parents);
        } else if (t == ARCHAI_MSG_FIT) {
            const archai_surrogate_job *j = back.job;

            assert_memory_equal(&j->settings, &job.settings, sizeof job.settings);
            assert_true(j->id == 9 && j->seed == UINT64_MAX && j->warm && j->held == 7);
            assert_string_equal(j->kinds, "cn");
            assert_true(j->n_features == 2 && j->n_targets == 1);
            assert_true(j->n_x == 4 && j->n_y == 2 && j->n_queries == 2);
            assert_true(j->x[1] == -2 && isnan(j->x[2]) && j->y[1] == -2 && j->queries[0] == 1);
        } else if (t == ARCHAI_MSG_FITTED) {
            assert_true(back.answer->id == 9 && back.answer->n_mean == 1 && back.answer->n_var == 2);
            assert_true(back.answer->mean[0] == 1 && back.answer->var[1] == -2);
        } else if (t == ARCHAI_MSG_GRANT) {
            assert_string_equal(back.segment, "segment-0-0.h5");
            assert_int_equal(back.row, 4096);
            assert_int_equal(back.text_offset, 1 << 20);
            assert_null(back.evaluation);
        } else if (t == ARCHAI_MSG_OPEN) {
            assert_int_equal(back.data.num_classes, 10);
            assert_int_equal(back.threads, 2);
        } else if (t == ARCHAI_MSG_PREDICTED) {
            assert_int_equal(back.ndim, 3);
            assert_int_equal(back.shape[2], 3);
            assert_null(back.text);
        } else if (t == ARCHAI_MSG_INDEX) {
            assert_string_equal(back.text, "text");
            assert_string_equal(back.directory, "caf\xe9"); /* bytes: it need not be UTF-8 */
            assert_string_equal(back.space, "cnn");
            assert_string_equal(back.software, "software");
            assert_string_equal(back.started, "2023-11-14T22:13:20Z");
            assert_string_equal(back.data_set, "{}");
            assert_true(back.ranks == 3 && back.is_resume);
        } else if (t == ARCHAI_MSG_REFRESH) {
            assert_string_equal(back.state, "interrupted");
            assert_int_equal(back.rejected, 7);
            assert_null(back.directory);
        } else if (t == ARCHAI_MSG_INDEXED) {
            assert_int_equal(back.n_rows, 64);
            assert_true(back.seconds == 0.5);
        }
        archai_message_fini(&back);
        archai_trial_fini(&e);
        archai_buffer_free(&b);
    }
}

/* Bytes from the msgpack specification, not from this codec. */
#define STR(s) s, sizeof(s) - 1
static const struct {
    const char *what, *bytes;
    size_t size;
    int rc;
    const char *error; /* part of the text */
} cases[] = {
    {"returned", STR("\x83\xa1t\xa8returned\xa1v\x01\xa2id\x2a"), ARCHAI_OK, ""},
    {"unknown keys are skipped",
     STR("\x84\xa1t\xa8returned\xa1v\x01\xa2id\x2a\xa3new\x92\x01\xc0"), ARCHAI_OK, ""},
    {"any order", STR("\x83\xa2id\xcd\x00\x2a\xa1v\x01\xa1t\xa8returned"), ARCHAI_OK, ""},
    {"missing", STR("\x82\xa1t\xa8returned\xa1v\x01"), ARCHAI_EFORMAT, "'id' is missing"},
    {"mistyped", STR("\x83\xa1t\xa8returned\xa1v\x01\xa2id\xa1x"), ARCHAI_EFORMAT,
     "'id' is not a 64-bit integer"},
    {"too large",
     STR("\x83\xa1t\xa8returned\xa1v\x01\xa2id\xcf\xff\xff\xff\xff\xff\xff\xff\xff"),
     ARCHAI_EFORMAT, "'id' is not a 64-bit integer"},
    {"twice", STR("\x84\xa1t\xa8returned\xa1v\x01\xa2id\x2a\xa2id\x2b"), ARCHAI_EFORMAT,
     "'id' is given twice"},
    {"version", STR("\x83\xa1t\xa8returned\xa1v\x02\xa2id\x2a"), ARCHAI_EFORMAT, "version 2"},
    {"type", STR("\x82\xa1t\xa5other\xa1v\x01"), ARCHAI_EFORMAT, "unknown type 'other'"},
    {"no type", STR("\x81\xa1v\x01"), ARCHAI_EFORMAT, "'t' is missing"},
    {"not a map", STR("\x93\x01\x02\x03"), ARCHAI_EFORMAT, "not a map"},
    {"rest", STR("\x83\xa1t\xa8returned\xa1v\x01\xa2id\x2a\xc0"), ARCHAI_EFORMAT, "complete"},
    {"empty", "", 0, ARCHAI_EFORMAT, "complete"},
    {"map of 4 thousand million", STR("\xdf\xff\xff\xff\xff"), ARCHAI_EFORMAT, "complete"},
    {"list of 4 thousand million", STR("\x81\xa1t\xdd\xff\xff\xff\xff"), ARCHAI_EFORMAT,
     "complete"},
    {"text of 4 GiB", STR("\x81\xa1t\xdb\xff\xff\xff\xff"), ARCHAI_EFORMAT, "complete"},
    {"reserved tag", STR("\xc1"), ARCHAI_EFORMAT, "not a msgpack object"},
    {"NUL in a text",
     STR("\x83\xa1t\xa7retired\xa1v\x01\xa4text\xa3"
         "a\0b"),
     ARCHAI_EFORMAT, "'text' is not a text"},
    {"nine dimensions",
     STR("\x83\xa1t\xa9predicted\xa1v\x01\xa5shape\x99\x01\x01\x01\x01\x01\x01\x01\x01\x01"),
     ARCHAI_EFORMAT, "'shape'"},
    {"nil evaluation",
     STR("\x84\xa1t\xa3"
         "row\xa1v\x01\xa6stored\x00\xaa"
         "evaluation\xc0"),
     ARCHAI_EFORMAT, "row: the evaluation is nil"},
    {"nil reports",
     STR("\x83\xa1t\xa4"
         "done\xa1v\x01\xa7"
         "reports\xc0"),
     ARCHAI_EFORMAT, "'reports' is not a list"},
    {"an evaluation and an offer",
     STR("\x85\xa1t\xa5"
         "offer\xa1v\x01\xaatext_bytes\x00\xa5"
         "offer\x82\xa2id\x01\xa6status\xa2ok\xaa"
         "evaluation\x80"),
     ARCHAI_EFORMAT, "'evaluation' is given twice"},
    {"a report without its status",
     STR("\x83\xa1t\xa4"
         "done\xa1v\x01\xa7"
         "reports\x91\x82\xa2id\x01\xa7seconds\x00"),
     ARCHAI_EFORMAT, "report: 'status' is missing"},
    {"a candidate that is a number",
     STR("\x83\xa1t\xa4work\xa1v\x01\xaa"
         "candidates\x91\x01"),
     ARCHAI_EFORMAT, "candidate: not a map"},
    {"a run without its directory", STR("\x83\xa1t\xa5index\xa1v\x01\xa4text\xa0"), ARCHAI_EFORMAT,
     "'ranks' is missing"},
    {"a state that is a number", STR("\x84\xa1t\xa7refresh\xa1v\x01\xa5state\x01\xa8rejected\x00"),
     ARCHAI_EFORMAT, "'state' is not a text"},
    {"a state that there is not",
     STR("\x84\xa1t\xa7refresh\xa1v\x01\xa5state\xa8sometime\xa8rejected\x00"), ARCHAI_EFORMAT,
     "there is no state 'sometime'"},
    {"a count that is a text",
     STR("\x84\xa1t\xa7refresh\xa1v\x01\xa5state\xa7running\xa8rejected\xa1"
         "0"),
     ARCHAI_EFORMAT, "'rejected' is not a 64-bit integer"},
    {"less than nothing rejected",
     STR("\x84\xa1t\xa7refresh\xa1v\x01\xa5state\xa7running\xa8rejected\xff"), ARCHAI_EFORMAT,
     "negative"},
    {"rows that are a fraction",
     STR("\x84\xa1t\xa7indexed\xa1v\x01\xa6n_rows\xca\x3f\xc0\x00\x00\xa7seconds\x00"),
     ARCHAI_EFORMAT, "'n_rows' is not a 64-bit integer"},
    {"a failure whose code is a text",
     STR("\x85\xa1t\xa6"
         "failed\xa1v\x01\xa2id\xff\xa4"
         "code\xa1x\xa4text\xa0"),
     ARCHAI_EFORMAT, "'code' is not a 32-bit integer"},
};

static void foreign_bytes_are_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        archai_message m = {0};
        archai_err err = ARCHAI_ERR_INIT;
        /* a heap copy, so that a read past the end is seen by AddressSanitizer */
        char *bytes = malloc(cases[i].size + 1);
        int rc;

        assert_non_null(bytes);
        memcpy(bytes, cases[i].bytes, cases[i].size);
        bytes = realloc(bytes, cases[i].size > 0 ? cases[i].size : 1);
        rc = archai_message_unpack(bytes, cases[i].size, &m, &err);
        if (rc != cases[i].rc || strstr(err.text, cases[i].error) == NULL)
            fail_msg("%s: code %d, '%s'", cases[i].what, rc, err.text);
        if (rc == ARCHAI_OK)
            assert_int_equal(m.id, 42);
        archai_message_fini(&m);
        free(bytes);
    }
}

static void deep_nesting_is_refused(void **state)
{
    char bytes[4096];
    archai_message m = {0};

    (void)state;
    memset(bytes, 0x91, sizeof bytes); /* lists in lists */
    bytes[sizeof bytes - 1] = 0x01;
    assert_int_equal(archai_message_unpack(bytes, sizeof bytes, &m, NULL), ARCHAI_EFORMAT);
}

/* What is zero or empty is left out, and is zero or empty when it comes. */
static void what_is_empty_does_not_travel(void **state)
{
    archai_trial c = {.id = 5,
                          .model = {.archid = (char *)"a"},
                          .metadata = (char *)"",
                          .arch = (char *)"{}",
                          .operator_ = (char *)"random",
                          .parents = (char *)"",
                          .budget = 1,
                          .seed = 7};
    archai_message m = {.type = ARCHAI_MSG_WORK, .candidates = &c, .n_candidates = 1}, back = {0};
    archai_buffer b = {0};
    const archai_trial *got;

    (void)state;
    assert_int_equal(archai_message_pack(&m, &b, NULL), ARCHAI_OK);
    assert_null(memmem(b.data, b.size, "metadata", 8));
    assert_null(memmem(b.data, b.size, "begin_at", 8));
    assert_null(memmem(b.data, b.size, "encoding", 8));
    assert_non_null(memmem(b.data, b.size, "budget", 6));
    assert_int_equal(archai_message_unpack(b.data, b.size, &back, NULL), ARCHAI_OK);
    got = &back.candidates[0];
    assert_string_equal(got->parents, "");
    assert_string_equal(got->metadata, "");
    assert_true(got->generation == 0 && got->begin_at == 0 && got->max_budget == 0 && !got->keep);
    assert_true(got->n_measures == 0 && got->n_encoding == 0 && got->encoding == NULL);
    archai_message_fini(&back);
    archai_buffer_free(&b);
}

/* Cut and flipped bytes: no crash, no leak (the sanitizers judge), and never a half-filled
 * output. */
static void damage_is_survived(void **state)
{
    archai_trial e;
    archai_message m = {.type = ARCHAI_MSG_ROW, .evaluation = &e};
    archai_buffer b = {0};

    (void)state;
    fill_evaluation(&e);
    assert_int_equal(archai_message_pack(&m, &b, NULL), ARCHAI_OK);
    for (size_t n = 0; n < b.size; n++) {
        archai_message back = {0};

        assert_int_equal(archai_message_unpack(b.data, n, &back, NULL), ARCHAI_EFORMAT);
        assert_null(back.evaluation);
    }
    for (size_t i = 0; i < b.size; i++) {
        const char kept = b.data[i];

        for (unsigned bit = 0; bit < 8; bit++) {
            archai_message back = {0};

            b.data[i] = (char)(kept ^ (1 << bit));
            if (archai_message_unpack(b.data, b.size, &back, NULL) == ARCHAI_OK)
                archai_message_fini(&back);
        }
        b.data[i] = kept;
    }
    archai_trial_fini(&e);
    archai_buffer_free(&b);
}

static void packing_appends(void **state)
{
    archai_message m = {.type = ARCHAI_MSG_RETURNED, .id = 42};
    archai_buffer b = {0};

    (void)state;
    assert_int_equal(archai_message_pack(&m, &b, NULL), ARCHAI_OK);
    assert_int_equal(b.size, cases[0].size);
    assert_memory_equal(b.data, cases[0].bytes, b.size);
    assert_int_equal(archai_message_pack(&m, &b, NULL), ARCHAI_OK);
    assert_int_equal(b.size, 2 * cases[0].size);
    assert_memory_equal(b.data + cases[0].size, cases[0].bytes, cases[0].size);
    archai_buffer_free(&b);
}

static void frames_are_taken_one_by_one(void **state)
{
    archai_message m = {.type = ARCHAI_MSG_RETURNED, .id = 1}, back = {0};
    archai_buffer b = {0}, part;
    archai_err err = ARCHAI_ERR_INIT;
    size_t used = 0, one;
    bool got;

    (void)state;
    assert_int_equal(archai_frame_append(&m, &b, NULL), ARCHAI_OK);
    one = b.size;
    m.id = 2;
    assert_int_equal(archai_frame_append(&m, &b, NULL), ARCHAI_OK);
    for (size_t n = 0; n < one; n++) {
        part = (archai_buffer){.data = b.data, .size = n};
        assert_int_equal(archai_frame_take(&part, &used, &back, &got, NULL), ARCHAI_OK);
        assert_false(got);
        assert_int_equal(used, 0);
    }
    for (int id = 1; id <= 2; id++) {
        assert_int_equal(archai_frame_take(&b, &used, &back, &got, NULL), ARCHAI_OK);
        assert_true(got);
        assert_int_equal(back.id, id);
        archai_message_fini(&back);
    }
    assert_int_equal(used, b.size);
    memset(b.data, 0xff, 4);
    used = 0;
    assert_int_equal(archai_frame_take(&b, &used, &back, &got, &err), ARCHAI_EFORMAT);
    assert_string_equal(err.text, "a frame of 4294967295 bytes exceeds 268435456");
    archai_buffer_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_evaluation_survives_the_way),
        cmocka_unit_test(every_message_type_survives_the_way),
        cmocka_unit_test(foreign_bytes_are_judged),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(what_is_empty_does_not_travel),
        cmocka_unit_test(damage_is_survived),
        cmocka_unit_test(packing_appends),
        cmocka_unit_test(frames_are_taken_one_by_one),
    };

    return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
