/* A worker slot and the weights that it keeps: written a piece at a time, with something else
 * to do between any two, and whatever happens meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runner/process/clock.h"
#include "slot.h"
#include "tmpdir.h"

#define OK(call)                                                                               \
    do {                                                                                       \
        if ((call) != ARCHAI_OK)                                                               \
            fail_msg("%s: %s", #call, err.text);                                               \
    } while (0)

enum { MIB = 1 << 20 };

/* Not one call for all of it: that would be a second on rank 0 for each GiB. */
static void weights_are_written_in_pieces(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_message m = {0};
    size_t calls = 0;
    slot b;

    slot_open(&b, *state, 20 * MIB + 12);
    slot_keep_in(&b, slot_first);
    for (; b.w.state == ARCHAI_WORKER_WRITING; calls++) {
        bool busy = false;

        OK(archai_worker_write(&b.w, &busy, &err));
        assert_true(busy);
        assert_false(slot_heard(&b, &m)); /* no row before its weights */
    }
    assert_true(calls > 20);
    assert_int_equal(b.w.state, ARCHAI_WORKER_COMMITTING);
    m = slot_expect(&b, ARCHAI_MSG_DONE);
    slot_assert_kept(&b, slot_first, &m);
    archai_message_fini(&m);
    slot_close(&b);
}

/* As on a network file system. */
static void a_segment_that_is_seen_late_is_looked_for_again(void **state)
{
    archai_message m = {0};
    slot b;

    slot_open(&b, *state, 3 * MIB);
    slot_keep_in(&b, slot_next);
    for (int i = 0; i < 100; i++) {
        double due = INFINITY;

        slot_step(&b);
        assert_int_equal(b.w.state, ARCHAI_WORKER_WRITING);
        (void)archai_worker_wake(&b.w, NULL, 0, &due);
        assert_true(due < INFINITY); /* a sleep ends in time */
    }
    assert_false(slot_heard(&b, &m));
    slot_grant(&b, slot_first); /* a later grant takes nothing away */
    slot_make_segment(&b, slot_next);
    b.w.write_at = 0;
    m = slot_expect(&b, ARCHAI_MSG_DONE);
    slot_assert_kept(&b, slot_next, &m);
    archai_message_fini(&m);
    slot_close(&b);
}

static void expect_the_end(slot *b, int code, const char *words)
{
    archai_message m = slot_expect(b, ARCHAI_MSG_FAILED);

    assert_int_equal(m.id, -1);
    assert_int_equal(m.code, code);
    if (strstr(m.text, words) == NULL)
        fail_msg("'%s' lacks '%s'", m.text, words);
    archai_message_fini(&m);
    m = slot_expect(b, ARCHAI_MSG_RETURNED);
    assert_int_equal(m.id, SLOT_ID);
    archai_message_fini(&m);
    m = slot_expect(b, ARCHAI_MSG_RETIRED);
    archai_message_fini(&m);
    assert_int_equal(b->w.offered.n, 0);
    slot_close(b);
}

static void a_segment_that_is_never_seen_ends_the_run(void **state)
{
    slot b;

    slot_open(&b, *state, MIB);
    slot_keep_in(&b, slot_next);
    slot_step(&b);
    assert_int_equal(b.w.state, ARCHAI_WORKER_WRITING);
    b.w.writer.now.open_by = 0; /* its minute is over */
    b.w.write_at = 0;
    expect_the_end(&b, ARCHAI_ENOTFOUND, slot_next);
}

static void a_disk_that_is_full_in_the_middle_ends_the_run(void **state)
{
    struct rlimit limit, small;
    archai_err err = ARCHAI_ERR_INIT;
    bool busy = false;
    slot b;

    slot_open(&b, *state, 3 * MIB);
    slot_keep_in(&b, slot_first);
    OK(archai_worker_write(&b.w, &busy, &err));
    assert_int_equal(b.w.state, ARCHAI_WORKER_WRITING);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    small = (struct rlimit){.rlim_cur = 16, .rlim_max = limit.rlim_max};
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    slot_step(&b);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    expect_the_end(&b, ARCHAI_EIO, "segment-0-0.h5: disk full writing");
}

