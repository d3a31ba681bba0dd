/* Search space `segmentation_dag`: Archai's SegmentationDagSearchSpace.
 *
 * A graph of convolutions between a stem that halves the image and a head that restores its size
 * and classifies every pixel. Options have Archai's names, defaults and ranges. Differences from
 * Archai: images need not have three channels, image size and classes come from the data set
 * where they are known, and max_skip_connection_length = 1 works.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/python_text.h"
#include "core/base/sha1.h"
#include "core/space/segmentation_dag/segmentation_dag.h"
#include "core/base/yaml.h"

enum { MAX_LAYERS = 256, MAX_SIZE = 16384, MAX_CLASSES = 65536, MAX_SLOTS = 64 };

/* clang-format off */
#define FIELD(name) offsetof(archai_segdag, name)
static const archai_option options[] = {
    {"nb_classes",                 ARCHAI_OPT_INT,    FIELD(nb_classes),                 1, MAX_CLASSES, "auto", "classes", "auto=0", "classes of a pixel; auto: the data's"},
    {"img_size",                   ARCHAI_OPT_INTS,   FIELD(img_size),                   32, MAX_SIZE, "", "pixels", NULL, "width and height, multiples of 32; empty: the data's"},
    {"min_mac",                    ARCHAI_OPT_INT,    FIELD(min_mac),                    0, 0x1p63, "0", "MAdd", NULL, "fewest multiplications and additions of a model"},
    {"max_mac",                    ARCHAI_OPT_INT,    FIELD(max_mac),                    0, 0x1p63, "9223372036854775807", "MAdd", NULL, "most multiplications and additions of a model"},
    {"min_layers",                 ARCHAI_OPT_INT,    FIELD(min_layers),                 1, MAX_LAYERS, "1", "nodes", NULL, "smallest number of nodes after the input"},
    {"max_layers",                 ARCHAI_OPT_INT,    FIELD(max_layers),                 1, MAX_LAYERS, "12", "nodes", NULL, "largest number of nodes after the input"},
    {"max_downsample_factor",      ARCHAI_OPT_CHOICE, FIELD(max_downsample_factor),      0, 0, "16", "", "2 4 8 16", "largest scale"},
    {"skip_connections",           ARCHAI_OPT_BOOL,   FIELD(skip_connections),           0, 0, "yes", "", NULL, "whether a sampled node may have inputs from before the previous one"},
    {"max_skip_connection_length", ARCHAI_OPT_INT,    FIELD(max_skip_connection_length), 1, MAX_LAYERS, "3", "nodes", NULL, "how far back"},
    {"max_scale_delta",            ARCHAI_OPT_INT,    FIELD(max_scale_delta),            1, 3, "1", "steps", NULL, "most steps of scale between a node and the previous one"},
    {"max_post_upsample_layers",   ARCHAI_OPT_INT,    FIELD(max_post_upsample_layers),   1, 4, "3", "layers", NULL, "most convolutions at full resolution"},
    {"min_base_channels",          ARCHAI_OPT_INT,    FIELD(min_base_channels),          1, ARCHAI_DAG_MAX_WIDTH, "8", "channels", NULL, "smallest width at scale 1"},
    {"max_base_channels",          ARCHAI_OPT_INT,    FIELD(max_base_channels),          1, ARCHAI_DAG_MAX_WIDTH, "48", "channels", NULL, "largest width at scale 1"},
    {"base_channels_binwidth",     ARCHAI_OPT_INT,    FIELD(base_channels_binwidth),     1, ARCHAI_DAG_MAX_WIDTH, "8", "channels", NULL, "step between widths at scale 1"},
    {"min_delta_channels",         ARCHAI_OPT_INT,    FIELD(min_delta_channels),         1, ARCHAI_DAG_MAX_WIDTH, "8", "channels", NULL, "smallest growth of the width from scale to scale"},
    {"max_delta_channels",         ARCHAI_OPT_INT,    FIELD(max_delta_channels),         1, ARCHAI_DAG_MAX_WIDTH, "48", "channels", NULL, "largest growth of the width from scale to scale"},
    {"delta_channels_binwidth",    ARCHAI_OPT_INT,    FIELD(delta_channels_binwidth),    1, ARCHAI_DAG_MAX_WIDTH, "8", "channels", NULL, "step between growths"},
    {"downsample_prob_ratio",      ARCHAI_OPT_DOUBLE, FIELD(downsample_prob_ratio),      1e-9, 1e9, "1.5", "", NULL, "weight of keeping or lowering the resolution relative to raising it"},
    {"op_subset",                  ARCHAI_OPT_STRING, FIELD(op_subset),                  0, 0, "", "", NULL, "operations to choose from, separated by commas; empty: all"},
    {"mult_delta",                 ARCHAI_OPT_BOOL,   FIELD(mult_delta),                 0, 0, "no", "", NULL, "delta_channels multiplies the width instead of being added to it"},
    ARCHAI_OPTION_END,
};
#undef FIELD
/* clang-format on */

