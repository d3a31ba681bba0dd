/* A JPEG or PNG file of somebody else's: what is decoded has the size that the header promised, and every byte of
 * it can be resized. PNG files are tried as they are and with the right checksums. */
#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "fuzz.h"
#include "io/dataset/format/picture.h"

enum { MAX_PIXELS = 1 << 20, SIDE = 5 }; /* large ones only take long */

static void decode(const uint8_t *data, size_t size)
{
    archai_picture header = {0}, x = {0};
    unsigned char fitted[3 * SIDE * SIDE];
    archai_err err = ARCHAI_ERR_INIT;
    unsigned sum = 0;
    int rc = archai_picture_decode(data, size, 1, &header, &err);

    FUZZ_CHECK(header.rgb == NULL);
    if (rc == ARCHAI_OK && (size_t)header.width * (size_t)header.height > MAX_PIXELS)
        return;
    if (rc == ARCHAI_OK)
        rc = archai_picture_decode(data, size, 0, &x, &err);
    if (rc != ARCHAI_OK) {
        FUZZ_CHECK_ERROR(rc, err);
        FUZZ_CHECK(x.rgb == NULL);
        return;
    }
    FUZZ_CHECK(x.width == header.width && x.height == header.height);
    archai_picture_fit(&x, SIDE + (int)(size % 3), SIDE, fitted);
    for (size_t i = 0; i < sizeof fitted; i++)
        sum += fitted[i];
    FUZZ_CHECK(sum <= 255U * sizeof fitted);
    free(x.rgb);
}

/* The checksum of every chunk: length, name, data, checksum. */
static void right_checksums(uint8_t *data, size_t size)
{
    uint32_t n, crc;

    for (size_t at = 8; at + 12 <= size; at += 12 + n) {
        memcpy(&n, data + at, 4);
        n = be32toh(n);
        if (n > size - at - 12)
            return;
        crc = htobe32((uint32_t)crc32(0, data + at + 4, n + 4));
        memcpy(data + at + 8 + n, &crc, 4);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy;

    decode(data, size);
    if (size < 8 || data[0] != 0x89)
        return 0;
    copy = malloc(size);
    FUZZ_CHECK(copy != NULL);
    memcpy(copy, data, size);
    right_checksums(copy, size);
    decode(copy, size);
    free(copy);
    return 0;
}
