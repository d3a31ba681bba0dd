/* Opening, refreshing and publishing results.h5. */
#include "io/results/index/index.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/base/text.h"
#include "core/search/search.h"
#include "io/file/beside.h"
#include "io/file/file.h"
#include "io/file/h5.h"
#include "io/results/index/index_private.h"

static const char file_name[] = "results.h5";

/* HDF5 never reuses the space of what was removed (models that left the front, compressed chunks
 * that were rewritten). A file twice as large as its rows explain, measured by the last one written
 * from scratch, is written from scratch again: in the long run that costs little. */
static const int64_t growth_slack = INT64_C(16) << 20;

struct archai_index {
    archai_index_run run; /* strings and objectives borrowed */
    char *path;           /* owned */
    index_table table;
    index_params params;
    index_columns columns;
    index_growth growth;
    index_models models;
    bool fresh;   /* the next file is written from scratch */
    bool recount; /* front, curve and models no longer agree with the table */
    bool published;
    size_t first;       /* lowest row that the file does not have yet */
    struct stat last;   /* of the file that was published last */
    int64_t fresh_size; /* of the last one that was written from scratch */
    size_t fresh_rows;  /* in it */
    const char *state;  /* of the last one */
    int64_t rejected;
    index_notes notes; /* of the last refresh */
};

/* -- lines for run.log --------------------------------------------------------------------- */

void index_note(index_notes *notes, const char *fmt, ...)
{
    char line[512], *before = notes->text;
    va_list ap;

    if (notes->n++ >= INDEX_NOTES_MAX)
        return;
    va_start(ap, fmt);
    (void)vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    archai_text_clean(line, false);
    notes->text = before != NULL ? archai_printf("%s; %s", before, line) : archai_strdup(line);
    free(before);
}

void index_notes_clear(index_notes *notes)
{
    free(notes->text);
    *notes = (index_notes){NULL, 0};
}

char *archai_index_notes(const archai_index *x)
{
    const index_notes *notes = &x->notes;

    if (notes->n > INDEX_NOTES_MAX)
        return archai_printf("%s; and %zu more", notes->text, notes->n - INDEX_NOTES_MAX);
    return archai_strdup(notes->text != NULL ? notes->text : "");
}

/* -- reading ------------------------------------------------------------------------------- */

static bool is_generational(const archai_index *x)
{
    return x->run.config->search.schedule == ARCHAI_GENERATIONAL;
}

static int count(archai_index *x, index_news *news, archai_err *err)
{
    index_models_add(&x->models, news);
    return index_growth_add(&x->growth, news, err);
}

static int compare_ids(const void *a, const void *b)
{
    const index_new *x = a, *y = b;

    return (x->row.id > y->row.id) - (x->row.id < y->row.id);
}

/* Count the whole table again: front, curve and models; or, `by_id`, front and curve alone, in the
 * order of the proposals instead of the order of finishing. */
static int recount(archai_index *x, bool by_id, archai_err *err)
{
    index_news news = {0};
    int rc;

    ARCHAI_TRY(index_table_recount(&x->table, &news, err));
    index_growth_fini(&x->growth);
    index_growth_init(&x->growth, x->run.objectives);
    if (by_id && news.n > 1)
        qsort(news.at, news.n, sizeof *news.at, compare_ids);
    if (!by_id) {
        index_models_fini(&x->models);
        x->fresh = true; /* which models the file shows is forgotten */
        index_models_add(&x->models, &news);
    }
    rc = index_growth_add(&x->growth, &news, err);
    index_news_fini(&news);
    return rc;
}

/* Take new rows into the table, and count them. */
static int update(archai_index *x, archai_err *err)
{
    index_news news = {0};
    int rc;

    ARCHAI_TRY(index_table_update(&x->table, &news, err));
    x->first = news.first < x->first ? news.first : x->first;
    rc = news.replaced || x->recount ? recount(x, false, err) : count(x, &news, err);
    x->recount = rc != ARCHAI_OK;
    index_news_fini(&news);
    return rc;
}

