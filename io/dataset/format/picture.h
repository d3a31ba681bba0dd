/* io/dataset/format/picture.h - JPEG and PNG files as RGB bytes, cut to one size.
 *
 * The pixels are those of PIL's Image.open(path).convert("RGB"), the loader of torchvision's ImageFolder:
 * grey is repeated, a palette looked up, an alpha channel dropped without blending, CMYK (inverted, as
 * Adobe stores it) converted, an orientation in EXIF left alone. Refused with a sentence: damaged and
 * truncated files, 16 bits of grey (PIL would clip them at 255), arithmetic coding, and sizes that the
 * file cannot hold or that are more than PIL takes.
 */
#ifndef ARCHAI_IO_DATASET_PICTURE_H
#define ARCHAI_IO_DATASET_PICTURE_H
#include <stddef.h>
#include "core/base/err.h"

/* As many as PIL takes before it speaks of a decompression bomb (2 * Image.MAX_IMAGE_PIXELS). */
enum { ARCHAI_PICTURE_MAX_PIXELS = 178956970, ARCHAI_PICTURE_MAX_FILE = 1 << 28 };

typedef struct archai_picture {
    int width, height;
    unsigned char *rgb; /* owned: [H,W,3] */
} archai_picture;

/* Decode a file's bytes; of the size alone with only_size (rgb stays NULL). Caller frees rgb. Errors say
 * what is wrong, without the path. Safe on several threads at once. */
int archai_picture_decode(const unsigned char *data, size_t size, int only_size, archai_picture *out,
                          archai_err *err);
/* torchvision's CenterCrop(crop)(Resize(shorter)(x)) on a PIL picture, bit for bit, planes apart:
 * out [3,crop,crop]. 1 <= crop <= shorter. */
void archai_picture_fit(const archai_picture *x, int shorter, int crop, unsigned char *out);
/* out [3,H,W]: the same pixels, planes apart. */
void archai_picture_planes(const archai_picture *x, unsigned char *out);

/* Of picture.c: memory for the pixels, after it is certain that a file of `size` bytes, each of at most
 * `per_byte` pixels, may hold so many. */
int archai_picture_room(size_t size, size_t per_byte, int only_size, archai_picture *x, archai_err *err);
int archai_picture_jpeg(const unsigned char *data, size_t size, int only_size, archai_picture *out,
                        archai_err *err);
int archai_picture_png(const unsigned char *data, size_t size, int only_size, archai_picture *out,
                       archai_err *err);
#endif
