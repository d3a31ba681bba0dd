/* io/dataset/feed/wire.h - what goes through the pipes of feed.h, between two processes of one machine and one build. */
#ifndef ARCHAI_IO_DATASET_FEED_WIRE_H
#define ARCHAI_IO_DATASET_FEED_WIRE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/base/err.h"

/* First of all: `text` bytes of configuration follow, with their NUL. */
typedef struct archai_feed_hello {
    int64_t workers, text;
} archai_feed_hello;

/* n numbers of examples, int64, follow. */
typedef struct archai_feed_request {
    int64_t window;         /* comes back */
    int64_t split, n;
    uint64_t images, labels; /* offsets in the ring: example i lies at i times its bytes */
} archai_feed_request;

/* rc != ARCHAI_OK: `text` bytes follow, with their NUL, in the same write; window -1: nothing can be read at all. Answers
 * to all windows fit into the smallest pipe there is: the loader need not wait for a trainer that is asking. */
typedef struct archai_feed_answer {
    int64_t window;
    int32_t rc, text;
} archai_feed_answer;
enum { ARCHAI_FEED_TEXT = 1024 };

/* Bytes from the images of a window to its labels. */
static inline uint64_t archai_feed_labels_at(int64_t n, size_t image)
{
    return ((uint64_t)n * image + 63) / 64 * 64;
}

/* All n bytes, or false: the other side has gone. A signal does not end it. */
bool archai_feed_put(int fd, const void *data, size_t n);
bool archai_feed_get(int fd, void *data, size_t n);
#endif
