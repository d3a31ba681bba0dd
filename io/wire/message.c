#include "io/wire/message.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "io/wire/record_types.h"

/* -- which message has which fields ---------------------------------------------------------- */

/* clang-format off */
/* X-macro, so that a field's number in the table and its bit cannot drift apart. */
#define MESSAGE_FIELDS(X) \
    X(ID,          "id",          I64,    AT(archai_message, id)) \
    X(TEXT,        "text",        TEXT,   AT(archai_message, text)) \
    X(DEVICE,      "device",      TEXT,   AT(archai_message, device)) \
    X(CODE,        "code",        I32,    AT(archai_message, code)) \
    X(EPOCH,       "epoch",       I32,    AT(archai_message, epoch)) \
    X(EPOCHS,      "epochs",      I32,    AT(archai_message, epochs)) \
    X(STEP,        "at",          DOUBLE, AT(archai_message, at)) \
    X(BY_EPOCH,    "by_epoch",    BOOL,   AT(archai_message, by_epoch)) \
    X(SO_FAR,      "so_far",      OWNED,  AT(archai_message, evaluation), .of = &archai_progress_type) \
    X(THREADS,     "threads",     I32,    AT(archai_message, threads)) \
    X(SECONDS,     "seconds",     DOUBLE, AT(archai_message, seconds)) \
    X(KEEP,        "keep",        BOOL,   AT(archai_message, keep)) \
    X(AT_ONCE,     "at_once",     BOOL,   AT(archai_message, at_once)) \
    X(DATA,        "data",        INSIDE, AT(archai_message, data), .of = &archai_data_type) \
    X(SEGMENT,     "segment",     TEXT,   AT(archai_message, segment)) \
    X(STORED,      "stored",      I64,    AT(archai_message, stored)) \
    X(ROW,         "row",         I64,    AT(archai_message, row)) \
    X(N_ROWS,      "n_rows",      I64,    AT(archai_message, n_rows)) \
    X(TEXT_OFFSET, "text_offset", I64,    AT(archai_message, text_offset)) \
    X(TEXT_BYTES,  "text_bytes",  I64,    AT(archai_message, text_bytes)) \
    X(CANDIDATES,  "candidates",  LIST,   AT(archai_message, candidates), COUNT(archai_message, n_candidates), .of = &archai_candidate_type) \
    X(EVALUATION,  "evaluation",  OWNED,  AT(archai_message, evaluation), .of = &archai_trial_row_type) \
    X(REPORTS,     "reports",     LIST,   AT(archai_message, reports), COUNT(archai_message, n_reports), .of = &archai_report_type) \
    X(OFFER,       "offer",       OWNED,  AT(archai_message, evaluation), .of = &archai_offer_type) \
    X(SHAPE,       "shape",       DIMS,   AT(archai_message, shape), COUNT(archai_message, ndim)) \
    X(JOB,         "job",         OWNED,  AT(archai_message, job), .of = &archai_job_type) \
    X(ANSWER,      "answer",      OWNED,  AT(archai_message, answer), .of = &archai_answer_type) \
    X(STATE,       "state",       TEXT,   AT(archai_message, state)) \
    X(REJECTED,    "rejected",    I64,    AT(archai_message, rejected)) \
    X(RANKS,       "ranks",       I32,    AT(archai_message, ranks)) \
    X(DIRECTORY,   "directory",   TEXT,   AT(archai_message, directory)) \
    X(SPACE,       "space",       TEXT,   AT(archai_message, space)) \
    X(SOFTWARE,    "software",    TEXT,   AT(archai_message, software)) \
    X(STARTED,     "started",     TEXT,   AT(archai_message, started)) \
    X(DATA_SET,    "data_set",    TEXT,   AT(archai_message, data_set)) \
    X(IS_RESUME,   "is_resume",   BOOL,   AT(archai_message, is_resume))

static const archai_field message_fields[] = {
#define X(bit, name, kind, ...) F(name, kind, __VA_ARGS__),
    MESSAGE_FIELDS(X)
#undef X
    {.key = NULL},
};
enum {
#define X(bit, name, kind, ...) NUMBER_##bit,
    MESSAGE_FIELDS(X)
#undef X
};
#define B(bit) ARCHAI_FIELD_BIT(NUMBER_##bit)

static const archai_record_type message_type = {"message", sizeof(archai_message), message_fields};

