/* io/dataset/format/folder.c - a folder of JPEG and PNG files for each class, as torchvision's ImageFolder reads
 * them.
 *
 *   DIRECTORY/train/CLASS/....jpg, and optionally DIRECTORY/val/CLASS and DIRECTORY/test/CLASS, or
 *   DIRECTORY/CLASS/....jpg
 *
 * Classes are numbered by name, as in training. A picture is the middle of what resizing leaves
 * (picture.h), or as it is.
 */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "io/dataset/format/folder_list.h"
#include "io/dataset/format.h"
#include "io/dataset/format/picture.h"
#include "io/file/file.h"

enum { MAX_SIZE = 4096 };

static const char *const names[ARCHAI_SPLIT_COUNT] = {"train", "val", "test"};

typedef struct folder_settings {
    char *file;
    int64_t image_size, resize;
} folder_settings;

/* clang-format off */
#define AT(member) offsetof(folder_settings, member)

static const archai_option folder_options[] = {
    {"file",       ARCHAI_OPT_STRING, AT(file),       0, 0,           "",     "",       NULL,     "directory that has train/CLASS/*.jpg (also val/ and test/), or CLASS/*.jpg"},
    {"image_size", ARCHAI_OPT_INT,    AT(image_size), 1, MAX_SIZE,    "own",  "pixels", "own=0",  "cut the middle out as a square of this side; own: all have the same size"},
    {"resize",     ARCHAI_OPT_INT,    AT(resize),     1, MAX_SIZE,    "auto", "pixels", "auto=0", "shorter side before that; auto: image_size"},
    ARCHAI_OPTION_END,
};
#undef AT
/* clang-format on */

static void folder_check(const archai_dataset_source *source, archai_check *c)
{
    const folder_settings *s = source->settings;

    archai_check_given(c, "file", s->file, "format",
                       "missing, format = folder needs the directory of the pictures");
    if (s->resize != 0 && s->image_size == 0)
        archai_check_fail(c, "resize", NULL, "without image_size the pictures stay as they are");
    if (s->resize != 0 && s->resize < s->image_size)
        archai_check_fail(c, "resize", NULL, "%" PRId64 ", expected at least image_size, %" PRId64,
                          s->resize, s->image_size);
}

/* -- what is there ------------------------------------------------------------------------- */

/* Where the pictures of a split lie; NULL: nowhere. Caller frees. */
static char *root_of(const folder_settings *s, int split)
{
    if (!archai_folder_exists(s->file, names[ARCHAI_SPLIT_TRAIN]))
        return split == ARCHAI_SPLIT_TRAIN ? archai_strdup(s->file) : NULL;
    return archai_folder_exists(s->file, names[split]) ? archai_file_path(s->file, names[split]) : NULL;
}

/* The files of a split, numbered by the classes of the training pictures; n == 0: there is none. */
static int list(const folder_settings *s, int split, const archai_strings *classes,
                archai_folder *out, archai_err *err)
{
    char *root = root_of(s, split);
    int rc = ARCHAI_OK;

    *out = (archai_folder){.n = 0};
    if (root != NULL)
        rc = archai_err_wrap(err, archai_folder_read(out, root, classes, err), "data.file: ");
    free(root);
    return rc;
}

/* Decode `file` of a split; errors name it. */
static int open_picture(const char *root, const char *file, int only_size, archai_picture *out,
                        archai_err *err)
{
    char *path = archai_file_path(root, file), *data = NULL;
    size_t size = 0;
    int rc = archai_file_read(path, ARCHAI_PICTURE_MAX_FILE, &data, &size, err);

    if (rc == ARCHAI_OK) {
        rc = archai_picture_decode((const unsigned char *)data, size, only_size, out, err);
        rc = archai_err_wrap(err, rc, "%s: ", path);
    }
    free(data);
    free(path);
    return archai_err_wrap(err, rc, "data.file: ");
}

static int plan_size(const folder_settings *s, const archai_folder *train, archai_dataset_plan *p,
                     archai_err *err)
{
    archai_picture first;
    char *root;
    int rc;

    p->channels = 3;
    p->height = p->width = (int)s->image_size;
    if (s->image_size != 0)
        return ARCHAI_OK;
    root = root_of(s, ARCHAI_SPLIT_TRAIN);
    rc = open_picture(root, train->file[0].path, 1, &first, err);
    free(root);
    ARCHAI_TRY(rc);
    p->height = first.height;
    p->width = first.width;
    return ARCHAI_OK;
}

