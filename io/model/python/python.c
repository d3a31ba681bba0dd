#include "io/model/python/python.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/python_text.h"
#include "core/base/text.h"
#include "io/model/python/python_private.h"

/* -- names ---------------------------------------------------------------------------------- */

typedef struct writer {
    const archai_network *net;
    FILE *out;
    const char **path; /* owned list of borrowed names: where the walk is */
    size_t depth, capacity;
} writer;

static void push(writer *w, const char *name)
{
    ARCHAI_RESERVE(w->path, w->capacity, w->depth + 1);
    w->path[w->depth++] = name;
}

/* ("model", "0",) */
static void put_path(const writer *w)
{
    (void)fputc('(', w->out);
    for (size_t i = 0; i < w->depth; i++) {
        (void)fputs(i > 0 ? ", " : "", w->out);
        archai_python_literal(w->path[i], w->out);
    }
    (void)fputs(w->depth == 1 ? ",)" : ")", w->out);
}

/* "model.0.weight" */
static void put_dotted(const writer *w, const char *last)
{
    char *text = NULL;
    size_t size;
    FILE *joined = archai_there(open_memstream(&text, &size));

    for (size_t i = 0; i < w->depth; i++)
        (void)fprintf(joined, "%s.", w->path[i]);
    (void)fputs(last, joined);
    (void)fclose(joined);
    archai_python_literal(archai_there(text), w->out);
    free(text);
}

/* The path to `wanted` below m; false: it is not there. */
static bool find(writer *w, const archai_module *m, const archai_module *wanted)
{
    if (m == wanted)
        return true;
    for (size_t i = 0; i < m->n_children; i++) {
        push(w, m->children[i]->name);
        if (find(w, m->children[i], wanted))
            return true;
        w->depth--;
    }
    return false;
}

/* A layer that a step applies without a place in the tree, such as a dropout: it has no tensors, and a name as the shim's. */
static bool is_loose(const archai_network *net, const archai_module *m, size_t *place)
{
    for (size_t i = 0; net->operations != NULL && i < net->operations->n_children; i++)
        if (net->operations->children[i] == m && !archai_kind_is_operation(m->kind)) {
            *place = i;
            return true;
        }
    return false;
}

/* -- the modules ---------------------------------------------------------------------------- */

static void put_class(const writer *w, const archai_module *m)
{
    const char *name = m->kind->name;

    (void)fprintf(w->out, "%s%s(", python_has_part(name, strlen(name)) ? "" : "nn.", name);
    python_arguments(m, w->out);
    (void)fputc(')', w->out);
}

static void put_modules(writer *w, const archai_module *m)
{
    if (w->depth > 0) {
        (void)fputs("        put(self, ", w->out);
        put_path(w);
        (void)fputs(", ", w->out);
        if (m->kind != NULL) {
            put_class(w, m);
        } else {
            (void)fputs("Box(", w->out);
            archai_python_literal(m->class_name, w->out);
            (void)fputc(')', w->out);
        }
        (void)fputs(")\n", w->out);
    }
    if (m->init_std > 0 && m->kind != NULL) {
        (void)fputs("        init_normal(part(self, ", w->out);
        put_path(w);
        (void)fprintf(w->out, "), %.17g)\n", m->init_std);
    }
    for (size_t i = 0; i < m->n_children; i++) {
        push(w, m->children[i]->name);
        put_modules(w, m->children[i]);
        w->depth--;
    }
}

static void put_loose_layers(const writer *w)
{
    const archai_module *all = w->net->operations;
    size_t place;

    for (size_t i = 0; all != NULL && i < all->n_children; i++)
        if (is_loose(w->net, all->children[i], &place)) {
            (void)fprintf(w->out, "        put(self, (\"operation:%zu\",), ", place);
            put_class(w, all->children[i]);
            (void)fputs(")\n", w->out);
        }
}

/* Once all are there. */
static void put_ties(writer *w, const archai_module *m)
{
    writer other = {.net = w->net, .out = w->out};

    if (m->tied != NULL && find(&other, w->net->root, m->tied)) {
        (void)fputs("        part(self, ", w->out);
        put_path(w);
        (void)fputs(").weight = part(self, ", w->out);
        put_path(&other);
        (void)fputs(").weight\n", w->out);
    }
    free(other.path);
    for (size_t i = 0; i < m->n_children; i++) {
        push(w, m->children[i]->name);
        put_ties(w, m->children[i]);
        w->depth--;
    }
}

/* TIED: pairs of names of one tensor; UNUSED: tensors that weights may hold. */
static void put_names(writer *w, const archai_module *m, bool tied)
{
    writer other = {.net = w->net, .out = w->out};

    if (tied && m->tied != NULL && find(&other, w->net->root, m->tied)) {
        (void)fputc('(', w->out);
        put_dotted(w, "weight");
        (void)fputs(", ", w->out);
        put_dotted(&other, "weight");
        (void)fputs("), ", w->out);
    }
    free(other.path);
    for (const char *const *name = tied ? NULL : m->unused; name != NULL && *name != NULL; name++) {
        put_dotted(w, *name);
        (void)fputs(", ", w->out);
    }
    for (size_t i = 0; i < m->n_children; i++) {
        push(w, m->children[i]->name);
        put_names(w, m->children[i], tied);
        w->depth--;
    }
}

/* -- the data flow -------------------------------------------------------------------------- */

