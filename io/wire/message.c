#include "io/wire/message.h"

#include <stdlib.h>
#include <string.h>

#include "io/wire/record.h"

/* -- the record types ---------------------------------------------------------------------- */

#define AT(type, member)    .at = offsetof(type, member)
#define COUNT(type, member) .count_at = offsetof(type, member)

/* clang-format off */
#define F(name, suffix, ...) {.key = name, .kind = ARCHAI_FIELD_##suffix, __VA_ARGS__}
#define O(name, suffix, ...) F(name, suffix, __VA_ARGS__, .optional = true)

static const archai_field curve_fields[] = {
    F("name",   TEXT,   AT(archai_curve, name)),
    F("values", FLOATS, AT(archai_curve, values), COUNT(archai_curve, n)),
    {.key = NULL},
};
static const archai_record_type curve_type = {"curve", sizeof(archai_curve), curve_fields};

static const archai_field tensor_fields[] = {
    F("name",   TEXT,  AT(archai_tensor_place, name)),
    F("dtype",  DTYPE, AT(archai_tensor_place, dtype)),
    F("shape",  DIMS,  AT(archai_tensor_place, shape), COUNT(archai_tensor_place, ndim)),
    F("offset", I64,   AT(archai_tensor_place, offset)),
    F("crc",    U32,   AT(archai_tensor_place, crc)),
    {.key = NULL},
};
static const archai_record_type tensor_type = {"tensor", sizeof(archai_tensor_place), tensor_fields};

static const archai_field evaluation_fields[] = {
    F("id",         I64,      AT(archai_evaluation, id)),
    F("archid",     TEXT,     AT(archai_evaluation, archid)),
    F("arch",       TEXT,     AT(archai_evaluation, arch)),
    F("status",     STATUS,   AT(archai_evaluation, status)),
    F("error",      TEXT,     AT(archai_evaluation, error)),
    F("operator",   TEXT,     AT(archai_evaluation, operator_)),
    F("parents",    TEXT,     AT(archai_evaluation, parents)),
    F("metadata",   TEXT,     AT(archai_evaluation, metadata)),
    F("device",     TEXT,     AT(archai_evaluation, device)),
    F("generation", I32,      AT(archai_evaluation, generation)),
    F("rank",       I32,      AT(archai_evaluation, rank)),
    F("budget",     DOUBLE,   AT(archai_evaluation, budget)),
    F("started",    DOUBLE,   AT(archai_evaluation, started)),
    F("seconds",    DOUBLE,   AT(archai_evaluation, seconds)),
    F("encoding",   FLOATS,   AT(archai_evaluation, encoding), COUNT(archai_evaluation, n_encoding)),
    F("measures",   MEASURES, AT(archai_evaluation, measures), COUNT(archai_evaluation, n_measures)),
    F("curves",     LIST,     AT(archai_evaluation, curves), COUNT(archai_evaluation, n_curves), .of = &curve_type),
    F("tensors",    LIST,     AT(archai_evaluation, tensors), COUNT(archai_evaluation, n_tensors), .of = &tensor_type),
    {.key = NULL},
};
static const archai_record_type evaluation_type = {"evaluation", sizeof(archai_evaluation), evaluation_fields};

/* Of an evaluation, what rank 0 does not know already when its row is committed. */
static const archai_field report_fields[] = {
    F("id",       I64,      AT(archai_evaluation, id)),
    F("status",   STATUS,   AT(archai_evaluation, status)),
    O("error",    TEXT,     AT(archai_evaluation, error)),
    F("seconds",  DOUBLE,   AT(archai_evaluation, seconds)),
    O("stored",   I64,      AT(archai_evaluation, stored)),
    O("measures", MEASURES, AT(archai_evaluation, measures), COUNT(archai_evaluation, n_measures)),
    {.key = NULL},
};
static const archai_record_type report_type = {"report", sizeof(archai_evaluation), report_fields};

/* Of an evaluation, what is asked about: may its weights be kept, and where; and what is answered. */
static const archai_field offer_fields[] = {
    F("id",       I64,      AT(archai_evaluation, id)),
    F("status",   STATUS,   AT(archai_evaluation, status)),
    O("error",    TEXT,     AT(archai_evaluation, error)),
    O("budget",   DOUBLE,   AT(archai_evaluation, budget)),
    O("seconds",  DOUBLE,   AT(archai_evaluation, seconds)),
    O("measures", MEASURES, AT(archai_evaluation, measures), COUNT(archai_evaluation, n_measures)),
    O("tensors",  LIST,     AT(archai_evaluation, tensors), COUNT(archai_evaluation, n_tensors), .of = &tensor_type),
    {.key = NULL},
};
static const archai_record_type offer_type = {"offer", sizeof(archai_evaluation), offer_fields};

