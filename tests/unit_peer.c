/* The channel to a child: messages there and back, its end, and what is not a message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runner/process/clock.h"
#include "runner/process/peer.h"

static const double limit_s = 60; /* ends a hang, measures nothing */

static void start_script(archai_peer *p, const char *script, archai_child_spec spec)
{
    char *argv[] = {(char *)"/bin/sh", (char *)"-c", (char *)(uintptr_t)script, NULL};
    archai_err err = ARCHAI_ERR_INIT;

    spec.argv = argv;
    if (archai_peer_start(p, &spec, &err) != ARCHAI_OK)
        fail_msg("%s", err.text);
}

static void send_id(archai_peer *p, int64_t id)
{
    const archai_message m = {.type = ARCHAI_MSG_RETURNED, .id = id};

    assert_int_equal(archai_peer_send(p, &m, NULL), ARCHAI_OK);
}

static void expect_id(archai_peer *p, int64_t id)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_message m = {0};

    if (archai_peer_wait(p, &m, limit_s, &err) != ARCHAI_OK)
        fail_msg("%s", err.text);
    assert_int_equal(m.type, ARCHAI_MSG_RETURNED);
    assert_int_equal(m.id, id);
    archai_message_fini(&m);
}

static void expect_error(archai_peer *p, int code, const char *text)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_message m = {0};

    assert_int_equal(archai_peer_wait(p, &m, limit_s, &err), code);
    assert_string_equal(err.text, text);
}

static void messages_go_there_and_back(void **state)
{
    archai_peer p;

    (void)state;
    start_script(&p, "exec cat <&3 >&4", (archai_child_spec){0});
    send_id(&p, 1);
    send_id(&p, 2);
    expect_id(&p, 1);
    expect_id(&p, 2);
    archai_peer_close(&p);
    archai_peer_close(&p);
}

/* Longer than a pipe holds: neither side waits for the other for ever. */
static void a_long_message_goes_there_and_back(void **state)
{
    enum { LENGTH = 3000000 };
    char *text = malloc(LENGTH + 1);
    archai_message note = {.type = ARCHAI_MSG_NOTE, .id = -1, .text = text}, back = {0};
    archai_err err = ARCHAI_ERR_INIT;
    archai_peer p;

    (void)state;
    assert_non_null(text);
    memset(text, 'x', LENGTH);
    text[LENGTH] = '\0';
    start_script(&p, "exec cat <&3 >&4", (archai_child_spec){0});
    assert_int_equal(archai_peer_send(&p, &note, NULL), ARCHAI_OK);
    assert_true(p.out.size - p.out_used > 0); /* the rest goes when the child has read */
    if (archai_peer_wait(&p, &back, limit_s, &err) != ARCHAI_OK)
        fail_msg("%s", err.text);
    assert_string_equal(back.text, text);
    archai_message_fini(&back);
    archai_peer_close(&p);
    free(text);
}

/* What the child sent before its end is taken before the end is seen. */
static void its_end_comes_last_and_says_how(void **state)
{
    archai_peer p;

    (void)state;
    start_script(&p, "cat <&3 >&4 & sleep 0.2; echo last words >&2; exit 3", (archai_child_spec){0});
    send_id(&p, 1);
    send_id(&p, 2);
    while (!archai_child_poll(&p.child))
        (void)usleep(1000);
    expect_id(&p, 1);
    expect_id(&p, 2);
    expect_error(&p, ARCHAI_ECHILD, "exited with 3: last words");
    archai_peer_close(&p);
    start_script(&p, "kill -SEGV $$", (archai_child_spec){0});
    expect_error(&p, ARCHAI_ECHILD, "killed by signal 11 (Segmentation fault)");
    archai_peer_close(&p);
}

/* A child that has ended takes no more: it is its end that is reported, not the broken pipe. */
static void sending_to_the_dead_is_not_an_error(void **state)
{
    archai_peer p;

    (void)state;
    start_script(&p, "exit 4", (archai_child_spec){0});
    while (!archai_child_poll(&p.child))
        (void)usleep(1000);
    send_id(&p, 1);
    expect_error(&p, ARCHAI_ECHILD, "exited with 4");
    archai_peer_close(&p);
}

