/* Shapes and counts of a description.
 *
 * The rules per layer are those of the profilers that Archai uses, observed on its own models:
 * FLOPs as its TorchFlops counts them, MAdd as tensorwatch does.
 */
#include "core/network/network.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

typedef struct shape {
    int64_t c, h, w;
    bool flat, written;
} shape;

typedef struct counter {
    archai_counts *counts;
    archai_err *err;
    const archai_module *module; /* at work, for messages */
    bool overflow;
} counter;

static int64_t mul(counter *c, int64_t a, int64_t b)
{
    int64_t r = 0;

    if (__builtin_mul_overflow(a, b, &r))
        c->overflow = true;
    return r;
}

static int64_t add(counter *c, int64_t a, int64_t b)
{
    int64_t r = 0;

    if (__builtin_add_overflow(a, b, &r))
        c->overflow = true;
    return r;
}

static int64_t volume(counter *c, const shape *s)
{
    return mul(c, s->c, mul(c, s->h, s->w));
}

static void charge(counter *c, int64_t macs, int64_t flops, int64_t madd)
{
    c->counts->macs = add(c, c->counts->macs, macs);
    c->counts->flops = add(c, c->counts->flops, flops);
    c->counts->madd = add(c, c->counts->madd, madd);
}

/* -- parameters ------------------------------------------------------------------------ */

int64_t archai_module_params(const archai_module *m)
{
    int64_t n = 0;

    switch (m->kind) {
    case ARCHAI_MODULE_CONV2D:
        n = (int64_t)m->u.conv.out_channels *
            ((int64_t)m->u.conv.in_channels / m->u.conv.groups * m->u.conv.kernel[0] *
                 m->u.conv.kernel[1] +
             (m->u.conv.bias ? 1 : 0));
        break;
    case ARCHAI_MODULE_BATCH_NORM2D:
        n = 2 * (int64_t)m->u.norm.num_features;
        break;
    case ARCHAI_MODULE_LINEAR:
        n = (int64_t)m->u.linear.out_features *
            (m->u.linear.in_features + (m->u.linear.bias ? 1 : 0));
        break;
    default:
        break;
    }
    for (size_t i = 0; i < m->n_children; i++)
        n += archai_module_params(m->children[i]);
    return n;
}

/* -- one layer ------------------------------------------------------------------------- */

static int misfit(const counter *c, const shape *in, const char *expected, int64_t value)
{
    return archai_fail(c->err, ARCHAI_EINVAL,
                       "module '%s': its input is %lld x %lld x %lld, expected %s %lld",
                       c->module->name, (long long)in->c, (long long)in->h, (long long)in->w,
                       expected, (long long)value);
}

/* Output size of a window that slides over `in` pixels; below 1 it does not fit. */
static int64_t slide(int64_t in, int kernel, int stride, int padding)
{
    int64_t room = in + 2 * (int64_t)padding - kernel;

    return room < 0 ? 0 : room / stride + 1;
}

static int conv(counter *c, const archai_module *m, const shape *in, shape *out)
{
    const bool bias = m->u.conv.bias;
    int64_t taps, n, macs;

    if (in->flat || in->c != m->u.conv.in_channels)
        return misfit(c, in, "channels:", m->u.conv.in_channels);
    out->c = m->u.conv.out_channels;
    out->h = slide(in->h, m->u.conv.kernel[0], m->u.conv.stride[0], m->u.conv.padding[0]);
    out->w = slide(in->w, m->u.conv.kernel[1], m->u.conv.stride[1], m->u.conv.padding[1]);
    if (out->h < 1 || out->w < 1)
        return misfit(c, in, "at least the kernel's size:", m->u.conv.kernel[0]);
    taps = (int64_t)m->u.conv.kernel[0] * m->u.conv.kernel[1] *
           (m->u.conv.in_channels / m->u.conv.groups);
    n = volume(c, out);
    macs = mul(c, taps, n);
    charge(c, macs, add(c, mul(c, 2, macs), bias ? n : 0),
           mul(c, 2 * taps - (bias ? 0 : 1), n));
    return ARCHAI_OK;
}

static int norm(counter *c, const archai_module *m, const shape *in, shape *out)
{
    if (in->flat || in->c != m->u.norm.num_features)
        return misfit(c, in, "channels:", m->u.norm.num_features);
    *out = *in;
    charge(c, 0, mul(c, 2, volume(c, in)), mul(c, 4, volume(c, in)));
    return ARCHAI_OK;
}

