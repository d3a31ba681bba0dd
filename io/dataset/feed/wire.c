#include "io/dataset/feed/wire.h"

#include <errno.h>
#include <unistd.h>

bool archai_feed_put(int fd, const void *data, size_t n)
{
    const char *at = data;

    while (n > 0) {
        const ssize_t did = write(fd, at, n);

        if (did < 0 && errno == EINTR)
            continue;
        if (did <= 0)
            return false;
        at += did;
        n -= (size_t)did;
    }
    return true;
}

bool archai_feed_get(int fd, void *data, size_t n)
{
    char *at = data;

    while (n > 0) {
        const ssize_t did = read(fd, at, n);

        if (did < 0 && errno == EINTR)
            continue;
        if (did <= 0)
            return false;
        at += did;
        n -= (size_t)did;
    }
    return true;
}
