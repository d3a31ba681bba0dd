/* runner/space_tool/make.c - the commands that make architectures: sample, mutate, crossover, replay. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runner/space_tool/space_tool.h"

int space_sample(space_tool *t, archai_err *err)
{
    ARCHAI_TRY(space_tool_arguments(t, 0, 0, "sample [-n N]", err));
    for (int64_t i = 0; i < t->count; i++) {
        archai_model m = {0};
        int rc = archai_space_random_sample(t->space, &m, err);

        if (rc == ARCHAI_OK)
            rc = space_tool_line(&m, err);
        archai_model_fini(&m);
        if (rc != ARCHAI_OK)
            return rc;
    }
    return ARCHAI_OK;
}

/* Print a child, or null where the space has none (which is an answer, not a fault). */
static int print_child(int rc, const archai_model *child, archai_err *err)
{
    if (rc == ARCHAI_ENONE)
        return space_tool_line(NULL, err);
    ARCHAI_TRY(rc);
    return space_tool_line(child, err);
}

int space_mutate(space_tool *t, archai_err *err)
{
    archai_model parent = {0};
    int rc;

    ARCHAI_TRY(space_tool_arguments(t, 1, 1, "mutate ARCH [-n N]", err));
    ARCHAI_TRY(space_tool_load(t, t->args[0], &parent, err));
    rc = ARCHAI_OK;
    for (int64_t i = 0; i < t->count && rc == ARCHAI_OK; i++) {
        archai_model child = {0};

        rc = print_child(archai_space_mutate(t->space, &parent, &child, err), &child, err);
        archai_model_fini(&child);
    }
    archai_model_fini(&parent);
    return rc;
}

int space_crossover(space_tool *t, archai_err *err)
{
    archai_model *parents = NULL;
    const archai_model **list = NULL;
    size_t n = 0;
    int rc;

    ARCHAI_TRY(space_tool_arguments(t, 2, 1000, "crossover ARCH ARCH... [-n N]", err));
    parents = calloc(t->n_args, sizeof *parents);
    list = calloc(t->n_args, sizeof *list);
    if (parents == NULL || list == NULL) {
        rc = archai_fail(err, ARCHAI_ENOMEM, "no memory for %zu parents", t->n_args);
        goto out;
    }
    for (; n < t->n_args; n++) {
        ARCHAI_TRY_GOTO(rc, space_tool_load(t, t->args[n], &parents[n], err), out);
        list[n] = &parents[n];
    }
    rc = ARCHAI_OK;
    for (int64_t i = 0; i < t->count && rc == ARCHAI_OK; i++) {
        archai_model child = {0};

        rc = print_child(archai_space_crossover(t->space, list, n, &child, err), &child, err);
        archai_model_fini(&child);
    }
out:
    for (size_t i = 0; parents != NULL && i < n; i++)
        archai_model_fini(&parents[i]);
    free(parents);
    free(list);
    return rc;
}

/* -- replay: a script of operations on one generator --------------------------------------- */

typedef struct results {
    archai_model *at; /* archid NULL: the operation gave no child */
    size_t n, capacity;
} results;

static void results_fini(results *r)
{
    for (size_t i = 0; i < r->n; i++)
        archai_model_fini(&r->at[i]);
    free(r->at);
}

static int append(results *r, archai_err *err)
{
    if (r->n == r->capacity) {
        size_t capacity = r->capacity == 0 ? 64 : 2 * r->capacity;
        archai_model *at = realloc(r->at, capacity * sizeof *at);

        if (at == NULL)
            return archai_fail(err, ARCHAI_ENOMEM, "no memory for %zu results", capacity);
        r->at = at;
        r->capacity = capacity;
    }
    memset(&r->at[r->n++], 0, sizeof *r->at);
    return ARCHAI_OK;
}

/* The next word as the number of an earlier result that has a model; -1 through *number where the
 * line has ended. */
