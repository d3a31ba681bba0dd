/* Places in segments: nobody is given another's, and everything lies inside its file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner/coordinator/grants.h"
#include "runner/worker/writer.h"
#include "commit_row.h"
#include "tmpdir.h"

enum { OWNERS = 5, MAX_BLOCKS = 4096 };

/* Everything given away so far: [from, to) of one kind in one segment. */
static struct block {
    char segment[40];
    int kind; /* -2 rows, -1 detail, else a dtype's pool */
    int owner;
    int64_t from, to;
} blocks[MAX_BLOCKS];
static size_t n_blocks;

static void remember(const char *segment, int kind, int owner, int64_t from, int64_t to)
{
    struct block *b = &blocks[n_blocks];

    assert_true(from >= 0 && from < to);
    for (size_t i = 0; i < n_blocks; i++) {
        const struct block *o = &blocks[i];

        if (strcmp(o->segment, segment) == 0 && o->kind == kind)
            assert_true(to <= o->from || from >= o->to);
    }
    assert_true(n_blocks < MAX_BLOCKS);
    *b = (struct block){.kind = kind, .owner = owner, .from = from, .to = to};
    assert_true(strlen(segment) < sizeof b->segment);
    memcpy(b->segment, segment, strlen(segment) + 1);
    n_blocks++;
}

static void check_grant(const char *directory, const archai_message *g, int owner)
{
    archai_segment s = ARCHAI_SEGMENT_INIT;

    assert_int_equal(g->type, ARCHAI_MSG_GRANT);
    remember(g->segment, -2, owner, g->row, g->row + g->n_rows);
    remember(g->segment, -1, owner, g->text_offset, g->text_offset + g->text_bytes);
    assert_int_equal(g->row * (int64_t)sizeof(archai_row) % ARCHAI_SEGMENT_ALIGNMENT, 0);
    assert_int_equal(g->text_offset % ARCHAI_SEGMENT_ALIGNMENT, 0);
    assert_int_equal(archai_segment_open(&s, directory, g->segment, true, NULL), ARCHAI_OK);
    assert_true(g->row + g->n_rows <= s.size.rows);
    assert_true(g->text_offset + g->text_bytes <= s.size.text_bytes);
    archai_segment_close(&s);
}

static void rows_are_disjoint_aligned_and_inside(void **state)
{
    const char *directory = *state;
    archai_grants g;

    n_blocks = 0;
    archai_grants_init(&g, directory, 3, OWNERS, true);
    for (int i = 0; i < 60; i++) { /* several segments' worth */
        archai_message m = {0};

        assert_int_equal(archai_grants_rows(&g, i % OWNERS, 1 + 700 * (i % 4),
                                            1 + 900000 * (i % 3), &m, NULL),
                         ARCHAI_OK);
        assert_true(m.n_rows >= 1 + 700 * (i % 4));
        assert_true(m.text_bytes >= 1 + 900000 * (i % 3));
        check_grant(directory, &m, i % OWNERS);
        archai_message_fini(&m);
    }
    assert_true(g.segment >= 1);
    assert_memory_equal(blocks[0].segment, "segment-3-0.h5", 15);
    archai_grants_fini(&g);
}

static archai_trial model(int64_t weights)
{
    archai_trial e = {.id = 1};

    e.model.archid = strdup("a");
    e.tensors = calloc(3, sizeof *e.tensors);
    e.n_tensors = 3;
    for (size_t i = 0; i < 3; i++)
        assert_non_null(e.tensors[i].name = strdup("t"));
    e.tensors[0].dtype = ARCHAI_F32;
    e.tensors[0].ndim = 2;
    e.tensors[0].shape[0] = weights;
    e.tensors[0].shape[1] = 3;
    e.tensors[1].dtype = ARCHAI_F32; /* an empty one */
    e.tensors[1].ndim = 1;
    e.tensors[2].dtype = ARCHAI_I64; /* a scalar */
    return e;
}

