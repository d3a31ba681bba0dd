/* io/segment/segment.h - segment files: HDF5 files into which all worker ranks write at once.
 *
 * One process creates the whole segment (fixed metadata, contiguous datasets with early allocation
 * and no fill), closes it and renames it into place. After that no metadata ever changes. Ranks
 * write raw bytes into disjoint regions with pwrite, at the offsets that HDF5 itself names
 * (H5Dget_offset): no collective call, no lock, no barrier, no MPI-IO.
 *
 *   /rows              compound archai_row [n_rows]   one fixed-size record per evaluation
 *   /detail            uint8 [bytes]                  msgpack evaluations (io/wire/message.h)
 *   /pool/<dtype>      [n]                            weights, one pool per type
 *   root attributes    format="archai-segment", format_version, created (ISO 8601, UTC), uuid
 *
 * A row counts if its crc and its detail's crc are right and its tensors lie inside the pools. A
 * row of zeros is free. Order of writing: weights, detail, row. Files are sparse: they take as much
 * disk as was written. Each dataset starts at a multiple of ARCHAI_SEGMENT_ALIGNMENT, so that
 * blocks in multiples of ARCHAI_SEGMENT_BLOCK_ROWS rows and ARCHAI_SEGMENT_ALIGNMENT bytes never
 * make two nodes write one page.
 *
 * Nothing here is collective.
 */
#ifndef ARCHAI_IO_SEGMENT_SEGMENT_H
#define ARCHAI_IO_SEGMENT_SEGMENT_H
#include <stdbool.h>
#include <stdint.h>
#include "core/base/err.h"
#include "core/search/trial.h"
#include "core/config/option.h"
#include "io/file/tensors.h"

/* The largest page in use (64 KiB, on some ARM and POWER nodes). */
enum { ARCHAI_SEGMENT_ALIGNMENT = 65536, ARCHAI_SEGMENT_BLOCK_ROWS = 1024 };

/* 64 bytes, little-endian; the crc covers the 60 bytes before it. */
typedef struct archai_row {
    int64_t id;
    double budget;
    double finished;     /* Unix time of the commit */
    int64_t text_offset; /* bytes into /detail */
    int64_t text_bytes;
    int32_t status; /* archai_status */
    int32_t rank;
    uint32_t text_crc;
    uint32_t is_test; /* 1: no evaluation; it adds to the row with its id (archai_trial) */
    uint32_t reserved;
    uint32_t crc;
} archai_row;
_Static_assert(sizeof(archai_row) == 64, "a row is 64 bytes in the file");

typedef struct archai_segment_size {
    int64_t rows;
    int64_t text_bytes;
    int64_t pool[ARCHAI_DTYPE_COUNT]; /* elements; 0: no such pool */
} archai_segment_size;

/* Create <directory>/<name>; published as archai_file_publish() does. */
int archai_segment_create(const char *directory, const char *name,
                          const archai_segment_size *size, archai_err *err);

typedef struct archai_segment {
    int fd;     /* owned */
    char *name; /* owned; file name without directory */
    char *path; /* owned; for messages */
    archai_segment_size size;
    uint64_t rows_at, text_at;            /* byte offsets in the file */
    uint64_t pool_at[ARCHAI_DTYPE_COUNT]; /* 0: no such pool */
} archai_segment;

#define ARCHAI_SEGMENT_INIT                                                                    \
    {                                                                                          \
        .fd = -1                                                                               \
    }

/* Open through HDF5 once to learn the offsets, then keep a plain descriptor. `writable` for
 * workers. */
int archai_segment_open(archai_segment *out, const char *directory, const char *name,
                        bool writable, archai_err *err);
void archai_segment_close(archai_segment *s); /* safe on a zeroed struct with fd -1 */

/* Write data [n], a tensor's bytes from its byte `at` on, to its place. Pieces come in order:
 * p->crc is the checksum of what is written so far. A full disk is ARCHAI_EIO and names file and
 * bytes. */
int archai_segment_write_piece(archai_segment *s, archai_tensor_place *p, size_t at,
                               const void *data, size_t n, archai_err *err);
/* The row of an evaluation whose packed form (archai_trial_pack) will lie at text_offset. */
archai_row archai_segment_row(const archai_trial *e, int64_t text_offset, const char *detail,
                              size_t detail_bytes);
/* As if it had been committed then (Unix time): rows of a copy. */
void archai_segment_row_finished(archai_row *r, double finished);
/* Commit n rows: write their details, which follow one another from the first row's text_offset on,
 * then the rows themselves from number `row` on. They fit the caller's block. */
int archai_segment_commit_rows(archai_segment *s, int64_t row, const archai_row *rows, size_t n,
                               const char *details, size_t bytes, archai_err *err);
int archai_segment_sync(archai_segment *s, archai_err *err); /* fdatasync */

/* Read row `row`. *valid: it is committed, and *out is filled (caller fini). */
int archai_segment_read(const archai_segment *s, int64_t row, bool *valid,
                        archai_trial *out, archai_err *err);
/* Visit the rows of [first, last) whose record is right (archai_segment_read checks the detail).
 * Holes in the file are skipped quickly. A visitor's error ends the scan. */
typedef int (*archai_segment_visit)(void *payload, int64_t row, const archai_row *r,
                                    archai_err *err);
int archai_segment_scan(const archai_segment *s, int64_t first, int64_t last,
                        archai_segment_visit visit, void *payload, archai_err *err);
/* Visit the rows that are neither right nor free: from a bad disk, or from a node that lost its
 * power while writing. Nothing in them can be trusted. */
int archai_segment_scan_damaged(const archai_segment *s, archai_segment_visit visit,
                                void *payload, archai_err *err);
/* Read the detail of a row that a scan found. *valid as for archai_segment_read. */
int archai_segment_detail(const archai_segment *s, const archai_row *r, bool *valid,
                          archai_trial *out, archai_err *err);

/* Does a tensor lie inside its pool? *n (may be NULL): its elements. */
bool archai_segment_holds(const archai_segment *s, const archai_tensor_place *p, uint64_t *n);
/* Read a tensor's bytes into `out`, which has room for them; the caller compares the crc. */
int archai_segment_read_tensor(const archai_segment *s, const archai_tensor_place *p, void *out,
                               archai_err *err);
uint32_t archai_segment_crc(const void *data, size_t n); /* zlib's crc32 */

/* File names: segment-<start>-<k>.h5, start 0 to 32767 counts the starts of a run and k 0 to 65535
 * the segments of a start. */
enum { ARCHAI_SEGMENT_NAME_MAX = 32 };
void archai_segment_name(char name[ARCHAI_SEGMENT_NAME_MAX], int start, int k);
bool archai_segment_name_read(const char *name, int *start, int *k); /* false: not such a name */
/* Names of the segment files in a directory, sorted; caller frees with archai_strings_free. */
int archai_segment_list(const char *directory, archai_strings *out, archai_err *err);

/* A row of any segment of a run as one positive number, which fits a message and rank 0's memory.
 * 0: no place, also where the name is not a segment's or row is above 2^32 - 2. */
int64_t archai_segment_place(const char *name, int64_t row);
/* And back: the segment's file name and the row. False: not a place. */
bool archai_segment_of_place(int64_t place, char name[ARCHAI_SEGMENT_NAME_MAX], int64_t *row);
#endif
