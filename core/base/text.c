#include "core/base/text.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/alloc.h"

/* A FIFO would wait for ever for its writer, a device may have no end: neither is a file. (O_NONBLOCK, since even
 * opening a FIFO waits; reading a file is not changed by it.) */
static int open_file(const char *path, FILE **out, archai_err *err)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    int rc = ARCHAI_OK;

    if (fd < 0 || fstat(fd, &st) != 0)
        rc = archai_fail(err, errno == ENOENT ? ARCHAI_ENOTFOUND : ARCHAI_EINVAL, "%s: %s", path,
                         strerror(errno));
    else if (S_ISDIR(st.st_mode))
        rc = archai_fail(err, ARCHAI_EINVAL, "%s: %s", path, strerror(EISDIR));
    else if (!S_ISREG(st.st_mode))
        rc = archai_fail(err, ARCHAI_EINVAL, "%s: is a %s, expected a file", path,
                         S_ISFIFO(st.st_mode) ? "FIFO" : "device or socket");
    else if ((*out = fdopen(fd, "rb")) == NULL)
        rc = archai_fail(err, ARCHAI_EIO, "%s: %s", path, strerror(errno));
    if (rc != ARCHAI_OK && fd >= 0)
        (void)close(fd);
    return rc;
}

int archai_text_read(const char *path, size_t most, char **text, size_t *size, archai_err *err)
{
    FILE *f = NULL;
    char *bytes = NULL;
    size_t capacity = 0, n = 0, got = 1;
    int rc = ARCHAI_OK;

    ARCHAI_TRY(open_file(path, &f, err));
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

/* Source: The Unicode Standard, table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF. */
size_t archai_utf8_length(const char *s, size_t n)
{
    const unsigned char *at = (const unsigned char *)s;
    size_t length;

    if (at[0] < 0x80)
        return 1;
    if (at[0] < 0xc2 || at[0] > 0xf4)
        return 0;
    length = at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
    if (length > n)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
        (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))
        return 0;
    return length;
}

bool archai_is_utf8(const char *text)
{
    for (size_t left = strlen(text), n; left > 0; text += n, left -= n)
        if ((n = archai_utf8_length(text, left)) == 0)
            return false;
    return true;
}

/* -- texts that are shown ------------------------------------------------------------------ */

/* Is the character of `length` bytes at s a control character? C1 is U+0080 to U+009F. */
static bool is_control(const unsigned char *s, size_t length)
{
    return length == 1 ? s[0] < ' ' || s[0] == 0x7f : length == 2 && s[0] == 0xc2 && s[1] < 0xa0;
}

/* Might the n >= 1 bytes at s become a character, if more came? */
static bool is_cut_off(const unsigned char *s, size_t n)
{
    const size_t length = s[0] < 0xc2 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 1;

    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return false;
    return n < length;
}

size_t archai_bytes_clean(char *text, size_t n, bool lines)
{
    for (size_t i = 0, length; i < n; i += length) {
        const unsigned char *at = (const unsigned char *)text + i;

        length = archai_utf8_length(text + i, n - i);
        if (length == 0 && is_cut_off(at, n - i))
            return i;
        if (length == 1 && (*at == '\n' || *at == '\r' || *at == '\t')) {
            text[i] = lines ? text[i] : ' ';
        } else if (length == 0 || is_control(at, length)) {
            length = length == 0 ? 1 : length;
            memset(text + i, '?', length);
        }
    }
    return n;
}

void archai_text_clean(char *text, bool lines)
{
    text[archai_bytes_clean(text, strlen(text), lines)] = '\0';
}

/* -- names --------------------------------------------------------------------------------- */

static char *escape_byte(char *to, unsigned char byte)
{
    static const char digits[] = "0123456789ABCDEF";

    *to++ = '%';
    *to++ = digits[byte >> 4];
    *to++ = digits[byte & 15];
    return to;
}

char *archai_name_escape(const char *name)
{
    const size_t n = strlen(name);
    const bool dots = strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
    char *out = archai_malloc(3 * n + 4), *to = out;

    for (size_t i = 0, length; i < n; i += length) {
        const unsigned char *at = (const unsigned char *)name + i;
        bool plain;

        length = archai_utf8_length(name + i, n - i);
        plain = length > 0 && !is_control(at, length) && *at != '/' && !dots &&
                !(*at == '%' && isxdigit(at[1]) && isxdigit(at[2]));
        length = length > 0 ? length : 1;
        for (size_t k = 0; k < length; k++)
            if (plain)
                *to++ = name[i + k];
            else
                to = escape_byte(to, at[k]);
    }
    if (n == 0)
        to = escape_byte(to, 0);
    *to = '\0';
    return out;
}

static int digit(char c)
{
    return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

char *archai_name_unescape(const char *name)
{
    char *out = archai_malloc(strlen(name) + 1), *to = out;

    for (; *name != '\0'; name++)
        if (*name == '%' && isxdigit((unsigned char)name[1]) && isxdigit((unsigned char)name[2])) {
            *to++ = (char)(digit(name[1]) << 4 | digit(name[2]));
            name += 2;
        } else {
            *to++ = *name;
        }
    *to = '\0';
    return out;
}