static int64_t elements(const archai_tensor_place *p)
{
    int64_t n = 1;

    for (int d = 0; d < p->ndim; d++)
        n *= p->shape[d];
    return n;
}

/* Small models, and now and then one larger than a whole usual pool. */
static void tensors_are_disjoint_inside_and_where_the_row_goes(void **state)
{
    const char *directory = *state;
    char at[OWNERS][40] = {""};
    archai_grants g;

    n_blocks = 0;
    archai_grants_init(&g, directory, 0, OWNERS, true);
    for (int owner = 0; owner < OWNERS; owner++) {
        archai_message m = {0};

        assert_int_equal(archai_grants_rows(&g, owner, 1, 1, &m, NULL), ARCHAI_OK);
        check_grant(directory, &m, owner);
        memcpy(at[owner], m.segment, strlen(m.segment) + 1);
        archai_message_fini(&m);
    }
    for (int i = 0; i < 200; i++) {
        const int owner = i * 7 % OWNERS;
        archai_trial e = model(i % 50 == 49 ? 6000000 : 1000 + 5003 * (i % 13));
        archai_message m = {0};
        archai_segment s = ARCHAI_SEGMENT_INIT;
        char *segment = NULL;

        assert_int_equal(archai_grants_tensors(&g, owner, &e, 4096, &segment, &m, NULL), ARCHAI_OK);
        if (m.segment != NULL) {
            check_grant(directory, &m, owner);
            memcpy(at[owner], m.segment, strlen(m.segment) + 1);
        }
        assert_string_equal(segment, at[owner]); /* tensors and row share a segment */
        assert_int_equal(archai_segment_open(&s, directory, segment, true, NULL), ARCHAI_OK);
        for (size_t k = 0; k < e.n_tensors; k++) {
            const archai_tensor_place *p = &e.tensors[k];

            assert_true(archai_segment_holds(&s, p, NULL));
            if (elements(p) > 0)
                remember(segment, p->dtype, owner, p->offset, p->offset + elements(p));
        }
        archai_segment_close(&s);
        archai_message_fini(&m);
        archai_trial_fini(&e);
        free(segment);
    }
    assert_true(g.segment >= 2);
    archai_grants_fini(&g);
}

static void place_tensors(archai_grants *g, int owner, int64_t weights)
{
    archai_trial e = model(weights);
    archai_message m = {0};
    char *segment = NULL;

    assert_int_equal(archai_grants_tensors(g, owner, &e, 4096, &segment, &m, NULL), ARCHAI_OK);
    for (size_t k = 0; k < e.n_tensors; k++)
        if (elements(&e.tensors[k]) > 0)
            remember(segment, e.tensors[k].dtype, owner, e.tensors[k].offset,
                     e.tensors[k].offset + elements(&e.tensors[k]));
    archai_message_fini(&m);
    archai_trial_fini(&e);
    free(segment);
}

/* Who comes to the next segment for its rows leaves what its blocks had room for behind. */
static void blocks_stay_in_their_segment(void **state)
{
    archai_grants g;
    int owner = 0;

    n_blocks = 0;
    archai_grants_init(&g, *state, 5, 2, true);
    for (int i = 0; g.segment < 1 || owner == 0; i++) {
        archai_message m = {0};

        owner = g.segment < 1 ? 0 : 1; /* the other one comes last, and places its tensors first */
        assert_int_equal(archai_grants_rows(&g, owner, 1, 1, &m, NULL), ARCHAI_OK);
        archai_message_fini(&m);
        if (i == 0)
            place_tensors(&g, 0, 10);
    }
    place_tensors(&g, 1, 1000);
    place_tensors(&g, 0, 10);
    assert_int_equal(g.segment, 1);
    archai_grants_fini(&g);
}

