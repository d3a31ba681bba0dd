/* Search space `natsbench_tss`: Archai's NatsbenchTssSearchSpace, the cells of NAS-Bench-201.
 *
 * A seed gives Archai's samples. It draws them with randint(0, 15625), both ends included, and
 * so sometimes asks for a cell that does not exist; here the last number is 15624. Its mutation
 * draws from Python's global generator; here it is the same draw, by the space's own one: one
 * of the 24 cells that differ in one edge. It has no crossover; here each edge comes from a
 * parent drawn for it. Neither the benchmark's files nor a data set are needed, and the network
 * is the benchmark's own (core/space/natsbench_tss/tss_network.h), so an evaluator can look
 * cells up in a table or train them.
 *
 * An architecture is {"arch_str": "|...|+|...|+|...|"}; that is what save_arch writes, since it
 * says what the cell is. load_arch reads Archai's files as well: `archid`, and the model's
 * metadata beside it.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/json_object.h"
#include "core/search/space.h"
#include "core/space/natsbench_tss/tss_network.h"

enum { MAX_CHANNELS = 65536, MAX_CELLS = 1000, MAX_CLASSES = 65536, MAX_SIZE = 16384 };

struct tss {
    archai_space base;
    int64_t channels, cells, nb_classes, img_size;
    archai_tss_shape shape;
    archai_tss_order *order; /* owned */
};

/* clang-format off */
static const archai_option options[] = {
    {"channels",   ARCHAI_OPT_INT, offsetof(struct tss, channels),   1, MAX_CHANNELS, "16",   "channels", NULL,     "width of the first stage; the second and third are twice and four times as wide"},
    {"cells",      ARCHAI_OPT_INT, offsetof(struct tss, cells),      1, MAX_CELLS,    "5",    "cells",    NULL,     "cells of each of the three stages"},
    {"nb_classes", ARCHAI_OPT_INT, offsetof(struct tss, nb_classes), 1, MAX_CLASSES,  "auto", "classes",  "auto=0", "classes of an image; auto: the data's, else 10"},
    {"img_size",   ARCHAI_OPT_INT, offsetof(struct tss, img_size),   4, MAX_SIZE,     "auto", "pixels",   "auto=0", "width and height, a multiple of 4; auto: the data's, else 32"},
    ARCHAI_OPTION_END,
};
/* clang-format on */

static struct tss *self_of(archai_space *s)
{
    return (struct tss *)s;
}

/* -- set-up ------------------------------------------------------------------------------ */

/* The first that is known. */
static int or_else(int64_t key, int64_t data, int otherwise)
{
    return (int)(key != 0 ? key : data != 0 ? data : otherwise);
}

static int tss_init(archai_space *base, archai_err *err)
{
    struct tss *s = self_of(base);
    const archai_data_shape *data = &base->data;

    if (s->nb_classes != 0 && data->num_classes != 0 && s->nb_classes != data->num_classes)
        return archai_fail(err, ARCHAI_EINVAL,
                           "nb_classes: %lld, but the data set has %d classes",
                           (long long)s->nb_classes, (int)data->num_classes);
    if (s->img_size != 0 && data->width != 0 &&
        (s->img_size != data->width || s->img_size != data->height))
        return archai_fail(err, ARCHAI_EINVAL,
                           "img_size: %lld, but the data set's images are %d x %d",
                           (long long)s->img_size, (int)data->width, (int)data->height);
    s->shape = (archai_tss_shape){
        .channels = (int)s->channels,
        .cells = (int)s->cells,
        .input = or_else(data->channels, 0, 3),
        .height = or_else(s->img_size, data->height, 32),
        .width = or_else(s->img_size, data->width, 32),
        .classes = or_else(s->nb_classes, data->num_classes, 10),
    };
    if (s->shape.width % 4 != 0 || s->shape.height % 4 != 0)
        return archai_fail(
            err, ARCHAI_EINVAL,
            "img_size: %d x %d, expected multiples of 4: the network halves an image "
            "twice",
            s->shape.width, s->shape.height);
    base->encoding_size = (size_t)ARCHAI_TSS_EDGES * (ARCHAI_TSS_OPS - 1);
    s->order = archai_malloc(sizeof *s->order);
    archai_tss_order_init(s->order);
    return ARCHAI_OK;
}

static void tss_fini(archai_space *base)
{
    free(self_of(base)->order);
}

/* -- cells and models -------------------------------------------------------------------- */

static const char archid_prefix[] = "natsbench-tss-";

/* Takes over the reference `metadata`; NULL: none. */
static int to_model(const struct tss *s, const archai_tss_cell *cell, json_t *metadata,
                    archai_model *out, archai_err *err)
{
    char text[ARCHAI_TSS_TEXT], archid[sizeof archid_prefix + 8];

    archai_tss_cell_write(cell, text);
    (void)snprintf(archid, sizeof archid, "%s%d", archid_prefix,
                   archai_tss_order_number(s->order, cell));
    return archai_model_init(out, archai_there(json_pack("{s:s}", "arch_str", text)), archid,
                             metadata, err);
}

