#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "slot.h"

#define OK(call)                                                                               \
    do {                                                                                       \
        if ((call) != ARCHAI_OK)                                                               \
            fail_msg("%s: %s", #call, err.text);                                               \
    } while (0)

enum {
    MIB = 1 << 20,
    STEPS_MAX = 10000, /* only so that a broken build ends */
};
const char slot_first[] = "segment-0-0.h5", slot_next[] = "segment-0-1.h5";

/* -- an evaluator -------------------------------------------------------------------------- */

static int fake_open(archai_evaluator *self, archai_err *err)
{
    (void)err;
    ((slot_evaluator *)self)->is_open = true;
    ((slot_evaluator *)self)->told = false;
    return ARCHAI_OK;
}

static int fake_begin(archai_evaluator *self, const archai_trial *c, archai_err *err)
{
    slot_evaluator *f = (slot_evaluator *)self;

    (void)c;
    f->busy = true;
    return archai_safetensors_write(f->fd, f->tensors, SLOT_TENSORS, err);
}

static void announce(const slot_evaluator *f, archai_trial *e)
{
    e->tensors = calloc(SLOT_TENSORS, sizeof *e->tensors);
    e->n_tensors = SLOT_TENSORS;
    for (size_t i = 0; i < SLOT_TENSORS; i++) {
        const archai_tensor *t = &f->tensors[i];

        e->tensors[i] = (archai_tensor_place){
            .name = strdup(t->name),
            .dtype = t->dtype,
            .ndim = t->ndim,
        };
        memcpy(e->tensors[i].shape, t->shape, sizeof t->shape);
    }
}

static int fake_poll(archai_evaluator *self, archai_evaluator_event *out, archai_err *err)
{
    slot_evaluator *f = (slot_evaluator *)self;

    (void)err;
    if (f->is_open && !f->told) {
        f->told = true;
        archai_evaluator_event_set(out, ARCHAI_EVALUATOR_READY, ARCHAI_OK, f->device != NULL ? f->device : "");
    } else if (f->busy && f->fails != 0) {
        f->busy = false;
        archai_evaluator_event_set(out, ARCHAI_EVALUATOR_FAILED, f->fails, f->why);
    } else if (f->busy) {
        f->busy = false;
        out->kind = ARCHAI_EVALUATOR_MEASURED;
        out->result = calloc(1, sizeof *out->result);
        announce(f, out->result);
    } else if (f->is_open && f->dies) {
        out->kind = ARCHAI_EVALUATOR_GONE;
        out->signal = SIGKILL;
    }
    return ARCHAI_OK;
}

static void fake_close(archai_evaluator *self)
{
    ((slot_evaluator *)self)->is_open = false;
}

static int fake_weights_fd(archai_evaluator *self)
{
    return ((slot_evaluator *)self)->fd;
}

static const archai_evaluator_ops fake_ops = {
    .name = "fake",
    .size = sizeof(slot_evaluator),
    .open = fake_open,
    .begin = fake_begin,
    .poll = fake_poll,
    .close = fake_close,
    .weights_fd = fake_weights_fd,
};

/* -- rank 0 -------------------------------------------------------------------------------- */

/* A model of a little more than `bytes`. */
static void make_tensors(slot *b, size_t bytes)
{
    b->n_data = bytes / sizeof *b->data;
    b->data = malloc(bytes);
    for (size_t i = 0; i < b->n_data; i++)
        b->data[i] = (float)(i * 2654435761U % 1000003);
    b->width[0] = 0.25;
    b->width[1] = -7;
    b->steps[0] = 12345;
    b->f->tensors[0] = (archai_tensor){
        .name = (char *)"steps", .dtype = ARCHAI_I64, .data = b->steps, .bytes = 8};
    b->f->tensors[1] = (archai_tensor){.name = (char *)"weight",
                                       .dtype = ARCHAI_F32,
                                       .ndim = 1,
                                       .shape = {(int64_t)b->n_data},
                                       .data = b->data,
                                       .bytes = bytes};
    b->f->tensors[2] = (archai_tensor){.name = (char *)"none",
                                       .dtype = ARCHAI_F32,
                                       .ndim = 2,
                                       .shape = {0, 3},
                                       .data = b->data};
    b->f->tensors[3] = (archai_tensor){.name = (char *)"width",
                                       .dtype = ARCHAI_F64,
                                       .ndim = 1,
                                       .shape = {2},
                                       .data = b->width,
                                       .bytes = sizeof b->width};
}

void slot_make_segment(const slot *b, const char *name)
{
    const archai_segment_size size = {
        .rows = 4 * ARCHAI_SEGMENT_BLOCK_ROWS,
        .text_bytes = 16 * MIB,
        .pool = {[ARCHAI_F32] = (int64_t)b->n_data + 100, [ARCHAI_F64] = 16, [ARCHAI_I64] = 16},
    };

    assert_int_equal(archai_segment_create(b->directory, name, &size, NULL), ARCHAI_OK);
}

void slot_open(slot *b, const char *directory, size_t bytes)
{
    archai_err err = ARCHAI_ERR_INIT;

    *b = (slot){.directory = directory,
                .box = {.request = MPI_REQUEST_NULL},
                .config = {.evaluator = {.timeout_s = INFINITY},
                           .output = {.weights = ARCHAI_WEIGHTS_ALL}},
                .setup = {.data_fd = -1,
                          .device = "cpu",
                          .threads = 1,
                          .config_text = "[space]\nname = cnn\n"}};
    b->comm = (archai_comm){.comm = MPI_COMM_NULL, .rank = 0, .size = 1, .to = &b->box};
    b->setup.config = &b->config;
    OK(archai_worker_init(&b->w, &b->comm, &fake_ops, &b->setup, &b->objectives, directory,
                          &err));
    b->f = (slot_evaluator *)b->w.evaluator;
    b->f->fd = memfd_create("weights", MFD_CLOEXEC);
    make_tensors(b, bytes);
    slot_make_segment(b, slot_first);
}

void slot_close(slot *b)
{
    const int fd = b->f->fd;

    archai_worker_fini(&b->w);
    archai_buffer_free(&b->box.waiting);
    free(b->data);
    (void)close(fd);
}

bool slot_heard(slot *b, archai_message *m)
{
    bool got = false;

    do {
        archai_message_fini(m);
        assert_int_equal(archai_frame_take(&b->box.waiting, &b->used, m, &got, NULL),
                         ARCHAI_OK);
    } while (got && (m->type == ARCHAI_MSG_NEED || m->type == ARCHAI_MSG_HELLO));
    return got;
}

void slot_tell(slot *b, archai_message m)
{
    archai_err err = ARCHAI_ERR_INIT;

    OK(archai_worker_handle(&b->w, &m, &err));
}

void slot_step(slot *b)
{
    archai_err err = ARCHAI_ERR_INIT;
    bool busy = false;

    OK(archai_worker_step(&b->w, &busy, &err));
}

archai_message slot_expect(slot *b, archai_message_type type)
{
    archai_message m = {0};

    for (int i = 0; i < STEPS_MAX && !slot_heard(b, &m); i++)
        slot_step(b);
    if (m.type != type)
        fail_msg("said '%s' (%s), not '%s'", archai_message_name(m.type),
                 m.text != NULL ? m.text : "", archai_message_name(type));
    return m;
}

void slot_grant(slot *b, const char *segment)
{
    slot_tell(b, (archai_message){.type = ARCHAI_MSG_GRANT,
                                  .segment = (char *)(uintptr_t)segment,
                                  .n_rows = ARCHAI_SEGMENT_BLOCK_ROWS,
                                  .text_bytes = MIB});
}

void slot_give(slot *b)
{
    archai_trial *c = calloc(1, sizeof *c);

    *c = (archai_trial){.id = SLOT_ID,
                            .model = {.archid = strdup("a")},
                            .arch = strdup("{\"nb_layers\": 1, \"kernel_size\": 3, "
                                           "\"hidden_dim\": 4}"),
                            .parents = strdup("[]"),
                            .budget = 1};
    slot_tell(b, (archai_message){.type = ARCHAI_MSG_WORK, .candidates = c, .n_candidates = 1});
    slot_grant(b, slot_first);
}

void slot_keep_in(slot *b, const char *segment)
{
    archai_message m;

    slot_give(b);
    m = slot_expect(b, ARCHAI_MSG_OFFER);
    assert_int_equal(m.evaluation->n_tensors, SLOT_TENSORS);
    m.type = ARCHAI_MSG_VERDICT;
    m.id = SLOT_ID;
    m.keep = true;
    m.evaluation->tensors[1].offset = 90;
    m.evaluation->tensors[2].offset = 50;
    m.evaluation->tensors[3].offset = 3;
    m.segment = strdup(segment);
    if (strcmp(segment, slot_first) != 0)
        slot_grant(b, segment);
    slot_tell(b, m);
    assert_int_equal(b->w.state, ARCHAI_WORKER_WRITING); /* and nothing is written yet */
    archai_trial_fini(m.evaluation);
    free(m.evaluation);
    free(m.segment);
    free(m.text);
    free(m.device);
}

void slot_assert_kept(const slot *b, const char *segment, const archai_message *done)
{
    archai_segment s = ARCHAI_SEGMENT_INIT;
    archai_trial e = {0};
    archai_err err = ARCHAI_ERR_INIT;
    bool valid;

    assert_int_equal(done->reports[0].id, SLOT_ID);
    assert_true(done->reports[0].stored == archai_segment_place(segment, 0));
    OK(archai_segment_open(&s, b->directory, segment, false, &err));
    OK(archai_segment_read(&s, 0, &valid, &e, &err));
    assert_true(valid);
    assert_int_equal(e.status, ARCHAI_STATUS_OK);
    assert_int_equal(e.n_tensors, SLOT_TENSORS);
    for (size_t i = 0; i < SLOT_TENSORS; i++) {
        const archai_tensor *t = &b->f->tensors[i];
        char *got = malloc(t->bytes + 1);

        assert_string_equal(e.tensors[i].name, t->name);
        OK(archai_segment_read_tensor(&s, &e.tensors[i], got, &err));
        assert_true(memcmp(got, t->data, t->bytes) == 0);
        assert_int_equal(e.tensors[i].crc, archai_segment_crc(t->data, t->bytes));
        free(got);
    }
    archai_trial_fini(&e);
    archai_segment_close(&s);
}