/* No two owners write one page: between their tensors lies a boundary. */
static void owners_share_no_page(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_blocks; i++)
        for (size_t j = 0; j < i; j++) {
            const struct block *a = &blocks[i], *b = &blocks[j];
            const int64_t unit =
                ARCHAI_SEGMENT_ALIGNMENT /
                (a->kind < 0 ? 1 : (int64_t)archai_dtype_size((archai_dtype)a->kind));

            if (a->kind < 0 || a->kind != b->kind || a->owner == b->owner ||
                strcmp(a->segment, b->segment) != 0)
                continue;
            assert_true((a->to - 1) / unit < b->from / unit ||
                        (b->to - 1) / unit < a->from / unit);
        }
}

static void an_absurd_tensor_is_refused(void **state)
{
    archai_trial e = model(INT64_MAX / 2);
    archai_message m = {0};
    archai_err err = ARCHAI_ERR_INIT;
    char *segment = NULL;
    archai_grants g;

    archai_grants_init(&g, *state, 9, 1, true);
    assert_int_equal(archai_grants_tensors(&g, 0, &e, 4096, &segment, &m, &err), ARCHAI_EFORMAT);
    assert_non_null(strstr(err.text, "too large"));
    archai_trial_fini(&e);
    archai_grants_fini(&g);
}

static int add_id(void *payload, archai_trial *e, archai_err *err)
{
    int64_t *sum = payload;

    (void)err;
    sum[0]++;
    sum[1] += e->id;
    archai_trial_fini(e);
    return ARCHAI_OK;
}

/* What two owners wrote, over several grants and segments, is told apart; what only was reserved is nothing. */
static void rows_are_found_by_their_owner(void **state)
{
    const char *directory = *state;
    int64_t found[2];
    archai_grants g;
    archai_writer w[2];

    archai_grants_init(&g, directory, 0, 2, false);
    for (int owner = 0; owner < 2; owner++)
        archai_writer_init(&w[owner], directory);
    for (int64_t id = 0; id < 9000; id++) {
        const int owner = id % 3 == 0;
        archai_trial e = {.id = id, .budget = 1};
        archai_message m = {0};
        bool done = false, wanted;

        assert_non_null(e.model.archid = strdup("a"));
        while (!done) {
            assert_int_equal(archai_writer_commit(&w[owner], &e, &done, NULL), ARCHAI_OK);
            archai_writer_need(&w[owner], &wanted, &m);
            if (!wanted)
                continue;
            assert_int_equal(
                archai_grants_rows(&g, owner, m.n_rows, m.text_bytes, &m, NULL), ARCHAI_OK);
            archai_writer_grant(&w[owner], &m);
            archai_message_fini(&m);
        }
        archai_trial_fini(&e);
    }
    assert_true(g.segment >= 1);
    for (int owner = 0; owner < 2; owner++) {
        memset(found, 0, sizeof found);
        assert_int_equal(archai_grants_committed(&g, owner, add_id, found, NULL), ARCHAI_OK);
        assert_int_equal(found[0], owner == 1 ? 3000 : 6000);
        assert_int_equal(found[1], owner == 1 ? 3 * (2999 * 3000 / 2)
                                              : 8999 * 9000 / 2 - 3 * (2999 * 3000 / 2));
        assert_int_equal(archai_writer_fini(&w[owner], NULL), ARCHAI_OK);
    }
    archai_grants_fini(&g);
}

struct newest {
    int64_t ids[ARCHAI_GRANTS_KEPT], stored[ARCHAI_GRANTS_KEPT];
    int n;
};

static int note_newest(void *payload, archai_trial *e, archai_err *err)
{
    struct newest *newest = payload;

    (void)err;
    assert_true(newest->n < ARCHAI_GRANTS_KEPT);
    newest->ids[newest->n] = e->id;
    newest->stored[newest->n++] = e->stored;
    archai_trial_fini(e);
    return ARCHAI_OK;
}

