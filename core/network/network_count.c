/* Shapes and counts of a description.
 *
 * The rules for each kind of layer are those of the profilers that Archai uses, observed on
 * Archai's own models: FLOPs as its TorchFlops counts them, MAdd as tensorwatch does.
 */
#include "core/network/network.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/network/kind/kind.h"

/* Sizes beyond this are refused: libtorch multiplies them in 64 bits. */
static const int64_t SIZE_MAX_OF_DIM = INT32_MAX;

/* -- shapes ------------------------------------------------------------------------------ */

bool archai_shape_equal(const archai_shape *a, const archai_shape *b)
{
    bool equal = a->ndim == b->ndim && a->tokens == b->tokens;

    for (int i = 0; equal && i < a->ndim; i++)
        equal = a->dim[i] == b->dim[i];
    return equal;
}

const char *archai_shape_text(const archai_shape *s, char text[ARCHAI_SHAPE_TEXT])
{
    char *p = text;

    *p++ = '[';
    for (int i = 0; i < s->ndim; i++)
        p += snprintf(p, 24, "%s%lld", i > 0 ? ", " : "", (long long)s->dim[i]);
    *p++ = ']';
    *p = '\0';
    return text;
}

/* ndim 0: a size is not known. */
archai_shape archai_network_input(const archai_network *net)
{
    archai_shape s = {.ndim = net->n_input > 0 ? net->n_input : 3, .tokens = net->tokens};

    for (int i = 0; i < s.ndim; i++) {
        s.dim[i] = net->input[i];
        if (i > 0 && net->input[i] <= 0)
            return (archai_shape){.ndim = 0};
    }
    return s;
}

static int too_large(archai_err *err)
{
    return archai_fail(err, ARCHAI_EINVAL, "the model is too large to be counted");
}

static int check(const archai_module *m, archai_err *err)
{
    if (m->kind == NULL)
        return archai_fail(err, ARCHAI_EINTERNAL, "module '%s' cannot be called", m->name);
    return archai_module_check(m, err);
}

/* Of a layer that was checked. */
static int infer(archai_tally *t, const archai_module *m, const archai_shape *in, size_t n,
                 archai_shape *out)
{
    const archai_module_kind *kind = m->kind;
    const size_t least = kind->max_inputs > 0 ? kind->min_inputs : 1;
    const size_t most = kind->max_inputs > 0 ? kind->max_inputs : 1;

    t->module = m;
    t->n_inputs = n;
    if (n < least || n > most)
        return archai_fail(t->err, ARCHAI_EINVAL, "module '%s' takes %zu to %zu inputs, not %zu",
                           m->name, least, most, n);
    for (size_t i = 0; i < n; i++)
        if (in[i].tokens && !kind->takes_tokens)
            return archai_tally_expected(t, &in[i], "float32 values, not int64 tokens");
    *out = (archai_shape){.ndim = 0};
    ARCHAI_TRY(kind->infer(t, m, in, out));
    for (int i = 0; i < out->ndim; i++)
        t->overflow |= out->dim[i] > SIZE_MAX_OF_DIM;
    return t->overflow ? too_large(t->err) : ARCHAI_OK;
}

int archai_module_infer(const archai_module *m, const archai_shape *in, size_t n,
                        archai_counts *counts, archai_shape *out, archai_err *err)
{
    archai_counts unwanted = {.params = 0};
    archai_tally t = {.counts = counts != NULL ? counts : &unwanted, .err = err};

    ARCHAI_TRY(check(m, err));
    return infer(&t, m, in, n, out);
}

/* -- the data flow --------------------------------------------------------------------- */

typedef struct value {
    archai_shape shape;
    bool written;
} value;

enum { INPUTS_ON_STACK = 8 };

