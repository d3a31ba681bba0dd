#include "runner/coordinator/grants.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

enum {
    ROW_BLOCK = ARCHAI_SEGMENT_BLOCK_ROWS,
    TEXT_BLOCK = 1 << 20, /* bytes; less than that is not worth a message */
    POOL_BLOCK = 1 << 20, /* bytes */
    FIRST_BLOCKS = 2,     /* blocks of each kind for every owner in the first segment */
    MAX_GROWTH = 6        /* each further segment doubles that, so often at most */
};

static int64_t round_up(int64_t n, int64_t unit)
{
    return (n + unit - 1) / unit * unit;
}

static int64_t elements(int64_t bytes, int dtype)
{
    return bytes / (int64_t)archai_dtype_size((archai_dtype)dtype);
}

static char *segment_name(const archai_grants *g, int k)
{
    char name[ARCHAI_SEGMENT_NAME_MAX];

    archai_segment_name(name, g->start, k);
    return archai_strdup(name);
}

void archai_grants_init(archai_grants *g, const char *directory, int start, int n_owners,
                        bool weights)
{
    *g = (archai_grants){
        .directory = directory,
        .start = start,
        .weights = weights,
        .n_owners = n_owners,
        .owners = archai_calloc((size_t)n_owners, sizeof *g->owners),
        .segment = -1,
    };
    for (int i = 0; i < n_owners; i++)
        g->owners[i].segment = -1;
}

void archai_grants_fini(archai_grants *g)
{
    free(g->owners);
    g->owners = NULL;
}

/* -- segments ------------------------------------------------------------------------------ */

/* Room for `needed` (of one owner) and for what the others are likely to ask for. Files are
 * sparse: what is not written takes no space. */
static int next_segment(archai_grants *g, const archai_segment_size *needed, archai_err *err)
{
    const int k = g->segment + 1;
    const int64_t blocks =
        (int64_t)g->n_owners * FIRST_BLOCKS * (1 << (k < MAX_GROWTH ? k : MAX_GROWTH));
    archai_segment_size size = {
        .rows = blocks * ROW_BLOCK + needed->rows,
        .text_bytes = blocks * TEXT_BLOCK + needed->text_bytes,
    };
    char *name;
    int rc;

    for (int t = 0; t < ARCHAI_DTYPE_COUNT; t++) {
        const int64_t usual = elements(blocks * POOL_BLOCK, t);

        if (g->weights && (t == ARCHAI_F32 || t == ARCHAI_I64))
            size.pool[t] = usual;
        if (needed->pool[t] > 0) /* large models: a few of each owner */
            size.pool[t] = usual + (g->n_owners + 1) * needed->pool[t];
    }
    name = segment_name(g, k);
    rc = archai_segment_create(g->directory, name, &size, err);
    free(name);
    if (rc != ARCHAI_OK)
        return rc;
    g->segment = k;
    g->size = size;
    g->used = (archai_segment_size){0};
    return ARCHAI_OK;
}

static bool has_room(const archai_grants *g, const archai_segment_size *needed)
{
    if (g->segment < 0 || g->size.rows - g->used.rows < needed->rows ||
        g->size.text_bytes - g->used.text_bytes < needed->text_bytes)
        return false;
    for (int t = 0; t < ARCHAI_DTYPE_COUNT; t++)
        if (g->size.pool[t] - g->used.pool[t] < needed->pool[t])
            return false;
    return true;
}

/* Take `needed` for an owner from the segment with free places. */
static int take(archai_grants *g, int owner, const archai_segment_size *needed,
                archai_message *grant, archai_err *err)
{
    archai_grant_owner *o = &g->owners[owner];

    if (!has_room(g, needed))
        ARCHAI_TRY(next_segment(g, needed, err));
    grant->segment = segment_name(g, g->segment);
    grant->type = ARCHAI_MSG_GRANT;
    grant->row = g->used.rows;
    grant->n_rows = needed->rows;
    grant->text_offset = g->used.text_bytes;
    grant->text_bytes = needed->text_bytes;
    o->given[o->n_given % ARCHAI_GRANTS_KEPT].segment = g->segment;
    o->given[o->n_given % ARCHAI_GRANTS_KEPT].row = grant->row;
    o->given[o->n_given % ARCHAI_GRANTS_KEPT].n_rows = grant->n_rows;
    o->n_given++;
    g->used.rows += needed->rows;
    g->used.text_bytes += needed->text_bytes;
    if (o->segment != g->segment) { /* its blocks in the segment before are left behind */
        memset(o->pool, 0, sizeof o->pool);
        memset(o->end_pool, 0, sizeof o->end_pool);
        o->segment = g->segment;
    }
    return ARCHAI_OK;
}

int archai_grants_rows(archai_grants *g, int owner, int64_t n_rows, int64_t text_bytes,
                       archai_message *grant, archai_err *err)
{
    const archai_segment_size needed = {
        .rows = round_up(n_rows > 0 ? n_rows : 1, ROW_BLOCK),
        .text_bytes = round_up(text_bytes > 0 ? text_bytes : 1, TEXT_BLOCK),
    };

    return take(g, owner, &needed, grant, err);
}

