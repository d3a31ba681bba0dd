#include "io/dataset/format/folder_list.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "core/base/alloc.h"
#include "io/dataset/format.h"
#include "io/file/file.h"

enum { MAX_DEPTH = 8 }; /* of folders below a class; a link may lead round in a circle */

static bool is_picture(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot != NULL && (strcasecmp(dot, ".jpg") == 0 || strcasecmp(dot, ".jpeg") == 0 ||
                           strcasecmp(dot, ".png") == 0);
}

/* What an entry is, links followed: 'd', 'f' or 0. */
static char kind_of(const struct dirent *entry, const char *path)
{
    struct stat st;

    if (entry->d_type == DT_DIR)
        return 'd';
    if (entry->d_type == DT_REG)
        return 'f';
    if ((entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN) || stat(path, &st) != 0)
        return 0;
    return S_ISDIR(st.st_mode) ? 'd' : S_ISREG(st.st_mode) ? 'f' : 0;
}

static int open_folder(const char *path, DIR **out, archai_err *err)
{
    *out = opendir(path);
    if (*out != NULL)
        return ARCHAI_OK;
    return archai_fail(err, errno == ENOENT || errno == ENOTDIR ? ARCHAI_ENOTFOUND : ARCHAI_EIO,
                       "%s: %s", path, strerror(errno));
}

/* The pictures of a class from `inside`, a path below the root, on. */
static int add_files(archai_folder *f, const char *root, const char *inside, int class, int depth,
                     archai_err *err)
{
    char *path = archai_file_path(root, inside);
    const struct dirent *entry;
    DIR *dir = NULL;
    int rc = open_folder(path, &dir, err);

    while (rc == ARCHAI_OK && (entry = readdir(dir)) != NULL) {
        char *below, *whole, kind;

        if (entry->d_name[0] == '.')
            continue;
        below = archai_file_path(inside, entry->d_name);
        whole = archai_file_path(root, below);
        kind = kind_of(entry, whole);
        free(whole);
        if (kind == 'f' && is_picture(entry->d_name)) {
            ARCHAI_RESERVE(f->file, f->capacity, f->n + 1);
            f->file[f->n++] = (archai_folder_file){below, class};
            continue;
        }
        if (kind == 'd')
            rc = depth < MAX_DEPTH
                     ? add_files(f, root, below, class, depth + 1, err)
                     : archai_fail(err, ARCHAI_EINVAL, "%s: more than %d folders deep", path, MAX_DEPTH);
        else
            f->others++;
        free(below);
    }
    if (dir != NULL)
        (void)closedir(dir);
    free(path);
    return rc;
}

/* torchvision sorts the folders (os.walk) and then the names in each. */
static int by_place(const void *a, const void *b)
{
    const archai_folder_file *x = a, *y = b;
    const size_t n = (size_t)(strrchr(x->path, '/') - x->path);
    const size_t m = (size_t)(strrchr(y->path, '/') - y->path);
    int order = x->class - y->class;

    if (order == 0)
        order = memcmp(x->path, y->path, n < m ? n : m);
    if (order == 0)
        order = (n > m) - (n < m);
    return order != 0 ? order : strcmp(x->path, y->path);
}

/* Sorted files into one of each class in turn: max_samples keeps the first ones. */
static int take_turns(archai_folder *f, const char *root, archai_err *err)
{
    archai_folder_file *turn = archai_malloc((f->n + 1) * sizeof *turn);
    size_t *next = archai_calloc(f->classes.n + 1, sizeof *next), n = 0;

    qsort(f->file, f->n, sizeof *f->file, by_place);
    for (size_t i = f->n; i > 0; i--)
        next[f->file[i - 1].class] = i - 1;
    while (n < f->n)
        for (size_t c = 0; c < f->classes.n; c++)
            if (next[c] < f->n && f->file[next[c]].class == (int)c)
                turn[n++] = f->file[next[c]++];
    free(f->file);
    f->file = turn;
    f->capacity = f->n + 1;
    free(next);
    return f->n > 0 ? ARCHAI_OK
                    : archai_fail(err, ARCHAI_EINVAL, "%s: no *.jpg, *.jpeg or *.png below its folders",
                                  root);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int read_classes(const char *path, archai_strings *out, archai_err *err)
{
    const struct dirent *entry;
    size_t capacity = 0;
    DIR *dir;

    ARCHAI_TRY(open_folder(path, &dir, err));
    while ((entry = readdir(dir)) != NULL) {
        char *whole = archai_file_path(path, entry->d_name);

        if (entry->d_name[0] != '.' && kind_of(entry, whole) == 'd') {
            ARCHAI_RESERVE(out->at, capacity, out->n + 1);
            out->at[out->n++] = archai_strdup(entry->d_name);
        }
        free(whole);
    }
    (void)closedir(dir);
    if (out->n > 0)
        qsort(out->at, out->n, sizeof *out->at, by_name);
    return ARCHAI_OK;
}

/* The number of a class among those of the training pictures; -1: it is none. */
static int class_of(const archai_strings *classes, const char *name)
{
    char *const *at = bsearch(&name, classes->at, classes->n, sizeof *classes->at, by_name);

    return at != NULL ? (int)(at - classes->at) : -1;
}

int archai_folder_read(archai_folder *out, const char *path, const archai_strings *classes,
                       archai_err *err)
{
    archai_folder f = {.n = 0};
    int rc = read_classes(path, &f.classes, err);

    if (rc == ARCHAI_OK && (f.classes.n == 0 || f.classes.n > ARCHAI_DATASET_MAX_CLASSES))
        rc = archai_fail(err, ARCHAI_EINVAL, "%s: %zu folders, expected one for each class", path,
                         f.classes.n);
    for (size_t i = 0; rc == ARCHAI_OK && i < f.classes.n; i++) {
        const int class = classes != NULL ? class_of(classes, f.classes.at[i]) : (int)i;
        const size_t before = f.n;

        if (class < 0) {
            rc = archai_fail(err, ARCHAI_EINVAL, "%s/%s: no class of this name among the training pictures",
                             path, f.classes.at[i]);
            break;
        }
        rc = add_files(&f, path, f.classes.at[i], class, 0, err);
        if (rc == ARCHAI_OK && f.n == before)
            rc = archai_fail(err, ARCHAI_EINVAL, "%s/%s: no *.jpg, *.jpeg or *.png", path,
                             f.classes.at[i]);
    }
    if (rc == ARCHAI_OK && classes != NULL) {
        archai_strings_free(&f.classes);
        f.classes.at = archai_malloc(classes->n * sizeof *f.classes.at);
        for (; f.classes.n < classes->n; f.classes.n++)
            f.classes.at[f.classes.n] = archai_strdup(classes->at[f.classes.n]);
    }
    if (rc == ARCHAI_OK)
        rc = take_turns(&f, path, err);
    if (rc == ARCHAI_OK)
        *out = f;
    else
        archai_folder_free(&f);
    return rc;
}

void archai_folder_free(archai_folder *f)
{
    for (size_t i = 0; i < f->n; i++)
        free(f->file[i].path);
    free(f->file);
    archai_strings_free(&f->classes);
    memset(f, 0, sizeof *f);
}

bool archai_folder_exists(const char *path, const char *name)
{
    char *whole = archai_file_path(path, name);
    struct stat st;
    const bool is = stat(whole, &st) == 0 && S_ISDIR(st.st_mode);

    free(whole);
    return is;
}
