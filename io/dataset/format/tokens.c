/* io/dataset/format/tokens.c - a text, or tokens that somebody made of one: the next token is to be predicted.
 *
 * A text file as bytes; a file of uint16 or uint32, little-endian, as NumPy's tofile writes them; or an
 * HDF5 file with /train/tokens [N] of an integer type and, optionally, /val/tokens and /test/tokens. A split
 * is cut into sequences of T tokens, one behind the other; what does not fill one is left out.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "io/dataset/format/hdf5_part.h"
#include "io/file/file.h"

enum { BYTES, UINT16, UINT32 };
enum { MAX_LENGTH = 1 << 16, MAX_VOCAB = 1 << 24, CHUNK = 1 << 16 /* tokens */ };

typedef struct tokens_settings {
    char *file[ARCHAI_SPLIT_COUNT];
    int type;
    int64_t length, vocab;
} tokens_settings;

/* clang-format off */
#define AT(member) offsetof(tokens_settings, member)

static const archai_option tokens_options[] = {
    {"file",            ARCHAI_OPT_STRING, AT(file[ARCHAI_SPLIT_TRAIN]), 0, 0, "", "", NULL, "text or tokens to train on, or an HDF5 file of all"},
    {"val_file",        ARCHAI_OPT_STRING, AT(file[ARCHAI_SPLIT_VAL]),   0, 0, "", "", NULL, "those to validate on; empty: the end of the training text"},
    {"test_file",       ARCHAI_OPT_STRING, AT(file[ARCHAI_SPLIT_TEST]),  0, 0, "", "", NULL, "those that no search sees"},
    {"token_type",      ARCHAI_OPT_CHOICE, AT(type),   0, 0,          "bytes", "",       "bytes uint16 uint32", "what a token is in the file (an HDF5 file says it)"},
    {"sequence_length", ARCHAI_OPT_INT,    AT(length), 1, MAX_LENGTH, "128",   "tokens", NULL,     "tokens that the model sees at once"},
    {"vocab",           ARCHAI_OPT_INT,    AT(vocab),  2, MAX_VOCAB,  "auto",  "tokens", "auto=0", "how many there are; auto: 256 of bytes, else one more than the highest of the training tokens"},
    ARCHAI_OPTION_END,
};
#undef AT
/* clang-format on */

static void tokens_check(const archai_dataset_source *source, archai_check *c)
{
    archai_check_given(c, "file", ((const tokens_settings *)source->settings)->file[0], "format",
                       "missing, format = tokens needs the path of a text, or of tokens");
}

/* -- a run of tokens ----------------------------------------------------------------------- */

typedef struct run {
    const char *key, *path; /* borrowed */
    int split, type;
    int fd;     /* owned; -1: an HDF5 file */
    hid_t h5;   /* owned */
    archai_hdf5_array array; /* owned; of h5 */
    int64_t n;  /* tokens */
} run;

static void close_run(run *r)
{
    if (r->fd >= 0)
        (void)close(r->fd);
    archai_hdf5_array_close(&r->array);
    archai_h5_release(&r->h5);
}

static int open_plain(run *r, archai_err *err)
{
    const int64_t each = r->type == BYTES ? 1 : r->type == UINT16 ? 2 : 4;
    struct stat st;

    if (fstat(r->fd, &st) != 0)
        return archai_fail(err, ARCHAI_EIO, "cannot be read");
    if (st.st_size % each != 0)
        return archai_fail(err, ARCHAI_EFORMAT, "%" PRId64 " bytes, expected a multiple of %" PRId64,
                           (int64_t)st.st_size, each);
    r->n = (int64_t)st.st_size / each;
    return ARCHAI_OK;
}

static int open_h5(run *r, archai_err *err)
{
    archai_hdf5_part x;

    (void)close(r->fd);
    r->fd = -1;
    ARCHAI_TRY(archai_h5_open(&r->h5, r->path, err));
    if (!archai_hdf5_has_split(r->h5, r->split))
        return r->split == ARCHAI_SPLIT_TRAIN
                   ? archai_fail(err, ARCHAI_EFORMAT, "/train/tokens is missing")
                   : ARCHAI_OK;
    ARCHAI_TRY(archai_hdf5_look(r->h5, r->split, "tokens", &x, err));
    if (x.ndim != 1 || x.dtype == ARCHAI_F32)
        return archai_fail(err, ARCHAI_EFORMAT, "%d dimensions of %s, expected [N] of an integer type",
                           x.ndim, x.dtype == ARCHAI_F32 ? "floating numbers" : "integers");
    r->n = (int64_t)x.dim[0];
    x.dtype = ARCHAI_I32;
    return archai_hdf5_array_open(&r->array, r->h5, r->path, r->split, "tokens", &x, err);
}