/* Variables of the registers: one that nothing reads any more is written again. */
static int *variables(const archai_network *net)
{
    const size_t n = (size_t)net->n_values;
    size_t *last = archai_calloc(n, sizeof *last);
    int *of = archai_calloc(n, sizeof *of), *free_ones = archai_calloc(n + 1, sizeof *free_ones);
    int n_free = 0, n_used = 1;

    for (size_t i = 0; i < net->n_steps; i++)
        for (size_t k = 0; k < net->steps[i].n_inputs; k++)
            last[net->steps[i].inputs[k]] = i;
    for (size_t i = 0; i < net->n_steps; i++) {
        const archai_step *s = &net->steps[i];

        for (size_t k = 0; k < s->n_inputs; k++)
            if (last[s->inputs[k]] == i) {
                free_ones[n_free++] = of[s->inputs[k]];
                last[s->inputs[k]] = net->n_steps; /* it may be an input twice */
            }
        of[s->out] = n_free > 0 ? free_ones[--n_free] : n_used++;
    }
    free(last);
    free(free_ones);
    return of;
}

static void put_step(writer *w, const archai_step *s, const int *variable)
{
    const archai_module_kind *kind = s->module->kind;
    const bool operation = archai_kind_is_operation(kind), own = kind->own;
    size_t place;

    (void)fprintf(w->out, "        x%d = ", variable[s->out]);
    if (operation) {
        (void)fprintf(w->out, "op_%s(", kind->name);
    } else if (is_loose(w->net, s->module, &place)) {
        (void)fprintf(w->out, "part(self, (\"operation:%zu\",))(", place);
    } else {
        (void)find(w, w->net->root, s->module);
        (void)fputs(own ? "op_parameter(part(self, " : "part(self, ", w->out);
        put_path(w);
        (void)fputs(own ? "), " : ")(", w->out);
        w->depth = 0;
    }
    for (size_t i = 0; i < s->n_inputs; i++)
        (void)fprintf(w->out, "%sx%d", i > 0 ? ", " : "", variable[s->inputs[i]]);
    if ((operation || own) && kind->args != NULL) {
        (void)fputs(", ", w->out);
        python_arguments(s->module, w->out);
        if (archai_module_arg(s->module, "dropout_p") != NULL)
            (void)fputs(", training=self.training", w->out);
    }
    (void)fputs(")\n", w->out);
}

static void put_model(writer *w)
{
    const archai_network *net = w->net;
    int *variable = variables(net);

    (void)fputs("class Model(nn.Module):\n    def __init__(self):\n        super().__init__()\n", w->out);
    put_modules(w, net->root);
    put_loose_layers(w);
    put_ties(w, net->root);
    (void)fputs("\n    def forward(self, x0):\n", w->out);
    for (size_t i = 0; i < net->n_steps; i++)
        put_step(w, &net->steps[i], variable);
    (void)fprintf(w->out, "        return x%d\n\n\n", variable[net->steps[net->n_steps - 1].out]);
    free(variable);
}

/* -- the file ------------------------------------------------------------------------------- */

static void put_kinds(python_parts *p, const archai_network *net)
{
    for (size_t i = 0; i < net->n_steps; i++)
        python_put_part(p, net->steps[i].module->kind->name);
}

/* Of layers that are there without being called. */
static void put_kinds_below(python_parts *p, const archai_module *m)
{
    if (m->kind != NULL)
        python_put_part(p, m->kind->name);
    for (size_t i = 0; i < m->n_children; i++)
        put_kinds_below(p, m->children[i]);
}

static void put_text(const char *name, const char *text, FILE *out)
{
    (void)fprintf(out, "%s = ", name);
    archai_python_literal(text, out);
    (void)fputc('\n', out);
}

/* As a text of JSON: whatever its names and values are, it is data. */
static void put_json(const char *name, const json_t *value, FILE *out)
{
    char *text = value != NULL ? archai_python_json(value, false) : archai_strdup("{}");

    (void)fprintf(out, "%s = json.loads(", name);
    archai_python_literal(text, out);
    (void)fputs(")\n", out);
    free(text);
}

static void put_facts(writer *w, const archai_python_facts *f)
{
    char *model = archai_name_escape(f->archid);

    put_text("ARCHID", f->archid, w->out);
    put_text("ARCH", f->arch, w->out);
    put_text("RESULTS", f->results, w->out);
    put_text("MODEL", model, w->out);
    put_json("DATA", f->data, w->out);
    put_json("ABOUT", f->about, w->out);
    put_json("RECORDED", f->recorded, w->out);
    (void)fputs("TIED = [", w->out);
    put_names(w, w->net->root, true);
    (void)fputs("]\nUNUSED = [", w->out);
    put_names(w, w->net->root, false);
    (void)fputs("]\n\n\n", w->out);
    free(model);
}

int archai_python_write(const archai_network *net, const archai_python_facts *facts, FILE *out,
                        archai_err *err)
{
    writer w = {.net = net, .out = out};
    python_parts p = {.out = out};
    archai_counts counts;

    if (net->n_steps == 0)
        return archai_fail(err, ARCHAI_EINVAL, "the network has no steps");
    ARCHAI_TRY(archai_network_count(net, &counts, err));
    (void)fputs("\"\"\"A network that archai-run found, in PyTorch: Model(), with the names of its state_dict.\n\n"
                "    model = load(Model(), read_weights(FILE)).eval()    # results.h5, .pt or .safetensors\n\n"
                "Run as a program, the file measures the model on the data that it was validated on; --help says more.\n"
                "\"\"\"\n", out);
    python_put_part(&p, "head");
    put_facts(&w, facts);
    put_kinds(&p, net);
    put_kinds_below(&p, net->root);
    put_model(&w);
    python_put_part(&p, "tail");
    free(p.names);
    free(w.path);
    return ARCHAI_OK;
}
