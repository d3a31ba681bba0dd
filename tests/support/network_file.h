/* tests/support/network_file.h - networks in texts, and a network as a text. */
#ifndef ARCHAI_TESTS_NETWORK_FILE_H
#define ARCHAI_TESTS_NETWORK_FILE_H
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/network/file/network_file.h"
#include "core/network/kind/kind.h"

typedef struct network_text {
    archai_lines *lines;
    json_t *document, *params;
    archai_network_file *file;
    archai_network net;
} network_text;

static const archai_data_shape small_images = {.channels = 3, .height = 8, .width = 8, .num_classes = 10};

/* The file `f.yaml` with this text; NULL params: none. */
static inline int network_text_read(network_text *t, const char *text, archai_err *err)
{
    memset(t, 0, sizeof *t);
    t->lines = archai_lines_create();
    ARCHAI_TRY(archai_document_parse_lines("f.yaml", text, strlen(text), &t->document, t->lines, err));
    return archai_network_file_create(&t->file, "f.yaml", t->document, t->lines, err);
}

static inline int network_text_build(network_text *t, const char *params, const archai_data_shape *data,
                                     archai_err *err)
{
    t->params = params != NULL ? json_loads(params, JSON_DECODE_ANY, NULL) : json_object();
    if (t->params == NULL)
        return archai_fail(err, ARCHAI_EINTERNAL, "the parameters of the test are no JSON");
    return archai_network_file_build(t->file, t->params, data, &t->net, err);
}

static inline void network_text_fini(network_text *t)
{
    archai_network_fini(&t->net);
    archai_network_file_destroy(t->file);
    archai_lines_destroy(t->lines);
    json_decref(t->document);
    json_decref(t->params);
}

static inline bool contains(const archai_module *m, const archai_module *wanted)
{
    bool found = m == wanted;

    for (size_t i = 0; i < m->n_children && !found; i++)
        found = contains(m->children[i], wanted);
    return found;
}

/* False: it is not in the tree. */
static inline bool print_path(const archai_module *root, const archai_module *wanted, FILE *out)
{
    if (!contains(root, wanted))
        return false;
    for (const archai_module *m = root; m != wanted;) {
        size_t i = 0;

        while (!contains(m->children[i], wanted))
            i++;
        (void)fprintf(out, "%s%s", m == root ? "" : ".", m->children[i]->name);
        m = m->children[i];
    }
    return true;
}

/* A line for each step: "3 = layer1.0.conv(1): [8, 4, 4]"; operations go by their names. */
static inline char *network_steps(const archai_network *net)
{
    archai_shape *shapes = calloc((size_t)net->n_values, sizeof *shapes), in[64];
    char *text = NULL, shape[ARCHAI_SHAPE_TEXT];
    size_t size;
    FILE *out = open_memstream(&text, &size);

    shapes[0] = archai_network_input(net);
    for (size_t i = 0; i < net->n_steps; i++) {
        const archai_step *s = &net->steps[i];

        (void)fprintf(out, "%d = ", s->out);
        if (!print_path(net->root, s->module, out))
            (void)fprintf(out, "%s", s->module->kind->name);
        for (size_t k = 0; k < s->n_inputs && k < 64; k++) {
            (void)fprintf(out, "%s%d", k == 0 ? "(" : ", ", s->inputs[k]);
            in[k] = shapes[s->inputs[k]];
        }
        if (archai_module_infer(s->module, in, s->n_inputs, NULL, &shapes[s->out], NULL) != 0)
            (void)fprintf(out, "): wrong\n");
        else
            (void)fprintf(out, "): %s\n", archai_shape_text(&shapes[s->out], shape));
    }
    (void)fclose(out);
    free(shapes);
    return text;
}

/* PyTorch's repr() */
static inline char *network_print(const archai_network *net)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    (void)archai_module_print(net->root, out);
    (void)fclose(out);
    return text;
}
#endif
