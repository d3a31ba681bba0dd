/* Rows and details of a segment file in which anything may stand after a crash or on a bad disk.
 *
 * The input is the bytes of the rows (16 of 64) followed by those of the details. Its first byte
 * says whether the checksums are made right first: what lies behind a right checksum is not
 * trusted either. */
#include "fuzz.h"
#include <string.h>
#include <unistd.h>
#include "io/segment/segment.h"

enum { ROWS = 16, TEXT = 8192, POOL = 1024 };

static archai_segment segment = ARCHAI_SEGMENT_INIT;

/* Laid out once, then unlinked: the descriptor is all that is needed. */
static void create(void)
{
    const archai_segment_size size = {.rows = ROWS, .text_bytes = TEXT, .pool[ARCHAI_F32] = POOL};
    char directory[] = "/tmp/archai-fuzz-XXXXXX", path[64];
    archai_err err = ARCHAI_ERR_INIT;

    FUZZ_CHECK(mkdtemp(directory) != NULL);
    FUZZ_CHECK(archai_segment_create(directory, "segment-0-0.h5", &size, &err) == ARCHAI_OK);
    FUZZ_CHECK(archai_segment_open(&segment, directory, "segment-0-0.h5", true, &err) ==
               ARCHAI_OK);
    snprintf(path, sizeof path, "%s/segment-0-0.h5", directory);
    FUZZ_CHECK(unlink(path) == 0 && rmdir(directory) == 0);
}

static void make_checksums_right(archai_row *rows, const uint8_t *text)
{
    for (size_t i = 0; i < ROWS; i++) {
        archai_row *r = &rows[i];

        if (r->text_offset >= 0 && r->text_bytes >= 0 && r->text_offset <= TEXT &&
            r->text_bytes <= TEXT - r->text_offset)
            r->text_crc = archai_segment_crc(text + r->text_offset, (size_t)r->text_bytes);
        r->crc = archai_segment_crc(r, offsetof(archai_row, crc));
    }
}

static void use(archai_trial *e)
{
    static uint8_t bytes[POOL * sizeof(float)];

    for (size_t i = 0; i < e->n_tensors; i++)
        FUZZ_CHECK(archai_segment_read_tensor(&segment, &e->tensors[i], bytes, NULL) == ARCHAI_OK);
    archai_trial_fini(e);
}

static int visit(void *payload, int64_t row, const archai_row *r, archai_err *err)
{
    archai_trial e = {0};
    bool valid;

    (void)payload;
    FUZZ_CHECK(row >= 0 && row < ROWS);
    ARCHAI_TRY(archai_segment_detail(&segment, r, &valid, &e, err));
    if (valid)
        use(&e);
    return ARCHAI_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    archai_row rows[ROWS] = {{0}};
    uint8_t text[TEXT] = {0};
    archai_err err = ARCHAI_ERR_INIT;
    size_t in_rows;

    if (segment.fd < 0)
        create();
    if (size == 0 || size - 1 > sizeof rows + sizeof text)
        return 0;
    in_rows = size - 1 < sizeof rows ? size - 1 : sizeof rows;
    memcpy(rows, data + 1, in_rows);
    memcpy(text, data + 1 + in_rows, size - 1 - in_rows);
    if (data[0] & 1)
        make_checksums_right(rows, text);
    FUZZ_CHECK(pwrite(segment.fd, rows, sizeof rows, (off_t)segment.rows_at) == sizeof rows);
    FUZZ_CHECK(pwrite(segment.fd, text, sizeof text, (off_t)segment.text_at) == sizeof text);

    FUZZ_CHECK(archai_segment_scan(&segment, 0, ROWS, visit, NULL, &err) == ARCHAI_OK);
    for (int64_t row = 0; row < ROWS; row++) {
        archai_trial e = {0};
        bool valid;

        FUZZ_CHECK(archai_segment_read(&segment, row, &valid, &e, &err) == ARCHAI_OK);
        if (valid)
            use(&e);
    }
    return 0;
}
