/* io/segment/segment_layout.h - what creating, opening and reading a segment share (segment*.c
 * only). */
#ifndef ARCHAI_IO_SEGMENT_SEGMENT_LAYOUT_H
#define ARCHAI_IO_SEGMENT_SEGMENT_LAYOUT_H
#include <hdf5.h>
#include <stddef.h>
#include "core/base/err.h"
#include "io/segment/segment.h"

#define ARCHAI_SEGMENT_FORMAT "archai-segment"
enum { ARCHAI_SEGMENT_VERSION = 1 };

/* HDF5's type of archai_row: the same bytes in memory and in the file. Caller releases. */
int archai_row_type(hid_t *type, archai_err *err);

/* The checksum of the bytes before archai_row.crc. */
uint32_t archai_row_crc(const archai_row *r);
#endif
