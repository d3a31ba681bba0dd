/* Shapes and counts of a description.
 *
 * The rules for each kind of layer are those of the profilers that Archai uses, observed on
 * Archai's own models: FLOPs as its TorchFlops counts them, MAdd as tensorwatch does.
 */
#include "core/network/network.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/network/kind/kind.h"

typedef struct value {
    archai_shape shape;
    bool written;
} value;

int archai_tally_misfit(const archai_tally *t, const archai_shape *in, const char *expected,
                        int64_t wanted)
{
    return archai_fail(t->err, ARCHAI_EINVAL,
                       "module '%s': its input is %lld x %lld x %lld, expected %s %lld",
                       t->module->name, (long long)in->c, (long long)in->h, (long long)in->w,
                       expected, (long long)wanted);
}

static int layer(archai_tally *t, const archai_module *m, const archai_shape *in, archai_shape *out)
{
    t->module = m;
    if (m->kind == NULL)
        return archai_fail(t->err, ARCHAI_EINTERNAL, "module '%s' cannot be called", m->name);
    return m->kind->infer(t, m, in, out);
}

static archai_shape flattened(archai_tally *t, const archai_shape *in)
{
    return (archai_shape){.c = archai_tally_volume(t, in), .h = 1, .w = 1, .flat = true};
}

/* -- the data flow --------------------------------------------------------------------- */

static int step(archai_tally *t, const archai_step *s, value *values, int n_values)
{
    const bool pair = s->op == ARCHAI_STEP_ADD;
    const archai_shape *a, *b;
    archai_shape out = {.c = 0};

    if (s->a < 0 || s->a >= n_values || s->out < 0 || s->out >= n_values ||
        (pair && (s->b < 0 || s->b >= n_values)) ||
        (s->op == ARCHAI_STEP_CALL && s->module == NULL))
        return archai_fail(t->err, ARCHAI_EINTERNAL, "a step without a register or module");
    if (!values[s->a].written || (pair && !values[s->b].written))
        return archai_fail(t->err, ARCHAI_EINTERNAL,
                           "a step reads a register before it is written");
    a = &values[s->a].shape;
    b = &values[pair ? s->b : s->a].shape;
    if (s->op == ARCHAI_STEP_CALL) {
        ARCHAI_TRY(layer(t, s->module, a, &out));
    } else if (pair) {
        if (a->c != b->c || a->h != b->h || a->w != b->w || a->flat != b->flat)
            return archai_fail(t->err, ARCHAI_EINVAL,
                               "a sum of %lld x %lld x %lld and %lld x %lld x %lld",
                               (long long)a->c, (long long)a->h, (long long)a->w, (long long)b->c,
                               (long long)b->h, (long long)b->w);
        out = *a;
    } else {
        out = flattened(t, a);
    }
    values[s->out] = (value){out, true};
    return ARCHAI_OK;
}

static int take_output(archai_counts *counts, const archai_shape *last, bool overflow,
                       archai_err *err)
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

static int walk(archai_tally *t, const archai_network *net)
{
    value *values;
    int rc = ARCHAI_OK;

    if (net->n_values < 1 || net->n_steps < 1)
        return archai_fail(t->err, ARCHAI_EINTERNAL, "a network without steps");
    values = archai_calloc((size_t)net->n_values, sizeof *values);
    values[0] = (value){{.c = net->input[0], .h = net->input[1], .w = net->input[2]}, true};
    for (size_t i = 0; i < net->n_steps && rc == ARCHAI_OK; i++)
        rc = step(t, &net->steps[i], values, net->n_values);
    if (rc == ARCHAI_OK)
        rc = take_output(t->counts, &values[net->steps[net->n_steps - 1].out].shape, t->overflow,
                         t->err);
    free(values);
    return rc;
}

int archai_network_count(const archai_network *net, archai_counts *out, archai_err *err)
{
    archai_counts made = {.params = archai_module_params(net->root)};
    archai_tally t = {.counts = &made, .err = err};

    if (net->input[1] > 0 && net->input[2] > 0)
        ARCHAI_TRY(walk(&t, net));
    else
        leave_unsized(&made);
    *out = made;
    return ARCHAI_OK;
}

/* -- a chain --------------------------------------------------------------------------- */

static archai_shape input_of(const archai_chain *chain)
{
    return (archai_shape){.c = chain->c, .h = chain->h, .w = chain->w, .flat = chain->flat};
}

static void set_input(archai_chain *chain, const archai_shape *s, const archai_tally *t)
{
    chain->c = s->c;
    chain->h = s->h;
    chain->w = s->w;
    chain->flat = s->flat;
    chain->overflow |= t->overflow;
}

void archai_chain_begin(archai_chain *chain, const int input[3])
{
    *chain = (archai_chain){
        .c = input[0], .h = input[1], .w = input[2], .sized = input[1] > 0 && input[2] > 0};
}

int archai_chain_layer(archai_chain *chain, const archai_module *m, archai_err *err)
{
    archai_tally t = {.counts = &chain->counts, .err = err};
    const archai_shape in = input_of(chain);
    archai_shape out = {.c = 0};

    chain->counts.params += archai_module_params(m);
    if (!chain->sized)
        return ARCHAI_OK;
    ARCHAI_TRY(layer(&t, m, &in, &out));
    set_input(chain, &out, &t);
    return ARCHAI_OK;
}

void archai_chain_repeat(archai_chain *chain, const archai_chain *before, int64_t times)
{
    archai_tally t = {.counts = &chain->counts};
    const archai_counts a = before->counts, b = chain->counts;

    chain->counts.params =
        archai_tally_add(&t, b.params, archai_tally_mul(&t, times, b.params - a.params));
    archai_tally_charge(&t, archai_tally_mul(&t, times, b.macs - a.macs),
                        archai_tally_mul(&t, times, b.flops - a.flops),
                        archai_tally_mul(&t, times, b.madd - a.madd));
    chain->overflow |= t.overflow;
}

void archai_chain_flatten(archai_chain *chain)
{
    archai_tally t = {.counts = &chain->counts};
    const archai_shape in = input_of(chain), out = flattened(&t, &in);

    set_input(chain, &out, &t);
}

int archai_chain_end(archai_chain *chain, archai_counts *out, archai_err *err)
{
    const archai_shape last = input_of(chain);

    if (!chain->sized)
        leave_unsized(&chain->counts);
    else
        ARCHAI_TRY(take_output(&chain->counts, &last, chain->overflow, err));
    *out = chain->counts;
    return ARCHAI_OK;
}
