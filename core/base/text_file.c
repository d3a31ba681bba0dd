#include "core/base/text_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

int archai_text_file_read(const char *path, size_t most, char **text, size_t *size, archai_err *err)
{
    FILE *f = fopen(path, "rb");
    char *bytes = NULL;
    size_t capacity = 0, n = 0, got = 1;
    int rc = ARCHAI_OK;

    if (f == NULL)
        return archai_fail(err, errno == ENOENT ? ARCHAI_ENOTFOUND : ARCHAI_EINVAL, "%s: %s", path,
                           strerror(errno));
    while (got > 0 && n <= most) { /* a byte more shows that it is too long */
        ARCHAI_RESERVE(bytes, capacity, n + 65536);
        got = fread(bytes + n, 1, capacity - n, f);
        n += got;
    }
    if (ferror(f))
        rc = archai_fail(err, errno == EISDIR ? ARCHAI_EINVAL : ARCHAI_EIO, "%s: %s", path,
                         strerror(errno));
    else if (n > most)
        rc = archai_fail(err, ARCHAI_EFORMAT, "%s:1: more than %zu bytes", path, most);
    (void)fclose(f);
    if (rc == ARCHAI_OK) {
        *text = bytes;
        *size = n;
    } else {
        free(bytes);
    }
    return rc;
}
