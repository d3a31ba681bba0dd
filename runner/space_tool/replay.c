/* runner/space_tool/replay.c - the command replay: a list of operations with one generator. */
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "runner/process/tool.h"
#include "runner/space_tool/space_tool.h"

typedef struct results {
    archai_model *at; /* archid NULL: the operation gave no child */
    size_t n, capacity;
} results;

/* The next word: the number of an earlier result that has a model. *number is -1 at the end of the line. */
static int earlier(char **rest, const results *r, int64_t *number, archai_err *err)
{
    char *word = strsep(rest, " \t");
    int64_t v;

    while (word != NULL && *word == '\0')
        word = strsep(rest, " \t");
    *number = -1;
    if (word == NULL)
        return ARCHAI_OK;
    if (archai_tool_count(word, 0, &v, NULL) != ARCHAI_OK)
        return archai_fail(err, ARCHAI_EINVAL, "'%s' is not the number of an earlier result", word);
    if ((size_t)v >= r->n)
        return archai_fail(err, ARCHAI_EINVAL, "result %lld does not exist yet; there are %zu so "
                                               "far, numbered from 0",
                           (long long)v, r->n);
    if (r->at[v].archid == NULL)
        return archai_fail(err, ARCHAI_EINVAL, "result %lld is null and cannot have children",
                           (long long)v);
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
    int number = 0, rc = ARCHAI_OK;

    ARCHAI_TRY(space_tool_read(t->args[0], &text, &size, err));
    rest = text;
    while (rc == ARCHAI_OK && (line = strsep(&rest, "\n")) != NULL) {
        archai_model m = {0};

        number++;
        line += strspn(line, " \t\r");
        line[strcspn(line, "\r")] = '\0';
        if (*line == '\0' || *line == '#')
            continue;
        rc = replay_line(t, line, &r, &m, err);
        if (rc == ARCHAI_OK || rc == ARCHAI_ENONE)
            rc = space_tool_line(rc == ARCHAI_OK ? &m : NULL, err);
        else
            (void)archai_err_wrap(err, rc, "%s:%d: ", t->args[0], number);
        ARCHAI_RESERVE(r.at, r.capacity, r.n + 1);
        r.at[r.n++] = m;
    }
    for (size_t i = 0; i < r.n; i++)
        archai_model_fini(&r.at[i]);
    free(r.at);
    free(text);
    return rc;
}
