/* io/dataset/format/picture_jpeg.c - JPEG through libjpeg(-turbo), with its defaults, as PIL does it. */
#include <limits.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jerror.h>
#include <jpeglib.h>

#include "io/dataset/format/picture.h"

/* A file of a few kilobytes can ask for thousands of passes over a large picture; nobody writes that. */
enum { MAX_SCANS = 500 };
/* A coded block takes at least a bit; the blocks of an odd sampling may cover four times the usual. */
enum { PIXELS_PER_BYTE = 8 * DCTSIZE2 * 4 };

/* libjpeg reports errors by a call that must not return: everything that a jump could leave undefined
 * lies here, in the caller's frame. */
typedef struct job {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf jump;
    const unsigned char *data;
    size_t size;
    int only_size;
    archai_picture *out;
    JSAMPROW row; /* of a picture that is not RGB; libjpeg's memory */
    char text[JMSG_LENGTH_MAX];
    archai_err *err;
    int rc;
} job;

static void on_error(j_common_ptr jpeg)
{
    job *j = jpeg->client_data;

    jpeg->err->format_message(jpeg, j->text);
    longjmp(j->jump, 1);
}

/* Damage that libjpeg works round is a warning, and PIL ignores it; but not the end of the file. */
static void on_message(j_common_ptr jpeg, int level)
{
    job *j = jpeg->client_data;

    if (level >= 0 || jpeg->err->msg_code != JWRN_JPEG_EOF)
        return;
    (void)snprintf(j->text, sizeof j->text, "the file is truncated");
    longjmp(j->jump, 1);
}

static void on_progress(j_common_ptr jpeg)
{
    job *j = jpeg->client_data;

    if (j->jpeg.input_scan_number <= MAX_SCANS)
        return;
    (void)snprintf(j->text, sizeof j->text, "more than %d scans", (int)MAX_SCANS);
    longjmp(j->jump, 1);
}

static void no_output(j_common_ptr jpeg)
{
    (void)jpeg;
}

/* PIL's: the inverse of what the file says, and a * b / 255 rounded as it does it. */
static unsigned char times(unsigned a, unsigned b)
{
    const unsigned t = a * b + 128;

    return (unsigned char)(((t >> 8) + t) >> 8);
}

static void from_cmyk(const unsigned char *in, unsigned char *out, size_t width)
{
    for (size_t i = 0; i < width; i++, in += 4, out += 3) {
        const unsigned light = in[3]; /* 255 - K, and in[0] = 255 - C and so on */

        for (int c = 0; c < 3; c++)
            out[c] = (unsigned char)(light - times(255U - in[c], light));
    }
}

static void from_grey(const unsigned char *in, unsigned char *out, size_t width)
{
    for (size_t i = 0; i < width; i++)
        out[3 * i] = out[3 * i + 1] = out[3 * i + 2] = in[i];
}

static int read_header(job *j)
{
    struct jpeg_decompress_struct *jpeg = &j->jpeg;

    (void)jpeg_read_header(jpeg, TRUE);
    j->out->width = (int)jpeg->image_width;
    j->out->height = (int)jpeg->image_height;
    if (jpeg->num_components != 1 && jpeg->num_components != 3 && jpeg->num_components != 4)
        return archai_fail(j->err, ARCHAI_EFORMAT, "%d components, expected 1, 3 or 4",
                           jpeg->num_components);
    if (jpeg->arith_code)
        return archai_fail(j->err, ARCHAI_EFORMAT, "arithmetic coding, expected Huffman's");
    return archai_picture_room(j->size, PIXELS_PER_BYTE, j->only_size, j->out, j->err);
}

static void read_rows(job *j)
{
    struct jpeg_decompress_struct *jpeg = &j->jpeg;
    const size_t width = (size_t)j->out->width;

    jpeg->out_color_space = jpeg->num_components == 1   ? JCS_GRAYSCALE
                            : jpeg->num_components == 3 ? JCS_RGB
                                                        : JCS_CMYK;
    (void)jpeg_start_decompress(jpeg);
    j->row = (*jpeg->mem->alloc_sarray)((j_common_ptr)jpeg, JPOOL_IMAGE, (JDIMENSION)(4 * width), 1)[0];
    while (jpeg->output_scanline < jpeg->output_height) {
        unsigned char *to = j->out->rgb + (size_t)jpeg->output_scanline * width * 3;
        JSAMPROW row = jpeg->num_components == 3 ? to : j->row;

        if (jpeg_read_scanlines(jpeg, &row, 1) != 1)
            break;
        if (jpeg->num_components == 1)
            from_grey(row, to, width);
        else if (jpeg->num_components == 4)
            from_cmyk(row, to, width);
    }
}

/* Apart, since setjmp leaves a function's own variables undefined. */
static void decode(job *j)
{
    if (setjmp(j->jump) != 0) {
        j->rc = archai_fail(j->err, ARCHAI_EFORMAT, "%s", j->text);
        return;
    }
    jpeg_create_decompress(&j->jpeg);
    j->jpeg.client_data = j;
    j->jpeg.progress = &j->progress;
    jpeg_mem_src(&j->jpeg, j->data, (unsigned long)j->size);
    j->rc = read_header(j);
    if (j->rc == ARCHAI_OK && !j->only_size)
        read_rows(j);
}

int archai_picture_jpeg(const unsigned char *data, size_t size, int only_size, archai_picture *out,
                        archai_err *err)
{
    job j = {.data = data, .size = size, .only_size = only_size, .out = out, .err = err};

    j.jpeg.err = jpeg_std_error(&j.errors);
    j.jpeg.client_data = &j;
    j.errors.error_exit = on_error;
    j.errors.emit_message = on_message;
    j.errors.output_message = no_output;
    j.progress.progress_monitor = on_progress;
    decode(&j);
    jpeg_destroy_decompress(&j.jpeg);
    return j.rc;
}
