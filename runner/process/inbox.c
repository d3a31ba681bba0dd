#include "runner/process/inbox.h"

#include <string.h>
#include <unistd.h>

#include "core/base/alloc.h"

enum { CHUNK = 65536 };

int archai_inbox_take(archai_inbox *in, archai_message *out, bool *got, archai_err *err)
{
    *got = false;
    return in->used < in->bytes.size ? archai_frame_take(&in->bytes, &in->used, out, got, err)
                                     : ARCHAI_OK;
}

ssize_t archai_inbox_read(archai_inbox *in, int fd)
{
    archai_buffer *b = &in->bytes;
    ssize_t n;

    b->size -= in->used;
    if (b->size > 0 && in->used > 0)
        memmove(b->data, b->data + in->used, b->size);
    in->used = 0;
    ARCHAI_RESERVE(b->data, b->capacity, b->size + CHUNK);
    n = read(fd, b->data + b->size, CHUNK);
    b->size += n > 0 ? (size_t)n : 0;
    return n;
}

void archai_inbox_clear(archai_inbox *in)
{
    archai_buffer_free(&in->bytes);
    in->used = 0;
}