static archai_segdag *self_of(archai_space *s)
{
    return (archai_segdag *)s;
}

/* -- set-up ---------------------------------------------------------------------------- */

static int take_classes(archai_segdag *s, archai_err *err)
{
    int known = s->base.data.num_classes;

    if (s->nb_classes == 0 && known == 0)
        return archai_fail(err, ARCHAI_EINVAL,
                           "nb_classes: missing, and there is no data set to take it from");
    if (s->nb_classes != 0 && known != 0 && s->nb_classes != known)
        return archai_fail(err, ARCHAI_EINVAL, "nb_classes: %lld, but the data set has %d classes",
                           (long long)s->nb_classes, known);
    s->shape.classes = known != 0 ? known : (int)s->nb_classes;
    return ARCHAI_OK;
}

static int take_size(archai_segdag *s, archai_err *err)
{
    const archai_data_shape *data = &s->base.data;

    s->shape.channels = data->channels > 0 ? data->channels : 3;
    s->shape.width = data->width;
    s->shape.height = data->height;
    if (s->img_size.n != 0 && s->img_size.n != 2)
        return archai_fail(err, ARCHAI_EINVAL, "img_size: %zu numbers, expected width and height",
                           s->img_size.n);
    if (s->img_size.n == 2) {
        s->shape.width = (int)s->img_size.at[0];
        s->shape.height = (int)s->img_size.at[1];
    }
    if (s->shape.width <= 0 || s->shape.height <= 0)
        return archai_fail(err, ARCHAI_EINVAL,
                           "img_size: missing, and there is no data set to take it from");
    if (data->width > 0 && (s->shape.width != data->width || s->shape.height != data->height))
        return archai_fail(err, ARCHAI_EINVAL,
                           "img_size: %d %d, but the data set's images are %d x %d", s->shape.width,
                           s->shape.height, data->width, data->height);
    if (s->shape.width % 32 != 0 || s->shape.height % 32 != 0 || s->shape.width > MAX_SIZE ||
        s->shape.height > MAX_SIZE)
        return archai_fail(err, ARCHAI_EINVAL,
                           "img_size: %d x %d, expected multiples of 32 up to %d", s->shape.width,
                           s->shape.height, MAX_SIZE);
    return ARCHAI_OK;
}

/* Python's range(min, max + 1, step). */
static void fill_list(archai_ints *list, int64_t min, int64_t max, int64_t step)
{
    size_t n = max >= min ? (size_t)((max - min) / step) + 1 : 0;

    list->at = archai_calloc(n, sizeof *list->at);
    for (list->n = 0; list->n < n; list->n++)
        list->at[list->n] = min + (int64_t)list->n * step;
}

static int take_channels(archai_segdag *s, archai_err *err)
{
    fill_list(&s->base_list, s->min_base_channels, s->max_base_channels, s->base_channels_binwidth);
    fill_list(&s->delta_list, s->min_delta_channels, s->max_delta_channels,
              s->delta_channels_binwidth);
    if (s->base_list.n < 2)
        return archai_fail(err, ARCHAI_EINVAL,
                           "max_base_channels: %zu widths from %lld to %lld in steps of %lld, "
                           "expected at least 2",
                           s->base_list.n, (long long)s->min_base_channels,
                           (long long)s->max_base_channels, (long long)s->base_channels_binwidth);
    if (s->delta_list.n < 1)
        return archai_fail(err, ARCHAI_EINVAL,
                           "max_delta_channels: %lld is less than min_delta_channels %lld",
                           (long long)s->max_delta_channels, (long long)s->min_delta_channels);
    return ARCHAI_OK;
}