/* -- tensors ------------------------------------------------------------------------------- */

static int count(const archai_tensor_place *p, int64_t *n, archai_err *err)
{
    *n = 1;
    for (int d = 0; d < p->ndim; d++)
        if (__builtin_mul_overflow(*n, p->shape[d], n) || *n > INT64_C(1) << 40)
            return archai_fail(err, ARCHAI_EFORMAT, "tensor %s is too large", p->name);
    return ARCHAI_OK;
}

/* Elements that e needs of each type, and what of them the owner's blocks do not hold. */
static int missing(const archai_grant_owner *o, const archai_trial *e,
                   archai_segment_size *needed, archai_err *err)
{
    int64_t want[ARCHAI_DTYPE_COUNT] = {0};

    for (size_t i = 0; i < e->n_tensors; i++) {
        int64_t n;

        ARCHAI_TRY(count(&e->tensors[i], &n, err));
        want[e->tensors[i].dtype] += n;
    }
    for (int t = 0; t < ARCHAI_DTYPE_COUNT; t++) {
        const int64_t block = elements(POOL_BLOCK, t);

        needed->pool[t] = want[t] > o->end_pool[t] - o->pool[t] ? round_up(want[t], block) : 0;
    }
    return ARCHAI_OK;
}

/* New blocks replace what is left of the old ones. */
static void take_blocks(archai_grants *g, archai_grant_owner *o,
                        const archai_segment_size *needed)
{
    for (int t = 0; t < ARCHAI_DTYPE_COUNT; t++) {
        if (needed->pool[t] == 0)
            continue;
        o->pool[t] = g->used.pool[t];
        g->used.pool[t] += needed->pool[t];
        o->end_pool[t] = g->used.pool[t];
    }
}

int archai_grants_tensors(archai_grants *g, int owner, archai_trial *e, int64_t text_bytes,
                          char **segment, archai_message *grant, archai_err *err)
{
    archai_grant_owner *o = &g->owners[owner];
    archai_segment_size needed = {0};
    bool any = false;

    ARCHAI_TRY(missing(o, e, &needed, err));
    for (int t = 0; t < ARCHAI_DTYPE_COUNT; t++)
        any = any || needed.pool[t] > 0;
    if (any && (o->segment != g->segment || !has_room(g, &needed))) {
        const archai_grant_owner none = {0};

        /* Another segment: all of it is needed there, and rows beside it. */
        ARCHAI_TRY(missing(&none, e, &needed, err));
        needed.rows = ROW_BLOCK;
        needed.text_bytes = round_up(2 * text_bytes + 1, TEXT_BLOCK);
        ARCHAI_TRY(take(g, owner, &needed, grant, err));
    }
    take_blocks(g, o, &needed);
    *segment = segment_name(g, o->segment);
    for (size_t i = 0; i < e->n_tensors; i++) {
        archai_tensor_place *p = &e->tensors[i];
        int64_t n;

        ARCHAI_TRY(count(p, &n, err));
        p->offset = o->pool[p->dtype];
        o->pool[p->dtype] += n;
    }
    return ARCHAI_OK;
}

/* -- what was written ---------------------------------------------------------------------- */

typedef struct reader {
    const archai_segment *segment;
    archai_grants_visit visit;
    void *payload;
} reader;

static int read_row(void *payload, int64_t row, const archai_row *r, archai_err *err)
{
    const reader *x = payload;
    archai_trial e = {0};
    bool valid;

    ARCHAI_TRY(archai_segment_detail(x->segment, r, &valid, &e, err));
    if (!valid)
        return ARCHAI_OK;
    if (e.n_tensors > 0)
        e.stored = archai_segment_place(x->segment->name, row);
    return x->visit(x->payload, &e, err);
}

int archai_grants_committed(const archai_grants *g, int owner, archai_grants_visit visit,
                            void *payload, archai_err *err)
{
    const archai_grant_owner *o = &g->owners[owner];
    const int64_t first = o->n_given > ARCHAI_GRANTS_KEPT ? o->n_given - ARCHAI_GRANTS_KEPT : 0;
    int rc = ARCHAI_OK;

    for (int64_t k = first; k < o->n_given && rc == ARCHAI_OK; k++) {
        const int at = (int)(k % ARCHAI_GRANTS_KEPT);
        archai_segment s = ARCHAI_SEGMENT_INIT;
        reader x = {.segment = &s, .visit = visit, .payload = payload};
        char *name = segment_name(g, o->given[at].segment);

        rc = archai_segment_open(&s, g->directory, name, false, err);
        if (rc == ARCHAI_OK)
            rc = archai_segment_scan(&s, o->given[at].row,
                                     o->given[at].row + o->given[at].n_rows, read_row, &x, err);
        archai_segment_close(&s);
        free(name);
    }
    return rc;
}
