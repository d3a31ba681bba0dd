/* io/dataset/format/idx.c - IDX files, plain or gzip (MNIST, Fashion-MNIST, EMNIST, ...).
 *
 * Big-endian: two zero bytes, a type (0x08: unsigned byte), the number of dimensions, a uint32 per
 * dimension, the data. Source: http://yann.lecun.com/exdb/mnist (now mirrored widely). Pictures are
 * [N,H,W] or [N,C,H,W], labels [N]. zlib reads plain files through the same calls.
 */
#include "io/dataset/format.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "core/base/alloc.h"
#include "io/file/file.h"

enum { IDX_UNSIGNED_BYTE = 0x08, MAX_DIMS = 4, READ_BUFFER = 1 << 18, READ_SLICE = 1 << 30 };

typedef struct idx_file {
    gzFile gz; /* owned */
    int ndim;
    uint32_t dim[MAX_DIMS];
} idx_file;

/* Paths of the splits, in order. */
typedef struct idx_settings {
    struct {
        char *images, *labels; /* "": none */
    } split[ARCHAI_SPLIT_COUNT];
} idx_settings;

/* clang-format off */
#define AT(which, member) offsetof(idx_settings, split[ARCHAI_SPLIT_##which].member)

static const archai_option idx_options[] = {
    {"train_images", ARCHAI_OPT_STRING, AT(TRAIN, images), 0, 0, "", "", NULL, "pictures to train on, gzip or plain"},
    {"train_labels", ARCHAI_OPT_STRING, AT(TRAIN, labels), 0, 0, "", "", NULL, "their labels"},
    {"val_images",   ARCHAI_OPT_STRING, AT(VAL, images),   0, 0, "", "", NULL, "pictures to validate on; empty: split off the training data"},
    {"val_labels",   ARCHAI_OPT_STRING, AT(VAL, labels),   0, 0, "", "", NULL, "their labels"},
    {"test_images",  ARCHAI_OPT_STRING, AT(TEST, images),  0, 0, "", "", NULL, "pictures that no search sees"},
    {"test_labels",  ARCHAI_OPT_STRING, AT(TEST, labels),  0, 0, "", "", NULL, "their labels"},
    ARCHAI_OPTION_END,
};
#undef AT
/* clang-format on */

/* The keys of a split's paths, as the table has them. */
static const char *images_key(int split)
{
    return idx_options[2 * split].key;
}

static const char *labels_key(int split)
{
    return idx_options[2 * split + 1].key;
}

/* Pictures and labels come in pairs. */
static void idx_check(const archai_dataset_source *source, archai_check *c)
{
    const idx_settings *s = source->settings;

    for (int i = 0; i < ARCHAI_SPLIT_COUNT; i++) {
        const char *images = s->split[i].images, *labels = s->split[i].labels;

        if (i == ARCHAI_SPLIT_TRAIN) {
            archai_check_given(c, images_key(i), images, "format",
                               "missing, format = idx needs the path of an IDX file");
            archai_check_given(c, labels_key(i), labels, "format",
                               "missing, format = idx needs the path of an IDX file");
        } else if (images[0] != '\0' || labels[0] != '\0') {
            archai_check_given(c, labels_key(i), labels, images_key(i),
                               "missing, the images have no labels");
            archai_check_given(c, images_key(i), images, labels_key(i),
                               "missing, the labels have no images");
        }
    }
}

