#include "io/model/onnx/onnx.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "io/model/onnx/graph.h"

/* Numbers of fields: onnx/onnx.proto */
enum { MODEL_IR_VERSION = 1, MODEL_PRODUCER = 2, MODEL_PRODUCER_VERSION = 3, MODEL_GRAPH = 7, MODEL_OPSET = 8, MODEL_METADATA = 14 };
enum { OPSET_VERSION = 2, ENTRY_KEY = 1, ENTRY_VALUE = 2 };
enum { GRAPH_NAME = 2, GRAPH_INPUT = 11, GRAPH_OUTPUT = 12 };
enum { VALUE_NAME = 1, VALUE_TYPE = 2, TYPE_TENSOR = 1, TENSOR_ELEMENT = 1, TENSOR_SHAPE = 2, SHAPE_DIM = 1 };
enum { DIM_VALUE = 1, DIM_PARAM = 2 };
enum { ELEMENT_FLOAT = 1, ELEMENT_INT64 = 7 };
enum { IR_VERSION = 8 }; /* that of opset 17 */

static const struct {
    const archai_module_kind *kind;
    int (*call)(onnx_graph *g, const onnx_call *c);
} calls[] = {
#define X(name) {&archai_kind_##name, onnx_call_##name},
    ARCHAI_KINDS(X)
#undef X
};

static int call(onnx_graph *g, const onnx_call *c)
{
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
        if (calls[i].kind == c->m->kind)
            return calls[i].call(g, c);
    return c->in[0]; /* the table has every kind */
}

static void put_value(protobuf *graph, int field, const char *name, const archai_shape *s)
{
    protobuf value = {.at = NULL}, type = {.at = NULL}, tensor = {.at = NULL}, shape = {.at = NULL}, dim = {.at = NULL};

    protobuf_text(&dim, DIM_PARAM, "N");
    protobuf_message(&shape, SHAPE_DIM, &dim);
    for (int i = 0; i < s->ndim; i++) {
        protobuf_int(&dim, DIM_VALUE, s->dim[i]);
        protobuf_message(&shape, SHAPE_DIM, &dim);
    }
    protobuf_int(&tensor, TENSOR_ELEMENT, s->tokens ? ELEMENT_INT64 : ELEMENT_FLOAT);
    protobuf_message(&tensor, TENSOR_SHAPE, &shape);
    protobuf_message(&type, TYPE_TENSOR, &tensor);
    protobuf_text(&value, VALUE_NAME, name);
    protobuf_message(&value, VALUE_TYPE, &type);
    protobuf_message(graph, field, &value);
    protobuf_free(&value);
    protobuf_free(&type);
    protobuf_free(&tensor);
    protobuf_free(&shape);
    protobuf_free(&dim);
}

/* Calls in turn, whose registers archai_network_count has seen to. *out: the shape of the last. */
static int put_steps(onnx_graph *g, const archai_network *net, const char *input, const char *output,
                     archai_shape *out, archai_err *err)
{
    const size_t n = (size_t)(net->n_values > 0 ? net->n_values : 1);
    int *values = archai_calloc(n, sizeof *values), *in = NULL, rc = ARCHAI_OK;
    archai_shape *shapes = archai_calloc(n, sizeof *shapes), *given = NULL;
    size_t capacity = 0, more = 0;

    shapes[0] = archai_network_input(net);
    values[0] = onnx_named(g, input);
    for (size_t i = 0; i < net->n_steps && rc == ARCHAI_OK; i++) {
        const archai_step *s = &net->steps[i];
        onnx_call c = {.m = s->module, .n = s->n_inputs};

        ARCHAI_RESERVE(in, capacity, s->n_inputs);
        ARCHAI_RESERVE(given, more, s->n_inputs);
        for (size_t k = 0; k < s->n_inputs; k++) {
            in[k] = values[s->inputs[k]];
            given[k] = shapes[s->inputs[k]];
        }
        c.in = in;
        c.shape = given;
        rc = archai_module_infer(s->module, given, s->n_inputs, NULL, &c.out, err);
        if (rc == ARCHAI_OK) {
            values[s->out] = call(g, &c);
            shapes[s->out] = *out = c.out;
        }
    }
    if (rc == ARCHAI_OK)
        onnx_output(g, values[net->steps[net->n_steps - 1].out], output);
    free(values);
    free(shapes);
    free(in);
    free(given);
    return rc;
}

