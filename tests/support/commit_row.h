/* tests/support/commit_row.h - commit one row, where a worker commits many at once. */
#ifndef ARCHAI_TESTS_COMMIT_ROW_H
#define ARCHAI_TESTS_COMMIT_ROW_H
#include "io/segment/segment.h"

static inline int commit_row(archai_segment *s, int64_t row, int64_t text_offset, const char *detail, size_t n,
                             const archai_trial *e, archai_err *err)
{
    const archai_row r = archai_segment_row(e, text_offset, detail, n);

    return archai_segment_commit_rows(s, row, &r, 1, detail, n, err);
}
#endif
