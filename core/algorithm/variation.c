#include "core/algorithm/variation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

enum { ARCH_FILE_MAX = 4 * 1024 * 1024 };

int archai_vary_random(archai_search *s, archai_trial *out, archai_err *err)
{
    archai_trial p = {.operator_ = NULL};

    ARCHAI_TRY(archai_space_random_sample(s->space, &p.model, err));
    archai_trial_set_operator(&p, "random");
    *out = p;
    return ARCHAI_OK;
}

/* Takes the model over, also on failure. */
static void child_of(archai_search *s, const char *operator_, archai_model *child,
                     const size_t *parents, size_t n, archai_trial *out)
{
    archai_trial p = {.model = *child, .operator_ = archai_strdup(operator_)};
    json_t *archids = archai_there(json_array());

    for (size_t i = 0; i < n; i++) {
        const archai_record *r = &s->records[parents[i]];

        (void)json_array_append_new(archids, archai_there(json_string(r->archid)));
        if (r->generation >= p.generation)
            p.generation = r->generation + 1;
    }
    if (s->inherit)
        p.begin_at = s->records[parents[0]].stored;
    if (n == 1)
        (void)json_object_set_new(p.model.metadata, "parent",
                                  archai_there(json_string(s->records[parents[0]].archid)));
    else
        (void)json_object_set_new(p.model.metadata, "parents",
                                  archai_there(json_sprintf("%s,%s",
                                                            s->records[parents[0]].archid,
                                                            s->records[parents[1]].archid)));
    p.parents = archai_there(json_dumps(archids, JSON_COMPACT));
    json_decref(archids);
    *out = p;
}

int archai_vary_mutate(archai_search *s, size_t parent, archai_trial *out, archai_err *err)
{
    archai_model base, child;
    int rc;

    ARCHAI_TRY(archai_search_model(s, parent, &base, err));
    rc = archai_space_mutate(s->space, &base, &child, err);
    archai_model_fini(&base);
    ARCHAI_TRY(rc);
    child_of(s, "mutation", &child, &parent, 1, out);
    return ARCHAI_OK;
}

int archai_vary_crossover(archai_search *s, size_t left, size_t right, archai_trial *out,
                          archai_err *err)
{
    const size_t parents[2] = {left, right};
    archai_model base[2], child;
    int rc;

    ARCHAI_TRY(archai_search_model(s, left, &base[0], err));
    rc = archai_search_model(s, right, &base[1], err);
    if (rc == ARCHAI_OK) {
        rc = archai_space_crossover(s->space, (const archai_model *const[]){&base[0], &base[1]},
                                    2, &child, err);
        archai_model_fini(&base[1]);
    }
    archai_model_fini(&base[0]);
    ARCHAI_TRY(rc);
    child_of(s, "crossover", &child, parents, 2, out);
    return ARCHAI_OK;
}

/* -- in turn ----------------------------------------------------------------------------- */

void archai_turns_fini(archai_turns *t)
{
    free(t->taken);
    *t = (archai_turns){.taken = NULL};
}

