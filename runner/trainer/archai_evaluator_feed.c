/* Data that are not held in memory: archai-loader reads them (io/dataset/feed/feed.h). It is a child of this process, and so ends
 * with it: its pipe closes, or the guard kills what is left. */
#include "runner/trainer/archai_evaluator.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "io/dataset/feed/feed.h"

extern char **environ;

/* Beside this program. */
static int loader_path(char path[PATH_MAX], archai_err *err)
{
    static const char name[] = "archai-loader";
    const ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - sizeof name - 1);
    char *slash;

    if (n < 0)
        return archai_fail(err, ARCHAI_EIO, "/proc/self/exe: %s", strerror(errno));
    path[n] = '\0';
    slash = strrchr(path, '/');
    memcpy(slash != NULL ? slash + 1 : path, name, sizeof name);
    return access(path, X_OK) == 0
               ? ARCHAI_OK
               : archai_fail(err, ARCHAI_ENOTFOUND, "archai-loader is not beside this program: %s", path);
}

/* -1: none. */
typedef struct ends {
    int request_in, request_out, answer_in, answer_out, ring;
} ends;

static void close_one(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

static int make_ends(ends *e, archai_err *err)
{
    int request[2] = {-1, -1}, answer[2] = {-1, -1};

    *e = (ends){-1, -1, -1, -1, memfd_create("archai-ring", MFD_CLOEXEC)};
    if (e->ring >= 0 && pipe2(request, O_CLOEXEC) == 0 && pipe2(answer, O_CLOEXEC) == 0) {
        *e = (ends){request[0], request[1], answer[0], answer[1], e->ring};
        return ARCHAI_OK;
    }
    (void)archai_fail(err, ARCHAI_EIO, "data: pipes to archai-loader: %s", strerror(errno));
    close_one(&request[0]);
    close_one(&request[1]);
    close_one(&e->ring);
    return ARCHAI_EIO;
}

/* The descriptors of this process are 3 to 7 and those made since: none of them is overwritten before it is copied, for
 * the copies go to 3, 4 and 5, and DATA is 6 here and there. */
static int spawn(const ends *e, pid_t *pid, archai_err *err)
{
    char path[PATH_MAX];
    char *argv[] = {(char *)(uintptr_t) "archai-loader", NULL};
    posix_spawn_file_actions_t actions;
    int rc;

    ARCHAI_TRY(loader_path(path, err));
    if (posix_spawn_file_actions_init(&actions) != 0)
        return archai_fail(err, ARCHAI_ENOMEM, "data: archai-loader cannot be started");
    rc = posix_spawn_file_actions_adddup2(&actions, e->request_in, ARCHAI_FEED_REQUESTS);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(&actions, e->answer_out, ARCHAI_FEED_ANSWERS);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(&actions, e->ring, ARCHAI_FEED_RING);
    if (rc == 0)
        rc = posix_spawn(pid, path, &actions, NULL, argv, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    return rc == 0 ? ARCHAI_OK
                   : archai_fail(err, ARCHAI_EIO, "data: %s cannot be started: %s", path, strerror(rc));
}

/* Threads that read: those of [data] workers, else as many as this evaluator computes with. */
static int workers_of(const archai_server *e)
{
    const archai_ini_entry *given = archai_ini_find(&e->ini, "data", "workers");
    const long n = given != NULL ? strtol(given->value, NULL, 10) : 0; /* "auto": 0 */

    if (n > 0)
        return (int)n;
    return e->threads < 1                            ? 1
           : e->threads < ARCHAI_DATASET_MAX_WORKERS ? e->threads
                                                     : ARCHAI_DATASET_MAX_WORKERS;
}

/* The text of [data] for the loader; free it. */
static char *data_section(const archai_server *e)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = archai_there(open_memstream(&text, &size));

    (void)fputs("[data]\n", f);
    for (size_t i = 0; i < e->ini.n; i++) {
        const archai_ini_entry *entry = &e->ini.at[i];
        char *value;

        if (entry->key == NULL || strcmp(entry->section, "data") != 0)
            continue;
        value = archai_ini_quote(entry->value);
        (void)fprintf(f, "%s = %s\n", entry->key, value);
        free(value);
    }
    archai_must_have(fclose(f) == 0);
    return text;
}

static int start(archai_server *e, archai_err *err)
{
    char *text = data_section(e);
    pid_t pid = 0;
    ends all;
    int rc;

    rc = make_ends(&all, err);
    if (rc == ARCHAI_OK) {
        rc = spawn(&all, &pid, err);
        close_one(&all.request_in);
        close_one(&all.answer_out);
        if (rc == ARCHAI_OK) {
            e->loader = pid;
            rc = archai_feed_open(&e->feed, all.request_out, all.answer_in, all.ring, e->data, text,
                                  workers_of(e), err);
        } else {
            close_one(&all.request_out);
            close_one(&all.answer_in);
            close_one(&all.ring);
        }
    }
    free(text);
    return rc;
}

int archai_serve_feed(archai_server *e, archai_err *err)
{
    if (e->data == NULL || e->data->streamed == 0 || e->feed != NULL)
        return ARCHAI_OK;
    ARCHAI_TRY(start(e, err));
    shim_device_feed(e->device, e->feed);
    return ARCHAI_OK;
}

void archai_serve_feed_close(archai_server *e)
{
    if (e->feed != NULL) {
        if (e->device != NULL)
            shim_device_feed(e->device, NULL);
        if (e->other != NULL)
            shim_device_feed(e->other, NULL);
        archai_feed_close(e->feed);
        e->feed = NULL;
    }
    while (e->loader > 0 && waitpid(e->loader, NULL, 0) < 0 && errno == EINTR)
        ;
    e->loader = 0;
}