static const archai_field candidate_fields[] = {
    F("id",         I64,      AT(archai_candidate, id)),
    F("archid",     TEXT,     AT(archai_candidate, model.archid)),
    O("metadata",   JSON,     AT(archai_candidate, model.metadata)),
    F("arch",       TEXT,     AT(archai_candidate, arch)),
    F("operator",   WORD,     AT(archai_candidate, operator_)),
    O("parents",    TEXT,     AT(archai_candidate, parents)),
    O("generation", I32,      AT(archai_candidate, generation)),
    F("budget",     DOUBLE,   AT(archai_candidate, budget)),
    F("seed",       U64,      AT(archai_candidate, seed)),
    O("begin_at",   I64,      AT(archai_candidate, begin_at)),
    O("max_budget", DOUBLE,   AT(archai_candidate, max_budget)),
    O("keep",       BOOL,     AT(archai_candidate, keep)),
    O("measures",   MEASURES, AT(archai_candidate, measures), COUNT(archai_candidate, n_measures)),
    O("encoding",   FLOATS,   AT(archai_candidate, encoding), COUNT(archai_candidate, n_encoding)),
    {.key = NULL},
};
static const archai_record_type candidate_type = {"candidate", sizeof(archai_candidate), candidate_fields};

static const archai_field data_fields[] = {
    F("channels",    I32, AT(archai_data_shape, channels)),
    F("height",      I32, AT(archai_data_shape, height)),
    F("width",       I32, AT(archai_data_shape, width)),
    F("num_classes", I32, AT(archai_data_shape, num_classes)),
    {.key = NULL},
};
static const archai_record_type data_type = {"data", sizeof(archai_data_shape), data_fields};

static const archai_field settings_fields[] = {
    F("model",                WORD,   AT(archai_surrogate_settings, model)),
    F("num_ensemble_members", I64,    AT(archai_surrogate_settings, num_ensemble_members)),
    F("num_layers",           I64,    AT(archai_surrogate_settings, num_layers)),
    F("width",                I64,    AT(archai_surrogate_settings, width)),
    F("num_tr_steps",         I64,    AT(archai_surrogate_settings, num_tr_steps)),
    F("lr",                   DOUBLE, AT(archai_surrogate_settings, lr)),
    F("replace_nan_value",    DOUBLE, AT(archai_surrogate_settings, replace_nan_value)),
    {.key = NULL},
};
static const archai_record_type settings_type = {"settings", sizeof(archai_surrogate_settings), settings_fields};

static const archai_field job_fields[] = {
    F("id",         I64,    AT(archai_surrogate_job, id)),
    F("settings",   INSIDE, AT(archai_surrogate_job, settings), .of = &settings_type),
    F("seed",       U64,    AT(archai_surrogate_job, seed)),
    F("warm",       BOOL,   AT(archai_surrogate_job, warm)),
    F("kinds",      TEXT,   AT(archai_surrogate_job, kinds)),
    F("n_features", I64,    AT(archai_surrogate_job, n_features)),
    F("n_targets",  I64,    AT(archai_surrogate_job, n_targets)),
    F("held",       I64,    AT(archai_surrogate_job, held)),
    F("x",          FLOATS, AT(archai_surrogate_job, x), COUNT(archai_surrogate_job, n_x)),
    F("y",          FLOATS, AT(archai_surrogate_job, y), COUNT(archai_surrogate_job, n_y)),
    F("queries",    FLOATS, AT(archai_surrogate_job, queries), COUNT(archai_surrogate_job, n_queries)),
    {.key = NULL},
};
static const archai_record_type job_type = {"job", sizeof(archai_surrogate_job), job_fields};

static const archai_field answer_fields[] = {
    F("id",   I64,    AT(archai_surrogate_answer, id)),
    F("mean", FLOATS, AT(archai_surrogate_answer, mean), COUNT(archai_surrogate_answer, n_mean)),
    F("var",  FLOATS, AT(archai_surrogate_answer, var), COUNT(archai_surrogate_answer, n_var)),
    {.key = NULL},
};
static const archai_record_type answer_type = {"answer", sizeof(archai_surrogate_answer), answer_fields};

