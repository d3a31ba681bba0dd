/* Sampling, mutation and crossover of the segmentation space.
 *
 * Every draw is that of Archai's SegmentationDagSearchSpace, in the same order, so a seed gives the
 * same architectures. Where Archai runs a model to see whether it works, a graph is checked in
 * closed form (dag.h); those runs draw nothing from the space's generator. Two differences:
 * max_skip_connection_length = 1 means no skip connections (Archai crashes), and bounds on the
 * MAdd that no graph meets end with ARCHAI_ENONE (Archai loops for ever).
 */
#include <stdlib.h>

#include "core/space/segmentation_dag/segmentation_dag.h"

enum {
    SAMPLE_TRIES = 1000000, /* this many take some seconds */
    TRIES_PER_BREATH = 100,
    MUTATE_TRIES = 5,
    CROSSOVER_TRIES = 30
};

static int64_t choice(archai_rng *r, const archai_ints *list)
{
    return list->at[archai_rng_below(r, list->n)];
}

static int random_op(archai_segdag *s)
{
    return s->ops[archai_rng_below(&s->base.rng, s->n_ops)];
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static bool is_model(const archai_segdag *s, const archai_dag *d)
{
    return archai_dag_check(d, NULL) == ARCHAI_OK && archai_dag_trainable(d, &s->shape);
}

static bool is_valid(const archai_segdag *s, const archai_dag *d)
{
    int64_t madd;

    if (!is_model(s, d))
        return false;
    madd = archai_dag_madd(d, &s->shape);
    return madd >= s->min_mac && madd <= s->max_mac;
}

/* -- sampling ---------------------------------------------------------------------------- */

/* A step from the previous node's scale: going up weighs 1, staying or going down
 * downsample_prob_ratio. */
static int draw_scale(archai_segdag *s, int scale)
{
    double weights[2 * ARCHAI_DAG_SCALES];
    int low = -(int)smaller(s->max_scale_delta, scale);
    int high = (int)smaller(s->max_scale_delta, s->n_scales - 1 - scale);
    size_t n = 0;

    for (int step = low; step <= high; step++)
        weights[n++] = step < 0 ? 1.0 : s->downsample_prob_ratio;
    return scale + low + (int)archai_rng_choices(&s->base.rng, weights, n);
}

/* The previous node and, with even chance, each of up to max_skip_connection_length - 1 nodes
 * before it. Archai draws how far back to look even where skips are off. */
static void draw_inputs(archai_segdag *s, archai_dag_node *node, size_t before)
{
    int64_t far = smaller((int64_t)before, s->max_skip_connection_length);

    archai_dag_add_input(node, (int)before - 1);
    if (far < 2)
        return;
    far = archai_rng_randint(&s->base.rng, 2, far);
    for (int64_t i = 2; i <= far; i++)
        if (s->skip_connections && archai_rng_random(&s->base.rng) < 0.5)
            archai_dag_add_input(node, (int)((int64_t)before - i));
}

static void draw_node(archai_segdag *s, archai_dag *d, int64_t layer, bool last)
{
    int op = last ? -1 : random_op(s), scale = draw_scale(s, d->nodes[d->n - 1].scale);
    size_t before = d->n;
    char name[ARCHAI_DAG_NAME];

    (void)snprintf(name, sizeof name, "layer_%lld", (long long)layer);
    draw_inputs(s, archai_dag_append(d, last ? "output" : name, op, scale), before);
}

static void draw_graph(archai_segdag *s, archai_dag *d)
{
    archai_rng *r = &s->base.rng;
    int64_t layers = archai_rng_randint(r, s->min_layers, s->max_layers);

    d->base_channels = choice(r, &s->base_list);
    d->delta_channels = choice(r, &s->delta_list);
    d->mult_delta = s->mult_delta;
    d->post_upsample_layers =
        1 + (int64_t)archai_rng_below(r, (uint64_t)s->max_post_upsample_layers);
    (void)archai_dag_append(d, "input", random_op(s), 0);
    for (int64_t i = 0; i < layers; i++)
        draw_node(s, d, i, i + 1 == layers);
}

int archai_segdag_sample(archai_segdag *s, archai_dag *out, archai_err *err)
{
    for (int i = 0; i < SAMPLE_TRIES; i++) {
        archai_dag d = {.n = 0};

        if (i % TRIES_PER_BREATH == 0)
            ARCHAI_TRY(archai_space_breathe(&s->base, err));
        draw_graph(s, &d);
        if (is_valid(s, &d)) {
            *out = d;
            return ARCHAI_OK;
        }
        archai_dag_fini(&d);
    }
    return archai_fail(
        err, ARCHAI_ENONE,
        "space 'segmentation_dag': none of %d samples is a trainable model with a MAdd "
        "from min_mac = %lld to max_mac = %lld",
        SAMPLE_TRIES, (long long)s->min_mac, (long long)s->max_mac);
}

/* -- mutation ---------------------------------------------------------------------------- */

/* The list's value nearest to `value`, or one of its neighbours. Something is drawn even from a
 * list of one. */
static int64_t neighbour(archai_rng *r, const archai_ints *list, int64_t value)
{
    int64_t i = 0;

    for (size_t k = 1; k < list->n; k++)
        if (llabs(list->at[k] - value) < llabs(list->at[i] - value))
            i = (int64_t)k;
    i += archai_rng_randint(r, i > 0 ? -1 : 0, i + 1 < (int64_t)list->n ? 1 : 0);
    return list->at[i];
}

/* Give a node up to three earlier nodes as inputs, keeping those that nothing else uses. */
static void rewire(archai_segdag *s, const archai_dag *parent, size_t index, archai_dag_node *node)
{
    const archai_dag_node *old = &parent->nodes[index];
    size_t chosen[3], k = (size_t)smaller((int64_t)index, archai_rng_randint(&s->base.rng, 1, 3));
    int out_degree[ARCHAI_DAG_MAX_NODES];

    (void)archai_rng_sample(&s->base.rng, index, k, chosen, NULL); /* k <= index */
    archai_dag_out_degrees(parent, out_degree);
    node->n_inputs = 0;
    for (size_t i = 0; i < old->n_inputs; i++)
        if (out_degree[old->inputs[i]] <= 1)
            archai_dag_add_input(node, old->inputs[i]);
    for (size_t i = 0; i < k; i++)
        if (!archai_dag_has_input(node, (int)chosen[i]))
            archai_dag_add_input(node, (int)chosen[i]);
}

static void mutate_once(archai_segdag *s, const archai_dag *parent, archai_dag *d)
{
    int64_t posts[] = {1, 2, 3, 4};
    const archai_ints post_list = {posts, (size_t)s->max_post_upsample_layers};
    archai_rng *r = &s->base.rng;
    size_t index;

    archai_dag_copy(d, parent);
    d->base_channels = neighbour(r, &s->base_list, parent->base_channels);
    d->delta_channels = neighbour(r, &s->delta_list, parent->delta_channels);
    d->mult_delta = s->mult_delta;
    d->post_upsample_layers = neighbour(r, &post_list, parent->post_upsample_layers);
    index = (size_t)archai_rng_randint(r, 1, (int64_t)d->n - 1);
    if (index + 1 < d->n)
        d->nodes[index].op = random_op(s);
    rewire(s, parent, index, &d->nodes[index]);
}

int archai_segdag_mutate(archai_segdag *s, const archai_dag *parent, archai_dag *out,
                         archai_err *err)
{
    for (int i = 0; i < MUTATE_TRIES; i++) {
        archai_dag d;

        mutate_once(s, parent, &d);
        if (is_valid(s, &d)) {
            *out = d;
            return ARCHAI_OK;
        }
        archai_dag_fini(&d);
    }
    return archai_fail(err, ARCHAI_ENONE, "no valid mutant in %d tries", MUTATE_TRIES);
}

/* -- crossover --------------------------------------------------------------------------- */

/* A random node of this scale from `first` up to `end`; -1: there is none, and nothing is drawn. */
static int draw_of_scale(archai_rng *r, const archai_dag *d, size_t first, size_t end, int scale)
{
    int found[ARCHAI_DAG_MAX_NODES];
    size_t n = 0;

    for (size_t i = first; i < end; i++)
        if (d->nodes[i].scale == scale)
            found[n++] = (int)i;
    return n > 0 ? found[archai_rng_below(r, n)] : -1;
}

/* The part of `left` up to pivot `p`. */
static void take_left(const archai_dag *left, size_t p, archai_dag *d)
{
    for (size_t i = 0; i <= p; i++) {
        const archai_dag_node *old = &left->nodes[i];
        archai_dag_node *node = archai_dag_append(d, old->name, old->op, old->scale);

        for (size_t k = 0; k < old->n_inputs; k++)
            archai_dag_add_input(node, old->inputs[k]);
    }
}

/* The inputs of node `i` of `right` in the child, whose nodes from p + 1 on are right's from q
 * on. An input from before q becomes a left node of its scale, or is dropped where there is none.
 */
static void connect(archai_rng *r, const archai_dag *right, size_t p, size_t q, size_t i,
                    archai_dag *d)
{
    const archai_dag_node *old = &right->nodes[i];
    archai_dag_node *node = &d->nodes[p + 1 + i - q];

    for (size_t k = 0; k < old->n_inputs; k++) {
        int input = old->inputs[k];

        if (input >= (int)q)
            input += (int)(p + 1) - (int)q;
        else
            input = draw_of_scale(r, d, 0, p + 1, right->nodes[input].scale);
        if (input >= 0)
            archai_dag_add_input(node, input);
    }
}

/* Nodes are renumbered by their place: input, layer_1, layer_2, ..., output. */
static void number_nodes(archai_dag *d)
{
    for (size_t i = 1; i + 1 < d->n; i++)
        (void)snprintf(d->nodes[i].name, ARCHAI_DAG_NAME, "layer_%zu", i);
}

/* left[0..p] + right[q..]; inputs are drawn from the last node to the first. */
static void join(archai_segdag *s, const archai_dag *left, const archai_dag *right, size_t p,
                 size_t q, archai_dag *d)
{
    archai_rng *r = &s->base.rng;
    const archai_dag *channels;

    take_left(left, p, d);
    for (size_t i = q; i < right->n; i++)
        (void)archai_dag_append(d, right->nodes[i].name, right->nodes[i].op, right->nodes[i].scale);
    for (size_t i = right->n; i > q; i--)
        connect(r, right, p, q, i - 1, d);
    if (!archai_dag_has_input(&d->nodes[p + 1], (int)p))
        archai_dag_add_input(&d->nodes[p + 1], (int)p);
    number_nodes(d);
    channels = archai_rng_below(r, 2) == 0 ? left : right;
    d->base_channels = channels->base_channels;
    d->delta_channels = channels->delta_channels;
    d->mult_delta = channels->mult_delta;
    d->post_upsample_layers = (archai_rng_below(r, 2) == 0 ? left : right)->post_upsample_layers;
}

int archai_segdag_crossover(archai_segdag *s, const archai_dag *left, const archai_dag *right,
                            archai_dag *out, archai_err *err)
{
    if (left->n <= 2 || right->n <= 2)
        return archai_fail(err, ARCHAI_ENONE,
                           "no child: a parent has no node between input and output");
    for (int i = 0; i < CROSSOVER_TRIES; i++) {
        archai_rng *r = &s->base.rng;
        archai_dag d = {.n = 0};
        size_t p = (size_t)archai_rng_randint(r, 1, (int64_t)left->n - 2);
        int q = draw_of_scale(r, right, 1, right->n - 1, left->nodes[p].scale);

        if (q < 0)
            continue;
        join(s, left, right, p, (size_t)q, &d);
        if (is_model(s, &d)) {
            *out = d;
            return ARCHAI_OK;
        }
        archai_dag_fini(&d);
    }
    return archai_fail(err, ARCHAI_ENONE, "no valid child in %d tries", CROSSOVER_TRIES);
}