static int max_pool(counter *c, const archai_module *m, const shape *in, shape *out)
{
    const int64_t taps = (int64_t)m->u.pool.kernel * m->u.pool.kernel;

    out->c = in->c;
    out->h = slide(in->h, m->u.pool.kernel, m->u.pool.stride, m->u.pool.padding);
    out->w = slide(in->w, m->u.pool.kernel, m->u.pool.stride, m->u.pool.padding);
    if (in->flat || out->h < 1 || out->w < 1)
        return misfit(c, in, "at least the kernel's size:", m->u.pool.kernel);
    charge(c, 0, volume(c, in), mul(c, taps - 1, volume(c, out)));
    return ARCHAI_OK;
}

static int adaptive_pool(counter *c, const archai_module *m, const shape *in, shape *out)
{
    if (in->flat)
        return misfit(c, in, "an image, not a flat vector of", in->c);
    out->c = in->c;
    out->h = m->u.adaptive.output[0];
    out->w = m->u.adaptive.output[1];
    charge(c, 0, volume(c, in), 0);
    return ARCHAI_OK;
}

/* With a fixed size the profiler counts the pixels once for all channels, with a factor every
 * element of the input. */
static int upsample(counter *c, const archai_module *m, const shape *in, shape *out)
{
    const int factor = m->u.up.factor;

    if (in->flat)
        return misfit(c, in, "an image, not a flat vector of", in->c);
    out->c = in->c;
    out->h = factor != 0 ? mul(c, in->h, factor) : m->u.up.size[0];
    out->w = factor != 0 ? mul(c, in->w, factor) : m->u.up.size[1];
    charge(c, 0, factor != 0 ? volume(c, in) : mul(c, out->h, out->w), 0);
    return ARCHAI_OK;
}

static int linear(counter *c, const archai_module *m, const shape *in, shape *out)
{
    const int64_t n = m->u.linear.in_features, to = m->u.linear.out_features;
    const int64_t macs = mul(c, n, to);

    if (!in->flat || in->c != n)
        return misfit(c, in, "a flat vector of", n);
    *out = (shape){.c = to, .h = 1, .w = 1, .flat = true};
    charge(c, macs, mul(c, 2, macs), mul(c, to, 2 * n - 1));
    return ARCHAI_OK;
}

static int layer(counter *c, const archai_module *m, const shape *in, shape *out)
{
    c->module = m;
    switch (m->kind) {
    case ARCHAI_MODULE_CONV2D:
        return conv(c, m, in, out);
    case ARCHAI_MODULE_BATCH_NORM2D:
        return norm(c, m, in, out);
    case ARCHAI_MODULE_RELU:
        *out = *in;
        charge(c, 0, volume(c, in), volume(c, in));
        return ARCHAI_OK;
    case ARCHAI_MODULE_ADAPTIVE_AVG_POOL2D:
        return adaptive_pool(c, m, in, out);
    case ARCHAI_MODULE_MAX_POOL2D:
        return max_pool(c, m, in, out);
    case ARCHAI_MODULE_UPSAMPLE:
        return upsample(c, m, in, out);
    case ARCHAI_MODULE_LINEAR:
        return linear(c, m, in, out);
    default:
        return archai_fail(c->err, ARCHAI_EINTERNAL, "module '%s' cannot be called", m->name);
    }
}

/* -- the data flow --------------------------------------------------------------------- */

static int step(counter *c, const archai_step *s, shape *values, int n_values)
{
    const bool pair = s->op == ARCHAI_STEP_ADD;
    const shape *a, *b;
    shape out = {.c = 0};

    if (s->a < 0 || s->a >= n_values || s->out < 0 || s->out >= n_values ||
        (pair && (s->b < 0 || s->b >= n_values)) ||
        (s->op == ARCHAI_STEP_CALL && s->module == NULL))
        return archai_fail(c->err, ARCHAI_EINTERNAL, "a step names no register or module");
    a = &values[s->a];
    b = &values[pair ? s->b : s->a];
    if (!a->written || !b->written)
        return archai_fail(c->err, ARCHAI_EINTERNAL,
                           "a step reads a register before it is written");
    if (s->op == ARCHAI_STEP_CALL) {
        ARCHAI_TRY(layer(c, s->module, a, &out));
    } else if (pair) {
        if (a->c != b->c || a->h != b->h || a->w != b->w || a->flat != b->flat)
            return archai_fail(c->err, ARCHAI_EINVAL,
                               "a sum of %lld x %lld x %lld and %lld x %lld x %lld",
                               (long long)a->c, (long long)a->h, (long long)a->w,
                               (long long)b->c, (long long)b->h, (long long)b->w);
        out = *a;
    } else {
        out = (shape){.c = volume(c, a), .h = 1, .w = 1, .flat = true};
    }
    out.written = true;
    values[s->out] = out;
    return ARCHAI_OK;
}

