/* io/wire/message.h - every msgpack map that crosses a process boundary, encoded and decoded here only.
 *
 * Each message is one map with "t" (type name), "v" (version) and its fields. Unknown keys are
 * ignored; a missing or mistyped one is ARCHAI_EFORMAT and named. What arrives is not trusted:
 * sizes are checked before anything is allocated (fuzzed, tests/fuzz). Writers are sticky: write
 * all fields, check once at the end.
 *
 * The packed evaluation doubles as the stored detail of a segment row (io/segment/segment.h): what a
 * worker commits is, byte for byte, what it reports.
 */
#ifndef ARCHAI_IO_WIRE_MESSAGE_H
#define ARCHAI_IO_WIRE_MESSAGE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/base/err.h"
#include "core/search/trial.h"
#include "core/search/surrogate.h"

enum { ARCHAI_MESSAGE_VERSION = 1 };

typedef struct archai_buffer {
    char *data; /* owned */
    size_t size, capacity;
} archai_buffer;
void archai_buffer_free(archai_buffer *b);
void archai_buffer_reserve(archai_buffer *b, size_t more); /* room after size */

/* clang-format off */
/* Between ranks and between a worker and its evaluator. C coordinator, W worker, E evaluator. */
#define ARCHAI_MESSAGE_LIST(X) \
    X(ARCHAI_MSG_HELLO,    "hello")    /* W->C: host, device, evaluator text                    */ \
    X(ARCHAI_MSG_GRANT,    "grant")    /* C->W: segment file, block of rows, block of text      */ \
    X(ARCHAI_MSG_WORK,     "work")     /* C->W, W->E: candidates to evaluate                    */ \
    X(ARCHAI_MSG_MEASURED, "measured") /* E->W: measures, curves and the tensors on offer       */ \
    X(ARCHAI_MSG_OFFER,    "offer")    /* W->C: id, status, error, measures, tensors on offer; text_bytes: of its row */ \
    X(ARCHAI_MSG_VERDICT,  "verdict")  /* C->W: keep (pool places) or drop the weights; status, error */ \
    X(ARCHAI_MSG_DONE,     "done")     /* W->C: reports: id, status, error, measures, seconds, place of those whose rows are committed */ \
    X(ARCHAI_MSG_ROW,      "row")      /* indexer->C: a row of an earlier start                  */ \
    X(ARCHAI_MSG_PROGRESS, "progress") /* E->W, W->C: id, epoch (or step), epochs, measures so far; also a sign of life */ \
    X(ARCHAI_MSG_PRUNE,    "prune")    /* C->W, W->E: id: it should end now, with what it has   */ \
    X(ARCHAI_MSG_NEED,     "need")     /* W->C: n_rows and text_bytes that a new grant must hold */ \
    X(ARCHAI_MSG_RETIRED,  "retired")  /* W->C: this worker takes no more work; why             */ \
    X(ARCHAI_MSG_RETURNED, "returned") /* W->C: id given back unevaluated (drain, interruption) */ \
    X(ARCHAI_MSG_DRAIN,    "drain")    /* C->W: finish within `seconds`, start nothing; W->E: leave a checkpoint */ \
    X(ARCHAI_MSG_STOP,     "stop")     /* C->W: the run is over; reason; at_once: wait for nobody */ \
    X(ARCHAI_MSG_OPEN,     "open")     /* W->E: configuration text, device, threads, data shape */ \
    X(ARCHAI_MSG_READY,    "ready")    /* E->W: device text, versions                           */ \
    X(ARCHAI_MSG_FAILED,   "failed")   /* E->W, W->C: id (or -1), code, text                    */ \
    X(ARCHAI_MSG_PREDICT,  "predict")  /* tool->E: arch; input and weights lie in the memfds     */ \
    X(ARCHAI_MSG_PREDICTED,"predicted")/* E->tool: shape of the output, which lies in the memfd  */ \
    X(ARCHAI_MSG_SAVE_PT,  "save_pt")  /* tool->E: path; the weights lie in the memfd            */ \
    X(ARCHAI_MSG_SAVED,    "saved")    /* E->tool                                               */ \
    X(ARCHAI_MSG_FIT,      "fit")      /* C->E: a surrogate's job: rows to learn, queries       */ \
    X(ARCHAI_MSG_FITTED,   "fitted")   /* E->C: what is predicted of the queries                */ \
    X(ARCHAI_MSG_NOTE,     "note")     /* E->W, W->C: id, text for run.log                      */ \
    X(ARCHAI_MSG_EARLIER,  "earlier")  /* indexer->C: what an earlier results.h5 says of itself; text: its configuration */ \
    X(ARCHAI_MSG_INDEX,    "index")    /* C->indexer: the run whose results.h5 is to be made; text: its configuration */ \
    X(ARCHAI_MSG_REFRESH,  "refresh")  /* C->indexer: bring results.h5 up to date; state, rejected */ \
    X(ARCHAI_MSG_INDEXED,  "indexed")  /* indexer->C: it is done: rows in results.h5 (or sent), seconds it took; text for run.log, or "" */