static int cell_of(const json_t *arch, archai_tss_cell *out, archai_err *err)
{
    const char *text = json_string_value(json_object_get(arch, "arch_str"));

    if (text == NULL)
        return archai_fail(err, ARCHAI_EINVAL,
                           "arch_str: expected a cell, |op~0|+|op~0|op~1|+|op~0|op~1|op~2|");
    return archai_err_wrap(err, archai_tss_cell_read(out, text, err), "arch_str: ");
}

static int read_archid(const struct tss *s, const json_t *value, archai_tss_cell *out,
                       archai_err *err)
{
    const char *text = json_is_string(value) ? json_string_value(value) : "";
    const size_t n = sizeof archid_prefix - 1;
    int number = -1, length = 0;

    if (strncmp(text, archid_prefix, n) == 0 && strspn(text + n, "0123456789") > 0)
        (void)sscanf(text + n, "%6d%n", &number, &length);
    if (number < 0 || text[n + (size_t)length] != '\0' || number >= ARCHAI_TSS_CELLS)
        return archai_fail(err, ARCHAI_EINVAL, "archid: expected %s0 to %s%d, got '%.60s'",
                           archid_prefix, archid_prefix, ARCHAI_TSS_CELLS - 1, text);
    *out = archai_tss_order_cell(s->order, number);
    return ARCHAI_OK;
}

/* Archai's file is the archid and the metadata, the data set among them. */
static int from_json(const struct tss *s, const json_t *arch, archai_tss_cell *out,
                     archai_err *err)
{
    static const char *const keys[] = {"arch_str",   "archid", "dataset",
                                       "generation", "parent", "parents"};
    const json_t *archid = json_object_get(arch, "archid");
    const json_t *text = json_object_get(arch, "arch_str");
    archai_tss_cell named;

    if (json_is_object(arch))
        ARCHAI_TRY(archai_json_check_keys(arch, keys, sizeof keys / sizeof keys[0], err));
    if (archid == NULL && text == NULL)
        return archai_fail(err, ARCHAI_EINVAL, "expected an object with arch_str or archid");
    if (archid != NULL)
        ARCHAI_TRY(read_archid(s, archid, &named, err));
    if (text == NULL) {
        *out = named;
        return ARCHAI_OK;
    }
    ARCHAI_TRY(cell_of(arch, out, err));
    if (archid != NULL && memcmp(&named, out, sizeof named) != 0) {
        char other[ARCHAI_TSS_TEXT];

        archai_tss_cell_write(&named, other);
        return archai_fail(err, ARCHAI_EINVAL, "archid: %s is %s, not arch_str",
                           json_string_value(archid), other);
    }
    return ARCHAI_OK;
}

/* -- the table's functions --------------------------------------------------------------- */

static int tss_random_sample(archai_space *base, archai_model *out, archai_err *err)
{
    return base->ops->at(base, archai_rng_below(&base->rng, ARCHAI_TSS_CELLS), out, err);
}

static int tss_load_arch(archai_space *base, const json_t *arch, archai_model *out,
                         archai_err *err)
{
    const struct tss *s = self_of(base);
    json_t *dataset = json_object_get(arch, "dataset"), *metadata = NULL;
    archai_tss_cell cell;

    ARCHAI_TRY(from_json(s, arch, &cell, err));
    if (dataset != NULL)
        metadata = archai_there(json_pack("{s:O}", "dataset", dataset));
    return to_model(s, &cell, metadata, out, err);
}

/* The n-th operation that is not `op`, in Archai's order. */
static archai_tss_op other_op(archai_tss_op op, uint64_t n)
{
    static const archai_tss_op order[] = {ARCHAI_TSS_NONE, ARCHAI_TSS_POOL, ARCHAI_TSS_CONV1X1,
                                          ARCHAI_TSS_CONV3X3, ARCHAI_TSS_SKIP};
    size_t i = 0;

    while (order[i] == op || n-- > 0)
        i++;
    return order[i];
}

static int tss_mutate(archai_space *base, const archai_model *parent, archai_model *child,
                      archai_err *err)
{
    static const uint64_t others = ARCHAI_TSS_OPS - 1;
    archai_tss_cell cell;
    archai_tss_op *op;
    uint64_t change;

    ARCHAI_TRY(cell_of(parent->arch, &cell, err));
    change = archai_rng_below(&base->rng, ARCHAI_TSS_EDGES * others);
    op = &cell.op[change / others];
    *op = other_op(*op, change % others);
    return to_model(self_of(base), &cell, NULL, child, err);
}

static int tss_crossover(archai_space *base, const archai_model *const *parents, size_t n,
                         archai_model *child, archai_err *err)
{
    archai_tss_cell from, cell;

    for (size_t k = 0; k < n; k++) /* checked before the generator moves */
        ARCHAI_TRY(cell_of(parents[k]->arch, &from, err));
    for (int i = 0; i < ARCHAI_TSS_EDGES; i++) {
        ARCHAI_TRY(cell_of(parents[archai_rng_below(&base->rng, n)]->arch, &from, err));
        cell.op[i] = from.op[i];
    }
    return to_model(self_of(base), &cell, NULL, child, err);
}

