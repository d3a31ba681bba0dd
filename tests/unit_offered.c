/* Weights that an evaluator offers: in whatever pieces they are copied, the same bytes and
 * checksums arrive. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "io/segment/offered.h"
#include "samples.h"
#include "tmpdir.h"

#define OK(call)                                                                               \
    do {                                                                                       \
        if ((call) != ARCHAI_OK)                                                               \
            fail_msg("%s: %s", #call, err.text);                                               \
    } while (0)

enum { ID = 4, ROWS = 1024 };

/* A segment, the file that an evaluator wrote, and what it announced with places in the
 * segment. */
typedef struct bench {
    archai_segment s;
    archai_trial e;
    archai_tensor tensors[SAMPLE_TENSORS];
    char data[SAMPLE_BYTES];
    int fd;
} bench;

static void open_bench(bench *b, const char *directory)
{
    archai_segment_size size = sample_segment_size(ROWS);
    archai_err err = ARCHAI_ERR_INIT;

    *b = (bench){.s = ARCHAI_SEGMENT_INIT, .e = sample_evaluation(ID)};
    OK(archai_segment_create(directory, "segment-0-0.h5", &size, &err));
    OK(archai_segment_open(&b->s, directory, "segment-0-0.h5", true, &err));
    sample_tensors(ID, b->data, b->tensors);
    sample_places(&b->e, b->tensors, 0);
    b->fd = memfd_create("offered", MFD_CLOEXEC);
    OK(archai_safetensors_write(b->fd, b->tensors, SAMPLE_TENSORS, &err));
}

static void close_bench(bench *b)
{
    (void)close(b->fd);
    archai_trial_fini(&b->e);
    archai_segment_close(&b->s);
}

static void assert_arrived(const bench *b)
{
    char got[SAMPLE_BYTES];
    archai_err err = ARCHAI_ERR_INIT;

    for (size_t i = 0; i < SAMPLE_TENSORS; i++) {
        const archai_tensor *t = &b->tensors[i];

        OK(archai_segment_read_tensor(&b->s, &b->e.tensors[i], got, &err));
        assert_memory_equal(got, t->data, t->bytes);
        assert_int_equal(b->e.tensors[i].crc, archai_segment_crc(t->data, t->bytes));
    }
}

static void in_any_pieces_the_same_arrives(void **state)
{
    static const size_t pieces[] = {1, 3, 8, 1 << 20};
    archai_err err = ARCHAI_ERR_INIT;
    bench b;

    open_bench(&b, *state);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        archai_offered o;
        size_t calls = 0, most = 0;
        bool done = false;

        for (size_t t = 0; t < SAMPLE_TENSORS; t++) {
            most += (b.tensors[t].bytes + pieces[i] - 1) / pieces[i];
            /* what was there before must not help */
            OK(archai_segment_write_piece(&b.s, &b.e.tensors[t], 0, "\377", 1, &err));
        }
        OK(archai_safetensors_write(b.fd, b.tensors, SAMPLE_TENSORS, &err));
        OK(archai_offered_open(&o, b.fd, b.e.tensors, b.e.n_tensors, &err));
        for (; !done; calls++)
            OK(archai_offered_copy(&o, &b.s, b.e.tensors, pieces[i], &done, &err));
        archai_offered_close(&o);
        assert_int_equal(calls, pieces[i] < SAMPLE_BYTES ? most : 1);
        assert_arrived(&b);
    }
    close_bench(&b);
}

static void the_order_of_the_places_counts(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_tensor_place first;
    archai_tensor first_tensor;
    archai_offered o;
    bool done;
    bench b;

    open_bench(&b, *state);
    first = b.e.tensors[0];
    first_tensor = b.tensors[0];
    for (size_t i = 0; i + 1 < SAMPLE_TENSORS; i++) {
        b.e.tensors[i] = b.e.tensors[i + 1];
        b.tensors[i] = b.tensors[i + 1];
    }
    b.e.tensors[SAMPLE_TENSORS - 1] = first;
    b.tensors[SAMPLE_TENSORS - 1] = first_tensor;
    OK(archai_offered_open(&o, b.fd, b.e.tensors, b.e.n_tensors, &err));
    OK(archai_offered_copy(&o, &b.s, b.e.tensors, 1 << 20, &done, &err));
    assert_true(done);
    archai_offered_close(&o);
    assert_arrived(&b);
    close_bench(&b);
}

static void assert_refused(const bench *b, const char *words)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_offered o;
    const int rc = archai_offered_open(&o, b->fd, b->e.tensors, b->e.n_tensors, &err);

    if (rc != ARCHAI_EFORMAT || strstr(err.text, words) == NULL)
        fail_msg("code %d, '%s'", rc, err.text);
}

static void what_was_not_announced_is_refused(void **state)
{
    archai_tensor_place *p;
    bench b;

    open_bench(&b, *state);
    p = &b.e.tensors[1];
    p->shape[0]++;
    assert_refused(&b, p->name);
    p->shape[0]--;
    p->dtype = ARCHAI_I32;
    assert_refused(&b, p->name);
    p->dtype = ARCHAI_F32;
    p->ndim = 0;
    assert_refused(&b, p->name);
    p->ndim = 1;
    p->name[0] ^= 1;
    assert_refused(&b, p->name);
    p->name[0] ^= 1;
    assert_int_equal(ftruncate(b.fd, 7), 0);
    assert_refused(&b, "not a safetensors file");
    close_bench(&b);
}

/* Whoever wrote the file may hold it still. */
static void a_file_that_is_cut_short_meanwhile_is_an_error(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_offered o;
    bool done = false;
    bench b;
    int rc;

    open_bench(&b, *state);
    OK(archai_offered_open(&o, b.fd, b.e.tensors, b.e.n_tensors, &err));
    OK(archai_offered_copy(&o, &b.s, b.e.tensors, 8, &done, &err));
    assert_false(done);
    assert_int_equal(ftruncate(b.fd, (off_t)o.at_byte[0] + 12), 0);
    rc = archai_offered_copy(&o, &b.s, b.e.tensors, 1 << 20, &done, &err);
    assert_int_equal(rc, ARCHAI_EFORMAT);
    assert_non_null(strstr(err.text, "weights: truncated"));
    assert_false(done);
    archai_offered_close(&o);
    close_bench(&b);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tmpdir_setup, tmpdir_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(in_any_pieces_the_same_arrives),
        TEST(the_order_of_the_places_counts),
        TEST(what_was_not_announced_is_refused),
        TEST(a_file_that_is_cut_short_meanwhile_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