static int step(archai_tally *t, const archai_step *s, value *values, int n_values)
{
    archai_shape few[INPUTS_ON_STACK], *in = few, out;
    int rc = ARCHAI_OK;

    if (s->module == NULL || s->out < 0 || s->out >= n_values || s->n_inputs < 1)
        return archai_fail(t->err, ARCHAI_EINTERNAL, "a step without a register or module");
    if (s->n_inputs > INPUTS_ON_STACK)
        in = archai_calloc(s->n_inputs, sizeof *in);
    for (size_t i = 0; i < s->n_inputs && rc == ARCHAI_OK; i++) {
        if (s->inputs[i] < 0 || s->inputs[i] >= n_values || !values[s->inputs[i]].written)
            rc = archai_fail(t->err, ARCHAI_EINTERNAL,
                             "a step reads a register before it is written");
        else
            in[i] = values[s->inputs[i]].shape;
    }
    if (rc == ARCHAI_OK)
        rc = check(s->module, t->err);
    if (rc == ARCHAI_OK)
        rc = infer(t, s->module, in, s->n_inputs, &out);
    if (rc == ARCHAI_OK)
        values[s->out] = (value){out, true};
    if (in != few)
        free(in);
    return rc;
}

static int take_output(archai_counts *counts, const archai_shape *last, bool overflow,
                       archai_err *err)
{
    if (overflow)
        return too_large(err);
    counts->output = *last;
    return ARCHAI_OK;
}

static void leave_unsized(archai_counts *counts)
{
    counts->macs = counts->flops = counts->madd = -1;
    counts->output = (archai_shape){.ndim = 0};
}

static int walk(archai_tally *t, const archai_network *net, const archai_shape *input)
{
    value *values;
    int rc = ARCHAI_OK;

    if (net->n_values < 1 || net->n_steps < 1)
        return archai_fail(t->err, ARCHAI_EINTERNAL, "a network without steps");
    values = archai_calloc((size_t)net->n_values, sizeof *values);
    values[0] = (value){*input, true};
    for (size_t i = 0; i < net->n_steps && rc == ARCHAI_OK; i++)
        rc = step(t, &net->steps[i], values, net->n_values);
    if (rc == ARCHAI_OK)
        rc = take_output(t->counts, &values[net->steps[net->n_steps - 1].out].shape, t->overflow,
                         t->err);
    free(values);
    return rc;
}

static int64_t embedding_params(const archai_module *m)
{
    int64_t n = 0;

    if (m->kind != NULL && strcmp(m->kind->name, "Embedding") == 0)
        return archai_module_params(m);
    for (size_t i = 0; i < m->n_children; i++)
        n += embedding_params(m->children[i]);
    return n;
}

int archai_network_count(const archai_network *net, archai_counts *out, archai_err *err)
{
    archai_counts made = {.params = archai_module_params(net->root),
                          .embedding_params = embedding_params(net->root)};
    archai_tally t = {.counts = &made, .err = err};
    const archai_shape input = archai_network_input(net);

    if (input.ndim > 0)
        ARCHAI_TRY(walk(&t, net, &input));
    else
        leave_unsized(&made);
    *out = made;
    return ARCHAI_OK;
}

/* -- a chain --------------------------------------------------------------------------- */

void archai_chain_begin(archai_chain *chain, const int input[3])
{
    *chain = (archai_chain){.shape = archai_image(input[0], input[1], input[2]),
                            .sized = input[1] > 0 && input[2] > 0};
}

int archai_chain_layer(archai_chain *chain, const archai_module *m, archai_err *err)
{
    archai_tally t = {.counts = &chain->counts, .err = err};
    const archai_shape in = chain->shape;

    chain->counts.params += archai_module_params(m);
    if (!chain->sized)
        return ARCHAI_OK;
    ARCHAI_TRY(infer(&t, m, &in, 1, &chain->shape));
    chain->overflow |= t.overflow;
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

    chain->shape = archai_vector(archai_tally_volume(&t, &chain->shape));
    chain->overflow |= t.overflow;
}

int archai_chain_end(archai_chain *chain, archai_counts *out, archai_err *err)
{
    if (!chain->sized)
        leave_unsized(&chain->counts);
    else
        ARCHAI_TRY(take_output(&chain->counts, &chain->shape, chain->overflow, err));
    *out = chain->counts;
    return ARCHAI_OK;
}
