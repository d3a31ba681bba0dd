/* What a description looks like: PyTorch's repr() and a drawing for graphviz. */
#include "core/network/kind/kind.h"

/* depth -1: in one line */
static void put_layer(FILE *out, const archai_module *m, int depth)
{
    (void)fprintf(out, "%s(", archai_module_class(m));
    if (m->kind != NULL && m->kind->print != NULL)
        m->kind->print(m, out);
    if (m->kind != NULL && m->kind->print_child != NULL && depth >= 0) {
        (void)fprintf(out, "\n%*s", 2 * (depth + 1), "");
        m->kind->print_child(m, out);
        (void)fprintf(out, "\n%*s", 2 * depth, "");
    }
    (void)fputc(')', out);
}

static bool has_lines(const archai_module *m)
{
    for (size_t i = 0; i < m->n_children; i++)
        if (m->children[i]->kind == NULL || !m->children[i]->kind->own)
            return true;
    return m->extra != NULL;
}

static void print(FILE *out, const archai_module *m, int depth)
{
    if (m->kind != NULL) {
        put_layer(out, m, depth);
        return;
    }
    (void)fprintf(out, "%s(", m->class_name);
    if (m->extra != NULL)
        (void)fprintf(out, "\n%*s%s", 2 * (depth + 1), "", m->extra);
    for (size_t i = 0; i < m->n_children; i++) {
        if (m->children[i]->kind != NULL && m->children[i]->kind->own)
            continue; /* a parameter; PyTorch prints modules */
        (void)fprintf(out, "\n%*s(%s): ", 2 * (depth + 1), "", m->children[i]->name);
        print(out, m->children[i], depth + 1);
    }
    if (has_lines(m))
        (void)fprintf(out, "\n%*s", 2 * depth, "");
    (void)fputc(')', out);
}

int archai_module_print(const archai_module *root, FILE *out)
{
    print(out, root, 0);
    return ferror(out) != 0 ? ARCHAI_EIO : ARCHAI_OK;
}

/* In a "..." of the dot language only the quote and the backslash are special. */
static void put_escaped(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            (void)fputc('\\', out);
        (void)fputc(*text, out);
    }
}

static void put_step(FILE *out, const archai_step *s)
{
    const archai_module_kind *kind = s->module->kind;

    (void)fprintf(out, "  v%d [label=\"", s->out);
    if (!archai_kind_is_operation(kind) || kind->print != NULL)
        put_layer(out, s->module, -1);
    else
        (void)fputs(archai_module_class(s->module), out);
    (void)fputs("\"];\n", out);
    for (size_t i = 0; i < s->n_inputs; i++)
        (void)fprintf(out, "  v%d -> v%d;\n", s->inputs[i], s->out);
}

int archai_network_dot(const archai_network *net, const char *title, FILE *out)
{
    const archai_shape input = archai_network_input(net);
    char text[ARCHAI_SHAPE_TEXT];

    (void)fputs("digraph \"", out);
    put_escaped(out, title);
    (void)fputs("\" {\n  node [shape=box, fontname=\"sans-serif\"];\n  v0 [label=\"input", out);
    if (input.ndim > 0)
        (void)fprintf(out, " %s", archai_shape_text(&input, text));
    (void)fputs("\"];\n", out);
    for (size_t i = 0; i < net->n_steps; i++)
        put_step(out, &net->steps[i]);
    (void)fputs("}\n", out);
    return ferror(out) != 0 ? ARCHAI_EIO : ARCHAI_OK;
}
