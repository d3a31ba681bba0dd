/* archai-space --kinds: the layers and operations that a network in a file can name. */
#include "core/base/alloc.h"
#include "core/network/kind/kind.h"
#include "runner/space_tool/space_tool.h"

static void words(FILE *out, const archai_arg *a)
{
    for (size_t i = 0; a->words != NULL && a->words[i] != NULL; i++)
        (void)fprintf(out, "%s%s", i > 0 ? "|" : "", a->words[i]);
}

/* "kernel_size", "[in_channels]", "stride=1", "mode=nearest", "momentum=0.1", "value=null" */
static void argument(FILE *out, const archai_arg *a)
{
    (void)fprintf(out, a->need == ARCHAI_ARG_DEDUCED ? "[%s]" : "%s", a->name);
    if (a->need == ARCHAI_ARG_NONE) {
        (void)fputs("=null", out);
    } else if (a->need == ARCHAI_ARG_DEFAULT || a->need == ARCHAI_ARG_NULLABLE) {
        if (a->type == ARCHAI_ARG_FLAG)
            (void)fputs(a->standard != 0 ? "=true" : "=false", out);
        else if (a->type == ARCHAI_ARG_WORD)
            (void)fprintf(out, "=%s", a->words[(size_t)a->standard]);
        else if (a->type == ARCHAI_ARG_LIST)
            for (int i = 0; i < (int)a->standard; i++)
                (void)fputs(i == 0 ? "=[0" : ", 0", out);
        else
            (void)fprintf(out, "=%g", a->standard);
        if (a->type == ARCHAI_ARG_LIST)
            (void)fputs(a->standard > 0 ? "]" : "=[]", out);
    }
    if (a->words != NULL && a->words[0] != NULL &&
        (a->type != ARCHAI_ARG_WORD || a->words[1] != NULL)) {
        (void)fputs(" (", out);
        words(out, a);
        (void)fputc(')', out);
    }
}

static void kinds(FILE *out, bool operations)
{
    for (size_t i = 0; archai_module_kinds[i] != NULL; i++) {
        const archai_module_kind *k = archai_module_kinds[i];

        if (archai_kind_is_operation(k) != operations)
            continue;
        (void)fprintf(out, "  %s", k->name);
        for (const archai_arg *a = k->args; a != NULL && a->name != NULL; a++) {
            (void)fputs(a == k->args ? ": " : ", ", out);
            argument(out, a);
        }
        (void)fputc('\n', out);
    }
}

void space_kinds(FILE *out)
{
    (void)fputs("The layers and steps of a network in a file (core/network/file/README.md), with PyTorch's\n"
                "argument names. What stands in [brackets] follows from what arrives; what has no default\n"
                "must be given; words stand in parentheses.\n\nLayers:\n",
                out);
    kinds(out, false);
    (void)fputs("\nSteps without a place in the module tree (dimensions are PyTorch's: 0 is the batch):\n",
                out);
    kinds(out, true);
}

/* -- as JSON ----------------------------------------------------------------------------------------- */

static json_t *standard_json(const archai_arg *a)
{
    json_t *list;

    if (a->type == ARCHAI_ARG_FLAG)
        return json_boolean(a->standard != 0);
    if (a->type == ARCHAI_ARG_WORD)
        return json_string(a->words[(size_t)a->standard]);
    if (a->type != ARCHAI_ARG_LIST)
        return a->standard == (double)(json_int_t)a->standard ? json_integer((json_int_t)a->standard)
                                                              : json_real(a->standard);
    list = json_array();
    for (int i = 0; i < (int)a->standard; i++)
        (void)json_array_append_new(list, json_integer(0));
    return list;
}

static json_t *argument_json(const archai_arg *a)
{
    json_t *one = archai_there(json_pack("{s:s, s:b, s:b}", "name", a->name, "required",
                                         (int)(a->need == ARCHAI_ARG_GIVEN),
                                         "deduced", (int)(a->need == ARCHAI_ARG_DEDUCED)));

    if (a->need == ARCHAI_ARG_NONE)
        (void)json_object_set_new(one, "default", json_null());
    else if (a->need == ARCHAI_ARG_DEFAULT || a->need == ARCHAI_ARG_NULLABLE)
        (void)json_object_set_new(one, "default", standard_json(a));
    if (a->words != NULL && a->words[0] != NULL) {
        json_t *list = json_array();

        for (size_t i = 0; a->words[i] != NULL; i++)
            (void)json_array_append_new(list, json_string(a->words[i]));
        (void)json_object_set_new(one, "words", list);
    }
    return one;
}

void space_kinds_json(FILE *out)
{
    json_t *all = archai_there(json_array());

    for (size_t i = 0; archai_module_kinds[i] != NULL; i++) {
        const archai_module_kind *k = archai_module_kinds[i];
        json_t *arguments = archai_there(json_array());

        for (const archai_arg *a = k->args; a != NULL && a->name != NULL; a++)
            (void)json_array_append_new(arguments, argument_json(a));
        (void)json_array_append_new(all, json_pack("{s:s, s:s, s:o}", "name", k->name, "is",
                                                   archai_kind_is_operation(k) ? "step" : "layer", "arguments", arguments));
    }
    (void)json_dumpf(all, out, JSON_INDENT(1));
    (void)fputc('\n', out);
    json_decref(all);
}