/* In the order of archai_dag_ops, whatever that of op_subset. */
static int take_ops(archai_segdag *s, archai_err *err)
{
    bool chosen[ARCHAI_DAG_OPS] = {false};

    for (const char *p = s->op_subset; *p != '\0'; p += *p == ',') {
        const size_t length = strcspn(p, ",");
        char word[64];
        int i = 0;

        (void)snprintf(word, sizeof word, "%.*s", (int)length, p);
        while (i < ARCHAI_DAG_OPS && strcmp(archai_dag_ops[i], word) != 0)
            i++;
        if (i == ARCHAI_DAG_OPS)
            return archai_fail(err, ARCHAI_EINVAL,
                               "op_subset: unknown operation '%s', expected names separated by "
                               "commas, without blanks%s",
                               word, archai_suggest(word, archai_dag_ops, ARCHAI_DAG_OPS).text);
        chosen[i] = true;
        p += length;
    }
    for (int i = 0; i < ARCHAI_DAG_OPS; i++)
        if (s->op_subset[0] == '\0' || chosen[i])
            s->ops[s->n_ops++] = i;
    return ARCHAI_OK;
}

static void segdag_fini(archai_space *base)
{
    archai_segdag *s = self_of(base);

    free(s->base_list.at);
    free(s->delta_list.at);
    free(s->kinds);
}

static int prepare(archai_segdag *s, archai_err *err)
{
    if (s->max_layers < s->min_layers)
        return archai_fail(err, ARCHAI_EINVAL, "max_layers: %lld is less than min_layers %lld",
                           (long long)s->max_layers, (long long)s->min_layers);
    if (s->max_mac < s->min_mac)
        return archai_fail(err, ARCHAI_EINVAL, "max_mac: %lld is less than min_mac %lld",
                           (long long)s->max_mac, (long long)s->min_mac);
    ARCHAI_TRY(take_classes(s, err));
    ARCHAI_TRY(take_size(s, err));
    ARCHAI_TRY(take_channels(s, err));
    ARCHAI_TRY(take_ops(s, err));
    s->n_scales = s->max_downsample_factor + 2; /* its choices are the scales from the second on */
    s->slots = (size_t)(s->max_layers < MAX_SLOTS ? s->max_layers + 1 : MAX_SLOTS);
    s->base.encoding_size = archai_segdag_encoding_size(s);
    s->kinds = archai_malloc(s->base.encoding_size + 1);
    archai_segdag_encoding_kinds(s, s->kinds);
    return ARCHAI_OK;
}

static int segdag_init(archai_space *base, archai_err *err)
{
    int rc = prepare(self_of(base), err);

    if (rc != ARCHAI_OK)
        segdag_fini(base);
    return rc;
}

/* -- genome and model -------------------------------------------------------------------- */

/* sha1 of the JSON with sorted keys, and the image size. */
static int name_arch(const archai_segdag *s, const json_t *arch, char *out, size_t size,
                     archai_err *err)
{
    char hash[ARCHAI_SHA1_HEX], *text = archai_python_json(arch, true);
    int rc = archai_sha1_hex(text, strlen(text), hash, err);

    free(text);
    if (rc == ARCHAI_OK)
        (void)snprintf(out, size, "%s_%d_%d", hash, s->shape.width, s->shape.height);
    return rc;
}

/* Takes over the reference `metadata`, also on failure. */
static int to_model(const archai_segdag *s, const archai_dag *d, json_t *metadata,
                    archai_model *out, archai_err *err)
{
    char archid[96];
    json_t *arch = archai_dag_to_json(d);
    int rc = name_arch(s, arch, archid, sizeof archid, err);

    if (rc == ARCHAI_OK)
        return archai_model_init(out, arch, archid, archai_there(metadata), err);
    json_decref(arch);
    json_decref(metadata);
    return rc;
}

static int segdag_random_sample(archai_space *base, archai_model *out, archai_err *err)
{
    archai_segdag *s = self_of(base);
    archai_dag d = {.n = 0};
    int rc;

    ARCHAI_TRY(archai_segdag_sample(s, &d, err));
    rc = to_model(
        s, &d,
        json_pack("{s:n, s:I}", "parent", "macs", (json_int_t)archai_dag_madd(&d, &s->shape)), out,
        err);
    archai_dag_fini(&d);
    return rc;
}