/* One row of each grant, its first or its last, of many grants: those of the newest ones are found, and
 * where the weights are that were kept with them. One is damaged, and none. */
static void the_newest_grants_are_looked_into(void **state)
{
    enum { GRANTS = 40, DAMAGED = 30, FIRST = GRANTS - ARCHAI_GRANTS_KEPT };
    const char *directory = *state;
    struct newest newest = {.n = 0};
    int64_t places[GRANTS];
    archai_grants g;

    archai_grants_init(&g, directory, 0, 2, true);
    for (int i = 0; i < GRANTS; i++) {
        archai_trial e = model(10);
        archai_segment s = ARCHAI_SEGMENT_INIT;
        archai_message m = {0}, moved = {0};
        archai_buffer detail = {0};
        char *segment = NULL;
        int64_t row;

        e.id = i;
        assert_non_null(e.arch = strdup("{}"));
        assert_int_equal(archai_grants_rows(&g, 1, 1, 1, &m, NULL), ARCHAI_OK);
        if (i % 3 == 0)
            assert_int_equal(archai_grants_tensors(&g, 1, &e, 4096, &segment, &moved, NULL), ARCHAI_OK);
        else
            for (; e.n_tensors > 0; e.n_tensors--)
                free(e.tensors[e.n_tensors - 1].name);
        assert_null(moved.segment); /* so few have a place there */
        row = i % 2 == 0 ? m.row : m.row + m.n_rows - 1;
        places[i] = i % 3 == 0 ? archai_segment_place(m.segment, row) : 0;
        assert_int_equal(archai_trial_pack(&e, &detail, NULL), ARCHAI_OK);
        assert_int_equal(archai_segment_open(&s, directory, m.segment, true, NULL), ARCHAI_OK);
        assert_int_equal(commit_row(&s, row, m.text_offset, detail.data, detail.size, &e, NULL),
                         ARCHAI_OK);
        if (i == DAMAGED)
            assert_int_equal(pwrite(s.fd, "\0", 1, (off_t)(s.text_at + (uint64_t)m.text_offset)), 1);
        archai_segment_close(&s);
        archai_buffer_free(&detail);
        archai_message_fini(&m);
        archai_trial_fini(&e);
        free(segment);
    }
    assert_int_equal(archai_grants_committed(&g, 1, note_newest, &newest, NULL), ARCHAI_OK);
    assert_int_equal(newest.n, ARCHAI_GRANTS_KEPT - 1);
    for (int i = 0; i < newest.n; i++) {
        assert_int_equal(newest.ids[i], FIRST + i + (FIRST + i >= DAMAGED));
        assert_true(newest.stored[i] == places[newest.ids[i]]);
    }
    assert_int_equal(archai_grants_committed(&g, 0, note_newest, &newest, NULL), ARCHAI_OK);
    assert_int_equal(newest.n, ARCHAI_GRANTS_KEPT - 1); /* nothing is another's */
    archai_grants_fini(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_are_disjoint_aligned_and_inside, tmpdir_setup,
                                        tmpdir_teardown),
        cmocka_unit_test_setup_teardown(tensors_are_disjoint_inside_and_where_the_row_goes,
                                        tmpdir_setup, tmpdir_teardown),
        cmocka_unit_test_setup_teardown(rows_are_found_by_their_owner, tmpdir_setup,
                                        tmpdir_teardown),
        cmocka_unit_test_setup_teardown(the_newest_grants_are_looked_into, tmpdir_setup,
                                        tmpdir_teardown),
        cmocka_unit_test(owners_share_no_page), /* of the tensors above */
        cmocka_unit_test_setup_teardown(blocks_stay_in_their_segment, tmpdir_setup,
                                        tmpdir_teardown),
        cmocka_unit_test_setup_teardown(an_absurd_tensor_is_refused, tmpdir_setup,
                                        tmpdir_teardown),
    };

    return cmocka_run_group_tests_name("grants", tests, NULL, NULL);
}
