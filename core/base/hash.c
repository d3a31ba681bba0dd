#include "core/base/hash.h"

uint64_t archai_hash(const char *text)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325); /* offset basis; below, the FNV prime */

    for (; *text != '\0'; text++)
        h = (h ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return h;
}