static void nonsense_is_refused(void **state)
{
    archai_peer p;

    (void)state;
    start_script(&p, "printf '\\377\\377\\377\\377' >&4; exec sleep 1000", (archai_child_spec){0});
    expect_error(&p, ARCHAI_EFORMAT,
                 "sent a bad message: a frame of 4294967295 bytes exceeds 268435456");
    archai_peer_close(&p);
    start_script(&p, "printf '\\001\\000\\000\\000\\301' >&4; exec sleep 1000", (archai_child_spec){0});
    expect_error(&p, ARCHAI_EFORMAT, "sent a bad message: not a msgpack object");
    archai_peer_close(&p);
    start_script(&p, "printf 'a line\\n' >&4", (archai_child_spec){0}); /* "a li" is a length */
    expect_error(&p, ARCHAI_EFORMAT,
                 "sent a bad message: a frame of 1768693857 bytes exceeds 268435456");
    archai_peer_close(&p);
}

/* Sends faster than its messages are taken: it waits on its full pipe. */
static void a_flood_takes_little_memory(void **state)
{
    archai_child_spec spec = {.fds = {memfd_create("flood", MFD_CLOEXEC)}, .n_fds = 1};
    const archai_message m = {.type = ARCHAI_MSG_RETURNED, .id = 7};
    archai_buffer b = {0};
    archai_peer p;

    (void)state;
    while (b.size < 4000000)
        assert_int_equal(archai_frame_append(&m, &b, NULL), ARCHAI_OK);
    assert_int_equal(pwrite(spec.fds[0], b.data, b.size, 0), b.size);
    start_script(&p, "while cat /proc/self/fd/5; do :; done >&4", spec);
    for (int i = 0; i < 50000; i++)
        expect_id(&p, 7);
    assert_true(p.in.bytes.capacity <= 4 * 65536);
    archai_peer_close(&p);
    archai_buffer_free(&b);
    (void)close(spec.fds[0]);
}

static void waiting_ends(void **state)
{
    const double began = archai_clock_s();
    archai_message m = {0};
    archai_err err = ARCHAI_ERR_INIT;
    archai_peer p;

    (void)state;
    start_script(&p, "exec sleep 1000", (archai_child_spec){0});
    assert_int_equal(archai_peer_wait(&p, &m, 0.1, &err), ARCHAI_ETIMEOUT);
    assert_true(archai_clock_s() - began >= 0.1);
    archai_peer_close(&p);
}

static void more_descriptors_follow_the_channel(void **state)
{
    archai_child_spec spec = {.fds = {memfd_create("given", MFD_CLOEXEC)}, .n_fds = 1};
    const archai_message m = {.type = ARCHAI_MSG_RETURNED, .id = 7};
    archai_buffer b = {0};
    archai_peer p;

    (void)state;
    assert_int_equal(archai_frame_append(&m, &b, NULL), ARCHAI_OK);
    assert_int_equal(pwrite(spec.fds[0], b.data, b.size, 0), b.size);
    start_script(&p, "exec cat <&5 >&4", spec);
    expect_id(&p, 7);
    archai_peer_close(&p);
    archai_buffer_free(&b);
    (void)close(spec.fds[0]);
    spec.n_fds = ARCHAI_CHILD_FDS - 1;
    assert_int_equal(archai_peer_start(&p, &spec, NULL), ARCHAI_EINTERNAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_go_there_and_back),
        cmocka_unit_test(a_long_message_goes_there_and_back),
        cmocka_unit_test(its_end_comes_last_and_says_how),
        cmocka_unit_test(sending_to_the_dead_is_not_an_error),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(a_flood_takes_little_memory),
        cmocka_unit_test(waiting_ends),
        cmocka_unit_test(more_descriptors_follow_the_channel),
    };

    (void)signal(SIGPIPE, SIG_IGN); /* as the programs do */
    return cmocka_run_group_tests_name("peer", tests, NULL, NULL);
}
