#include "io/file/pt/zip.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

enum {
    LOCAL = 0x04034b50,
    CENTRAL = 0x02014b50,
    END = 0x06054b50,
    END64 = 0x06064b50,
    LOCATOR64 = 0x07064b50,
    LOCAL_SIZE = 30,
    CENTRAL_SIZE = 46,
    END_SIZE = 22,
    END64_SIZE = 56,
    LOCATOR64_SIZE = 20,
    COMMENT_MAX = 65535,
    MEMBER_LEAST = CENTRAL_SIZE + LOCAL_SIZE
};

typedef struct reader {
    const unsigned char *data;
    size_t size;
    archai_err *err;
} reader;

static uint64_t number(const unsigned char *at, int bytes)
{
    uint64_t v = 0;

    for (int i = bytes; i-- > 0;)
        v = v << 8 | at[i];
    return v;
}

static int damaged(const reader *r, const char *what)
{
    return archai_fail(r->err, ARCHAI_EFORMAT, "a damaged zip archive: %s", what);
}

/* Is [at, at + n) inside? */
static bool inside(const reader *r, uint64_t at, uint64_t n)
{
    return at <= r->size && n <= r->size - at;
}

bool archai_zip_is(const void *data, size_t size)
{
    return size >= LOCAL_SIZE && number(data, 4) == LOCAL;
}

/* -- the directory ------------------------------------------------------------------------- */

typedef struct directory {
    uint64_t n, at, size;
} directory;

static int find_end(const reader *r, uint64_t *at)
{
    const size_t last = r->size - END_SIZE;

    for (size_t back = 0; back <= last && back <= COMMENT_MAX; back++) {
        const unsigned char *p = r->data + last - back;

        if (number(p, 4) == END && number(p + 20, 2) == back) {
            *at = last - back;
            return ARCHAI_OK;
        }
    }
    return damaged(r, "it has no end");
}

static int read_end(const reader *r, directory *d)
{
    const unsigned char *p;
    uint64_t at = 0, wide;

    if (r->size < END_SIZE)
        return damaged(r, "it is too short");
    ARCHAI_TRY(find_end(r, &at));
    p = r->data + at;
    *d = (directory){.n = number(p + 10, 2), .size = number(p + 12, 4), .at = number(p + 16, 4)};
    if (number(p + 4, 2) == 0 && number(p + 6, 2) == 0 && d->n < UINT16_MAX && d->size < UINT32_MAX &&
        d->at < UINT32_MAX)
        return ARCHAI_OK;
    if (at < LOCATOR64_SIZE || number(p - LOCATOR64_SIZE, 4) != LOCATOR64)
        return damaged(r, "it has several parts, or no directory for large files");
    wide = number(p - LOCATOR64_SIZE + 8, 8);
    if (!inside(r, wide, END64_SIZE) || number(r->data + wide, 4) != END64)
        return damaged(r, "its directory for large files is missing");
    p = r->data + wide;
    *d = (directory){.n = number(p + 32, 8), .size = number(p + 40, 8), .at = number(p + 48, 8)};
    return ARCHAI_OK;
}

/* Fields that do not fit 32 bits stand in an extra record, in this order. */
static int read_wide(const reader *r, const unsigned char *extra, size_t n, uint64_t *size,
                     uint64_t *stored, uint64_t *at)
{
    uint64_t *const fields[] = {size, stored, at};
    size_t length;

    if (*size != UINT32_MAX && *stored != UINT32_MAX && *at != UINT32_MAX)
        return ARCHAI_OK;
    for (; n >= 4; extra += 4 + length, n -= 4 + length) {
        length = (size_t)number(extra + 2, 2);
        if (length > n - 4)
            break;
        if (number(extra, 2) != 1)
            continue;
        for (size_t i = 0, from = 4; i < 3; i++) {
            if (*fields[i] != UINT32_MAX)
                continue;
            if (from + 8 > 4 + length)
                return damaged(r, "a size is missing");
            *fields[i] = number(extra + from, 8);
            from += 8;
        }
        return ARCHAI_OK;
    }
    return damaged(r, "a size is missing");
}

