/* What a description looks like: PyTorch's repr() and a drawing for graphviz. */
#include "core/network/kind/kind.h"

void archai_print_pair(FILE *out, const char *name, const int pair[2])
{
    (void)fprintf(out, "%s=(%d, %d)", name, pair[0], pair[1]);
}

static void put_layer(FILE *out, const archai_module *m)
{
    (void)fprintf(out, "%s(", archai_module_class(m));
    if (m->kind != NULL && m->kind->print != NULL)
        m->kind->print(m, out);
    (void)fputc(')', out);
}

static void print(FILE *out, const archai_module *m, int depth)
{
    if (m->kind != NULL) {
        put_layer(out, m);
        return;
    }
    (void)fprintf(out, "%s(", m->class_name);
    for (size_t i = 0; i < m->n_children; i++) {
        (void)fprintf(out, "\n%*s(%s): ", 2 * (depth + 1), "", m->children[i]->name);
        print(out, m->children[i], depth + 1);
    }
    if (m->n_children > 0)
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
    (void)fprintf(out, "  v%d [label=\"", s->out);
    if (s->op == ARCHAI_STEP_CALL)
        put_layer(out, s->module);
    else
        (void)fputs(s->op == ARCHAI_STEP_ADD ? "+" : "flatten", out);
    (void)fputs("\"];\n", out);
    (void)fprintf(out, "  v%d -> v%d;\n", s->a, s->out);
    if (s->op == ARCHAI_STEP_ADD)
        (void)fprintf(out, "  v%d -> v%d;\n", s->b, s->out);
}

int archai_network_dot(const archai_network *net, const char *title, FILE *out)
{
    (void)fputs("digraph \"", out);
    put_escaped(out, title);
    (void)fputs("\" {\n  node [shape=box, fontname=\"sans-serif\"];\n  v0 [label=\"input", out);
    if (net->input[1] > 0 && net->input[2] > 0)
        (void)fprintf(out, " %d x %d x %d", net->input[0], net->input[1], net->input[2]);
    (void)fputs("\"];\n", out);
    for (size_t i = 0; i < net->n_steps; i++)
        put_step(out, &net->steps[i]);
    (void)fputs("}\n", out);
    return ferror(out) != 0 ? ARCHAI_EIO : ARCHAI_OK;
}
