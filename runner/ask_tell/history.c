#include "runner/ask_tell/history.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/base/python_text.h"
#include "io/file/file.h"

static const char format[] = "archai-history";
enum { VERSION = 1, LINE_MAX_BYTES = 64 << 20 };

static int fail(const archai_history *h, archai_err *err)
{
    return archai_fail(err, ARCHAI_EIO, "%s: %s", h->path, strerror(errno));
}

/* -- its first line ------------------------------------------------------------------------------ */

static const char *said(const json_t *of, const char *key)
{
    const char *text = json_string_value(json_object_get(of, key));

    return text != NULL ? text : "(nothing)";
}

/* Every key of `a` must be in `b` with the same value. */
static int same(const archai_history *h, const json_t *a, const json_t *b, bool a_is_old, archai_err *err)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)a, key, value)
    {
        if (json_equal(value, json_object_get(b, key)))
            continue;
        return archai_fail(err, ARCHAI_EINVAL,
                           "%s: %s: the history is of a search with %s, this configuration says %s; another search takes "
                           "another file",
                           h->path, key, said(a_is_old ? a : b, key), said(a_is_old ? b : a, key));
    }
    return ARCHAI_OK;
}

static int check_head(const archai_history *h, const char *line, const json_t *search, archai_err *err)
{
    json_t *head = json_loads(line, 0, NULL);
    const json_t *was = json_object_get(head, "search");
    int rc = ARCHAI_OK;

    if (strcmp(said(head, "format"), format) != 0 || !json_is_object(was))
        rc = archai_fail(err, ARCHAI_EFORMAT, "%s: is not a history that serve wrote", h->path);
    else if (json_integer_value(json_object_get(head, "version")) != VERSION)
        rc = archai_fail(err, ARCHAI_EFORMAT, "%s: is a history of another version, expected %d", h->path, VERSION);
    if (rc == ARCHAI_OK)
        rc = same(h, was, search, true, err);
    if (rc == ARCHAI_OK)
        rc = same(h, search, was, false, err);
    json_decref(head);
    return rc;
}

static int begin(archai_history *h, const json_t *search, archai_err *err)
{
    json_t *head = archai_there(json_pack("{s:s, s:i, s:O}", "format", format, "version", VERSION, "search",
                                          (json_t *)(uintptr_t)search));
    char *line = archai_python_json(head, false);
    int rc = archai_history_add(h, line, true, err);

    if (rc == ARCHAI_OK)
        rc = archai_file_sync_directory(h->path, err);
    free(line);
    json_decref(head);
    return rc;
}

/* -- lines --------------------------------------------------------------------------------------- */

/* How many bytes of it are whole lines? */
static int measure(archai_history *h, uint64_t bytes, archai_err *err)
{
    char piece[65536];
    uint64_t at = bytes;

    while (at > 0) {
        const size_t n = at < sizeof piece ? (size_t)at : sizeof piece;
        const char *newline;

        ARCHAI_TRY(archai_file_pread(h->fd, piece, n, at - n, h->path, err));
        newline = memrchr(piece, '\n', n);
        if (newline != NULL) {
            h->size = at - n + (uint64_t)(newline - piece) + 1;
            return ARCHAI_OK;
        }
        at -= n;
    }
    h->size = 0;
    return ARCHAI_OK;
}

/* A file without a whole line is a new one, unless it is somebody else's. */
static int check_torn(const archai_history *h, uint64_t bytes, archai_err *err)
{
    static const char begins[] = "{\"format\": \"archai-history\"";
    char piece[sizeof begins];
    const size_t n = bytes < sizeof begins - 1 ? (size_t)bytes : sizeof begins - 1;

    ARCHAI_TRY(archai_file_pread(h->fd, piece, n, 0, h->path, err));
    return memcmp(piece, begins, n) == 0
               ? ARCHAI_OK
               : archai_fail(err, ARCHAI_EFORMAT, "%s: is not a history that serve wrote", h->path);
}

static int start_reading(archai_history *h, const json_t *search, archai_err *err)
{
    char *line = NULL;
    const int copy = dup(h->fd);
    int rc;

    h->reading = copy >= 0 && lseek(copy, 0, SEEK_SET) == 0 ? fdopen(copy, "r") : NULL;
    if (h->reading == NULL) {
        rc = fail(h, err);
        if (copy >= 0)
            (void)close(copy);
        return rc;
    }
    ARCHAI_TRY(archai_history_next(h, &line, err));
    rc = check_head(h, line != NULL ? line : "", search, err);
    free(line);
    return rc;
}

int archai_history_open(archai_history *h, const char *path, const json_t *search, archai_err *err)
{
    struct stat s;

    *h = (archai_history){.fd = -1, .path = archai_strdup(path)};
    if (stat(path, &s) == 0)
        ARCHAI_TRY(archai_file_check(path, err)); /* a FIFO would wait */
    h->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (h->fd < 0 || fstat(h->fd, &s) != 0)
        return fail(h, err);
    if (flock(h->fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return archai_fail(err, ARCHAI_EINVAL, "%s: another serve holds it", path);
    ARCHAI_TRY(measure(h, (uint64_t)s.st_size, err));
    if (h->size == 0)
        ARCHAI_TRY(check_torn(h, (uint64_t)s.st_size, err));
    if (h->size > 0)
        ARCHAI_TRY(start_reading(h, search, err)); /* before anything is changed */
    if ((uint64_t)s.st_size > h->size && ftruncate(h->fd, (off_t)h->size) != 0)
        return fail(h, err);
    return h->size == 0 ? begin(h, search, err) : ARCHAI_OK;
}

int archai_history_next(archai_history *h, char **line, archai_err *err)
{
    size_t capacity = 0;
    ssize_t n;

    *line = NULL;
    if (h->reading == NULL)
        return ARCHAI_OK;
    n = getline(line, &capacity, h->reading);
    if (n > 0 && (*line)[n - 1] == '\n' && n <= LINE_MAX_BYTES) {
        (*line)[n - 1] = '\0';
        h->line++;
        return ARCHAI_OK;
    }
    free(*line);
    *line = NULL;
    if (n > LINE_MAX_BYTES)
        return archai_fail(err, ARCHAI_EFORMAT, "%s:%d: a line of %zd bytes", h->path, h->line + 1, n);
    if (ferror(h->reading))
        return fail(h, err);
    (void)fclose(h->reading);
    h->reading = NULL;
    return ARCHAI_OK;
}

int archai_history_add(archai_history *h, const char *line, bool sync, archai_err *err)
{
    const size_t n = strlen(line);
    char *whole;
    int rc;

    if (h->fd < 0)
        return ARCHAI_OK;
    whole = archai_printf("%s\n", line);
    rc = archai_file_pwrite(h->fd, whole, n + 1, h->size, h->path, err);
    free(whole);
    if (rc == ARCHAI_OK && sync && fdatasync(h->fd) != 0)
        rc = fail(h, err);
    if (rc == ARCHAI_OK)
        h->size += n + 1;
    else
        (void)ftruncate(h->fd, (off_t)h->size); /* (else the next line covers it) */
    return rc;
}

void archai_history_close(archai_history *h)
{
    if (h->reading != NULL)
        (void)fclose(h->reading);
    if (h->fd >= 0)
        (void)close(h->fd);
    free(h->path);
    *h = (archai_history)ARCHAI_HISTORY_INIT;
}