/* X-macro, so that a field's number in the table and its bit cannot drift apart. */
#define MESSAGE_FIELDS(X) \
    X(ID,          "id",          I64,    AT(archai_message, id)) \
    X(TEXT,        "text",        TEXT,   AT(archai_message, text)) \
    X(DEVICE,      "device",      TEXT,   AT(archai_message, device)) \
    X(CODE,        "code",        I32,    AT(archai_message, code)) \
    X(EPOCH,       "epoch",       I32,    AT(archai_message, epoch)) \
    X(EPOCHS,      "epochs",      I32,    AT(archai_message, epochs)) \
    X(THREADS,     "threads",     I32,    AT(archai_message, threads)) \
    X(SECONDS,     "seconds",     DOUBLE, AT(archai_message, seconds)) \
    X(KEEP,        "keep",        BOOL,   AT(archai_message, keep)) \
    X(DATA,        "data",        INSIDE, AT(archai_message, data), .of = &data_type) \
    X(SEGMENT,     "segment",     TEXT,   AT(archai_message, segment)) \
    X(STORED,      "stored",      I64,    AT(archai_message, stored)) \
    X(ROW,         "row",         I64,    AT(archai_message, row)) \
    X(N_ROWS,      "n_rows",      I64,    AT(archai_message, n_rows)) \
    X(TEXT_OFFSET, "text_offset", I64,    AT(archai_message, text_offset)) \
    X(TEXT_BYTES,  "text_bytes",  I64,    AT(archai_message, text_bytes)) \
    X(CANDIDATES,  "candidates",  LIST,   AT(archai_message, candidates), COUNT(archai_message, n_candidates), .of = &candidate_type) \
    X(EVALUATION,  "evaluation",  OWNED,  AT(archai_message, evaluation), .of = &evaluation_type) \
    X(REPORTS,     "reports",     LIST,   AT(archai_message, reports), COUNT(archai_message, n_reports), .of = &report_type) \
    X(OFFER,       "offer",       OWNED,  AT(archai_message, evaluation), .of = &offer_type) \
    X(SHAPE,       "shape",       DIMS,   AT(archai_message, shape), COUNT(archai_message, ndim)) \
    X(JOB,         "job",         OWNED,  AT(archai_message, job), .of = &job_type) \
    X(ANSWER,      "answer",      OWNED,  AT(archai_message, answer), .of = &answer_type) \
    X(STATE,       "state",       TEXT,   AT(archai_message, state)) \
    X(REJECTED,    "rejected",    I64,    AT(archai_message, rejected)) \
    X(RANKS,       "ranks",       I32,    AT(archai_message, ranks)) \
    X(DIRECTORY,   "directory",   TEXT,   AT(archai_message, directory)) \
    X(SPACE,       "space",       TEXT,   AT(archai_message, space)) \
    X(SOFTWARE,    "software",    TEXT,   AT(archai_message, software)) \
    X(STARTED,     "started",     TEXT,   AT(archai_message, started)) \
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
    [ARCHAI_MSG_PROGRESS]  = B(ID) | B(EPOCH) | B(EPOCHS),
    [ARCHAI_MSG_NEED]      = B(N_ROWS) | B(TEXT_BYTES),
    [ARCHAI_MSG_RETIRED]   = B(TEXT),
    [ARCHAI_MSG_RETURNED]  = B(ID),
    [ARCHAI_MSG_DRAIN]     = B(SECONDS),
    [ARCHAI_MSG_STOP]      = B(CODE) | B(TEXT) | B(KEEP),
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
    [ARCHAI_MSG_INDEX]     = B(TEXT) | B(RANKS) | B(DIRECTORY) | B(SPACE) | B(SOFTWARE) | B(STARTED) | B(IS_RESUME),
    [ARCHAI_MSG_REFRESH]   = B(STATE) | B(REJECTED),
    [ARCHAI_MSG_INDEXED]   = B(N_ROWS) | B(SECONDS),
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

int archai_buffer_reserve(archai_buffer *b, size_t more, archai_err *err)
{
    size_t capacity = b->capacity > 0 ? b->capacity : 512;
    char *grown;

    if (more <= b->capacity - b->size)
        return ARCHAI_OK;
    while (capacity - b->size < more && capacity <= SIZE_MAX / 2)
        capacity *= 2;
    grown = capacity - b->size >= more ? realloc(b->data, capacity) : NULL;
    if (grown == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "out of memory for %zu bytes of messages", more);
    b->data = grown;
    b->capacity = capacity;
    return ARCHAI_OK;
}

