#include "core/base/sha1.h"

#include <openssl/evp.h>

int archai_sha1_hex(const void *bytes, size_t size, char out[ARCHAI_SHA1_HEX], archai_err *err)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (EVP_Digest(bytes, size, hash, &n, EVP_sha1(), NULL) != 1 || n != 20)
        return archai_fail(err, ARCHAI_EINTERNAL, "libcrypto cannot compute SHA-1 here");
    for (unsigned i = 0; i < n; i++) {
        out[2 * i] = digits[hash[i] >> 4];
        out[2 * i + 1] = digits[hash[i] & 15];
    }
    out[2 * n] = '\0';
    return ARCHAI_OK;
}