static int adopt_earlier(archai_index *x, archai_err *err)
{
    index_news news = {0};
    int rc;

    ARCHAI_TRY(index_table_adopt(&x->table, x->path, &news, err));
    rc = count(x, &news, err);
    index_news_fini(&news);
    return rc;
}

int archai_index_open(archai_index **out, const archai_index_run *run, archai_err *err)
{
    archai_index *x;
    int rc;

    ARCHAI_TRY(archai_h5_init(err));
    x = archai_calloc(1, sizeof *x);
    x->run = *run;
    x->fresh = true;
    x->path = archai_file_path(run->directory, file_name);
    index_table_init(&x->table, run->directory, run->objectives);
    index_growth_init(&x->growth, run->objectives);
    index_models_init(&x->models, run->config->output.weights);
    index_params_init(&x->params, run->config_text);
    index_columns_init(&x->columns, run->objectives, &x->params);
    rc = run->is_resume ? archai_reconciled_read(&x->table.reconciled, run->directory, err) : ARCHAI_OK;
    if (rc == ARCHAI_OK)
        rc = update(x, err);
    if (rc == ARCHAI_OK && run->is_resume)
        rc = adopt_earlier(x, err);
    if (rc != ARCHAI_OK) {
        archai_index_close(x);
        return rc;
    }
    *out = x;
    return ARCHAI_OK;
}

void archai_index_close(archai_index *x)
{
    if (x == NULL)
        return;
    index_models_fini(&x->models);
    index_growth_fini(&x->growth);
    index_columns_fini(&x->columns);
    index_params_fini(&x->params);
    index_table_fini(&x->table);
    index_notes_clear(&x->notes);
    free(x->path);
    free(x);
}

/* -- writing ------------------------------------------------------------------------------- */