static int segdag_load_arch(archai_space *base, const json_t *arch, archai_model *out,
                            archai_err *err)
{
    archai_dag d = {.n = 0};
    int rc;

    ARCHAI_TRY(archai_dag_from_json(&d, arch, err));
    rc = to_model(self_of(base), &d, json_pack("{s:n}", "parent"), out, err);
    archai_dag_fini(&d);
    return rc;
}

static int segdag_save_arch(archai_space *base, const archai_model *m, char **out, archai_err *err)
{
    (void)base;
    (void)err;
    *out = archai_yaml_text(m->arch);
    return ARCHAI_OK;
}

static int segdag_mutate(archai_space *base, const archai_model *parent, archai_model *child,
                         archai_err *err)
{
    archai_segdag *s = self_of(base);
    archai_dag from = {.n = 0}, d = {.n = 0};
    int rc;

    ARCHAI_TRY(archai_dag_from_json(&from, parent->arch, err));
    rc = archai_segdag_mutate(s, &from, &d, err);
    if (rc == ARCHAI_OK)
        rc = to_model(s, &d, json_pack("{s:s}", "parent", parent->archid), child, err);
    archai_dag_fini(&from);
    archai_dag_fini(&d);
    return rc;
}

/* Two of the parents, drawn at random, become left and right. */
static int segdag_crossover(archai_space *base, const archai_model *const *parents, size_t n,
                            archai_model *child, archai_err *err)
{
    archai_segdag *s = self_of(base);
    archai_dag left = {.n = 0}, right = {.n = 0}, d = {.n = 0};
    size_t pair[2];
    int rc;

    if (n < 2)
        return archai_fail(err, ARCHAI_ENONE, "no child: a crossover needs two parents");
    ARCHAI_TRY(archai_rng_sample(&s->base.rng, n, 2, pair, err));
    ARCHAI_TRY(archai_dag_from_json(&left, parents[pair[0]]->arch, err));
    rc = archai_dag_from_json(&right, parents[pair[1]]->arch, err);
    if (rc == ARCHAI_OK)
        rc = archai_segdag_crossover(s, &left, &right, &d, err);
    if (rc == ARCHAI_OK)
        rc = to_model(
            s, &d,
            json_pack("{s:o}", "parents",
                      json_sprintf("%s,%s", parents[pair[0]]->archid, parents[pair[1]]->archid)),
            child, err);
    archai_dag_fini(&left);
    archai_dag_fini(&right);
    archai_dag_fini(&d);
    return rc;
}

static int segdag_encode(archai_space *base, const archai_model *m, float *out, archai_err *err)
{
    archai_dag d = {.n = 0};

    ARCHAI_TRY(archai_dag_from_json(&d, m->arch, err));
    archai_segdag_encode(self_of(base), &d, out);
    archai_dag_fini(&d);
    return ARCHAI_OK;
}

static const char *segdag_encoding_kinds(const archai_space *base)
{
    return ((const archai_segdag *)base)->kinds;
}

static int segdag_describe(archai_space *base, const archai_model *m, archai_network *out,
                           archai_err *err)
{
    archai_dag d = {.n = 0};

    ARCHAI_TRY(archai_dag_from_json(&d, m->arch, err));
    archai_dag_describe(&d, &self_of(base)->shape, out);
    archai_dag_fini(&d);
    return ARCHAI_OK;
}

static int segdag_dot(archai_space *base, const archai_model *m, FILE *out, archai_err *err)
{
    archai_dag d = {.n = 0};

    ARCHAI_TRY(archai_dag_from_json(&d, m->arch, err));
    archai_dag_dot(&d, &self_of(base)->shape, m->archid, out);
    archai_dag_fini(&d);
    return ferror(out) ? archai_fail(err, ARCHAI_EIO, "writing the drawing failed") : ARCHAI_OK;
}

const archai_space_ops archai_space_segmentation_dag = {
    .abi = ARCHAI_SPACE_ABI,
    .name = "segmentation_dag",
    .help = "a graph of convolutions at several scales that classifies every pixel",
    .size = sizeof(archai_segdag),
    .options = options,
    .init = segdag_init,
    .fini = segdag_fini,
    .random_sample = segdag_random_sample,
    .load_arch = segdag_load_arch,
    .save_arch = segdag_save_arch,
    .mutate = segdag_mutate,
    .crossover = segdag_crossover,
    .encode = segdag_encode,
    .encoding_kinds = segdag_encoding_kinds,
    .describe = segdag_describe,
    .dot = segdag_dot,
};