/* One entry of the directory at *at, which moves on. */
static int read_member(const reader *r, uint64_t *at, uint64_t end, archai_zip_member *out)
{
    const unsigned char *p = r->data + *at, *local;
    uint64_t size, stored, offset, names, extra, comment;

    if (end - *at < CENTRAL_SIZE || number(p, 4) != CENTRAL)
        return damaged(r, "its directory ends early");
    names = number(p + 28, 2);
    extra = number(p + 30, 2);
    comment = number(p + 32, 2);
    if (names + extra + comment > end - *at - CENTRAL_SIZE)
        return damaged(r, "its directory ends early");
    if ((number(p + 8, 2) & 1) != 0 || number(p + 10, 2) != 0)
        return archai_fail(r->err, ARCHAI_EFORMAT, "a zip archive whose members are compressed or encrypted, "
                                                   "which PyTorch's are not");
    stored = number(p + 20, 4);
    size = number(p + 24, 4);
    offset = number(p + 42, 4);
    ARCHAI_TRY(read_wide(r, p + CENTRAL_SIZE + names, (size_t)extra, &size, &stored, &offset));
    if (stored != size || !inside(r, offset, LOCAL_SIZE))
        return damaged(r, "a member lies outside");
    local = r->data + offset;
    if (number(local, 4) != LOCAL)
        return damaged(r, "a member is not where the directory says");
    offset += LOCAL_SIZE + number(local + 26, 2) + number(local + 28, 2);
    if (!inside(r, offset, size))
        return damaged(r, "a member lies outside");
    *out = (archai_zip_member){.name = (const char *)p + CENTRAL_SIZE,
                               .name_length = (size_t)names,
                               .data = r->data + offset,
                               .size = (size_t)size};
    *at += CENTRAL_SIZE + names + extra + comment;
    return ARCHAI_OK;
}

static int compare(const char *a, size_t na, const char *b, size_t nb)
{
    return na != nb ? (na < nb ? -1 : 1) : memcmp(a, b, na);
}

static int by_name(const void *a, const void *b)
{
    const archai_zip_member *x = a, *y = b;

    return compare(x->name, x->name_length, y->name, y->name_length);
}

int archai_zip_open(archai_zip *out, const void *data, size_t size, archai_err *err)
{
    const reader r = {.data = data, .size = size, .err = err};
    archai_zip z = {.at = NULL};
    directory d = {.n = 0};
    int rc;

    ARCHAI_TRY(read_end(&r, &d));
    if (!inside(&r, d.at, d.size) || d.n > size / MEMBER_LEAST)
        return damaged(&r, "its directory lies outside");
    z.at = archai_calloc((size_t)d.n + 1, sizeof *z.at);
    rc = ARCHAI_OK;
    for (uint64_t at = d.at; z.n < d.n && rc == ARCHAI_OK; z.n += rc == ARCHAI_OK)
        rc = read_member(&r, &at, d.at + d.size, &z.at[z.n]);
    if (rc == ARCHAI_OK) {
        qsort(z.at, z.n, sizeof *z.at, by_name);
        *out = z;
    } else {
        archai_zip_close(&z);
    }
    return rc;
}

void archai_zip_close(archai_zip *z)
{
    free(z->at);
    *z = (archai_zip){.at = NULL};
}

const archai_zip_member *archai_zip_find_end(const archai_zip *z, const char *end)
{
    const size_t n = strlen(end);

    for (size_t i = 0; i < z->n; i++)
        if (z->at[i].name_length >= n &&
            memcmp(z->at[i].name + z->at[i].name_length - n, end, n) == 0)
            return &z->at[i];
    return NULL;
}

const archai_zip_member *archai_zip_find(const archai_zip *z, const char *name, size_t length)
{
    const archai_zip_member key = {.name = name, .name_length = length};

    return bsearch(&key, z->at, z->n, sizeof *z->at, by_name);
}
