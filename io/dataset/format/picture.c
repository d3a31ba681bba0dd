#include "io/dataset/format/picture.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "io/file/file.h"

int archai_picture_decode(const unsigned char *data, size_t size, int only_size, archai_picture *out,
                          archai_err *err)
{
    archai_picture x = {.rgb = NULL};
    int rc;

    /* The contents count, not the name: ImageNet has a PNG called .JPEG. */
    if (size >= 3 && memcmp(data, "\xff\xd8\xff", 3) == 0)
        rc = archai_picture_jpeg(data, size, only_size, &x, err);
    else if (size >= 8 && memcmp(data, "\x89PNG\r\n\x1a\n", 8) == 0)
        rc = archai_picture_png(data, size, only_size, &x, err);
    else
        rc = archai_fail(err, ARCHAI_EFORMAT, "neither a JPEG nor a PNG file");
    if (rc == ARCHAI_OK)
        *out = x;
    else
        free(x.rgb);
    return rc;
}

int archai_picture_room(size_t size, size_t per_byte, int only_size, archai_picture *x, archai_err *err)
{
    const size_t pixels = (size_t)x->width * (size_t)x->height;

    if (pixels > ARCHAI_PICTURE_MAX_PIXELS)
        return archai_fail(err, ARCHAI_EFORMAT, "%d x %d pixels, expected at most %d in all", x->width,
                           x->height, (int)ARCHAI_PICTURE_MAX_PIXELS);
    if (pixels / per_byte > size)
        return archai_fail(err, ARCHAI_EFORMAT, "truncated: %zu bytes cannot hold %d x %d pixels", size,
                           x->width, x->height);
    if (only_size)
        return ARCHAI_OK;
    x->rgb = archai_file_room(pixels, 3, err);
    return x->rgb != NULL ? ARCHAI_OK : ARCHAI_ENOMEM;
}

void archai_picture_planes(const archai_picture *x, unsigned char *out)
{
    const size_t pixels = (size_t)x->width * (size_t)x->height;

    for (size_t c = 0; c < 3; c++)
        for (size_t i = 0; i < pixels; i++)
            out[c * pixels + i] = x->rgb[3 * i + c];
}