typedef enum archai_message_type {
#define X(name, text) name,
    ARCHAI_MESSAGE_LIST(X)
#undef X
    ARCHAI_MSG_COUNT
} archai_message_type;
/* clang-format on */

/* One struct for all messages: a field that a type does not use is zero. Small, flat, and one
 * codec; which fields a type carries (and requires) stands in one table in message.c. */
typedef struct archai_message {
    archai_message_type type;
    int64_t id;               /* candidate; -1: none */
    char *text;               /* owned; host / reason / path / error / configuration */
    char *device;             /* owned */
    int32_t code;             /* archai_rc */
    int32_t epoch, epochs;    /* epochs 0: not known */
    double at;                /* progress: the epoch or step */
    bool by_epoch;
    int32_t threads;
    double seconds;
    bool keep;                /* verdict: the weights */
    bool at_once;             /* stop: a rank was lost, leave without waiting for the others */
    archai_data_shape data;   /* open */
    /* grant, verdict: the segment and places in it */
    char *segment;            /* owned; file name without directory */
    int64_t stored;           /* row: its place, likewise */
    int64_t row, n_rows;      /* grant */
    int64_t text_offset, text_bytes; /* grant: bytes in the text pool; offer: that its row takes */
    archai_trial *candidates; /* owned; work */
    size_t n_candidates;
    archai_trial *evaluation; /* owned; row, measured; progress: its measures alone; offer: what rank 0 lacks of it (the rest is
                                      zero); verdict: status, error, tensors with places, in order */
    archai_trial *reports;    /* owned; done: what rank 0 lacks of each, and `stored`: the place of its row,
                                      if weights were kept with it (io/segment/segment.h); else 0 */
    size_t n_reports;
    int64_t shape[ARCHAI_MAX_DIMS]; /* predicted, predict */
    int32_t ndim;
    archai_surrogate_job *job;       /* owned; fit */
    archai_surrogate_answer *answer; /* owned; fitted */
    /* earlier; n_rows: in results.h5 */
    char *state;                     /* owned; "": there is no results.h5 */
    int64_t rejected;
    int32_t ranks;
    /* index: what does not follow from the configuration (io/results/index/index.h); ranks */
    char *directory, *space, *software, *started; /* owned */
    char *data_set;                               /* owned; archai_dataset_record; "": none */
    bool is_resume;
} archai_message;

int archai_message_pack(const archai_message *m, archai_buffer *out, archai_err *err); /* appends */
int archai_message_unpack(const char *data, size_t size, archai_message *out, archai_err *err);
void archai_message_fini(archai_message *m); /* safe on a zeroed struct */
const char *archai_message_name(archai_message_type type); /* "work"; static storage */
/* Between ranks: is it for a worker, or for rank 0's coordinator? DRAIN goes both ways: from rank 0 it is an
 * order, to rank 0 a request. */
bool archai_message_is_for_worker(archai_message_type type, int source);

/* The evaluation map alone (row detail of a segment). */
int archai_trial_pack(const archai_trial *e, archai_buffer *out, archai_err *err);
int archai_trial_unpack(const char *data, size_t size, archai_trial *out,
                             archai_err *err);

/* Frames, on pipes and in the messages between ranks: uint32 little-endian length, then one message
 * of at most 256 MiB. */
enum { ARCHAI_FRAME_MAX = 256 * 1024 * 1024, ARCHAI_FRAME_HEAD = 4 };
int archai_frame_append(const archai_message *m, archai_buffer *out, archai_err *err);
/* Take the frame at in->data + *used: *got and *out (caller fini) when it is complete, and *used
 * moves behind it. Consumed bytes stay in the buffer until the caller drops them. */
int archai_frame_take(const archai_buffer *in, size_t *used, archai_message *out, bool *got,
                      archai_err *err);

/* The states of a results directory, as results.h5 has them: the text in static storage, or NULL. */
const char *archai_run_state(const char *text);
#endif