/* Four bits for each edge, as Archai's: avg_pool_3x3, nor_conv_1x1, nor_conv_3x3, skip_connect.
 */
static int tss_encode(archai_space *base, const archai_model *m, float *out, archai_err *err)
{
    static const archai_tss_op bits[] = {ARCHAI_TSS_POOL, ARCHAI_TSS_CONV1X1,
                                         ARCHAI_TSS_CONV3X3, ARCHAI_TSS_SKIP};
    const size_t n = sizeof bits / sizeof bits[0];
    archai_tss_cell cell;

    (void)base;
    ARCHAI_TRY(cell_of(m->arch, &cell, err));
    for (size_t i = 0; i < ARCHAI_TSS_EDGES; i++)
        for (size_t b = 0; b < n; b++)
            out[i * n + b] = cell.op[i] == bits[b] ? 1.0f : 0.0f;
    return ARCHAI_OK;
}

static char *tss_feature_name(const archai_space *base, size_t i)
{
    static const char *const ops[] = {"avg_pool_3x3", "nor_conv_1x1", "nor_conv_3x3", "skip_connect"};

    (void)base;
    return archai_printf("edge%zu=%s", i / 4, ops[i % 4]);
}

static const char *tss_encoding_kinds(const archai_space *base)
{
    (void)base;
    return "cccccccccccccccccccccccc";
}

static int tss_describe(archai_space *base, const archai_model *m, archai_network *out,
                        archai_err *err)
{
    archai_tss_cell cell;

    ARCHAI_TRY(cell_of(m->arch, &cell, err));
    archai_tss_describe(&cell, &self_of(base)->shape, out);
    return ARCHAI_OK;
}

static double tss_cardinality(const archai_space *base)
{
    (void)base;
    return ARCHAI_TSS_CELLS;
}

/* By the benchmark's number. */
static int tss_at(archai_space *base, uint64_t index, archai_model *out, archai_err *err)
{
    const struct tss *s = self_of(base);
    archai_tss_cell cell;

    if (index >= ARCHAI_TSS_CELLS)
        return archai_fail(err, ARCHAI_EINVAL, "no architecture number %llu",
                           (unsigned long long)index);
    cell = archai_tss_order_cell(s->order, (int)index);
    return to_model(s, &cell, NULL, out, err);
}

/* arch_str, and each edge's operation as edge_1_0 ... edge_3_2: a table may have either as
 * columns. */
static int tss_params(archai_space *base, const archai_model *m, json_t **out, archai_err *err)
{
    archai_tss_cell cell;

    (void)base;
    ARCHAI_TRY(cell_of(m->arch, &cell, err));
    *out = archai_there(json_copy(m->arch));
    for (int i = 0; i < ARCHAI_TSS_EDGES; i++) {
        char name[32];

        (void)snprintf(name, sizeof name, "edge_%d_%d", archai_tss_edges[i].to,
                       archai_tss_edges[i].from);
        archai_must_have(
            json_object_set_new(*out, name, json_string(archai_tss_ops[cell.op[i]])) == 0);
    }
    return ARCHAI_OK;
}

/* The cell alone: the network repeats it. */
static int tss_dot(archai_space *base, const archai_model *m, FILE *out, archai_err *err)
{
    archai_tss_cell cell;

    (void)base;
    ARCHAI_TRY(cell_of(m->arch, &cell, err));
    (void)fprintf(out, "digraph \"%s\" {\n    rankdir=LR;\n    node [shape=circle];\n",
                  m->archid);
    for (int i = 0; i < ARCHAI_TSS_EDGES; i++)
        (void)fprintf(out, "    n%d -> n%d [label=\"%s\"%s];\n", archai_tss_edges[i].from,
                      archai_tss_edges[i].to, archai_tss_ops[cell.op[i]],
                      cell.op[i] == ARCHAI_TSS_NONE ? ", style=dotted" : "");
    (void)fputs("}\n", out);
    return ferror(out) ? archai_fail(err, ARCHAI_EIO, "writing the drawing failed") : ARCHAI_OK;
}

const archai_space_ops archai_space_natsbench_tss = {
    .abi = ARCHAI_SPACE_ABI,
    .name = "natsbench_tss",
    .help = "the 15,625 cells of NAS-Bench-201 (NATS-Bench's topology search space)",
    .size = sizeof(struct tss),
    .options = options,
    .init = tss_init,
    .fini = tss_fini,
    .random_sample = tss_random_sample,
    .load_arch = tss_load_arch,
    .mutate = tss_mutate,
    .crossover = tss_crossover,
    .encode = tss_encode,
    .feature_name = tss_feature_name,
    .encoding_kinds = tss_encoding_kinds,
    .describe = tss_describe,
    .cardinality = tss_cardinality,
    .at = tss_at,
    .params = tss_params,
    .dot = tss_dot,
};
