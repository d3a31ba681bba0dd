/* Messages between ranks: order, batches, loopback, large ones; agreement on errors. */
#include "mpi_cmocka.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner/rank/comm.h"

static archai_comm comm;

static void post(int dest, int64_t id)
{
    archai_message m = {.type = ARCHAI_MSG_RETURNED, .id = id};

    assert_int_equal(archai_comm_post(&comm, dest, &m, NULL), ARCHAI_OK);
}

/* Progress until a message comes. */
static int64_t wait_for(int *source)
{
    archai_message m = {0};
    bool got = false;
    int64_t id;

    while (!got) {
        assert_int_equal(archai_comm_progress(&comm, NULL), ARCHAI_OK);
        assert_int_equal(archai_comm_take(&comm, source, &m, &got, NULL), ARCHAI_OK);
    }
    id = m.id;
    archai_message_fini(&m);
    return id;
}

static void drain(void)
{
    while (!archai_comm_is_idle(&comm))
        assert_int_equal(archai_comm_progress(&comm, NULL), ARCHAI_OK);
}

static void everyone_reaches_rank_0_in_order(void **state)
{
    enum { N = 1000 };
    bool right = true;

    (void)state;
    for (int i = 0; i < N; i++) {
        post(0, comm.rank * N + i);
        if (i % 7 == 0)
            assert_int_equal(archai_comm_progress(&comm, NULL), ARCHAI_OK);
    }
    if (comm.rank == 0) {
        int64_t *next = calloc((size_t)comm.size, sizeof *next);

        for (int i = 0; i < N * comm.size; i++) {
            int source = -1;
            const int64_t id = wait_for(&source);

            right = right && id == source * N + next[source]++;
        }
        free(next);
    }
    drain();
    assert_all_ranks(right);
}

static void a_message_goes_round(void **state)
{
    int source = -1;
    int64_t id = 0;

    (void)state;
    if (comm.rank == 0)
        post((comm.rank + 1) % comm.size, 1);
    id = wait_for(&source);
    if (comm.rank != 0)
        post((comm.rank + 1) % comm.size, id + 1);
    drain();
    assert_all_ranks(id == (comm.rank == 0 ? comm.size : comm.rank));
}

static void a_large_message_arrives_whole(void **state)
{
    enum { BYTES = 20 << 20 };
    char *text = malloc(BYTES + 1);
    archai_message m = {.type = ARCHAI_MSG_RETIRED, .text = text}, back = {0};
    bool got = false, right = true;
    int source = -1;

    (void)state;
    memset(text, 'x', BYTES);
    text[BYTES] = '\0';
    if (comm.rank == comm.size - 1)
        assert_int_equal(archai_comm_post(&comm, 0, &m, NULL), ARCHAI_OK);
    while (!archai_comm_is_idle(&comm) || (comm.rank == 0 && !got)) {
        assert_int_equal(archai_comm_progress(&comm, NULL), ARCHAI_OK);
        if (comm.rank == 0)
            assert_int_equal(archai_comm_take(&comm, &source, &back, &got, NULL), ARCHAI_OK);
    }
    if (comm.rank == 0)
        right = source == comm.size - 1 && strcmp(back.text, text) == 0;
    archai_message_fini(&back);
    free(text);
    assert_all_ranks(right);
}

/* Nobody waits for a lost rank, and only what is posted after its return arrives. */
static void a_lost_rank_is_forgotten_until_it_is_back(void **state)
{
    const int last = comm.size - 1;
    int source = -1;
    int64_t id = 3;

    (void)state;
    if (comm.rank == 0 && last > 0) {
        post(last, 1);
        assert_false(archai_comm_is_idle(&comm));
        archai_comm_forget(&comm, last);
        assert_true(archai_comm_is_idle(&comm));
        post(last, 2);
        assert_true(archai_comm_is_idle(&comm));
        archai_comm_remember(&comm, last);
        assert_true(archai_comm_is_idle(&comm));
        post(last, 3);
    }
    if (comm.rank == last && last > 0)
        id = wait_for(&source);
    drain();
    assert_all_ranks(id == 3);
}

static void the_lowest_failing_rank_speaks(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    const int first = comm.size / 2;
    int rc = ARCHAI_OK;

    (void)state;
    if (comm.rank >= first)
        rc = archai_fail(&err, ARCHAI_EIO, "disk of rank %d", comm.rank);
    rc = archai_comm_agree(comm.comm, rc, &err);
    assert_all_ranks(rc == ARCHAI_EIO && err.rank == first);
    assert_all_ranks(atoi(err.text + strlen("disk of rank ")) == first);
    assert_all_ranks(archai_comm_agree(comm.comm, ARCHAI_OK, &err) == ARCHAI_OK);
}

static void a_text_is_shared(void **state)
{
    char *text = comm.rank == 0 ? strdup("[search]\nseed = 1\n") : NULL;
    const int rc = archai_comm_share_text(comm.comm, &text, NULL);

    (void)state;
    assert_all_ranks(rc == ARCHAI_OK && strcmp(text, "[search]\nseed = 1\n") == 0);
    free(text);
}

static void open_comm(void **state)
{
    (void)state;
    assert_all_ranks(archai_comm_init(&comm, MPI_COMM_WORLD, NULL) == ARCHAI_OK);
}

static void close_comm(void **state)
{
    (void)state;
    archai_comm_fini(&comm);
    assert_all_ranks(comm.comm == MPI_COMM_NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(open_comm),
        cmocka_unit_test(everyone_reaches_rank_0_in_order),
        cmocka_unit_test(a_message_goes_round),
        cmocka_unit_test(a_large_message_arrives_whole),
        cmocka_unit_test(a_lost_rank_is_forgotten_until_it_is_back),
        cmocka_unit_test(the_lowest_failing_rank_speaks),
        cmocka_unit_test(a_text_is_shared),
        cmocka_unit_test(close_comm),
    };

    return RUN_MPI_GROUP(tests);
}