static void expect_failed(slot *b, const char *words)
{
    archai_message m = slot_expect(b, ARCHAI_MSG_DONE);

    assert_int_equal(m.reports[0].status, ARCHAI_STATUS_FAILED);
    assert_int_equal(m.reports[0].n_tensors, 0);
    assert_true(m.stored == 0);
    if (strstr(m.reports[0].error, words) == NULL)
        fail_msg("'%s' lacks '%s'", m.reports[0].error, words);
    archai_message_fini(&m);
    assert_false(b->f->is_open); /* it is not to be trusted */
    assert_int_equal(b->w.offered.n, 0);
    slot_close(b);
}

static void weights_that_were_not_announced_fail_the_candidate(void **state)
{
    slot b;

    slot_open(&b, *state, MIB);
    slot_keep_in(&b, slot_first);
    b.f->tensors[3].ndim = 2;
    b.f->tensors[3].shape[1] = 1;
    assert_int_equal(archai_safetensors_write(b.f->fd, b.f->tensors, SLOT_TENSORS, NULL),
                     ARCHAI_OK);
    expect_failed(&b, "weights: tensor width is not what was announced");
}

static void weights_that_are_cut_short_fail_the_candidate(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    bool busy = false;
    slot b;

    slot_open(&b, *state, 5 * MIB);
    slot_keep_in(&b, slot_first);
    OK(archai_worker_write(&b.w, &busy, &err));
    OK(archai_worker_write(&b.w, &busy, &err));
    assert_int_equal(b.w.state, ARCHAI_WORKER_WRITING);
    assert_int_equal(ftruncate(b.f->fd, 3 * MIB), 0);
    expect_failed(&b, "weights: truncated");
}

/* Its file is this process's own. */
static void an_evaluator_may_die_meanwhile(void **state)
{
    archai_message m;
    slot b;

    slot_open(&b, *state, 3 * MIB);
    slot_keep_in(&b, slot_first);
    b.f->dies = true;
    m = slot_expect(&b, ARCHAI_MSG_DONE);
    slot_assert_kept(&b, slot_first, &m);
    archai_message_fini(&m);
    slot_step(&b);
    assert_false(b.f->is_open);
    assert_int_equal(b.w.state, ARCHAI_WORKER_IDLE);
    slot_close(&b);
}

static void a_drain_lets_it_finish_but_not_for_ever(void **state)
{
    archai_message m;
    slot b;

    slot_open(&b, *state, 3 * MIB);
    slot_keep_in(&b, slot_first);
    slot_tell(&b, (archai_message){.type = ARCHAI_MSG_DRAIN, .seconds = 600});
    m = slot_expect(&b, ARCHAI_MSG_DONE);
    slot_assert_kept(&b, slot_first, &m);
    archai_message_fini(&m);
    m = slot_expect(&b, ARCHAI_MSG_RETIRED);
    archai_message_fini(&m);
    slot_close(&b);

    assert_int_equal(tmpdir_teardown(state), 0);
    assert_int_equal(tmpdir_setup(state), 0);
    slot_open(&b, *state, 50 * MIB);
    slot_keep_in(&b, slot_first);
    slot_step(&b);
    assert_int_equal(b.w.state, ARCHAI_WORKER_WRITING);
    slot_tell(&b, (archai_message){.type = ARCHAI_MSG_DRAIN, .seconds = 0});
    b.w.drain_by = archai_clock_s() - 60;
    m = slot_expect(&b, ARCHAI_MSG_RETURNED);
    assert_int_equal(m.id, SLOT_ID);
    archai_message_fini(&m);
    assert_int_equal(b.w.offered.n, 0);
    m = slot_expect(&b, ARCHAI_MSG_RETIRED);
    archai_message_fini(&m);
    slot_close(&b);
}

/* For the leak check of the sanitized build. */
static void it_may_be_left_in_the_middle(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    bool busy = false;
    slot b;

    slot_open(&b, *state, 3 * MIB);
    slot_keep_in(&b, slot_first);
    OK(archai_worker_write(&b.w, &busy, &err));
    assert_int_equal(b.w.state, ARCHAI_WORKER_WRITING);
    slot_close(&b);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tmpdir_setup, tmpdir_teardown)

