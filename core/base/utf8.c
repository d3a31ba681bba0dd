#include "core/base/utf8.h"

#include <string.h>

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