/* Of a split; n == 0: there is none. Close it in any case. */
static int open_run(const tokens_settings *s, int split, run *out, archai_err *err)
{
    char start[8] = "";
    int rc;

    *out = (run){.key = tokens_options[split].key, .path = s->file[split], .split = split,
                 .type = s->type, .h5 = H5I_INVALID_HID, .fd = -1, .array = ARCHAI_HDF5_ARRAY_INIT};
    if (out->path[0] == '\0') { /* the training file's, if that is HDF5 */
        out->key = tokens_options[ARCHAI_SPLIT_TRAIN].key;
        out->path = s->file[ARCHAI_SPLIT_TRAIN];
    }
    ARCHAI_TRY(archai_err_wrap(err, archai_file_check(out->path, err), "data.%s: ", out->key));
    out->fd = open(out->path, O_RDONLY | O_CLOEXEC);
    if (out->fd < 0)
        return archai_fail(err, ARCHAI_EIO, "data.%s: %s: cannot be opened", out->key, out->path);
    if (pread(out->fd, start, sizeof start, 0) == (ssize_t)sizeof start &&
        memcmp(start, "\x89HDF\r\n\x1a\n", sizeof start) == 0)
        rc = open_h5(out, err);
    else
        rc = s->file[split][0] != '\0' ? open_plain(out, err) : ARCHAI_OK;
    return archai_err_wrap(err, rc, "data.%s: %s: ", out->key, out->path);
}

/* The n <= CHUNK tokens from `first` on, in order; -1: too large for an int32. */
static int read_chunk(const run *r, int64_t first, size_t n, int32_t *out, archai_err *err)
{
    const size_t each = r->type == BYTES ? 1 : r->type == UINT16 ? 2 : 4;

    if (r->fd < 0)
        return archai_hdf5_array_read(&r->array, (hsize_t)first, n, out, err);
    ARCHAI_TRY(archai_file_pread(r->fd, out, n * each, (uint64_t)first * each, "the file", err));
    for (size_t i = n; i-- > 0;) { /* from the end on, since a token becomes larger in place */
        const unsigned char *at = (const unsigned char *)out + i * each;
        uint32_t v = at[0];

        for (size_t k = 1; k < each; k++)
            v |= (uint32_t)at[k] << 8 * k;
        out[i] = v <= INT32_MAX ? (int32_t)v : -1;
    }
    return ARCHAI_OK;
}

/* Token `at`, as it stands in the file, is not below vocab. */
static int bad_token(const run *r, int64_t at, int vocab, archai_err *err)
{
    const size_t each = r->type == BYTES ? 1 : r->type == UINT16 ? 2 : 4;
    unsigned char raw[4] = {0};
    char text[32];

    if (r->fd < 0) {
        archai_hdf5_array_text(&r->array, (hsize_t)at, text);
    } else {
        ARCHAI_TRY(archai_file_pread(r->fd, raw, each, (uint64_t)at * each, "the file", err));
        (void)snprintf(text, sizeof text, "%" PRIu32,
                       (uint32_t)raw[0] | (uint32_t)raw[1] << 8 | (uint32_t)raw[2] << 16 |
                           (uint32_t)raw[3] << 24);
    }
    return archai_fail(err, ARCHAI_EFORMAT, "token %" PRId64 " is %s, expected 0 to %d", at, text,
                       vocab - 1);
}

/* -- plan ---------------------------------------------------------------------------------- */

static int find_vocab(const tokens_settings *s, int64_t *out, archai_err *err)
{
    int32_t *chunk, highest = 1;
    int rc = ARCHAI_OK;
    run r;

    *out = s->vocab;
    if (s->vocab != 0)
        return ARCHAI_OK;
    rc = open_run(s, ARCHAI_SPLIT_TRAIN, &r, err);
    *out = 256;
    if (rc != ARCHAI_OK || (r.fd >= 0 && r.type == BYTES)) {
        close_run(&r);
        return rc;
    }
    chunk = archai_malloc(CHUNK * sizeof *chunk);
    for (int64_t at = 0; rc == ARCHAI_OK && at < r.n; at += CHUNK) {
        const size_t n = r.n - at < CHUNK ? (size_t)(r.n - at) : CHUNK;

        rc = read_chunk(&r, at, n, chunk, err);
        for (size_t i = 0; rc == ARCHAI_OK && i < n; i++) {
            if (chunk[i] < 0 || chunk[i] >= MAX_VOCAB)
                rc = bad_token(&r, at + (int64_t)i, MAX_VOCAB, err);
            highest = chunk[i] > highest ? chunk[i] : highest;
        }
    }
    *out = (int64_t)highest + 1;
    rc = archai_err_wrap(err, rc, "data.%s: %s: ", r.key, r.path);
    free(chunk);
    close_run(&r);
    return rc;
}

