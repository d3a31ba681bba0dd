#include "runner/process/watch/output_log.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "io/file/file.h"

enum { FIRST = ARCHAI_LOG_FIRST, LAST = ARCHAI_LOG_LAST };

void archai_output_log_fini(archai_output_log *l)
{
    free(l->first);
    free(l->last);
    *l = (archai_output_log){.first = NULL};
}

void archai_output_log_clear(archai_output_log *l)
{
    l->n_first = 0;
    l->n_rest = 0;
}

bool archai_output_log_is_empty(const archai_output_log *l)
{
    return l->n_first == 0;
}

void archai_output_log_add(archai_output_log *l, const char *data, size_t n)
{
    const size_t room = FIRST - l->n_first, head = n < room ? n : room;

    if (head > 0) {
        ARCHAI_RESERVE(l->first, l->first_capacity, l->n_first + head);
        memcpy(l->first + l->n_first, data, head);
        l->n_first += head;
        data += head;
        n -= head;
    }
    if (n > 0 && l->last == NULL)
        l->last = archai_malloc(LAST);
    if (n > LAST) { /* the ring goes round as if it had been filled */
        l->n_rest += n - LAST;
        data += n - LAST;
        n = LAST;
    }
    while (n > 0) {
        const size_t at = (size_t)(l->n_rest % LAST), some = n < LAST - at ? n : LAST - at;

        memcpy(l->last + at, data, some);
        l->n_rest += some;
        data += some;
        n -= some;
    }
}

static char *path_of(const char *directory, int64_t id)
{
    return archai_printf("%s/logs/%lld.log", directory, (long long)id);
}

static int write_all(const archai_output_log *l, int fd, const char *path)
{
    const size_t end = l->n_rest <= LAST ? (size_t)l->n_rest : (size_t)(l->n_rest % LAST);
    uint64_t at = l->n_first;
    char gap[96];
    int n;

    ARCHAI_TRY(archai_file_pwrite(fd, l->first, l->n_first, 0, path, NULL));
    if (l->n_rest > LAST) {
        n = snprintf(gap, sizeof gap, "\n[... %llu bytes are left out here ...]\n",
                     (unsigned long long)(l->n_rest - LAST));
        ARCHAI_TRY(archai_file_pwrite(fd, gap, (size_t)n, at, path, NULL));
        at += (uint64_t)n;
        ARCHAI_TRY(archai_file_pwrite(fd, l->last + end, LAST - end, at, path, NULL));
        at += LAST - end;
    }
    return end > 0 ? archai_file_pwrite(fd, l->last, end, at, path, NULL) : ARCHAI_OK;
}

char *archai_output_log_write(const archai_output_log *l, const char *directory, int64_t id)
{
    char *folder = archai_file_path(directory, "logs"), *path = path_of(directory, id);
    int fd, rc = ARCHAI_EIO;

    (void)mkdir(folder, 0777); /* the first of all ranks makes it */
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (fd >= 0) {
        rc = write_all(l, fd, path);
        (void)close(fd);
        if (rc != ARCHAI_OK)
            (void)unlink(path);
    }
    free(folder);
    free(path);
    return rc == ARCHAI_OK ? archai_printf("logs/%lld.log", (long long)id) : NULL;
}

void archai_output_log_remove(const char *directory, int64_t id)
{
    char *path = path_of(directory, id);

    (void)unlink(path);
    free(path);
}