/* Room for every record that there is. */
static int grow_turns(archai_turns *t, size_t records, archai_err *err)
{
    const size_t n = 2 * records;
    uint32_t *grown;

    if (records <= t->n)
        return ARCHAI_OK;
    grown = realloc(t->taken, n * sizeof *grown);
    if (grown == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for the turns of %zu models", n);
    memset(&grown[t->n], 0, (n - t->n) * sizeof *grown);
    t->taken = grown;
    t->n = n;
    return ARCHAI_OK;
}

static size_t whose_turn(const archai_turns *t, archai_rng *rng, const size_t *parents,
                         size_t n)
{
    size_t chosen = parents[0], ties = 0;

    for (size_t i = 0; i < n; i++) {
        const uint32_t taken = t->taken[parents[i]], least = t->taken[chosen];

        ties = taken < least ? 1 : ties + (taken == least);
        if (taken < least || (taken == least && archai_rng_below(rng, ties) == 0))
            chosen = parents[i];
    }
    return chosen;
}

int archai_vary_mutate_in_turn(archai_search *s, archai_turns *t, archai_rng *rng,
                               const size_t *parents, size_t n, archai_trial *out,
                               archai_err *err)
{
    int rc = ARCHAI_ENONE;
    size_t parent;

    ARCHAI_TRY(grow_turns(t, s->n_records, err));
    parent = whose_turn(t, rng, parents, n);
    t->taken[parent]++;
    for (int i = 0; i < ARCHAI_TURN_TRIES; i++) {
        if (rc == ARCHAI_OK)
            archai_trial_fini(out);
        rc = archai_vary_mutate(s, parent, out, err);
        if (rc != ARCHAI_ENONE &&
            (rc != ARCHAI_OK || !archai_search_seen(s, out->model.archid)))
            return rc;
    }
    return rc;
}

/* -- given architectures ----------------------------------------------------------------- */

static int read_arch_file(const char *path, char **text, size_t *size, archai_err *err)
{
    FILE *f = fopen(path, "rb");
    char *buffer;
    size_t n;

    if (f == NULL)
        return archai_fail(err, ARCHAI_ENOTFOUND, "%s: %s", path, strerror(errno));
    buffer = malloc(ARCH_FILE_MAX + 1);
    n = buffer != NULL ? fread(buffer, 1, ARCH_FILE_MAX + 1, f) : 0;
    if (buffer == NULL || ferror(f) != 0 || n > ARCH_FILE_MAX) {
        const int rc =
            buffer == NULL ? archai_fail(err, ARCHAI_ENOMEM, "%s: no memory to read it", path)
            : ferror(f)    ? archai_fail(err, ARCHAI_EIO, "%s: cannot be read", path)
                           : archai_fail(err, ARCHAI_EFORMAT, "%s: more than 4 MiB", path);

        (void)fclose(f);
        free(buffer);
        return rc;
    }
    (void)fclose(f);
    *text = buffer;
    *size = n;
    return ARCHAI_OK;
}

static int read_given(archai_space *space, const char *path, archai_model *out, archai_err *err)
{
    char *text = NULL;
    size_t size = 0;
    int rc;

    ARCHAI_TRY(read_arch_file(path, &text, &size, err));
    rc = archai_err_wrap(err, archai_space_load_arch(space, text, size, out, err), "%s:", path);
    free(text);
    return rc;
}

int archai_given_read(archai_given *g, archai_space *space, const archai_strings *paths,
                      archai_err *err)
{
    archai_given read = {.at = NULL};

    if (paths->n > 0) {
        read.at = calloc(paths->n, sizeof *read.at);
        if (read.at == NULL)
            return archai_fail(err, ARCHAI_ENOMEM, "no memory for %zu architectures", paths->n);
    }
    for (; read.n < paths->n; read.n++) {
        const int rc = read_given(space, paths->at[read.n], &read.at[read.n], err);

        if (rc != ARCHAI_OK) {
            archai_given_fini(&read);
            return archai_err_wrap(err, rc, "initial_population_paths: ");
        }
    }
    *g = read;
    return ARCHAI_OK;
}

void archai_given_fini(archai_given *g)
{
    for (size_t i = 0; i < g->n; i++)
        archai_model_fini(&g->at[i]);
    free(g->at);
    *g = (archai_given){.at = NULL};
}

int archai_given_next(archai_given *g, archai_trial *out)
{
    if (g->next == g->n)
        return ARCHAI_ENONE;
    *out = (archai_trial){.operator_ = archai_strdup(ARCHAI_OPERATOR_INITIAL)};
    archai_model_copy(&out->model, &g->at[g->next++]);
    return ARCHAI_OK;
}

int archai_vary_initial(archai_search *s, archai_given *g, int64_t n, archai_trial *out,
                        archai_err *err)
{
    while (g->next < g->n && archai_search_seen(s, g->at[g->next].archid))
        g->next++; /* an earlier start had it */
    if (g->n > 0)
        return archai_given_next(g, out);
    return (int64_t)s->n_records < n ? archai_vary_random(s, out, err) : ARCHAI_ENONE;
}