/* A name that no tensor has, or begins with. Caller frees. */
static char *free_name(const archai_weights *w, const char *wish, const char *more, bool beginning)
{
    char *name = archai_strdup(wish);

    while (archai_weights_taken(w, name, beginning)) {
        char *longer = archai_printf("%s%s", name, more);

        free(name);
        name = longer;
    }
    return name;
}

/* The message but for its graph, whose `bytes` the caller puts behind it. */
static void put_head(protobuf *model, const archai_onnx_text *texts, size_t n, size_t bytes)
{
    protobuf part = {.at = NULL};

    protobuf_int(model, MODEL_IR_VERSION, IR_VERSION);
    protobuf_text(model, MODEL_PRODUCER, "archai-run");
    protobuf_text(model, MODEL_PRODUCER_VERSION, ARCHAI_VERSION);
    protobuf_int(&part, OPSET_VERSION, ONNX_OPSET);
    protobuf_message(model, MODEL_OPSET, &part);
    for (size_t i = 0; i < n; i++) {
        protobuf_text(&part, ENTRY_KEY, texts[i].key);
        protobuf_text(&part, ENTRY_VALUE, texts[i].value);
        protobuf_message(model, MODEL_METADATA, &part);
    }
    protobuf_free(&part);
    protobuf_head(model, MODEL_GRAPH, bytes);
}

static int put_graph(protobuf *graph, const archai_network *net, const archai_weights *weights, archai_err *err)
{
    char *mark = free_name(weights, "/", "/", true);
    char *input = free_name(weights, "input", "_", false), *output = free_name(weights, "output", "_", false);
    onnx_graph g = {.weights = weights, .mark = mark};
    const archai_shape in = archai_network_input(net);
    archai_shape out = {.ndim = 0};
    int rc = put_steps(&g, net, input, output, &out, err);

    if (rc == ARCHAI_OK) {
        protobuf_append(graph, &g.nodes);
        protobuf_append(graph, &g.constants);
        protobuf_text(graph, GRAPH_NAME, "network");
        put_value(graph, GRAPH_INPUT, input, &in);
        put_value(graph, GRAPH_OUTPUT, output, &out);
    }
    for (size_t i = 0; i < g.n_names; i++)
        free(g.names[i]);
    free(g.names);
    protobuf_free(&g.nodes);
    protobuf_free(&g.constants);
    protobuf_free(&g.node);
    free(mark);
    free(input);
    free(output);
    return rc;
}

int archai_onnx_write(const archai_network *net, const archai_weights *weights, const archai_onnx_text *texts,
                      size_t n, unsigned char **out, size_t *bytes, archai_err *err)
{
    protobuf graph = {.at = NULL}, model = {.at = NULL};
    archai_counts counts;
    int rc;

    ARCHAI_TRY(archai_network_count(net, &counts, err));
    if (counts.output.ndim == 0 || net->n_steps == 0)
        return archai_fail(err, ARCHAI_EINVAL, "the size of the network's input is not known");
    ARCHAI_TRY_GOTO(rc, put_graph(&graph, net, weights, err), done);
    put_head(&model, texts, n, graph.n);
    if (model.n + graph.n > INT32_MAX)
        rc = archai_fail(err, ARCHAI_EINVAL, "an ONNX file of %zu MiB, the format ends at 2048", (model.n + graph.n) >> 20);
    protobuf_append(&model, &graph);
done:
    protobuf_free(&graph);
    if (rc != ARCHAI_OK) {
        protobuf_free(&model);
        return rc;
    }
    *out = model.at;
    *bytes = model.n;
    return ARCHAI_OK;
}
