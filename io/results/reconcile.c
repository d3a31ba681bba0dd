#include "io/results/reconcile.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/base/hash.h"
#include "io/file/file.h"

static const char file_name[] = "reconciled.json", format[] = "archai-reconciled";
enum { FILE_BYTES_MAX = 256 << 20 };

/* -- the file ------------------------------------------------------------------------------ */

static int by_place(const void *a, const void *b)
{
    const archai_reconciled_row *x = a, *y = b;

    return (x->place > y->place) - (x->place < y->place);
}

static bool read_row(const json_t *row, archai_reconciled_row *out)
{
    const char *segment, *hash;
    json_int_t number, was, id;
    char *end;

    if (json_unpack((json_t *)(uintptr_t)row, "{s:s, s:I, s:I, s:I, s:s}", "segment", &segment, "row",
                    &number, "was", &was, "id", &id, "archid_hash", &hash) != 0 || id < -1 || was < 0)
        return false;
    *out = (archai_reconciled_row){.place = archai_segment_place(segment, number), .was = was, .id = id};
    out->archid_hash = strtoull(hash, &end, 16);
    return out->place != 0 && *end == '\0' && end != hash;
}

int archai_reconciled_read(archai_reconciled *out, const char *directory, archai_err *err)
{
    char *path = archai_file_path(directory, file_name), *text = NULL;
    const char *kind = "";
    json_t *root = NULL, *rows = NULL;
    size_t size = 0;
    int rc = ARCHAI_OK;

    *out = (archai_reconciled){.at = NULL};
    if (access(path, F_OK) != 0)
        goto out;
    ARCHAI_TRY_GOTO(rc, archai_file_read(path, FILE_BYTES_MAX, &text, &size, err), out);
    root = json_loadb(text, size, 0, NULL);
    if (json_unpack(root, "{s:s, s:o}", "format", &kind, "rows", &rows) != 0 || strcmp(kind, format) != 0 ||
        !json_is_array(rows)) {
        rc = archai_fail(err, ARCHAI_EFORMAT, "%s: damaged; once it is moved away, a new one is made", path);
        goto out;
    }
    out->at = archai_calloc(json_array_size(rows), sizeof *out->at);
    for (size_t i = 0; i < json_array_size(rows); i++)
        if (read_row(json_array_get(rows, i), &out->at[out->n]))
            out->n++;
    if (out->n > 0)
        qsort(out->at, out->n, sizeof *out->at, by_place);
out:
    json_decref(root);
    free(text);
    free(path);
    return rc;
}

char *archai_reconciled_text(const archai_reconciled *r)
{
    json_t *rows = json_array(), *root;
    char *text;

    for (size_t i = 0; i < r->n; i++) {
        char segment[ARCHAI_SEGMENT_NAME_MAX], hash[24];
        int64_t row;

        if (!archai_segment_of_place(r->at[i].place, segment, &row))
            continue;
        (void)snprintf(hash, sizeof hash, "%016" PRIx64, r->at[i].archid_hash);
        (void)json_array_append_new(
            rows, archai_there(json_pack("{s:s, s:I, s:I, s:I, s:s}", "segment", segment, "row",
                                         (json_int_t)row, "was", (json_int_t)r->at[i].was, "id",
                                         (json_int_t)r->at[i].id, "archid_hash", hash)));
    }
    root = archai_there(json_pack("{s:s, s:o}", "format", format, "rows", rows));
    text = archai_there(json_dumps(root, JSON_INDENT(1)));
    json_decref(root);
    return text;
}

int archai_reconciled_publish(const char *text, const char *directory, archai_err *err)
{
    return archai_file_replace(directory, file_name, text, strlen(text), err);
}

void archai_reconciled_free(archai_reconciled *r)
{
    free(r->at);
    *r = (archai_reconciled){.at = NULL};
}

const archai_reconciled_row *archai_reconciled_find(const archai_reconciled *r, int64_t place)
{
    const archai_reconciled_row key = {.place = place};

    return r->n > 0 ? bsearch(&key, r->at, r->n, sizeof key, by_place) : NULL;
}

bool archai_reconciled_moved(const archai_reconciled *r, int64_t id, const char *archid)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->at[i].was == id && r->at[i].id != id && r->at[i].archid_hash == archai_hash(archid))
            return true;
    return false;
}

void archai_reconciled_sentence(const archai_reconciled *r, char *text, size_t size)
{
    size_t twice = 0;

    for (size_t i = 0; i < r->n; i++)
        twice += r->at[i].id < 0;
    (void)snprintf(text, size,
                   "two runs wrote here at the same time: of %zu evaluation%s made twice the one that "
                   "finished first counts, %zu row%s that shared an id with another evaluation %s a new one",
                   twice, twice == 1 ? "" : "s", r->n - twice, r->n - twice == 1 ? "" : "s",
                   r->n - twice == 1 ? "has" : "have");
}

