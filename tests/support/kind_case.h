/* tests/support/kind_case.h - a case of data/make_kinds.py as a network: [source ->] layer or operation [-> sink]. */
#ifndef ARCHAI_TESTS_KIND_CASE_H
#define ARCHAI_TESTS_KIND_CASE_H
#include <stdio.h>
#include "json_data.h"
#include "kind_args.h"
/* cmocka.h and what it needs come first, as in every test. */

typedef struct kind_case {
    size_t index;
    const json_t *json;
    archai_network net;   /* owned */
    archai_module *layer; /* borrowed; NULL: an operation */
    archai_shape out;     /* inferred */
    archai_counts counts;
} kind_case;

static inline const char *kind_case_name(const kind_case *s)
{
    static char text[64];

    (void)snprintf(text, sizeof text, "case %zu, %s", s->index,
                   json_string_value(json_object_get(s->json, "kind")));
    return text;
}

static inline archai_module *kind_case_layer(archai_module *parent, const char *name, const json_t *json,
                                const archai_shape *in, size_t n)
{
    const char *kind = json_string_value(json_object_get(json, "kind"));
    archai_module *m = archai_module_layer(parent, name, archai_module_kind_find(kind), NULL);

    kind_args_read(m->kind, m->args, json_object_get(json, "args"));
    archai_module_deduce(m, in, n);
    assert_null(archai_module_missing(m));
    return m;
}

static inline archai_shape kind_case_infer(const kind_case *s, const archai_module *m, const archai_shape *in, size_t n,
                          archai_counts *counts)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_shape out;

    if (archai_module_infer(m, in, n, counts, &out, &err) != ARCHAI_OK)
        fail_msg("%s: %s", kind_case_name(s), err.text);
    return out;
}

static inline archai_shape kind_case_shape(const json_t *sizes, bool tokens)
{
    archai_shape s = {.ndim = (int)json_array_size(sizes), .tokens = tokens};

    for (int i = 0; i < s.ndim; i++)
        s.dim[i] = json_integer_value(json_array_get(sizes, (size_t)i));
    return s;
}

/* [source ->] layer or operation [-> sink], and parameters for further inputs. */
static inline void kind_case_describe(kind_case *s)
{
    const json_t *extra = json_object_get(s->json, "extra"), *source = json_object_get(s->json, "source");
    const json_t *sink = json_object_get(s->json, "sink");
    const bool tied = json_is_true(json_object_get(s->json, "tied"));
    const char *kind_name = json_string_value(json_object_get(s->json, "kind"));
    const archai_module_kind *kind = archai_module_kind_find(kind_name);
    archai_shape in[4] = {kind_case_shape(json_object_get(s->json, "shape"),
                                   json_integer_value(json_object_get(s->json, "tokens")) > 0)};
    archai_module *other = NULL;
    int inputs[4] = {0}, v;
    size_t n = 1;

    if (kind == NULL)
        fail_msg("%s: no such kind", kind_case_name(s));
    s->net.root = archai_module_container(NULL, "", "Case");
    s->net.tokens = in[0].tokens;
    s->net.n_input = in[0].ndim;
    for (int i = 0; i < in[0].ndim; i++)
        s->net.input[i] = (int)in[0].dim[i];
    for (; n <= json_array_size(extra); n++) {
        const json_t *shape = json_array_get(extra, n - 1);
        json_t *p = json_pack("{s:s, s:{s:O, s:i}}", "kind", "Parameter", "args", "shape", shape, "value", 0);
        char name[8];

        (void)snprintf(name, sizeof name, "p%zu", n - 1);
        inputs[n] = archai_network_call(&s->net, kind_case_layer(s->net.root, name, p, in, 1), 0);
        in[n] = kind_case_shape(shape, false);
        json_decref(p);
    }
    if (source != NULL) {
        other = kind_case_layer(s->net.root, "src", source, in, 1);
        inputs[0] = archai_network_call(&s->net, other, 0);
        in[0] = kind_case_infer(s, other, in, 1, &s->counts);
    }
    if (archai_kind_is_operation(kind)) {
        double args[ARCHAI_MODULE_MAX_ARGS];

        archai_module_defaults(kind, args);
        kind_args_read(kind, args, json_object_get(s->json, "args"));
        v = archai_network_apply(&s->net, kind, args, inputs, n);
    } else {
        s->layer = kind_case_layer(s->net.root, "m", s->json, in, n);
        v = archai_network_call_many(&s->net, s->layer, inputs, n);
    }
    s->out = kind_case_infer(s, s->net.steps[s->net.n_steps - 1].module, in, n, &s->counts);
    if (sink != NULL) {
        other = kind_case_layer(s->net.root, "sink", sink, &s->out, 1);
        (void)archai_network_call(&s->net, other, v);
        s->out = kind_case_infer(s, other, &s->out, 1, &s->counts);
    }
    if (tied)
        s->layer->tied = other;
}

#endif
