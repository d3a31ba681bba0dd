#include "io/results/merge.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/config/config.h"
#include "core/search/search.h"
#include "io/file/file.h"
#include "io/file/h5.h"
#include "io/results/history.h"
#include "io/results/index/index.h"
#include "io/results/merge_check.h"
#include "io/segment/segment.h"
#include "io/wire/message.h"

static const char segment_name[] = "segment-0-0.h5";

typedef struct merging {
    const char *const *from;
    size_t n;
    const char *to;
    archai_results *heads;          /* owned; [n] */
    archai_segment_size size, used; /* of the new segment */
    archai_segment segment, source; /* source: of the row at hand */
    size_t source_of;               /* which directory it is in */
    char **archids;                 /* owned, as is each; of the rows of a source that have weights */
    size_t n_archids, capacity;
    struct counted {
        int64_t *ids; /* owned; ascending */
        size_t n, capacity;
    } *counted;      /* owned; [n]: the rows of each source that there is room for */
    int64_t next_id; /* behind those of the sources before */
    bool has_logs;
} merging;

static int touch(void *payload, const char *path, archai_err *err)
{
    (void)payload;
    (void)path;
    (void)err;
    return ARCHAI_OK;
}

/* -- a row in its new place -------------------------------------------------------------------------- */

static char *log_name(int64_t id)
{
    return archai_printf("logs/%lld.log", (long long)id);
}

/* A log under another name: only what this project would have called so. */
static int copy_log(merging *m, size_t k, const char *name, const char *new_name, archai_err *err)
{
    char *from = archai_file_path(m->from[k], name), *to = archai_file_path(m->to, new_name);
    char *folder = archai_file_path(m->to, "logs");
    struct stat st;
    int rc = ARCHAI_OK, fd = -1;

    if (lstat(from, &st) != 0 || !S_ISREG(st.st_mode))
        goto out; /* somebody has tidied up */
    if (!m->has_logs && mkdir(folder, 0777) != 0 && errno != EEXIST)
        rc = archai_fail(err, ARCHAI_EIO, "%s: %s", folder, strerror(errno));
    m->has_logs = true;
    if (rc == ARCHAI_OK && (fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666)) < 0)
        rc = archai_fail(err, ARCHAI_EIO, "%s: %s", to, strerror(errno));
    if (rc == ARCHAI_OK)
        rc = archai_file_copy(from, fd, to, err);
    if (fd >= 0 && close(fd) != 0 && rc == ARCHAI_OK)
        rc = archai_fail(err, ARCHAI_EIO, "%s: %s", to, strerror(errno));
out:
    free(folder);
    free(from);
    free(to);
    return rc;
}

static int open_source(merging *m, size_t k, const char *name, archai_err *err)
{
    if (m->source.fd >= 0 && m->source_of == k && strcmp(m->source.name, name) == 0)
        return ARCHAI_OK;
    archai_segment_close(&m->source);
    m->source = (archai_segment)ARCHAI_SEGMENT_INIT;
    m->source_of = k;
    return archai_segment_open(&m->source, m->from[k], name, false, err);
}

static int copy_tensor(merging *m, archai_tensor_place *p, archai_err *err)
{
    const uint32_t crc = p->crc;
    uint64_t n = 0;
    size_t bytes;
    void *data;
    int rc;

    if (!archai_segment_holds(&m->source, p, &n))
        return archai_fail(err, ARCHAI_EFORMAT, "%s: tensor %s lies outside its pool", m->source.path, p->name);
    bytes = (size_t)n * archai_dtype_size(p->dtype);
    data = archai_file_room((size_t)n, archai_dtype_size(p->dtype), err);
    if (data == NULL)
        return ARCHAI_ENOMEM;
    rc = archai_segment_read_tensor(&m->source, p, data, err);
    if (rc == ARCHAI_OK && archai_segment_crc(data, bytes) != crc)
        rc = archai_fail(err, ARCHAI_EFORMAT, "%s: %s does not match its checksum", m->source.path, p->name);
    p->offset = m->used.pool[p->dtype];
    p->crc = archai_segment_crc(data, 0);
    if (rc == ARCHAI_OK && bytes > 0)
        rc = archai_segment_write_piece(&m->segment, p, 0, data, bytes, err);
    m->used.pool[p->dtype] += (int64_t)n;
    free(data);
    return rc;
}

/* Weights of a row whose segment was deleted do not come with it (archai_history). */
static int copy_weights(merging *m, size_t k, archai_trial *e, int64_t place, archai_err *err)
{
    char name[ARCHAI_SEGMENT_NAME_MAX];
    int64_t row;
    int rc = ARCHAI_OK;

    if (e->n_tensors == 0)
        return ARCHAI_OK;
    if (!archai_segment_of_place(place, name, &row))
        return archai_fail(err, ARCHAI_EFORMAT, "id %lld: nobody knows where its weights are", (long long)e->id);
    ARCHAI_TRY(open_source(m, k, name, err));
    for (size_t i = 0; rc == ARCHAI_OK && i < e->n_tensors; i++)
        rc = copy_tensor(m, &e->tensors[i], err);
    return rc;
}

