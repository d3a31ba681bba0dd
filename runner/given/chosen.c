#include "runner/given/chosen.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "io/file/file.h"
#include "runner/process/child.h"
#include "runner/process/watch/vitals.h"
#include "runner/rank/signals.h"

enum { SAID_MAX = 1 << 30 }; /* a hundred thousand models, and more */

/* -- what was said ----------------------------------------------------------------------------- */

static int check_model(const json_t *m, archai_err *err)
{
    const json_t *weights = json_object_get(m, "weights"), *shape, *size;
    const char *name;
    size_t i;

    if (!json_is_string(json_object_get(m, "archid")) || !json_is_string(json_object_get(m, "arch")) ||
        !json_is_integer(json_object_get(m, "id")) || !json_is_object(json_object_get(m, "metadata")))
        return archai_fail(err, ARCHAI_EFORMAT, "a model without archid, arch, id or metadata");
    if (weights != NULL && !json_is_null(weights) && !json_is_object(weights))
        return archai_fail(err, ARCHAI_EFORMAT, "weights that are no object");
    json_object_foreach((json_t *)(uintptr_t)weights, name, shape)
    {
        if (!json_is_array(shape))
            return archai_fail(err, ARCHAI_EFORMAT, "weights without a shape");
        json_array_foreach(shape, i, size)
        {
            if (!json_is_integer(size))
                return archai_fail(err, ARCHAI_EFORMAT, "a shape that is no list of numbers");
        }
    }
    return ARCHAI_OK;
}

static int parse(const char *text, size_t n, json_t **out, archai_err *err)
{
    json_t *root = json_loadb(text, n, 0, NULL), *m;
    const json_t *models = json_object_get(root, "models");
    size_t i;
    int rc = ARCHAI_OK;

    if (!json_is_string(json_object_get(root, "space")) || json_array_size(models) == 0)
        rc = archai_fail(err, ARCHAI_EFORMAT, "no list of models");
    json_array_foreach(models, i, m)
    {
        if (rc == ARCHAI_OK)
            rc = check_model(m, err);
    }
    if (rc == ARCHAI_OK)
        *out = root;
    else
        json_decref(root);
    return rc;
}

int archai_chosen_read(const char *path, json_t **out, archai_err *err)
{
    char *text;
    size_t n;
    int rc;

    if (access(path, F_OK) != 0)
        return archai_fail(err, ARCHAI_ENOTFOUND, "%s: %s", path, strerror(errno));
    ARCHAI_TRY(archai_file_read(path, SAID_MAX, &text, &n, err));
    rc = archai_err_wrap(err, parse(text, n, out, err), "%s: ", path);
    free(text);
    return rc;
}

void archai_chosen_give(const json_t *chosen, bool weights, archai_given **out, size_t *n)
{
    const json_t *models = json_object_get(chosen, "models"), *m;
    size_t i;

    *n = json_array_size(models);
    *out = archai_calloc(*n, sizeof **out);
    json_array_foreach(models, i, m)
    {
        (*out)[i] = (archai_given){
            .archid = archai_strdup(json_string_value(json_object_get(m, "archid"))),
            .arch = archai_strdup(json_string_value(json_object_get(m, "arch"))),
            .metadata = archai_there(json_dumps(json_object_get(m, "metadata"), 0)),
            .begin_at = weights ? -(int64_t)(i + 1) : 0,
        };
    }
}

/* -- asking ------------------------------------------------------------------------------------ */

typedef struct said {
    char *text; /* owned */
    size_t n, capacity;
} said;

static int take(archai_child *child, said *s, archai_err *err)
{
    size_t n;

    do {
        ARCHAI_RESERVE(s->text, s->capacity, s->n + 65536);
        n = archai_fd_read(&child->stdout_fd, s->text + s->n, 65536);
        s->n += n;
    } while (n > 0 && s->n < SAID_MAX);
    return s->n < SAID_MAX ? ARCHAI_OK : archai_fail(err, ARCHAI_EFORMAT, "too many models are chosen");
}

/* Its last words are a sentence that begins "archai-inspect: ". */
static int complain(const archai_child *child, archai_err *err)
{
    static const char name[] = "archai-inspect: ";
    char how[1024];
    const char *text = how;

    archai_child_describe(child, how, sizeof how);
    if (strstr(how, name) == NULL)
        return archai_fail(err, ARCHAI_ECHILD, "archai-inspect, which reads the results, %s", how);
    text = strstr(how, name) + strlen(name);
    return archai_fail(err, WIFEXITED(child->status) && WEXITSTATUS(child->status) == 74 ? ARCHAI_EIO : ARCHAI_EINVAL,
                       "%s", text);
}

static int wait_for(archai_child *child, said *s, archai_err *err)
{
    const struct timespec pause = {.tv_nsec = 2000000};
    archai_vitals vitals;
    char how[160];

    archai_vitals_reset(&vitals);
    for (;;) {
        const bool over = archai_child_poll(child);

        ARCHAI_TRY(take(child, s, err));
        if (over)
            return child->status == 0 ? ARCHAI_OK : complain(child, err);
        if (archai_signals_count() > 0)
            return archai_fail(err, ARCHAI_EINTR, "stopped by %s before the search began", archai_signals_name());
        if (archai_vitals_hung(&vitals, child->program)) {
            archai_vitals_describe(&vitals, how, sizeof how);
            return archai_fail(err, ARCHAI_EIO, "archai-inspect, which reads the results, %s", how);
        }
        (void)nanosleep(&pause, NULL);
    }
}

int archai_chosen_ask(const char *results, const archai_strings *words, bool weights, const char *into,
                      json_t **out, archai_err *err)
{
    archai_child child = ARCHAI_CHILD_INIT;
    char **argv = archai_calloc(words->n + 9, sizeof *argv);
    const archai_child_spec spec = {.argv = argv, .want_stdout = true};
    said s = {0};
    size_t n = 0;
    int rc;

    argv[n++] = (char *)"archai-inspect";
    if (!weights) {
        argv[n++] = (char *)"--format";
        argv[n++] = (char *)"arch";
    }
    if (into != NULL) {
        argv[n++] = (char *)"-o";
        argv[n++] = (char *)(uintptr_t)into;
    }
    argv[n++] = (char *)"--";
    argv[n++] = (char *)(uintptr_t)results;
    argv[n++] = (char *)"choose";
    for (size_t i = 0; i < words->n; i++)
        argv[n++] = words->at[i];
    rc = archai_child_start(&child, &spec, err);
    if (rc == ARCHAI_OK)
        rc = wait_for(&child, &s, err);
    if (rc != ARCHAI_OK && err != NULL && strncmp(err->text, results, strlen(results)) != 0)
        (void)archai_err_wrap(err, rc, "%s: ", results);
    archai_child_close(&child);
    if (rc == ARCHAI_OK)
        rc = archai_err_wrap(err, parse(s.text, s.n, out, err), "archai-inspect said ");
    free(s.text);
    free(argv);
    return rc;
}
