/* io/dataset/format/picture_png.c - PNG through libpng, to the pixels that PIL's convert("RGB") gives. */
#include <setjmp.h>
#include <string.h>

#include <png.h>

#include "io/dataset/format/picture.h"

/* Deflate makes at most 1,032 bytes of one, and a byte holds at most eight pixels. */
enum { PIXELS_PER_BYTE = 1032 * 8, MAX_SIDE = 1 << 16 };

/* As in picture_jpeg.c: what a jump could leave undefined lies in the caller's frame. */
typedef struct job {
    png_structp png;
    png_infop info;
    const unsigned char *data;
    size_t left;
    size_t size;
    int only_size;
    archai_picture *out;
    char text[128];
    archai_err *err;
    int rc;
} job;

static void on_error(png_structp png, png_const_charp text)
{
    job *j = png_get_error_ptr(png);

    (void)snprintf(j->text, sizeof j->text, "%s", text);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static void on_read(png_structp png, png_bytep to, size_t n)
{
    job *j = png_get_io_ptr(png);

    if (n > j->left)
        png_error(png, "the file is truncated");
    memcpy(to, j->data, n);
    j->data += n;
    j->left -= n;
}

static int read_header(job *j)
{
    int depth, type;

    png_set_user_limits(j->png, MAX_SIDE, MAX_SIDE);
    png_set_read_fn(j->png, j, on_read);
    png_read_info(j->png, j->info);
    j->out->width = (int)png_get_image_width(j->png, j->info);
    j->out->height = (int)png_get_image_height(j->png, j->info);
    depth = png_get_bit_depth(j->png, j->info);
    type = png_get_color_type(j->png, j->info);
    if (type == PNG_COLOR_TYPE_GRAY && depth == 16)
        return archai_fail(j->err, ARCHAI_EFORMAT, "16 bits of grey, expected at most 8");
    if (type == PNG_COLOR_TYPE_PALETTE)
        png_set_palette_to_rgb(j->png);
    if (type == PNG_COLOR_TYPE_GRAY && depth < 8)
        png_set_expand_gray_1_2_4_to_8(j->png);
    if ((type & PNG_COLOR_MASK_COLOR) == 0)
        png_set_gray_to_rgb(j->png);
    if (depth == 16)
        png_set_strip_16(j->png);
    png_set_strip_alpha(j->png);
    return archai_picture_room(j->size, PIXELS_PER_BYTE, j->only_size, j->out, j->err);
}

static int read_rows(job *j)
{
    const size_t stride = 3 * (size_t)j->out->width;
    const int passes = png_set_interlace_handling(j->png);

    png_read_update_info(j->png, j->info);
    if (png_get_rowbytes(j->png, j->info) != stride)
        return archai_fail(j->err, ARCHAI_EINTERNAL, "a row of %zu bytes, expected %zu",
                           png_get_rowbytes(j->png, j->info), stride);
    memset(j->out->rgb, 0, stride * (size_t)j->out->height); /* the first pass reads what is there */
    for (int pass = 0; pass < passes; pass++)
        for (size_t y = 0; y < (size_t)j->out->height; y++)
            png_read_row(j->png, j->out->rgb + y * stride, NULL);
    return ARCHAI_OK;
}

static void decode(job *j)
{
    if (setjmp(png_jmpbuf(j->png)) != 0) {
        j->rc = archai_fail(j->err, ARCHAI_EFORMAT, "%s", j->text);
        return;
    }
    j->rc = read_header(j);
    if (j->rc == ARCHAI_OK && !j->only_size)
        j->rc = read_rows(j);
}

int archai_picture_png(const unsigned char *data, size_t size, int only_size, archai_picture *out,
                       archai_err *err)
{
    job j = {.data = data, .left = size, .size = size, .only_size = only_size, .out = out, .err = err};

    j.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &j, on_error, on_warning);
    j.info = j.png != NULL ? png_create_info_struct(j.png) : NULL;
    if (j.info == NULL)
        j.rc = archai_fail(err, ARCHAI_ENOMEM, "libpng " PNG_LIBPNG_VER_STRING " cannot be used");
    else
        decode(&j);
    png_destroy_read_struct(&j.png, &j.info, NULL);
    return j.rc;
}