/* Its id, and what names places in the source. */
static void adopt(archai_trial *e, int64_t first_id)
{
    char *before = log_name(e->id);

    e->id += first_id;
    e->begin_at = 0;
    e->stored = 0;
    if (e->log != NULL && e->log[0] != '\0') {
        char *after = strcmp(e->log, before) == 0 ? log_name(e->id) : archai_strdup("");

        free(e->log);
        e->log = after;
    }
    free(before);
}

/* -- counting, then writing ------------------------------------------------------------------------------ */

typedef int take_row(merging *m, size_t k, archai_trial *e, archai_err *err);

static int count_row(merging *m, size_t k, archai_trial *e, archai_err *err)
{
    archai_buffer packed = {0};
    int rc;

    (void)k;
    adopt(e, m->next_id);
    rc = archai_trial_pack(e, &packed, err);
    m->size.rows++;
    /* a place is packed as few bytes as it takes, and may become a larger one */
    m->size.text_bytes += (int64_t)(packed.size + 16 * (e->n_tensors + 1));
    for (size_t i = 0; i < e->n_tensors; i++) {
        int64_t n = 1;

        for (int d = 0; d < e->tensors[i].ndim; d++)
            n *= e->tensors[i].shape[d]; /* history has seen that it lies in its pool */
        m->size.pool[e->tensors[i].dtype] += n;
    }
    if (e->n_tensors > 0) {
        ARCHAI_RESERVE(m->archids, m->capacity, m->n_archids + 1);
        m->archids[m->n_archids++] = archai_strdup(e->model.archid);
    }
    archai_buffer_free(&packed);
    return rc;
}

static void forget_archids(merging *m)
{
    for (size_t i = 0; i < m->n_archids; i++)
        free(m->archids[i]);
    m->n_archids = 0;
}

static int write_row(merging *m, size_t k, archai_trial *e, archai_err *err)
{
    const int64_t place = e->stored;
    char *log = e->log != NULL ? archai_strdup(e->log) : NULL;
    archai_buffer packed = {0};
    archai_row row;
    int rc;

    adopt(e, m->next_id);
    rc = copy_weights(m, k, e, place, err);
    if (rc == ARCHAI_OK && log != NULL && e->log[0] != '\0')
        rc = copy_log(m, k, log, e->log, err);
    free(log);
    if (rc == ARCHAI_OK)
        rc = archai_trial_pack(e, &packed, err);
    if (rc == ARCHAI_OK) {
        row = archai_segment_row(e, m->used.text_bytes, packed.data, packed.size);
        archai_segment_row_finished(&row, e->started + e->seconds);
        rc = archai_segment_commit_rows(&m->segment, m->used.rows, &row, 1, packed.data, packed.size, err);
    }
    m->used.rows++;
    m->used.text_bytes += (int64_t)packed.size;
    archai_buffer_free(&packed);
    return rc;
}

/* A run that goes on may have more rows when they are written than when they were counted. */
static bool was_counted(const struct counted *c, int64_t id, size_t *at)
{
    while (*at < c->n && c->ids[*at] < id)
        ++*at;
    return *at < c->n && c->ids[*at] == id;
}

static int each_row(merging *m, take_row *take, archai_err *err)
{
    int rc = ARCHAI_OK;

    m->next_id = 0;
    for (size_t k = 0; rc == ARCHAI_OK && k < m->n; k++) {
        archai_history *h = NULL;
        archai_results head = {0};
        struct counted *counted = &m->counted[k];
        int64_t last = -1;
        size_t at = 0;
        bool got = true;

        ARCHAI_TRY(archai_history_open(&h, m->from[k], touch, NULL, &head, err));
        while (rc == ARCHAI_OK && got) {
            archai_trial e = {0};

            rc = archai_history_next(h, &e, &got, err);
            if (rc == ARCHAI_OK && got && take == count_row) {
                ARCHAI_RESERVE(counted->ids, counted->capacity, counted->n + 1);
                counted->ids[counted->n++] = e.id;
            }
            if (rc == ARCHAI_OK && got && was_counted(counted, e.id, &at)) {
                last = e.id;
                rc = archai_err_wrap(err, take(m, k, &e, err), "%s: ", m->from[k]);
            }
            archai_trial_fini(&e);
        }
        archai_history_close(h);
        archai_results_free(&head);
        if (rc == ARCHAI_OK && take == count_row)
            rc = archai_merge_weights(m->from[k], m->archids, m->n_archids, err);
        forget_archids(m);
        m->next_id += last + 1;
    }
    return rc;
}

/* -- the index ------------------------------------------------------------------------------------------- */