/* Which fields a message carries. All of them are required on arrival. */
static const uint64_t message_carries[ARCHAI_MSG_COUNT] = {
    [ARCHAI_MSG_HELLO]     = B(TEXT) | B(DEVICE),
    [ARCHAI_MSG_GRANT]     = B(SEGMENT) | B(ROW) | B(N_ROWS) | B(TEXT_OFFSET) | B(TEXT_BYTES),
    [ARCHAI_MSG_WORK]      = B(CANDIDATES),
    [ARCHAI_MSG_MEASURED]  = B(ID) | B(EVALUATION),
    [ARCHAI_MSG_OFFER]     = B(TEXT_BYTES) | B(OFFER),
    [ARCHAI_MSG_VERDICT]   = B(ID) | B(CODE) | B(KEEP) | B(SEGMENT) | B(OFFER),
    [ARCHAI_MSG_DONE]      = B(REPORTS),
    [ARCHAI_MSG_ROW]       = B(STORED) | B(EVALUATION),
    [ARCHAI_MSG_PROGRESS]  = B(ID) | B(EPOCH) | B(EPOCHS) | B(STEP) | B(BY_EPOCH) | B(SO_FAR),
    [ARCHAI_MSG_PRUNE]     = B(ID),
    [ARCHAI_MSG_NEED]      = B(N_ROWS) | B(TEXT_BYTES),
    [ARCHAI_MSG_RETIRED]   = B(TEXT),
    [ARCHAI_MSG_RETURNED]  = B(ID),
    [ARCHAI_MSG_DRAIN]     = B(SECONDS),
    [ARCHAI_MSG_STOP]      = B(CODE) | B(TEXT) | B(AT_ONCE),
    [ARCHAI_MSG_OPEN]      = B(TEXT) | B(DEVICE) | B(THREADS) | B(DATA),
    [ARCHAI_MSG_READY]     = B(TEXT) | B(DEVICE),
    [ARCHAI_MSG_FAILED]    = B(ID) | B(CODE) | B(TEXT),
    [ARCHAI_MSG_PREDICT]   = B(TEXT) | B(SHAPE),
    [ARCHAI_MSG_PREDICTED] = B(SHAPE),
    [ARCHAI_MSG_SAVE_PT]   = B(TEXT),
    [ARCHAI_MSG_SAVED]     = 0,
    [ARCHAI_MSG_FIT]       = B(JOB),
    [ARCHAI_MSG_FITTED]    = B(ANSWER),
    [ARCHAI_MSG_NOTE]      = B(ID) | B(TEXT),
    [ARCHAI_MSG_EARLIER]   = B(TEXT) | B(STATE) | B(N_ROWS) | B(REJECTED) | B(RANKS),
    [ARCHAI_MSG_INDEX]     = B(TEXT) | B(RANKS) | B(DIRECTORY) | B(SPACE) | B(SOFTWARE) | B(STARTED) | B(DATA_SET) | B(IS_RESUME),
    [ARCHAI_MSG_REFRESH]   = B(STATE) | B(REJECTED),
    [ARCHAI_MSG_INDEXED]   = B(N_ROWS) | B(SECONDS) | B(TEXT),
};
static const char *const message_names[ARCHAI_MSG_COUNT] = {
#define X(type, name) [type] = name,
    ARCHAI_MESSAGE_LIST(X)
#undef X
};
/* clang-format on */

/* -- buffer -------------------------------------------------------------------------------- */

void archai_buffer_free(archai_buffer *b)
{
    free(b->data);
    *b = (archai_buffer){0};
}

void archai_buffer_reserve(archai_buffer *b, size_t more)
{
    ARCHAI_RESERVE(b->data, b->capacity, b->size + more > 512 ? b->size + more : 512);
}

static int append(void *payload, const char *data, size_t n)
{
    archai_buffer *out = payload;

    archai_buffer_reserve(out, n);
    memcpy(out->data + out->size, data, n);
    out->size += n;
    return 0;
}

/* All or nothing: a frame holds no more. */
static int check_size(archai_buffer *out, size_t start, const char *what, archai_err *err)
{
    const size_t size = out->size - start;

    if (size <= ARCHAI_FRAME_MAX)
        return ARCHAI_OK;
    out->size = start;
    return archai_fail(err, ARCHAI_EINVAL, "a %s message of %zu bytes exceeds %d", what, size,
                       ARCHAI_FRAME_MAX);
}

/* -- messages ------------------------------------------------------------------------------ */

static void pack_word(msgpack_packer *pk, const char *word)
{
    msgpack_pack_str(pk, strlen(word));
    msgpack_pack_str_body(pk, word, strlen(word));
}

const char *archai_message_name(archai_message_type type)
{
    return (unsigned)type < ARCHAI_MSG_COUNT ? message_names[type] : "unknown";
}

bool archai_message_is_for_worker(archai_message_type type, int source)
{
    return type == ARCHAI_MSG_WORK || type == ARCHAI_MSG_GRANT || type == ARCHAI_MSG_VERDICT ||
           type == ARCHAI_MSG_PRUNE || (type == ARCHAI_MSG_DRAIN && source == 0);
}