static int folder_plan(const archai_dataset_source *source, archai_dataset_plan *out,
                       archai_err *err)
{
    const folder_settings *s = source->settings;
    archai_folder train, other;
    int64_t others;
    int rc;

    ARCHAI_TRY(list(s, ARCHAI_SPLIT_TRAIN, NULL, &train, err));
    others = train.others;
    out->n[ARCHAI_SPLIT_TRAIN] = (int64_t)train.n;
    out->num_classes = (int)train.classes.n;
    out->label_dtype = train.classes.n <= 256 ? ARCHAI_U8 : ARCHAI_I32;
    rc = plan_size(s, &train, out, err);
    if (rc == ARCHAI_OK && train.classes.n < 2)
        rc = archai_fail(err, ARCHAI_EINVAL,
                         "data.file: %s: a single class, '%.200s', expected at least two", s->file,
                         train.classes.at[0]);
    for (int i = ARCHAI_SPLIT_TRAIN + 1; rc == ARCHAI_OK && i < ARCHAI_SPLIT_COUNT; i++) {
        rc = list(s, i, &train.classes, &other, err);
        out->n[i] = (int64_t)other.n;
        others += other.others;
        archai_folder_free(&other);
    }
    if (others > 0)
        (void)snprintf(out->note, sizeof out->note,
                       "%" PRId64 " file%s that %s not *.jpg, *.jpeg or *.png", others,
                       others == 1 ? "" : "s", others == 1 ? "is" : "are");
    archai_folder_free(&train);
    return rc;
}

/* -- reading ------------------------------------------------------------------------------- */

typedef struct folder_reader {
    archai_folder folder; /* owned */
    char *root;           /* owned */
} folder_reader;

static void folder_close(archai_dataset_reader *r)
{
    folder_reader *own = r->own;

    archai_folder_free(&own->folder);
    free(own->root);
    free(own);
    r->own = NULL;
}

static int folder_open(archai_dataset_reader *r, archai_err *err)
{
    const folder_settings *s = r->source->settings;
    folder_reader *own = archai_calloc(1, sizeof *own);
    archai_folder train = {.n = 0};
    int rc = list(s, ARCHAI_SPLIT_TRAIN, NULL, &train, err);

    r->own = own;
    own->root = root_of(s, r->split);
    if (rc == ARCHAI_OK)
        rc = list(s, r->split, &train.classes, &own->folder, err);
    if (rc == ARCHAI_OK && ((int64_t)own->folder.n < r->plan->n[r->split] ||
                            train.classes.n != (size_t)r->plan->num_classes))
        rc = archai_fail(err, ARCHAI_EFORMAT, "data.file: %s: changed while it was read", s->file);
    archai_folder_free(&train);
    if (rc != ARCHAI_OK)
        folder_close(r);
    return rc;
}

static int read_one(const archai_dataset_reader *r, const char *file, unsigned char *to, archai_err *err)
{
    const folder_settings *s = r->source->settings;
    const archai_dataset_plan *p = r->plan;
    const char *root = ((const folder_reader *)r->own)->root;
    archai_picture x;
    int rc = ARCHAI_OK;

    ARCHAI_TRY(open_picture(root, file, 0, &x, err));
    if (s->image_size != 0)
        archai_picture_fit(&x, (int)(s->resize != 0 ? s->resize : s->image_size),
                           (int)s->image_size, to);
    else if (x.width == p->width && x.height == p->height)
        archai_picture_planes(&x, to);
    else
        rc = archai_fail(err, ARCHAI_EFORMAT,
                         "data.file: %s/%s: %d x %d pixels, expected %d x %d as the first picture; "
                         "data.image_size gives all the same size",
                         root, file, x.width, x.height, p->width, p->height);
    free(x.rgb);
    return rc;
}

static int folder_read(const archai_dataset_reader *r, int64_t first, int64_t n, void *images,
                       void *labels, archai_err *err)
{
    const archai_folder_file *file = ((const folder_reader *)r->own)->folder.file + first;
    const size_t each = archai_dataset_image_bytes(r->plan);

    for (int64_t i = 0; i < n; i++) {
        ARCHAI_TRY(read_one(r, file[i].path, (unsigned char *)images + (size_t)i * each, err));
        if (r->plan->label_dtype == ARCHAI_U8)
            ((uint8_t *)labels)[i] = (uint8_t)file[i].class;
        else
            ((int32_t *)labels)[i] = file[i].class;
    }
    return ARCHAI_OK;
}

static int folder_finish(const archai_dataset_source *source, const archai_dataset_plan *plan,
                         json_t *about, archai_err *err)
{
    json_t *classes = archai_there(json_array());
    archai_folder train;

    (void)plan;
    archai_must_have(json_object_set_new(about, "class_names", classes) == 0);
    ARCHAI_TRY(list(source->settings, ARCHAI_SPLIT_TRAIN, NULL, &train, err));
    for (size_t i = 0; i < train.classes.n; i++) {
        const char *name = train.classes.at[i];
        json_t *text = json_string(name); /* NULL: not UTF-8 */

        archai_must_have(
            json_array_append_new(classes, text != NULL ? text : archai_there(json_string("?"))) == 0);
    }
    archai_folder_free(&train);
    return ARCHAI_OK;
}

const archai_dataset_format archai_dataset_folder = {
    .name = "folder",
    .help = "a folder of JPEG and PNG files for each class",
    .options = folder_options,
    .settings_size = sizeof(folder_settings),
    .check = folder_check,
    .plan = folder_plan,
    .open = folder_open,
    .read = folder_read,
    .close = folder_close,
    .finish = folder_finish,
};
