#include "core/algorithm/population.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/base/text.h"

enum { ARCH_FILE_MAX = 4 * 1024 * 1024 };

/* -- given architectures --------------------------------------------------------------------- */

static int add_text(archai_population *p, const char *path, const char *text, size_t size, archai_err *err)
{
    archai_model m = {.arch = NULL};

    ARCHAI_TRY(archai_err_wrap(err, archai_space_load_arch(p->base.search->space, text, size, &m, err),
                               "%s:", path));
    p->given = archai_realloc(p->given, p->n_given + 1, sizeof *p->given);
    p->given[p->n_given++] = m;
    return ARCHAI_OK;
}

static int add_file(archai_population *p, const char *path, archai_err *err)
{
    char *text;
    size_t size;
    int rc;

    ARCHAI_TRY(archai_text_read(path, ARCH_FILE_MAX, &text, &size, err));
    rc = add_text(p, path, text, size, err);
    free(text);
    return rc;
}

/* The front of other results: each model's metadata, its parents above all, stays there. */
static int add_results(archai_population *p, const char *path, archai_err *err)
{
    const archai_giver *giver = p->base.search->giver;
    archai_given *given = NULL;
    size_t n = 0;
    int rc;

    if (giver == NULL)
        return archai_fail(err, ARCHAI_EINVAL, "%s: results are read by archai-run alone, expected arch files", path);
    rc = giver->front(giver->payload, path, &given, &n, err);
    for (size_t i = 0; rc == ARCHAI_OK && i < n; i++)
        rc = archai_err_wrap(err, add_text(p, given[i].archid, given[i].arch, strlen(given[i].arch), err),
                             "%s: ", path);
    archai_given_free(given, n);
    return rc;
}

/* Hidden files, and the weights that Archai's save_pareto_frontier_models leaves beside its arch files, are none. */
static int is_arch(const struct dirent *entry)
{
    static const char *const others[] = {".pt", ".pth", ".safetensors"};
    const size_t n = strlen(entry->d_name);

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (n > strlen(others[i]) && strcmp(entry->d_name + n - strlen(others[i]), others[i]) == 0)
            return 0;
    return entry->d_name[0] != '.';
}

/* In order of name, by bytes: the same on every machine. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_folder(archai_population *p, const char *path, archai_err *err)
{
    const size_t before = p->n_given;
    struct dirent **entries = NULL;
    const int n = scandir(path, &entries, is_arch, by_name);
    int rc = ARCHAI_OK;

    if (n < 0)
        return archai_fail(err, ARCHAI_EINVAL, "%s: %s", path, strerror(errno));
    for (int i = 0; i < n; i++) {
        char *file = archai_printf("%s/%s", path, entries[i]->d_name);
        struct stat s;

        if (rc == ARCHAI_OK && (stat(file, &s) != 0 || !S_ISDIR(s.st_mode)))
            rc = add_file(p, file, err);
        free(file);
        free(entries[i]);
    }
    free(entries);
    if (rc == ARCHAI_OK && p->n_given == before)
        rc = archai_fail(err, ARCHAI_EINVAL, "%s: a folder without arch files", path);
    return rc;
}

/* An HDF5 file, or a directory with a results.h5. */
static bool is_results(const char *path, const struct stat *s)
{
    static const char signature[8] = "\211HDF\r\n\032\n";
    char *inside, begin[sizeof signature];
    FILE *in = S_ISREG(s->st_mode) ? fopen(path, "rb") : NULL; /* (a FIFO would wait) */
    bool is = false;

    if (in != NULL) {
        is = fread(begin, 1, sizeof begin, in) == sizeof begin && memcmp(begin, signature, sizeof begin) == 0;
        (void)fclose(in);
    } else if (S_ISDIR(s->st_mode)) {
        inside = archai_printf("%s/results.h5", path);
        is = access(inside, F_OK) == 0;
        free(inside);
    }
    return is;
}

static int add_path(archai_population *p, const char *path, archai_err *err)
{
    struct stat s;

    if (stat(path, &s) != 0)
        return add_file(p, path, err); /* which says what is wrong */
    if (is_results(path, &s))
        return add_results(p, path, err);
    return S_ISDIR(s.st_mode) ? add_folder(p, path, err) : add_file(p, path, err);
}

int archai_population_init(archai_algorithm *self, archai_err *err)
{
    archai_population *p = (archai_population *)self;
    const archai_strings *paths = &p->initial_population_paths;

    for (size_t i = 0; i < paths->n; i++)
        ARCHAI_TRY(archai_err_wrap(err, add_path(p, paths->at[i], err), "initial_population_paths: "));
    return ARCHAI_OK;
}

void archai_population_fini(archai_algorithm *self)
{
    archai_population *p = (archai_population *)self;

    for (size_t i = 0; i < p->n_given; i++)
        archai_model_fini(&p->given[i]);
    free(p->given);
    archai_generation_fini(&p->generation);
}

static void next_given(archai_population *p, archai_trial *out)
{
    *out = (archai_trial){.operator_ = archai_strdup(ARCHAI_OPERATOR_INITIAL)};
    archai_model_copy(&out->model, &p->given[p->next_given++]);
}

/* -- both schedules ---------------------------------------------------------------------------- */

int archai_population_next(archai_population *p, archai_trial *out, archai_err *err)
{
    archai_search *s = p->base.search;

    while (p->next_given < p->n_given && archai_search_seen(s, p->given[p->next_given].archid))
        p->next_given++; /* an earlier start had it */
    if (p->n_given > 0 && p->next_given == p->n_given)
        return ARCHAI_ENONE;
    if (p->n_given > 0) {
        next_given(p, out);
        return ARCHAI_OK;
    }
    return (int64_t)s->n_records < p->init_num_models ? archai_vary_random(s, out, err)
                                                      : ARCHAI_ENONE;
}

int archai_population_begin(archai_population *p, int32_t iteration, int rounds,
                            archai_proposals *batch, archai_err *err)
{
    if (iteration > 0 || p->n_given == 0)
        return archai_generation_sample(p->base.search, p->init_num_models, rounds,
                                        iteration > 0, batch, err);
    while (p->next_given < p->n_given) {
        archai_trial given;

        next_given(p, &given);
        archai_proposals_push(batch, &given);
    }
    return ARCHAI_OK;
}

int archai_population_propose(archai_algorithm *self, archai_breed *breed, archai_next *next,
                              archai_propose *what, archai_trial *out, archai_err *err)
{
    archai_population *p = (archai_population *)self;
    int rc;

    if (self->search->schedule == ARCHAI_GENERATIONAL)
        return archai_generation_propose(&p->generation, self, p->num_iters, breed, what, out, err);
    *what = ARCHAI_PROPOSED;
    rc = archai_population_next(p, out, err);
    return rc == ARCHAI_ENONE ? next(self, out, err) : rc;
}