/* -- the claims ---------------------------------------------------------------------------- */

/* A row, as far as it matters who has its id. */
typedef struct claim {
    int64_t id, was, place;
    double finished, budget;
    uint64_t archid_hash;
    bool is_cached, is_test, is_dropped;
} claim;

typedef struct claims {
    claim *at; /* owned */
    size_t n, capacity;
    const archai_segment *segment; /* the current one */
} claims;

static int start_of(const claim *c)
{
    return (int)(c->place >> 48); /* archai_segment_place */
}

static int note(void *payload, int64_t row, const archai_row *r, archai_err *err)
{
    claims *c = payload;

    (void)err;
    ARCHAI_RESERVE(c->at, c->capacity, c->n + 1);
    c->at[c->n++] = (claim){.id = r->id,
                            .was = r->id,
                            .place = archai_segment_place(c->segment->name, row),
                            .finished = r->finished,
                            .budget = r->budget,
                            .is_cached = r->status == ARCHAI_STATUS_CACHED,
                            .is_test = r->is_test != 0};
    return ARCHAI_OK;
}

static int by_id(const void *a, const void *b)
{
    const claim *x = a, *y = b;

    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    if (x->finished != y->finished)
        return x->finished < y->finished ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

static bool same_evaluation(const claim *x, const claim *y)
{
    return x->archid_hash == y->archid_hash && x->budget == y->budget;
}

static int by_evaluation(const void *a, const void *b)
{
    const claim *x = a, *y = b;

    if (x->archid_hash != y->archid_hash)
        return x->archid_hash < y->archid_hash ? -1 : 1;
    if (x->budget != y->budget)
        return x->budget < y->budget ? -1 : 1;
    if (x->finished != y->finished)
        return x->finished < y->finished ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

/* Sorted by id. Did two starts live at the same time? They have then handed out the same ids, or (where their clocks
 * agree) one finished something after a later one had. */
static bool overlap(const claims *c)
{
    struct {
        double first, last;
        bool any;
    } *starts;
    double latest = 0;
    bool any = false, found = false;
    int n = 0;

    for (size_t i = 0; i < c->n; i++)
        n = start_of(&c->at[i]) >= n ? start_of(&c->at[i]) + 1 : n;
    starts = archai_calloc((size_t)n, sizeof *starts);
    for (size_t i = 0; i < c->n; i++) {
        const claim *r = &c->at[i];
        const int s = start_of(r);

        /* a later start may measure the weights of an earlier one's row (is_test) */
        found = found || (i > 0 && r->id == r[-1].id && s != start_of(&r[-1]) && !r->is_test &&
                          !r[-1].is_test);
        if (!starts[s].any || r->finished < starts[s].first)
            starts[s].first = r->finished;
        if (!starts[s].any || r->finished > starts[s].last)
            starts[s].last = r->finished;
        starts[s].any = true;
    }
    for (int s = 0; s < n; s++) {
        if (!starts[s].any)
            continue;
        found = found || (any && latest > starts[s].first);
        latest = !any || starts[s].last > latest ? starts[s].last : latest;
        any = true;
    }
    free(starts);
    return found;
}

/* -- settling ------------------------------------------------------------------------------ */

/* Of rows of different starts for one evaluation under different ids the first counts. Those of its own start stay:
 * that run knew what it did. */
static void drop_repetitions(claims *c)
{
    qsort(c->at, c->n, sizeof *c->at, by_evaluation);
    for (size_t i = 0, end; i < c->n; i = end) {
        const claim *winner = NULL;

        for (end = i; end < c->n && same_evaluation(&c->at[end], &c->at[i]); end++) {
            claim *r = &c->at[end];

            if (r->is_cached || r->is_dropped)
                continue;
            if (winner == NULL)
                winner = r;
            else if (start_of(r) != start_of(winner) && r->id != winner->id)
                r->is_dropped = true;
        }
    }
}

/* Of the rows [n] of one id, which finished in this order: those of the evaluation that the latest start made keep
 * it; the others get new ids, one for each evaluation. */
static void share_out(claim *at, size_t n, int64_t *next)
{
    const claim *keeper = NULL;

    for (size_t i = 0; i < n; i++)
        if (!at[i].is_dropped && (keeper == NULL || start_of(&at[i]) > start_of(keeper)))
            keeper = &at[i];
    for (size_t i = 0; keeper != NULL && i < n; i++) {
        const int64_t id = at[i].id;

        if (at[i].is_dropped || id != keeper->id || same_evaluation(&at[i], keeper))
            continue;
        for (size_t k = i; k < n; k++)
            if (!at[k].is_dropped && at[k].id == id && k != i && same_evaluation(&at[k], &at[i]))
                at[k].id = *next;
        at[i].id = (*next)++;
    }
}

static void settle(claims *c, bool is_generational)
{
    int64_t next = 0;

    if (!is_generational)
        drop_repetitions(c);
    qsort(c->at, c->n, sizeof *c->at, by_id);
    if (c->n > 0)
        next = c->at[c->n - 1].id + 1;
    for (size_t i = 0, end; i < c->n; i = end) {
        const int64_t id = c->at[i].id;

        for (end = i; end < c->n && c->at[end].id == id; end++)
            continue;
        if (end - i > 1)
            share_out(c->at + i, end - i, &next);
    }
}

static void keep_settled(archai_reconciled *r, const claims *c)
{
    archai_reconciled now = {.at = archai_calloc(c->n, sizeof *now.at)};

    for (size_t i = 0; i < c->n; i++) {
        const claim *k = &c->at[i];
        const int64_t id = k->is_dropped ? -1 : k->id;
        const archai_reconciled_row *before = archai_reconciled_find(r, k->place);

        if (id == k->was && before == NULL)
            continue;
        now.at[now.n++] = (archai_reconciled_row){
            .place = k->place, .was = k->was, .id = id, .archid_hash = k->archid_hash};
        now.n_new += before == NULL || before->id != id;
    }
    if (now.n > 0)
        qsort(now.at, now.n, sizeof *now.at, by_place);
    archai_reconciled_free(r);
    *r = now;
}

/* What was settled before stays settled. */
static void apply(claims *c, const archai_reconciled *r)
{
    for (size_t i = 0; i < c->n; i++) {
        const archai_reconciled_row *known = archai_reconciled_find(r, c->at[i].place);

        if (known == NULL)
            continue;
        c->at[i].is_dropped = known->id < 0;
        c->at[i].id = known->id >= 0 ? known->id : c->at[i].was;
    }
}

static int read_claims(claims *c, const archai_segment *const *segments, size_t n, archai_err *err)
{
    for (size_t i = 0; i < n; i++) {
        c->segment = segments[i];
        ARCHAI_TRY(archai_segment_scan(segments[i], 0, segments[i]->size.rows, note, c, err));
    }
    return ARCHAI_OK;
}

/* Which evaluations they are; those whose detail is damaged are left out, as everywhere. */
static int read_evaluations(claims *c, const archai_segment *const *segments, size_t n, archai_err *err)
{
    size_t kept = 0;

    for (size_t i = 0; i < c->n; i++) {
        char name[ARCHAI_SEGMENT_NAME_MAX];
        archai_trial e = {0};
        int64_t row;
        bool valid = false;

        if (!archai_segment_of_place(c->at[i].place, name, &row))
            continue;
        for (size_t s = 0; s < n; s++)
            if (strcmp(segments[s]->name, name) == 0)
                ARCHAI_TRY(archai_segment_read(segments[s], row, &valid, &e, err));
        if (!valid)
            continue;
        c->at[i].archid_hash = archai_hash(e.model.archid);
        c->at[kept++] = c->at[i];
        archai_trial_fini(&e);
    }
    c->n = kept;
    return ARCHAI_OK;
}

int archai_reconcile(archai_reconciled *out, const char *directory,
                     const archai_segment *const *segments, size_t n, bool is_generational,
                     archai_err *err)
{
    claims c = {.at = NULL};
    bool several = false;
    int start, first = -1, k, rc;

    *out = (archai_reconciled){.at = NULL};
    for (size_t i = 0; i < n; i++) {
        if (!archai_segment_name_read(segments[i]->name, &start, &k))
            continue;
        several = several || (first >= 0 && start != first);
        first = start;
    }
    if (!several)
        return ARCHAI_OK;
    ARCHAI_TRY(archai_reconciled_read(out, directory, err));
    ARCHAI_TRY_GOTO(rc, read_claims(&c, segments, n, err), out);
    apply(&c, out);
    if (c.n > 0)
        qsort(c.at, c.n, sizeof *c.at, by_id);
    if (c.n == 0 || !overlap(&c))
        goto out;
    ARCHAI_TRY_GOTO(rc, read_evaluations(&c, segments, n, err), out);
    settle(&c, is_generational);
    keep_settled(out, &c);
out:
    free(c.at);
    if (rc != ARCHAI_OK)
        archai_reconciled_free(out);
    return rc;
}