/* Its context may be poisoned, whatever the text says; on a CPU the next candidate has nothing to fear. */
static void after_an_error_on_a_gpu_the_evaluator_starts_afresh(void **state)
{
    static const struct {
        const char *device;
        int code;
        const char *why;
        bool stays;
    } cases[] = {
        {"cuda:0 NVIDIA H, GPU-12", ARCHAI_ETORCH, "shim_model_train: cuDNN error: CUDNN_STATUS_EXECUTION_FAILED", false},
        {"cuda:0 NVIDIA H, GPU-12", ARCHAI_ETORCH, "shim_model_train: CUDA error: an illegal memory access", false},
        {"cuda:0 NVIDIA H, GPU-12", ARCHAI_EDEVMEM, "shim_model_train: CUDA out of memory", false},
        {"cuda:0 NVIDIA H, GPU-12", ARCHAI_EINVAL, "train.loss: it does not go with the data", true},
        {"cpu, 1 thread", ARCHAI_ETORCH, "shim_model_train: mat1 and mat2 shapes cannot be multiplied", true},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        archai_message m = {0};
        slot b;

        slot_open(&b, *state, 64);
        b.f->device = cases[i].device;
        b.f->fails = cases[i].code;
        b.f->why = cases[i].why;
        slot_give(&b);
        m = slot_expect(&b, ARCHAI_MSG_DONE); /* without retries: a row */
        archai_message_fini(&m);
        if (b.w.is_open != cases[i].stays || b.f->is_open != cases[i].stays)
            fail_msg("on %s after '%s' it is %s", cases[i].device, cases[i].why, b.w.is_open ? "open" : "closed");
        slot_close(&b);
        assert_int_equal(tmpdir_remove(*state), 0);
        assert_int_equal(mkdir(*state, 0700), 0);
    }
}

/* So does one that takes measures of the model beside it. */
static void after_an_error_on_a_gpu_a_measure_starts_afresh(void **state)
{
    static const struct {
        const char *device;
        int code;
        bool stays;
    } cases[] = {
        {"cuda:0 NVIDIA H, GPU-12", ARCHAI_ETORCH, false},
        {"cpu, 1 thread", ARCHAI_EDEVMEM, false},
        {"cpu, 1 thread", ARCHAI_ETORCH, true},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        archai_message m = {0};
        slot_evaluator *f;
        slot b;

        slot_open(&b, *state, 64);
        free(b.w.device);
        b.w.device = strdup(cases[i].device);
        free(b.w.parts);
        b.w.parts = calloc(1, sizeof *b.w.parts);
        b.w.n_parts = 1;
        b.w.parts[0].stage = ARCHAI_BEFORE;
        assert_int_equal(archai_evaluator_create(&b.w.parts[0].evaluator, b.f->base.ops, &b.setup, NULL), ARCHAI_OK);
        f = (slot_evaluator *)b.w.parts[0].evaluator;
        f->fd = b.f->fd;
        f->fails = cases[i].code;
        f->why = "synflow: it cannot be";
        memcpy(f->tensors, b.f->tensors, sizeof f->tensors);
        slot_give(&b);
        m = slot_expect(&b, ARCHAI_MSG_NOTE); /* it is no objective */
        archai_message_fini(&m);
        if (f->is_open != cases[i].stays || (b.w.parts[0].state == ARCHAI_PART_OPEN) != cases[i].stays)
            fail_msg("on %s after code %d it is %s", cases[i].device, cases[i].code, f->is_open ? "open" : "closed");
        slot_close(&b);
        assert_int_equal(tmpdir_remove(*state), 0);
        assert_int_equal(mkdir(*state, 0700), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(weights_are_written_in_pieces),
        TEST(a_segment_that_is_seen_late_is_looked_for_again),
        TEST(a_segment_that_is_never_seen_ends_the_run),
        TEST(a_disk_that_is_full_in_the_middle_ends_the_run),
        TEST(weights_that_were_not_announced_fail_the_candidate),
        TEST(weights_that_are_cut_short_fail_the_candidate),
        TEST(an_evaluator_may_die_meanwhile),
        TEST(a_drain_lets_it_finish_but_not_for_ever),
        TEST(it_may_be_left_in_the_middle),
        TEST(after_an_error_on_a_gpu_the_evaluator_starts_afresh),
        TEST(after_an_error_on_a_gpu_a_measure_starts_afresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