/* Exactly `size` bytes, or what is wrong with the file. */
static int read_bytes(gzFile gz, void *out, size_t size, archai_err *err)
{
    char *p = out;
    size_t left = size;

    while (left > 0) {
        int did = gzread(gz, p, (unsigned)(left < READ_SLICE ? left : READ_SLICE));
        int code = Z_OK;

        if (did < 0) {
            (void)gzerror(gz, &code);
            if (code == Z_ERRNO)
                return archai_fail(err, ARCHAI_EIO, "%s", strerror(errno));
            if (code == Z_BUF_ERROR)
                return archai_fail(err, ARCHAI_EFORMAT, "the gzip file is truncated");
            return archai_fail(err, ARCHAI_EFORMAT, "the gzip file is damaged");
        }
        if (did == 0) {
            (void)gzerror(gz, &code);
            return archai_fail(err, ARCHAI_EFORMAT, "%s %zu bytes early",
                               code == Z_BUF_ERROR ? "the gzip file is truncated, it ends"
                                                   : "the file ends",
                               left);
        }
        p += did;
        left -= (size_t)did;
    }
    return ARCHAI_OK;
}

/* A plain file's size is known beforehand: a truncated download is found before any work. */
static int check_plain_size(gzFile gz, const char *path, const idx_file *f, archai_err *err)
{
    uint64_t expected = 4 + 4 * (uint64_t)f->ndim, data = 1;
    struct stat st;

    if (!gzdirect(gz) || stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return ARCHAI_OK;
    for (int i = 0; i < f->ndim; i++)
        data *= f->dim[i]; /* bounded by read_header */
    expected += data;
    if ((uint64_t)st.st_size != expected)
        return archai_fail(err, ARCHAI_EFORMAT, "%" PRId64 " bytes, expected %" PRIu64
                           " for its dimensions", (int64_t)st.st_size, expected);
    return ARCHAI_OK;
}

static int read_header(gzFile gz, idx_file *f, int min_dims, int max_dims, archai_err *err)
{
    unsigned char magic[4];
    uint32_t dim[MAX_DIMS];

    ARCHAI_TRY(read_bytes(gz, magic, sizeof magic, err));
    if (magic[0] != 0 || magic[1] != 0 || magic[2] != IDX_UNSIGNED_BYTE || magic[3] < min_dims ||
        magic[3] > max_dims)
        return archai_fail(err, ARCHAI_EFORMAT,
                           "starts with %02x %02x %02x %02x, expected 00 00 08 %02x: not an IDX file "
                           "of %s",
                           magic[0], magic[1], magic[2], magic[3], min_dims,
                           min_dims == 1 ? "labels" : "pictures");
    f->ndim = magic[3];
    ARCHAI_TRY(read_bytes(gz, dim, sizeof dim[0] * (size_t)f->ndim, err));
    for (int i = 0; i < f->ndim; i++) {
        f->dim[i] = be32toh(dim[i]);
        if (f->dim[i] == 0 || f->dim[i] > (i == 0 ? INT32_MAX : ARCHAI_DATASET_MAX_SIDE))
            return archai_fail(err, ARCHAI_EFORMAT, "dimension %d is %" PRIu32, i, f->dim[i]);
    }
    return ARCHAI_OK;
}

static int open_idx(const char *key, const char *path, int min_dims, int max_dims, idx_file *out,
                    archai_err *err)
{
    idx_file f = {0};
    int rc;

    ARCHAI_TRY(archai_err_wrap(err, archai_file_check(path, err), "data.%s: ", key));
    errno = 0;
    f.gz = gzopen(path, "rbe");
    if (f.gz == NULL)
        return archai_fail(err, errno == ENOENT || errno == ENOTDIR ? ARCHAI_ENOTFOUND : ARCHAI_EIO,
                           "data.%s: %s: %s", key, path, errno != 0 ? strerror(errno) : "out of memory");
    (void)gzbuffer(f.gz, READ_BUFFER);
    rc = read_header(f.gz, &f, min_dims, max_dims, err);
    if (rc == ARCHAI_OK)
        rc = check_plain_size(f.gz, path, &f, err);
    if (rc != ARCHAI_OK) {
        (void)gzclose(f.gz);
        return archai_err_wrap(err, rc, "data.%s: %s: ", key, path);
    }
    *out = f;
    return ARCHAI_OK;
}

/* The number of classes of a label file: its highest label plus one. */
static int count_classes(const char *path, int *out, archai_err *err)
{
    idx_file f;
    unsigned char *labels = NULL;
    int highest = 0, rc;

    ARCHAI_TRY(open_idx(labels_key(ARCHAI_SPLIT_TRAIN), path, 1, 1, &f, err));
    labels = malloc(f.dim[0]);
    if (labels == NULL)
        rc = archai_fail(err, ARCHAI_ENOMEM, "%" PRIu32 " labels", f.dim[0]);
    else
        rc = read_bytes(f.gz, labels, f.dim[0], err);
    for (uint32_t i = 0; rc == ARCHAI_OK && i < f.dim[0]; i++)
        highest = labels[i] > highest ? labels[i] : highest;
    if (rc == ARCHAI_OK && highest == 0)
        rc = archai_fail(err, ARCHAI_EFORMAT, "every label is 0, expected at least two classes");
    if (rc == ARCHAI_OK)
        *out = highest + 1;
    else
        rc = archai_err_wrap(err, rc, "data.%s: %s: ", labels_key(ARCHAI_SPLIT_TRAIN), path);
    free(labels);
    (void)gzclose(f.gz);
    return rc;
}

static void note_gzip(gzFile gz, archai_dataset_plan *p)
{
    if (gzdirect(gz))
        return;
    p->held = "a gzip file can only be read from its beginning; unpacked it can";
    p->in_order = true;
}

/* Both headers of a split; *n is their common number of pictures. */
static int plan_split(const idx_settings *s, int split, archai_dataset_plan *p, archai_err *err)
{
    const char *images = s->split[split].images, *labels = s->split[split].labels;
    idx_file f = {0}, g = {0};
    int channels, height, width;

    if (images[0] == '\0')
        return ARCHAI_OK;
    ARCHAI_TRY(open_idx(images_key(split), images, 3, 4, &f, err));
    note_gzip(f.gz, p);
    (void)gzclose(f.gz);
    ARCHAI_TRY(open_idx(labels_key(split), labels, 1, 1, &g, err));
    note_gzip(g.gz, p);
    (void)gzclose(g.gz);
    if (f.dim[0] != g.dim[0])
        return archai_fail(err, ARCHAI_EFORMAT,
                           "data.%s: %s: %" PRIu32 " labels, expected %" PRIu32 ", one for each picture of %s",
                           labels_key(split), labels, g.dim[0], f.dim[0], images);
    channels = f.ndim == 4 ? (int)f.dim[1] : 1;
    height = (int)f.dim[f.ndim - 2];
    width = (int)f.dim[f.ndim - 1];
    if (split != ARCHAI_SPLIT_TRAIN &&
        (channels != p->channels || height != p->height || width != p->width))
        return archai_fail(err, ARCHAI_EFORMAT,
                           "data.%s: %s: pictures of %d x %d x %d, expected %d x %d x %d as in training",
                           images_key(split), images, channels, height, width, p->channels,
                           p->height, p->width);
    p->channels = channels;
    p->height = height;
    p->width = width;
    p->n[split] = f.dim[0];
    return ARCHAI_OK;
}

static int idx_plan(const archai_dataset_source *source, archai_dataset_plan *out, archai_err *err)
{
    const idx_settings *s = source->settings;

    for (int i = 0; i < ARCHAI_SPLIT_COUNT; i++)
        ARCHAI_TRY(plan_split(s, i, out, err));
    return count_classes(s->split[ARCHAI_SPLIT_TRAIN].labels, &out->num_classes, err);
}

/* -- reading ------------------------------------------------------------------------------- */

/* One of the two files of a split. */
typedef struct items {
    const char *key, *path; /* borrowed */
    gzFile gz;              /* owned; NULL: a plain file, */
    int fd;                 /* owned, with its items from this byte on */
    uint64_t start;
    size_t each;  /* bytes */
    int64_t next; /* item at which gz stands */
} items;

typedef struct idx_reader {
    items images, labels;
} idx_reader;

static void close_items(items *t)
{
    if (t->gz != NULL)
        (void)gzclose(t->gz);
    if (t->fd >= 0)
        (void)close(t->fd);
}

/* Of a file whose header still says what the plan does. */
static int open_items(items *t, const char *key, const char *path, int64_t n, size_t each,
                      bool is_labels, archai_err *err)
{
    size_t item = 1;
    idx_file f;

    *t = (items){.key = key, .path = path, .fd = -1, .each = each};
    ARCHAI_TRY(open_idx(key, path, is_labels ? 1 : 3, is_labels ? 1 : 4, &f, err));
    t->gz = f.gz;
    for (int i = 1; i < f.ndim; i++)
        item *= f.dim[i];
    if (item != each || f.dim[0] < n)
        return archai_fail(err, ARCHAI_EFORMAT, "data.%s: %s: changed while it was being read", key, path);
    if (!gzdirect(f.gz))
        return ARCHAI_OK;
    (void)gzclose(t->gz);
    t->gz = NULL;
    t->start = 4 + 4 * (uint64_t)f.ndim;
    t->fd = open(path, O_RDONLY | O_CLOEXEC);
    return t->fd >= 0 ? ARCHAI_OK
                      : archai_fail(err, ARCHAI_EIO, "data.%s: %s: %s", key, path, strerror(errno));
}

static int read_items(items *t, int64_t first, int64_t n, void *out, archai_err *err)
{
    int rc;

    if (t->gz == NULL)
        return archai_err_wrap(err,
                               archai_file_pread(t->fd, out, (size_t)n * t->each,
                                                 t->start + (uint64_t)first * t->each, t->path, err),
                               "data.%s: ", t->key);
    if (first != t->next)
        return archai_fail(err, ARCHAI_EINTERNAL, "data.%s: a gzip file is read in order", t->key);
    rc = read_bytes(t->gz, out, (size_t)n * t->each, err);
    t->next = first + n;
    return archai_err_wrap(err, rc, "data.%s: %s: ", t->key, t->path);
}

static void idx_close(archai_dataset_reader *r)
{
    idx_reader *own = r->own;

    close_items(&own->images);
    close_items(&own->labels);
    free(own);
    r->own = NULL;
}

static int idx_open(archai_dataset_reader *r, archai_err *err)
{
    const idx_settings *s = r->source->settings;
    const int64_t n = r->plan->n[r->split];
    idx_reader *own = archai_calloc(1, sizeof *own);
    int rc;

    r->own = own;
    own->labels.fd = -1;
    rc = open_items(&own->images, images_key(r->split), s->split[r->split].images, n,
                    archai_dataset_image_bytes(r->plan), false, err);
    if (rc == ARCHAI_OK)
        rc = open_items(&own->labels, labels_key(r->split), s->split[r->split].labels, n, 1, true, err);
    if (rc != ARCHAI_OK)
        idx_close(r);
    return rc;
}

static int idx_read(const archai_dataset_reader *r, int64_t first, int64_t n, void *images,
                    void *labels, archai_err *err)
{
    idx_reader *own = r->own;

    ARCHAI_TRY(read_items(&own->images, first, n, images, err));
    ARCHAI_TRY(read_items(&own->labels, first, n, labels, err));
    return archai_err_wrap(err, archai_dataset_check_labels(r->plan, labels, first, n, err),
                           "data.%s: %s: ", own->labels.key, own->labels.path);
}

const archai_dataset_format archai_dataset_idx = {
    .name = "idx",
    .help = "IDX files (MNIST and its relatives)",
    .options = idx_options,
    .settings_size = sizeof(idx_settings),
    .check = idx_check,
    .plan = idx_plan,
    .open = idx_open,
    .read = idx_read,
    .close = idx_close,
};
