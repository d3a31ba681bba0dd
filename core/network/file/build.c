/* A network from a file and values. */
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/network/file/build.h"
#include "core/network/file/vocabulary.h"

/* -- what comes in ------------------------------------------------------------------------- */

typedef enum input_type { UNKNOWN, IMAGES, SEQUENCES, ROWS } input_type;

static input_type type_of(const archai_data_shape *d)
{
    return d->channels > 0 || d->height > 0 || d->width > 0 ? IMAGES
           : d->tokens > 0 || d->vocab > 0                  ? SEQUENCES
           : d->features > 0                                ? ROWS
                                                            : UNKNOWN;
}

static int or_else(int known, int otherwise)
{
    return known > 0 ? known : otherwise;
}

/* What the data do not say, the file does; of another type of input only the classes. */
static void complete(archai_build *b, const archai_data_shape *data)
{
    const archai_data_shape *given = &b->f->input;
    const bool other = type_of(data) != UNKNOWN && type_of(data) != type_of(given);

    b->data = *data;
    b->data.num_classes = or_else(data->num_classes, given->num_classes);
    if (other)
        return;
    b->data.channels = or_else(data->channels, given->channels);
    b->data.height = or_else(data->height, given->height);
    b->data.width = or_else(data->width, given->width);
    b->data.tokens = or_else(data->tokens, given->tokens);
    b->data.vocab = or_else(data->vocab, given->vocab);
    b->data.features = or_else(data->features, given->features);
}

static int begin_input(archai_build *b)
{
    const archai_data_shape *d = &b->data;
    const input_type type = type_of(d);
    archai_network *net = b->net;

    if (type == UNKNOWN ||
        (type == IMAGES && (d->channels < 1 || d->height < 1 || d->width < 1)) ||
        (type == SEQUENCES && d->tokens < 1))
        return archai_fail(b->err, ARCHAI_EINVAL,
                           "%s: the data do not say what comes in: give "
                           "'input: {channels: 3, height: 32, width: 32}' or the like",
                           b->f->path);
    net->n_input = type == IMAGES ? 3 : 1;
    net->tokens = type == SEQUENCES;
    net->input[0] = type == IMAGES ? d->channels : type == SEQUENCES ? d->tokens : d->features;
    net->input[1] = type == IMAGES ? d->height : 0;
    net->input[2] = type == IMAGES ? d->width : 0;
    net->n_values = 1;
    ARCHAI_RESERVE(b->shapes, b->shapes_capacity, 1);
    b->shapes[0] = (archai_shape){.ndim = net->n_input, .tokens = net->tokens};
    for (int i = 0; i < net->n_input; i++)
        b->shapes[0].dim[i] = net->input[i];
    return ARCHAI_OK;
}

/* -- what goes out ------------------------------------------------------------------------- */

/* The output is what the last step writes. */
static int end_output(archai_build *b)
{
    const archai_network *net = b->net;

    if (net->n_steps == 0)
        return archai_build_at(
            b, b->f->network.heading, NULL, NULL,
            archai_fail(b->err, ARCHAI_EINVAL, "there is nothing in the network"));
    if (net->steps[net->n_steps - 1].out == b->x)
        return ARCHAI_OK;
    (void)archai_network_apply(b->net, &archai_kind_identity, NULL, &b->x, 1);
    return ARCHAI_OK;
}

/* -- the network --------------------------------------------------------------------------- */

static int build_network(archai_build *b, const archai_data_shape *data)
{
    archai_frame frame = {.block = &b->f->network};
    archai_level root = {.outer = NULL};

    complete(b, data);
    ARCHAI_TRY(begin_input(b));
    b->net->root = archai_module_container(NULL, "", b->f->class_name);
    root.container = b->net->root;
    frame.entered = b->shapes[0];
    b->frame = &frame;
    b->level = &root;
    ARCHAI_TRY(archai_build_body(b, &b->f->network.body));
    return end_output(b);
}

int archai_network_file_build(const archai_network_file *f, const json_t *params,
                              const archai_data_shape *data, archai_network *out,
                              archai_err *err)
{
    archai_network net = {.root = NULL};
    archai_build b = {.f = f, .params = params, .net = &net, .err = err};
    int rc;

    b.scope = (archai_expression_scope){archai_build_find, &b.arena, ARCHAI_NETWORK_FILE_WORK};
    rc = build_network(&b, data);
    archai_arena_free(&b.arena);
    archai_hash_clear(&b.made_names);
    free(b.made);
    free(b.shapes);
    if (rc == ARCHAI_OK)
        *out = net;
    else
        archai_network_fini(&net);
    return rc;
}
