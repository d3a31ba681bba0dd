#include "core/space/cnn_network.h"

#include <stdio.h>

#include "core/base/json_object.h"
#include "core/base/number.h"
#include "core/network/kind/kind.h"

/* The document's images: MNIST. */
enum { CHANNELS = 1, HEIGHT = 28, WIDTH = 28, CLASSES = 10 };

/* Parameters times bytes, and what profilers count for each, fit 64 bits. */
static const double countable = 0x1p56;

static int channels_of(const archai_data_shape *data)
{
    return data->channels > 0 ? data->channels : CHANNELS;
}

static int classes_of(const archai_data_shape *data)
{
    return data->num_classes > 0 ? data->num_classes : CLASSES;
}

int archai_cnn_check(const archai_cnn *c, const archai_data_shape *data, archai_err *err)
{
    const double taps = (double)c->kernel_size * (double)c->kernel_size, h = (double)c->hidden_dim;
    const double layers = (double)c->nb_layers;
    const double params = h * channels_of(data) * taps + (layers - 1) * h * h * taps +
                          layers * 3 * h + (h + 1) * classes_of(data);

    char bytes[ARCHAI_BYTES_TEXT];

    if (params < countable)
        return ARCHAI_OK;
    archai_format_bytes(params * sizeof(float), bytes);
    return archai_fail(err, ARCHAI_EINVAL,
                       "%.3g parameters, whose weights would take %s of memory", params, bytes);
}

int archai_cnn_read(archai_cnn *out, const json_t *arch, const archai_data_shape *data,
                    archai_err *err)
{
    archai_cnn c;

    ARCHAI_TRY(archai_json_integer(arch, "nb_layers", 1, ARCHAI_CNN_MAX_LAYERS, &c.nb_layers, err));
    ARCHAI_TRY(archai_json_integer(arch, "kernel_size", 1, ARCHAI_CNN_MAX_KERNEL,
                                   &c.kernel_size, err));
    ARCHAI_TRY(archai_json_integer(arch, "hidden_dim", 1, ARCHAI_CNN_MAX_HIDDEN,
                                   &c.hidden_dim, err));
    *out = c;
    return archai_err_wrap(err, archai_cnn_check(out, data, err), "hidden_dim: this model has ");
}

static void input_of(const archai_data_shape *data, int input[3])
{
    const bool sized = data->height > 0 && data->width > 0;

    input[0] = channels_of(data);
    input[1] = sized ? data->height : HEIGHT;
    input[2] = sized ? data->width : WIDTH;
}

static int count(const archai_cnn *c, const archai_data_shape *data, archai_counts *out,
                 archai_err *err)
{
    static char conv_name[] = "convolution", norm_name[] = "norm", relu_name[] = "relu",
                pool_name[] = "pool", head_name[] = "head";
    const int k = (int)c->kernel_size, width = (int)c->hidden_dim, padding = (k - 1) / 2;
    archai_module conv = {.kind = &archai_kind_conv2d,
                          .name = conv_name,
                          /* in, out, kernel, stride, padding, dilation, groups, bias */
                          .args = {channels_of(data), width, k, k, 1, 1, padding, padding, 1, 1, 1, 1}};
    const archai_module norm = {
        .kind = &archai_kind_batch_norm2d, .name = norm_name, .args = {width, 1e-5, 0.1, 1, 1}};
    static const archai_module relu = {.kind = &archai_kind_relu, .name = relu_name};
    static const archai_module pool = {
        .kind = &archai_kind_adaptive_avg_pool2d, .name = pool_name, .args = {2, 1, 1}};
    const archai_module head = {.kind = &archai_kind_conv2d,
                                .name = head_name,
                                .args = {width, classes_of(data), 1, 1, 1, 1, 0, 0, 1, 1, 1, 1}};
    archai_chain chain, before;
    int input[3];

    input_of(data, input);
    archai_chain_begin(&chain, input);
    for (int64_t i = 0; i < c->nb_layers; i++) {
        before = chain;
        ARCHAI_TRY(archai_chain_layer(&chain, &conv, err));
        ARCHAI_TRY(archai_chain_layer(&chain, &norm, err));
        ARCHAI_TRY(archai_chain_layer(&chain, &relu, err));
        conv.args[0] = width;                                      /* in_channels */
        if (i > 0 && archai_shape_equal(&chain.shape, &before.shape)) { /* so are all others */
            archai_chain_repeat(&chain, &before, c->nb_layers - 1 - i);
            break;
        }
    }
    ARCHAI_TRY(archai_chain_layer(&chain, &pool, err));
    ARCHAI_TRY(archai_chain_layer(&chain, &head, err));
    archai_chain_flatten(&chain);
    return archai_chain_end(&chain, out, err);
}

int archai_cnn_count(archai_space *s, const archai_model *m, archai_counts *out, archai_err *err)
{
    archai_cnn c;

    ARCHAI_TRY(archai_cnn_read(&c, m->arch, &s->data, err));
    return count(&c, &s->data, out, err);
}

/* One layer's three modules, named by their place in the Sequential. */
static void add_layer(archai_module *seq, int in, const archai_cnn *c)
{
    int kernel = (int)c->kernel_size, width = (int)c->hidden_dim;
    char name[3][24];

    for (size_t i = 0; i < 3; i++)
        (void)snprintf(name[i], sizeof name[i], "%zu", seq->n_children + i);
    (void)archai_module_conv2d(seq, name[0], in, width, kernel, 1, (kernel - 1) / 2, 1, true);
    (void)archai_module_batch_norm2d(seq, name[1], width);
    (void)archai_module_relu(seq, name[2]);
}

int archai_cnn_describe(archai_space *s, const archai_model *m, archai_network *out,
                        archai_err *err)
{
    archai_network net = {.root = NULL};
    archai_module *seq;
    char pool[24], head[24];
    archai_cnn c;
    int width;

    ARCHAI_TRY(archai_cnn_read(&c, m->arch, &s->data, err));
    width = (int)c.hidden_dim;
    net.root = archai_module_container(NULL, "", "MyModel");
    seq = archai_module_container(net.root, "model", "Sequential");
    input_of(&s->data, net.input);
    for (int64_t i = 0; i < c.nb_layers; i++)
        add_layer(seq, i == 0 ? channels_of(&s->data) : width, &c);
    (void)snprintf(pool, sizeof pool, "%zu", seq->n_children);
    (void)snprintf(head, sizeof head, "%zu", seq->n_children + 1);
    (void)archai_module_adaptive_avg_pool2d(seq, pool, 1, 1);
    (void)archai_module_conv2d(seq, head, width, classes_of(&s->data), 1, 1, 0, 1, true);
    (void)archai_network_flatten(&net, archai_network_call_all(&net, seq, 0));
    *out = net;
    return ARCHAI_OK;
}
