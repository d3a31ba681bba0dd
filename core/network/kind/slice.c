/* A part of a value: slice, select, chunk; and positions, the numbers of a sequence's places.
 * They cost nothing. */
#include <math.h>

#include "core/network/kind/kind.h"

#define DIM   .type = ARCHAI_ARG_INT, .low = -ARCHAI_SHAPE_MAX, .high = ARCHAI_SHAPE_MAX
#define PLACE .type = ARCHAI_ARG_INT, .low = -INT32_MAX, .high = INT32_MAX

/* -- slice --------------------------------------------------------------------------------- */

enum { OF, START, END, STEP };

/* Python's x[start:end:step]: negative from the end, cut to what exists; end None: to the end
 */
static const archai_arg slice_args[] = {
    {"dim", DIM, .need = ARCHAI_ARG_DEFAULT, .standard = 1},
    {"start", PLACE, .need = ARCHAI_ARG_DEFAULT},
    {"end", PLACE, .need = ARCHAI_ARG_NONE},
    {"step", .type = ARCHAI_ARG_INT, .need = ARCHAI_ARG_DEFAULT, .standard = 1},
    {.name = NULL},
};

static void print_slice(const archai_module *m, FILE *out)
{
    (void)fprintf(out, "dim=%.0f, start=%.0f", m->args[OF], m->args[START]);
    if (!isnan(m->args[END]))
        (void)fprintf(out, ", end=%.0f", m->args[END]);
    if (m->args[STEP] != 1)
        (void)fprintf(out, ", step=%.0f", m->args[STEP]);
}

static int64_t within(int64_t place, int64_t size)
{
    if (place < 0)
        place += size;
    return place < 0 ? 0 : place > size ? size : place;
}

static int infer_slice(archai_tally *t, const archai_module *m, const archai_shape *in,
                       archai_shape *out)
{
    int64_t size, start, end;
    int place;

    ARCHAI_TRY(archai_tally_dim(t, in, archai_int(m, OF), &place));
    size = in->dim[place];
    start = within(archai_int(m, START), size);
    end = isnan(m->args[END]) ? size : within(archai_int(m, END), size);
    if (start >= end)
        return archai_tally_expected(t, in, "something from %lld to %lld in dimension %lld",
                                     (long long)archai_int(m, START), (long long)end,
                                     (long long)archai_int(m, OF));
    *out = *in;
    out->dim[place] = (end - start - 1) / archai_int(m, STEP) + 1;
    return ARCHAI_OK;
}

const archai_module_kind archai_kind_slice = {.name = "slice",
                                              .args = slice_args,
                                              .takes_tokens = true,
                                              .print = print_slice,
                                              .infer = infer_slice};

/* -- select -------------------------------------------------------------------------------- */

/* One place of a dimension, which goes: a class token is x[:, 0] of [T, D]. */
enum { INDEX = 1 };

static const archai_arg select_args[] = {
    {"dim", DIM, .need = ARCHAI_ARG_DEFAULT, .standard = 1},
    {"index", PLACE},
    {.name = NULL},
};

static void print_select(const archai_module *m, FILE *out)
{
    (void)fprintf(out, "dim=%.0f, index=%.0f", m->args[OF], m->args[INDEX]);
}

static int infer_select(archai_tally *t, const archai_module *m, const archai_shape *in,
                        archai_shape *out)
{
    const int64_t index = archai_int(m, INDEX);
    int place;

    ARCHAI_TRY(archai_tally_dim(t, in, archai_int(m, OF), &place));
    if (index >= in->dim[place] || index < -in->dim[place])
        return archai_tally_expected(t, in, "a place %lld in dimension %lld", (long long)index,
                                     (long long)archai_int(m, OF));
    if (in->ndim < 2)
        return archai_tally_expected(t, in, "two dimensions, of which one goes");
    out->tokens = in->tokens;
    for (int i = 0; i < in->ndim; i++)
        if (i != place)
            out->dim[out->ndim++] = in->dim[i];
    return ARCHAI_OK;
}

const archai_module_kind archai_kind_select = {.name = "select",
                                               .args = select_args,
                                               .takes_tokens = true,
                                               .print = print_select,
                                               .infer = infer_select};

/* -- chunk --------------------------------------------------------------------------------- */

/* One of `chunks` parts, of ceil(size / chunks) each but for the last, as PyTorch cuts. */
enum { CHUNKS, PART, CHUNK_DIM };

static const archai_arg chunk_args[] = {
    {"chunks", .type = ARCHAI_ARG_INT},
    {"index", .type = ARCHAI_ARG_INT, .high = INT32_MAX},
    {"dim", DIM, .need = ARCHAI_ARG_DEFAULT, .standard = 1},
    {.name = NULL},
};

static void print_chunk(const archai_module *m, FILE *out)
{
    (void)fprintf(out, "chunks=%.0f, index=%.0f, dim=%.0f", m->args[CHUNKS], m->args[PART],
                  m->args[CHUNK_DIM]);
}

static int infer_chunk(archai_tally *t, const archai_module *m, const archai_shape *in,
                       archai_shape *out)
{
    int64_t size, each, left;
    int place;

    ARCHAI_TRY(archai_tally_dim(t, in, archai_int(m, CHUNK_DIM), &place));
    size = in->dim[place];
    each = (size - 1) / archai_int(m, CHUNKS) + 1;
    left = size - archai_tally_mul(t, each, archai_int(m, PART));
    if (t->overflow || archai_int(m, PART) >= archai_int(m, CHUNKS) || left < 1)
        return archai_tally_expected(
            t, in, "a part %lld of %lld in dimension %lld (0 is the first)",
            (long long)archai_int(m, PART), (long long)archai_int(m, CHUNKS),
            (long long)archai_int(m, CHUNK_DIM));
    *out = *in;
    out->dim[place] = left < each ? left : each;
    return ARCHAI_OK;
}

const archai_module_kind archai_kind_chunk = {.name = "chunk",
                                              .args = chunk_args,
                                              .takes_tokens = true,
                                              .print = print_chunk,
                                              .infer = infer_chunk};

/* -- positions ----------------------------------------------------------------------------- */

/* int64 tokens offset, offset + 1, ... for the first dimension of a sample: [T] or [T, D] */
static const archai_arg positions_args[] = {
    {"offset", .type = ARCHAI_ARG_INT, .need = ARCHAI_ARG_DEFAULT, .low = -INT32_MAX,
     .high = INT32_MAX},
    {.name = NULL},
};

static void print_positions(const archai_module *m, FILE *out)
{
    (void)fprintf(out, "offset=%.0f", m->args[0]);
}

static int infer_positions(archai_tally *t, const archai_module *m, const archai_shape *in,
                           archai_shape *out)
{
    (void)m;
    if (in->ndim < 1)
        return archai_tally_expected(t, in, "a sequence");
    *out = (archai_shape){.dim = {in->dim[0]}, .ndim = 1, .tokens = true};
    return ARCHAI_OK;
}

const archai_module_kind archai_kind_positions = {.name = "positions",
                                                  .args = positions_args,
                                                  .takes_tokens = true,
                                                  .print = print_positions,
                                                  .infer = infer_positions};