/* The root attribute `data` of the first run; NULL: it has none. */
static char *data_of(const merging *m)
{
    char *path = archai_file_path(m->from[0], "results.h5"), *data = NULL;
    hid_t file = H5I_INVALID_HID;

    if (archai_h5_open(&file, path, NULL) == ARCHAI_OK)
        (void)archai_h5_get_string(file, "data", &data, NULL);
    archai_h5_release(&file);
    free(path);
    return data;
}

static int publish(const merging *m, archai_merged *out, archai_err *err)
{
    const archai_results *head = &m->heads[0];
    archai_objectives objectives = {.n = 0};
    archai_config config = {0};
    archai_ini ini = {0};
    archai_index *x = NULL;
    char *text = archai_merge_config(m->heads, m->n, m->to), *data = data_of(m);
    archai_index_run run = {.directory = m->to,
                            .config_text = text,
                            .config = &config,
                            .objectives = &objectives,
                            .space = head->space,
                            .software = head->software,
                            .started = head->started,
                            .updated = head->updated,
                            .data = data,
                            .ranks = 1};
    const char *state = "complete";
    int64_t rejected = 0;
    int rc;

    for (size_t k = 0; k < m->n; k++) {
        if (strcmp(m->heads[k].state, "complete") != 0)
            state = "interrupted";
        if (strcmp(m->heads[k].started, run.started) > 0) /* the last start, as the attribute means it */
            run.started = m->heads[k].started;
        if (strcmp(m->heads[k].updated, run.updated) > 0)
            run.updated = m->heads[k].updated;
        if (m->heads[k].ranks > run.ranks && m->heads[k].ranks < INT32_MAX)
            run.ranks = (int)m->heads[k].ranks;
        rejected += m->heads[k].rejected;
    }
    ARCHAI_TRY_GOTO(rc, archai_file_replace(m->to, "config.ini", text, strlen(text), err), out);
    ARCHAI_TRY_GOTO(rc, archai_ini_parse(&ini, "the configuration of the run", text, strlen(text), err), out);
    ARCHAI_TRY_GOTO(rc, archai_config_load(&config, &ini, err), out);
    ARCHAI_TRY_GOTO(rc, archai_objectives_create(&objectives, &ini, err), out);
    ARCHAI_TRY_GOTO(rc, archai_index_open(&x, &run, err), out);
    rc = archai_index_refresh(x, state, rejected, &out->rows, err);
    if (rc == ARCHAI_OK)
        out->notes = archai_index_notes(x);
out:
    archai_index_close(x);
    archai_objectives_free(&objectives);
    archai_config_free(&config);
    archai_ini_free(&ini);
    free(text);
    free(data);
    return rc;
}

int archai_results_merge(const char *const *from, size_t n, const char *to, archai_merged *out, archai_err *err)
{
    merging m = {.from = from, .n = n, .to = to, .segment = ARCHAI_SEGMENT_INIT, .source = ARCHAI_SEGMENT_INIT};
    archai_strings models = {NULL, 0};
    int rc = ARCHAI_OK;

    *out = (archai_merged){0};
    m.heads = archai_calloc(n, sizeof *m.heads);
    m.counted = archai_calloc(n, sizeof *m.counted);
    for (size_t k = 0; rc == ARCHAI_OK && k < n; k++)
        rc = archai_results_read(&m.heads[k], from[k], err);
    ARCHAI_TRY_GOTO(rc, rc, out);
    ARCHAI_TRY_GOTO(rc, archai_merge_check(m.heads, from, n, err), out);
    out->repeated = archai_merge_repeated(m.heads, n);
    ARCHAI_TRY_GOTO(rc, each_row(&m, count_row, err), out);
    m.size.rows = (m.size.rows / ARCHAI_SEGMENT_BLOCK_ROWS + 1) * ARCHAI_SEGMENT_BLOCK_ROWS;
    m.size.text_bytes += ARCHAI_SEGMENT_ALIGNMENT;
    ARCHAI_TRY_GOTO(rc, archai_segment_create(to, segment_name, &m.size, err), out);
    ARCHAI_TRY_GOTO(rc, archai_segment_open(&m.segment, to, segment_name, true, err), out);
    ARCHAI_TRY_GOTO(rc, each_row(&m, write_row, err), out);
    ARCHAI_TRY_GOTO(rc, archai_segment_sync(&m.segment, err), out);
    ARCHAI_TRY_GOTO(rc, publish(&m, out, err), out);
    rc = archai_results_models(to, &models, err);
    out->models = (int64_t)models.n;
    archai_strings_free(&models);
out:
    for (size_t k = 0; k < n; k++) {
        archai_results_free(&m.heads[k]);
        free(m.counted[k].ids);
    }
    free(m.heads);
    free(m.counted);
    forget_archids(&m);
    free(m.archids);
    archai_segment_close(&m.segment);
    archai_segment_close(&m.source);
    return rc;
}