static int write_attributes(const archai_index *x, const char *state, int64_t rejected,
                            hid_t file, archai_err *err)
{
    const archai_index_run *run = &x->run;
    const struct {
        const char *name, *value;
    } texts[] = {
        {"format", "archai-results"},  {"space", run->space},
        {"algorithm", run->config->search.algorithm},
        {"schedule", is_generational(x) ? "generational" : "async"},
        {"software", run->software},   {"started", run->started},
        {"config", run->config_text},
    };
    char updated[32];
    time_t now = time(NULL);
    struct tm tm;

    (void)strftime(updated, sizeof updated, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
    ARCHAI_TRY(archai_h5_set_string(file, "state", state, err));
    ARCHAI_TRY(archai_h5_set_string(file, "updated", run->updated != NULL ? run->updated : updated, err));
    ARCHAI_TRY(archai_h5_set_int(file, "rejected", rejected, err));
    if (!x->fresh)
        return ARCHAI_OK;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        ARCHAI_TRY(archai_h5_set_string(file, texts[i].name, texts[i].value, err));
    ARCHAI_TRY(archai_h5_set_int(file, "format_version", 1, err));
    ARCHAI_TRY(archai_h5_set_int(file, "seed", run->config->search.seed, err));
    ARCHAI_TRY(run->data != NULL || !run->is_resume ? index_split_write(file, run->data, err)
                                                    : index_split_copy(file, x->path, err));
    return archai_h5_set_int(file, "ranks", run->ranks, err);
}

/* Is results.h5 still the file that was published last? */
static bool is_ours(const archai_index *x)
{
    struct stat st;

    return x->published && stat(x->path, &st) == 0 && st.st_ino == x->last.st_ino &&
           st.st_size == x->last.st_size && st.st_mtim.tv_sec == x->last.st_mtim.tv_sec &&
           st.st_mtim.tv_nsec == x->last.st_mtim.tv_nsec;
}

/* The file to write into: a copy of the last one, or an empty one. */
static int open_beside(archai_index *x, archai_beside *beside, hid_t *file, archai_err *err)
{
    hid_t fapl = H5I_INVALID_HID;
    int rc;

    if (!is_ours(x))
        x->fresh = true;
    ARCHAI_TRY(archai_beside_inside(beside, x->run.directory, file_name, err));
    if (!x->fresh)
        ARCHAI_TRY(archai_file_copy(x->path, beside->fd, x->path, err));
    ARCHAI_TRY(archai_h5_access(&fapl, err));
    if (x->fresh)
        rc = archai_h5_id(err, file, H5Fcreate(beside->at, H5F_ACC_TRUNC, H5P_DEFAULT, fapl));
    else
        rc = archai_h5_id(err, file, H5Fopen(beside->at, H5F_ACC_RDWR, fapl));
    archai_h5_release(&fapl);
    return rc;
}

static int write_beside(archai_index *x, archai_beside *beside, const char *state, int64_t rejected,
                        archai_err *err)
{
    hid_t file = H5I_INVALID_HID;
    size_t first;
    int rc;

    ARCHAI_TRY_GOTO(rc, open_beside(x, beside, &file, err), out);
    first = x->first;
    if (x->fresh) {
        index_columns_fini(&x->columns);
        index_columns_init(&x->columns, x->run.objectives, &x->params);
        index_models_forget(&x->models);
        first = 0;
    }
    if (x->fresh || first < x->table.n)
        ARCHAI_TRY_GOTO(rc, index_columns_write(&x->columns, &x->table, first, file, &x->notes, err), out);
    ARCHAI_TRY_GOTO(rc, index_growth_write(&x->growth, &x->table, file, err), out);
    ARCHAI_TRY_GOTO(rc, index_models_write(&x->models, &x->table, &x->growth, file, &x->notes, err), out);
    ARCHAI_TRY_GOTO(rc, write_attributes(x, state, rejected, file, err), out);
    rc = archai_h5_close(&file, err);
out:
    archai_h5_release(&file);
    return archai_err_wrap(err, rc, "%s: ", x->path);
}

static bool is_wasteful(const archai_index *x)
{
    double explained = (double)x->fresh_size;

    if (x->fresh_rows > 0)
        explained *= (double)x->table.n / (double)x->fresh_rows;
    return (double)x->last.st_size > 2 * explained + (double)growth_slack;
}

int archai_index_refresh(archai_index *x, const char *state, int64_t rejected, int64_t *rows,
                         archai_err *err)
{
    archai_beside beside = ARCHAI_BESIDE_INIT;
    int rc;

    index_notes_clear(&x->notes);
    ARCHAI_TRY(update(x, err));
    if (x->published && !x->fresh && x->first == x->table.n && rejected == x->rejected &&
        strcmp(state, x->state) == 0 && is_ours(x)) {
        *rows = (int64_t)x->table.n;
        return ARCHAI_OK;
    }
    /* At the end a generational search counts the growth of its front in the order of its
     * proposals, which is the same for any number of ranks. */
    if (is_generational(x) && strcmp(state, "running") != 0)
        ARCHAI_TRY(recount(x, true, err));
    rc = write_beside(x, &beside, state, rejected, err);
    if (rc == ARCHAI_OK)
        rc = archai_beside_publish(&beside, err);
    if (rc == ARCHAI_OK && stat(x->path, &x->last) != 0)
        rc = archai_fail(err, ARCHAI_EIO, "%s: %s", x->path, strerror(errno));
    if (rc != ARCHAI_OK) {
        archai_beside_drop(&beside);
        x->fresh = true; /* columns and models describe a file that is gone */
        return rc;
    }
    if (x->fresh) {
        x->fresh_size = x->last.st_size;
        x->fresh_rows = x->table.n;
    }
    x->fresh = is_wasteful(x);
    x->published = true;
    x->first = x->table.n;
    x->state = state;
    x->rejected = rejected;
    *rows = (int64_t)x->table.n;
    return ARCHAI_OK;
}