static int take_output(archai_counts *counts, const shape *last, bool overflow, archai_err *err)
{
    if (overflow || last->c > INT32_MAX || last->h > INT32_MAX || last->w > INT32_MAX)
        return archai_fail(err, ARCHAI_EINVAL, "the model is too large to be counted");
    counts->output[0] = (int)last->c;
    counts->output[1] = (int)last->h;
    counts->output[2] = (int)last->w;
    counts->flat = last->flat;
    return ARCHAI_OK;
}

static void leave_unsized(archai_counts *counts)
{
    counts->macs = counts->flops = counts->madd = -1;
    counts->output[0] = counts->output[1] = counts->output[2] = -1;
}

static int walk(counter *c, const archai_network *net)
{
    shape *values;
    int rc = ARCHAI_OK;

    if (net->n_values < 1 || net->n_steps < 1)
        return archai_fail(c->err, ARCHAI_EINTERNAL, "a network without steps");
    values = archai_calloc((size_t)net->n_values, sizeof *values);
    values[0] =
        (shape){.c = net->input[0], .h = net->input[1], .w = net->input[2], .written = true};
    for (size_t i = 0; i < net->n_steps; i++)
        ARCHAI_TRY_GOTO(rc, step(c, &net->steps[i], values, net->n_values), out);
    rc = take_output(c->counts, &values[net->steps[net->n_steps - 1].out], c->overflow, c->err);
out:
    free(values);
    return rc;
}

int archai_network_count(const archai_network *net, archai_counts *out, archai_err *err)
{
    archai_counts made = {.params = archai_module_params(net->root)};
    counter c = {.counts = &made, .err = err};

    if (net->input[1] > 0 && net->input[2] > 0) {
        ARCHAI_TRY(walk(&c, net));
    } else {
        leave_unsized(&made);
    }
    *out = made;
    return ARCHAI_OK;
}

/* -- a chain --------------------------------------------------------------------------- */

void archai_chain_begin(archai_chain *chain, const int input[3])
{
    *chain = (archai_chain){
        .c = input[0], .h = input[1], .w = input[2], .sized = input[1] > 0 && input[2] > 0};
}

int archai_chain_layer(archai_chain *chain, const archai_module *m, archai_err *err)
{
    counter c = {.counts = &chain->counts, .err = err};
    const shape in = {.c = chain->c, .h = chain->h, .w = chain->w, .flat = chain->flat};
    shape out = {.c = 0};

    chain->counts.params += archai_module_params(m);
    if (!chain->sized)
        return ARCHAI_OK;
    ARCHAI_TRY(layer(&c, m, &in, &out));
    chain->c = out.c;
    chain->h = out.h;
    chain->w = out.w;
    chain->flat = out.flat;
    chain->overflow = chain->overflow || c.overflow;
    return ARCHAI_OK;
}

void archai_chain_repeat(archai_chain *chain, const archai_chain *before, int64_t times)
{
    counter c = {.counts = &chain->counts};
    const archai_counts a = before->counts, b = chain->counts;

    chain->counts.params = add(&c, b.params, mul(&c, times, b.params - a.params));
    charge(&c, mul(&c, times, b.macs - a.macs), mul(&c, times, b.flops - a.flops),
           mul(&c, times, b.madd - a.madd));
    chain->overflow = chain->overflow || c.overflow;
}

void archai_chain_flatten(archai_chain *chain)
{
    counter c = {.counts = &chain->counts};

    chain->c = mul(&c, chain->c, mul(&c, chain->h, chain->w));
    chain->h = chain->w = 1;
    chain->flat = true;
    chain->overflow = chain->overflow || c.overflow;
}

int archai_chain_end(archai_chain *chain, archai_counts *out, archai_err *err)
{
    const shape last = {.c = chain->c, .h = chain->h, .w = chain->w, .flat = chain->flat};

    if (!chain->sized)
        leave_unsized(&chain->counts);
    else
        ARCHAI_TRY(take_output(&chain->counts, &last, chain->overflow, err));
    *out = chain->counts;
    return ARCHAI_OK;
}