static int earlier(char **rest, const results *r, int64_t *number, archai_err *err)
{
    char *word = strsep(rest, " \t"), *end;
    long long v;

    while (word != NULL && *word == '\0')
        word = strsep(rest, " \t");
    *number = -1;
    if (word == NULL)
        return ARCHAI_OK;
    errno = 0;
    v = strtoll(word, &end, 10);
    if (errno != 0 || *end != '\0' || v < 0)
        return archai_fail(err, ARCHAI_EINVAL, "'%s' is not the number of an earlier result", word);
    if ((size_t)v >= r->n)
        return archai_fail(err, ARCHAI_EINVAL, "result %lld does not exist yet; there are %zu so "
                                               "far, numbered from 0",
                           v, r->n);
    if (r->at[v].archid == NULL)
        return archai_fail(err, ARCHAI_EINVAL, "result %lld is null: it has no children", v);
    *number = v;
    return ARCHAI_OK;
}

static int replay_crossover(space_tool *t, char **rest, const results *r, archai_model *child,
                            archai_err *err)
{
    const archai_model *parents[1000];
    size_t n = 0;
    int64_t i;

    for (;;) {
        ARCHAI_TRY(earlier(rest, r, &i, err));
        if (i < 0)
            break;
        if (n == sizeof parents / sizeof parents[0])
            return archai_fail(err, ARCHAI_EINVAL, "more than %zu parents", n);
        parents[n++] = &r->at[i];
    }
    if (n < 1)
        return archai_fail(err, ARCHAI_EINVAL, "crossover needs numbers of earlier results");
    return archai_space_crossover(t->space, parents, n, child, err);
}

/* One line of a script; ARCHAI_ENONE where the space has no child. */
static int replay_line(space_tool *t, char *line, const results *r, archai_model *out,
                       archai_err *err)
{
    char *rest = line, *word = strsep(&rest, " \t");
    int64_t i;

    if (strcmp(word, "sample") == 0) {
        if (rest != NULL && rest[strspn(rest, " \t")] != '\0')
            return archai_fail(err, ARCHAI_EINVAL, "sample takes no arguments, got '%s'", rest);
        return archai_space_random_sample(t->space, out, err);
    }
    if (strcmp(word, "mutate") == 0) {
        ARCHAI_TRY(earlier(&rest, r, &i, err));
        if (i < 0)
            return archai_fail(err, ARCHAI_EINVAL, "mutate needs the number of an earlier result");
        return archai_space_mutate(t->space, &r->at[i], out, err);
    }
    if (strcmp(word, "crossover") == 0)
        return replay_crossover(t, &rest, r, out, err);
    return archai_fail(err, ARCHAI_EINVAL, "unknown operation '%s'; expected sample, mutate I or "
                                           "crossover I J ...",
                       word);
}

int space_replay(space_tool *t, archai_err *err)
{
    results r = {0};
    char *text, *rest, *line;
    size_t size;
    int number = 0, rc;

    ARCHAI_TRY(space_tool_arguments(t, 1, 1, "replay SCRIPT", err));
    ARCHAI_TRY(space_tool_read(t->args[0], &text, &size, err));
    rest = text;
    rc = ARCHAI_OK;
    while (rc == ARCHAI_OK && (line = strsep(&rest, "\n")) != NULL) {
        archai_model m = {0};

        number++;
        line += strspn(line, " \t\r");
        line[strcspn(line, "\r")] = '\0';
        if (*line == '\0' || *line == '#')
            continue;
        rc = replay_line(t, line, &r, &m, err);
        if (rc == ARCHAI_OK || rc == ARCHAI_ENONE) {
            rc = space_tool_line(rc == ARCHAI_OK ? &m : NULL, err);
            if (rc == ARCHAI_OK)
                rc = append(&r, err);
            if (rc == ARCHAI_OK)
                r.at[r.n - 1] = m;
            else
                archai_model_fini(&m);
        } else {
            (void)archai_err_wrap(err, rc, "%s:%d: ", t->args[0], number);
            archai_model_fini(&m);
        }
    }
    results_fini(&r);
    free(text);
    return rc;
}