int archai_message_pack(const archai_message *m, archai_buffer *out, archai_err *err)
{
    const size_t start = out->size;
    msgpack_packer pk;
    uint64_t fields;

    if ((unsigned)m->type >= ARCHAI_MSG_COUNT)
        return archai_fail(err, ARCHAI_EINTERNAL, "message type %d", (int)m->type);
    fields = message_carries[m->type];
    msgpack_packer_init(&pk, out, append);
    msgpack_pack_map(&pk, 2 + archai_record_count(&message_type, m, fields));
    pack_word(&pk, "t");
    pack_word(&pk, message_names[m->type]);
    pack_word(&pk, "v");
    msgpack_pack_int(&pk, ARCHAI_MESSAGE_VERSION);
    archai_record_write(&pk, &message_type, m, fields);
    return check_size(out, start, message_names[m->type], err);
}

static int find_type(const msgpack_object *map, archai_message_type *out, archai_err *err)
{
    const msgpack_object *t, *v;

    if (map->type != MSGPACK_OBJECT_MAP)
        return archai_fail(err, ARCHAI_EFORMAT, "message: not a map");
    t = archai_record_find(map, "t");
    v = archai_record_find(map, "v");
    if (t == NULL || t->type != MSGPACK_OBJECT_STR)
        return archai_fail(err, ARCHAI_EFORMAT, "message: 't' is missing or not a text");
    if (v == NULL || v->type != MSGPACK_OBJECT_POSITIVE_INTEGER)
        return archai_fail(err, ARCHAI_EFORMAT, "message: 'v' is missing or not an integer");
    if (v->via.u64 != ARCHAI_MESSAGE_VERSION)
        return archai_fail(err, ARCHAI_EFORMAT,
                           "message: version %llu, this program speaks %d (do all parts come "
                           "from one build?)",
                           (unsigned long long)v->via.u64, ARCHAI_MESSAGE_VERSION);
    for (int i = 0; i < ARCHAI_MSG_COUNT; i++) {
        const char *name = message_names[i];

        if (strlen(name) == t->via.str.size &&
            memcmp(name, t->via.str.ptr, strlen(name)) == 0) {
            *out = (archai_message_type)i;
            return ARCHAI_OK;
        }
    }
    return archai_fail(err, ARCHAI_EFORMAT, "message: unknown type '%.*s'",
                       (int)(t->via.str.size < 32 ? t->via.str.size : 32), t->via.str.ptr);
}

/* Places are added up and doubled by who gives them. */
static const int64_t PLACES_MAX = INT64_C(1) << 48;

const char *archai_run_state(const char *text)
{
    static const char *const states[] = {"running", "complete", "interrupted", "failed"};

    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        if (strcmp(states[i], text) == 0)
            return states[i];
    return NULL;
}

/* What the table cannot say. */
static int check_message(const archai_message *m, archai_err *err)
{
    const char *name = message_names[m->type];

    if (m->row < 0 || m->n_rows < 0 || m->text_offset < 0 || m->text_bytes < 0 || m->rejected < 0)
        return archai_fail(err, ARCHAI_EFORMAT, "%s: a negative place", name);
    if (m->n_rows > PLACES_MAX || m->text_bytes > PLACES_MAX)
        return archai_fail(err, ARCHAI_EFORMAT, "%s: more places than any file has", name);
    if (m->evaluation == NULL && m->type != ARCHAI_MSG_VERDICT &&
        (message_carries[m->type] & (B(EVALUATION) | B(OFFER))) != 0)
        return archai_fail(err, ARCHAI_EFORMAT, "%s: the evaluation is nil", name);
    if ((m->type == ARCHAI_MSG_FIT && m->job == NULL) ||
        (m->type == ARCHAI_MSG_FITTED && m->answer == NULL))
        return archai_fail(err, ARCHAI_EFORMAT, "%s: nil", name);
    if (m->type == ARCHAI_MSG_REFRESH && archai_run_state(m->state) == NULL)
        return archai_fail(err, ARCHAI_EFORMAT, "%s: there is no state '%.20s'", name, m->state);
    if (m->job != NULL)
        return archai_err_wrap(err, archai_surrogate_job_check(m->job, err), "%s: ", name);
    return ARCHAI_OK;
}

/* A chunk of 8 KB, msgpack-c's own choice, costs more to allocate and to free than a small message
 * to read. */
static void open_zone(msgpack_zone *zone, size_t size)
{
    if (!msgpack_zone_init(zone, size < 512 ? 960 : MSGPACK_ZONE_CHUNK_SIZE))
        (void)archai_there(NULL);
}

