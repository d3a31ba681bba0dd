/* io/dataset/feed/feed.h - the examples of a data set that is not held in memory, batch by batch, while others are
 * decoded.
 *
 *   trainer                                         archai-loader
 *   archai_feed_next()  -- requests: who, where -->  threads that read, decode, adjust
 *                       <-- answers: done, or why not
 *                        a ring of windows in a memfd
 *
 * A pass is a list of examples in batches. What it shows is what a resident data set would show, bit for bit: the order
 * is the trainer's, over the whole split. A window is what is asked for at once: one batch; where examples are unpacked
 * together (compressed chunks of HDF5) as many batches as the buffer holds, read in the order of the file. The queue is
 * bounded: at most ARCHAI_FEED_WINDOWS windows and ARCHAI_FEED_BYTES, or two windows of one batch.
 *
 * The loader is a process of its own, since it links HDF5 and decodes what others wrote.
 */
#ifndef ARCHAI_IO_DATASET_FEED_H
#define ARCHAI_IO_DATASET_FEED_H
#include "io/dataset/dataset.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { ARCHAI_FEED_WINDOWS = 32, ARCHAI_FEED_BYTES = 1 << 28 };
/* Descriptors of the loader. */
enum { ARCHAI_FEED_REQUESTS = 3, ARCHAI_FEED_ANSWERS = 4, ARCHAI_FEED_RING = 5, ARCHAI_FEED_DATA = 6 };

typedef struct archai_feed archai_feed;

/* -- the trainer's side, one thread ---------------------------------------------------------- */

/* Takes over the three descriptors: the writing end of the requests, the reading end of the answers, a memfd for the ring,
 * which the loader has, too. `data` is borrowed; streamed. workers: threads of the loader, >= 1. config: the
 * text of the configuration, whose [data] the loader reads. */
int archai_feed_open(archai_feed **out, int requests, int answers, int ring,
                     const archai_dataset_header *data, const char *config, int workers, archai_err *err);
void archai_feed_close(archai_feed *f); /* NULL is allowed */
/* Begin a pass over the n examples that order [n] numbers, in batches of `batch`; the last may be smaller. What was left of
 * the pass before is dropped. If it was announced, its first batches are there already. */
int archai_feed_begin(archai_feed *f, int split, const int64_t *order, int64_t n, int64_t batch,
                      archai_err *err);
/* The pass that is likely to follow: it is begun while the last batches of this one are used. */
void archai_feed_announce(archai_feed *f, int split, const int64_t *order, int64_t n, int64_t batch);
/* The next batch: images [n,...] (of tokens [n,T+1]) and labels; they last until the next call. *n == 0: the pass has ended.
 * ARCHAI_EIO: examples cannot be read any more, or the loader died; then close it. */
int archai_feed_next(archai_feed *f, const void **images, const void **labels, int64_t *n,
                     archai_err *err);
/* How many passes were begun: is the last one still one's own? */
int64_t archai_feed_passes(const archai_feed *f);
/* Seconds that archai_feed_next has waited, in all. */
double archai_feed_waited(const archai_feed *f);

/* -- the loader's side ----------------------------------------------------------------------- */

/* Serve until the requests end. */
int archai_feed_serve(int requests, int answers, int ring, const archai_dataset_header *data,
                      archai_err *err);

#ifdef __cplusplus
}
#endif
#endif