static int plan_split(const tokens_settings *s, int split, archai_dataset_plan *p, archai_err *err)
{
    run r;
    int rc = open_run(s, split, &r, err);

    if (rc == ARCHAI_OK && (r.n > 0 || split == ARCHAI_SPLIT_TRAIN || s->file[split][0] != '\0')) {
        p->n[split] = (r.n - 1) / s->length;
        if (r.n <= s->length)
            rc = archai_fail(err, ARCHAI_EINVAL,
                             "data.%s: %s: %" PRId64 " tokens, expected at least %" PRId64
                             ", a sequence and the token behind it",
                             r.key, r.path, r.n, s->length + 1);
    }
    if (rc == ARCHAI_OK && split == ARCHAI_SPLIT_TRAIN && r.fd < 0) {
        rc = archai_err_wrap(err, archai_hdf5_together(r.h5, "tokens", &p->together, err),
                             "data.%s: %s: ", r.key, r.path);
        p->together /= s->length;
    }
    close_run(&r);
    return rc;
}

static int tokens_plan(const archai_dataset_source *source, archai_dataset_plan *out,
                       archai_err *err)
{
    const tokens_settings *s = source->settings;
    int64_t vocab;

    for (int i = 0; i < ARCHAI_SPLIT_COUNT; i++)
        ARCHAI_TRY(plan_split(s, i, out, err));
    ARCHAI_TRY(find_vocab(s, &vocab, err));
    out->tokens = (int)s->length;
    out->vocab = out->num_classes = (int)vocab;
    out->image_dtype = out->label_dtype = vocab <= 256 ? ARCHAI_U8 : ARCHAI_I32;
    out->targets = ARCHAI_TARGETS_NEXT_TOKEN;
    return ARCHAI_OK;
}

/* -- read ---------------------------------------------------------------------------------- */

static int take_tokens(const run *r, const archai_dataset_plan *p, int64_t first, int64_t n, void *out,
                       archai_err *err)
{
    int32_t *chunk = archai_malloc((size_t)(n < CHUNK ? n : CHUNK) * sizeof *chunk);
    int rc = ARCHAI_OK;

    for (int64_t at = 0; rc == ARCHAI_OK && at < n; at += CHUNK) {
        const size_t now = n - at < CHUNK ? (size_t)(n - at) : CHUNK;

        rc = read_chunk(r, first + at, now, chunk, err);
        for (size_t i = 0; rc == ARCHAI_OK && i < now; i++) {
            if (chunk[i] < 0 || chunk[i] >= p->vocab)
                rc = bad_token(r, first + at + (int64_t)i, p->vocab, err);
            else if (p->image_dtype == ARCHAI_U8)
                ((uint8_t *)out)[at + (int64_t)i] = (uint8_t)chunk[i];
            else
                ((int32_t *)out)[at + (int64_t)i] = chunk[i];
        }
    }
    free(chunk);
    return rc;
}

static void tokens_close(archai_dataset_reader *r)
{
    close_run(r->own);
    free(r->own);
    r->own = NULL;
}

static int tokens_open(archai_dataset_reader *r, archai_err *err)
{
    const archai_dataset_plan *p = r->plan;
    run *own = archai_calloc(1, sizeof *own);
    int rc;

    r->own = own;
    rc = open_run(r->source->settings, r->split, own, err);
    if (rc == ARCHAI_OK && own->n < p->n[r->split] * p->tokens + 1)
        rc = archai_fail(err, ARCHAI_EFORMAT, "data.%s: %s: changed while it was read", own->key, own->path);
    if (rc != ARCHAI_OK)
        tokens_close(r);
    return rc;
}

/* Sequences one behind the other, and the token behind them. */
static int tokens_read(const archai_dataset_reader *r, int64_t first, int64_t n, void *images,
                       void *labels, archai_err *err)
{
    const int64_t length = r->plan->tokens;
    const run *own = r->own;

    (void)labels;
    return archai_err_wrap(err, take_tokens(own, r->plan, first * length, n * length + 1, images, err),
                           "data.%s: %s: ", own->key, own->path);
}

const archai_dataset_format archai_dataset_tokens = {
    .name = "tokens",
    .help = "a text as bytes, or tokens as integers",
    .options = tokens_options,
    .settings_size = sizeof(tokens_settings),
    .check = tokens_check,
    .plan = tokens_plan,
    .open = tokens_open,
    .read = tokens_read,
    .close = tokens_close,
};