int archai_message_unpack(const char *data, size_t size, archai_message *out, archai_err *err)
{
    archai_message m = {0};
    msgpack_object map;
    msgpack_zone zone;
    int rc;

    open_zone(&zone, size);
    ARCHAI_TRY_GOTO(rc, archai_record_parse(data, size, &zone, &map, err), out);
    ARCHAI_TRY_GOTO(rc, find_type(&map, &m.type, err), out);
    rc = archai_record_read(&message_type, &map, message_carries[m.type], &m, err);
    ARCHAI_TRY_GOTO(rc, archai_err_wrap(err, rc, "%s ", message_names[m.type]), out);
    ARCHAI_TRY_GOTO(rc, check_message(&m, err), out);
    *out = m;
out:
    if (rc != ARCHAI_OK)
        archai_message_fini(&m);
    msgpack_zone_destroy(&zone);
    return rc;
}

void archai_message_fini(archai_message *m)
{
    free(m->text);
    free(m->device);
    free(m->segment);
    free(m->state);
    free(m->directory);
    free(m->space);
    free(m->software);
    free(m->started);
    free(m->data_set);
    for (size_t i = 0; i < m->n_candidates; i++)
        archai_trial_fini(&m->candidates[i]);
    free(m->candidates);
    if (m->evaluation != NULL)
        archai_trial_fini(m->evaluation);
    free(m->evaluation);
    for (size_t i = 0; i < m->n_reports; i++)
        archai_trial_fini(&m->reports[i]);
    free(m->reports);
    if (m->job != NULL)
        archai_surrogate_job_fini(m->job);
    free(m->job);
    if (m->answer != NULL)
        archai_surrogate_answer_fini(m->answer);
    free(m->answer);
    *m = (archai_message){0};
}

/* -- frames -------------------------------------------------------------------------------- */

int archai_frame_append(const archai_message *m, archai_buffer *out, archai_err *err)
{
    const size_t start = out->size;
    size_t n;
    int rc;

    archai_buffer_reserve(out, ARCHAI_FRAME_HEAD);
    out->size += ARCHAI_FRAME_HEAD;
    rc = archai_message_pack(m, out, err);
    if (rc != ARCHAI_OK) {
        out->size = start;
        return rc;
    }
    n = out->size - start - ARCHAI_FRAME_HEAD;
    for (int i = 0; i < ARCHAI_FRAME_HEAD; i++)
        out->data[start + (size_t)i] = (char)(n >> (8 * i) & 0xff);
    return ARCHAI_OK;
}

int archai_frame_take(const archai_buffer *in, size_t *used, archai_message *out, bool *got,
                      archai_err *err)
{
    const unsigned char *head = (const unsigned char *)in->data + *used;
    const size_t have = in->size - *used;
    size_t n = 0;

    *got = false;
    if (have < ARCHAI_FRAME_HEAD)
        return ARCHAI_OK;
    for (int i = 0; i < ARCHAI_FRAME_HEAD; i++)
        n |= (size_t)head[i] << (8 * i);
    if (n > ARCHAI_FRAME_MAX)
        return archai_fail(err, ARCHAI_EFORMAT, "a frame of %zu bytes exceeds %d", n,
                           ARCHAI_FRAME_MAX);
    if (have - ARCHAI_FRAME_HEAD < n)
        return ARCHAI_OK;
    ARCHAI_TRY(archai_message_unpack((const char *)head + ARCHAI_FRAME_HEAD, n, out, err));
    *used += ARCHAI_FRAME_HEAD + n;
    *got = true;
    return ARCHAI_OK;
}

/* -- evaluations alone --------------------------------------------------------------------- */

int archai_trial_pack(const archai_trial *e, archai_buffer *out, archai_err *err)
{
    const size_t start = out->size;
    msgpack_packer pk;

    msgpack_packer_init(&pk, out, append);
    msgpack_pack_map(&pk, archai_record_count(&archai_trial_row_type, e, ARCHAI_ALL_FIELDS));
    archai_record_write(&pk, &archai_trial_row_type, e, ARCHAI_ALL_FIELDS);
    return check_size(out, start, "evaluation", err);
}

int archai_trial_unpack(const char *data, size_t size, archai_trial *out,
                             archai_err *err)
{
    archai_trial e = {0};
    msgpack_object map;
    msgpack_zone zone;
    int rc;

    open_zone(&zone, size);
    ARCHAI_TRY_GOTO(rc, archai_record_parse(data, size, &zone, &map, err), out);
    ARCHAI_TRY_GOTO(rc, archai_record_read(&archai_trial_row_type, &map, ARCHAI_ALL_FIELDS, &e, err),
                    out);
    *out = e;
out:
    if (rc != ARCHAI_OK)
        archai_trial_fini(&e);
    msgpack_zone_destroy(&zone);
    return rc;
}