/* A buffer that stays failed: fields are written without a check each, one at the end. */
typedef struct writer {
    archai_buffer *out;
    size_t start;
    bool failed;
} writer;

static int append(void *payload, const char *data, size_t n)
{
    writer *w = payload;

    if (w->failed || archai_buffer_reserve(w->out, n, NULL) != ARCHAI_OK) {
        w->failed = true;
        return -1;
    }
    memcpy(w->out->data + w->out->size, data, n);
    w->out->size += n;
    return 0;
}

/* All or nothing, and never more than a frame may hold. */
static int finish(writer *w, const char *what, archai_err *err)
{
    int rc = ARCHAI_OK;

    if (w->failed)
        rc = archai_fail(err, ARCHAI_ENOMEM, "out of memory for a %s message", what);
    else if (w->out->size - w->start > ARCHAI_FRAME_MAX)
        rc = archai_fail(err, ARCHAI_EINVAL, "a %s message of %zu bytes exceeds %d", what,
                         w->out->size - w->start, ARCHAI_FRAME_MAX);
    if (rc != ARCHAI_OK)
        w->out->size = w->start;
    return rc;
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
           (type == ARCHAI_MSG_DRAIN && source == 0);
}

int archai_message_pack(const archai_message *m, archai_buffer *out, archai_err *err)
{
    writer w = {.out = out, .start = out->size};
    msgpack_packer pk;
    uint64_t fields;

    if ((unsigned)m->type >= ARCHAI_MSG_COUNT)
        return archai_fail(err, ARCHAI_EINTERNAL, "message type %d", (int)m->type);
    fields = message_carries[m->type];
    msgpack_packer_init(&pk, &w, append);
    msgpack_pack_map(&pk, 2 + archai_record_count(&message_type, m, fields));
    pack_word(&pk, "t");
    pack_word(&pk, message_names[m->type]);
    pack_word(&pk, "v");
    msgpack_pack_int(&pk, ARCHAI_MESSAGE_VERSION);
    archai_record_write(&pk, &message_type, m, fields);
    return finish(&w, message_names[m->type], err);
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
static size_t zone_bytes(size_t size)
{
    return size < 512 ? 960 : MSGPACK_ZONE_CHUNK_SIZE;
}

int archai_message_unpack(const char *data, size_t size, archai_message *out, archai_err *err)
{
    archai_message m = {0};
    msgpack_object map;
    msgpack_zone zone;
    int rc;

    if (!msgpack_zone_init(&zone, zone_bytes(size)))
        return archai_fail(err, ARCHAI_ENOMEM, "out of memory for a message");
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
    for (size_t i = 0; i < m->n_candidates; i++)
        archai_candidate_fini(&m->candidates[i]);
    free(m->candidates);
    if (m->evaluation != NULL)
        archai_evaluation_fini(m->evaluation);
    free(m->evaluation);
    for (size_t i = 0; i < m->n_reports; i++)
        archai_evaluation_fini(&m->reports[i]);
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

    ARCHAI_TRY(archai_buffer_reserve(out, ARCHAI_FRAME_HEAD, err));
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

int archai_evaluation_pack(const archai_evaluation *e, archai_buffer *out, archai_err *err)
{
    writer w = {.out = out, .start = out->size};
    msgpack_packer pk;

    msgpack_packer_init(&pk, &w, append);
    msgpack_pack_map(&pk, archai_record_count(&evaluation_type, e, ARCHAI_ALL_FIELDS));
    archai_record_write(&pk, &evaluation_type, e, ARCHAI_ALL_FIELDS);
    return finish(&w, "evaluation", err);
}

int archai_evaluation_unpack(const char *data, size_t size, archai_evaluation *out,
                             archai_err *err)
{
    archai_evaluation e = {0};
    msgpack_object map;
    msgpack_zone zone;
    int rc;

    if (!msgpack_zone_init(&zone, zone_bytes(size)))
        return archai_fail(err, ARCHAI_ENOMEM, "out of memory for an evaluation");
    ARCHAI_TRY_GOTO(rc, archai_record_parse(data, size, &zone, &map, err), out);
    ARCHAI_TRY_GOTO(rc, archai_record_read(&evaluation_type, &map, ARCHAI_ALL_FIELDS, &e, err),
                    out);
    *out = e;
out:
    if (rc != ARCHAI_OK)
        archai_evaluation_fini(&e);
    msgpack_zone_destroy(&zone);
    return rc;
}
