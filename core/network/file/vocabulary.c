#include "core/network/file/vocabulary.h"

#include <ctype.h>
#include <string.h>

#include "core/network/kind/kind.h"

const char *const archai_keywords[] = {"for", "if",   "choose", "residual", "let",  "save",
                                       "use", "call", "child",  "inline",   "make", NULL};

static bool is_among(const char *const *names, const char *name)
{
    for (; *names != NULL; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

bool archai_is_keyword(const char *name)
{
    return is_among(archai_keywords, name);
}

bool archai_is_place(const char *name)
{
    static const char *const words[] = {"index", "first", "last", "count", NULL};

    return is_among(words, name);
}

const char *const archai_data_names[] = {"channels", "height", "width",    "classes",
                                         "tokens",   "vocab",  "features", NULL};

const int *archai_data_size(const archai_data_shape *data, const char *name)
{
    static const archai_data_shape none;
    const archai_data_shape *d = data != NULL ? data : &none;
    const int *const sizes[] = {&d->channels, &d->height, &d->width,   &d->num_classes,
                                &d->tokens,   &d->vocab,  &d->features};

    for (size_t i = 0; archai_data_names[i] != NULL; i++)
        if (strcmp(archai_data_names[i], name) == 0)
            return sizes[i];
    return NULL;
}

int archai_check_name(const char *name, archai_err *err)
{
    static const char *const taken[] = {"in",   "x",     "and",  "or",    "not",
                                        "if",   "else",  "true", "false", "null",
                                        "True", "False", "None", NULL};
    const size_t n =
        strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

    if (n == 0 || n > 128 || name[n] != '\0' || strchr("0123456789", name[0]) != NULL)
        return archai_fail(err, ARCHAI_EINVAL,
                           "'%.60s' is not a name: letters, digits and _, a letter first",
                           name);
    if (is_among(taken, name) || archai_is_keyword(name))
        return archai_fail(err, ARCHAI_EINVAL, "the name '%s' is a word of the grammar", name);
    return ARCHAI_OK;
}

bool archai_is_argument_word(const char *word)
{
    for (size_t i = 0; archai_module_kinds[i] != NULL; i++)
        for (const archai_arg *a = archai_module_kinds[i]->args; a != NULL && a->name != NULL;
             a++)
            if (a->words != NULL && is_among(a->words, word))
                return true;
    return false;
}

/* -- PyTorch's other names ----------------------------------------------------------------- */

static const char *without_module(const char *name)
{
    const char *dot = strrchr(name, '.');
    const size_t n = dot != NULL ? (size_t)(dot - name) : 0;
    static const char *const modules[] = {
        "nn", "F", "torch", "torch.nn", "nn.functional", "torch.nn.functional", NULL};

    for (size_t i = 0; modules[i] != NULL; i++)
        if (n == strlen(modules[i]) && strncmp(name, modules[i], n) == 0)
            return dot + 1;
    return name;
}

const char *archai_class_synonym(const char *name)
{
    static const struct {
        const char *name, *kind, *write;
    } others[] = {
        {"cat", "concat", "concat"},
        {"concatenate", "concat", "concat"},
        {"stack", "concat", "concat"},
        {"view", "reshape", "reshape"},
        {"unsqueeze", "reshape", "reshape"},
        {"squeeze", "reshape", "reshape"},
        {"interpolate", "Upsample", "Upsample"},
        {"div", "divide", "divide"},
        {"mul", "multiply", "multiply"},
        {"sub", "subtract", "subtract"},
        {"bmm", "matmul", "matmul"},
        {"swish", "SiLU", "SiLU"},
        {"DropPath", "StochasticDepth", "StochasticDepth"},
        {"LayerNorm2d", "LayerNorm",
         "permute: [0, 2, 3, 1], then LayerNorm, then permute: [0, 3, 1, 2]"},
    };

    name = without_module(name);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (strcmp(others[i].name, name) == 0 &&
            archai_module_kind_find(others[i].kind) != NULL)
            return others[i].write;
    return NULL;
}

static bool same_letters(const char *a, const char *b)
{
    for (;; a++, b++) {
        a += strspn(a, "_");
        b += strspn(b, "_");
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
            return false;
        if (*a == '\0')
            return true;
    }
}

const char *archai_class_of_case(const char *name)
{
    name = without_module(name);
    for (size_t i = 0; archai_module_kinds[i] != NULL; i++)
        if (same_letters(archai_module_kinds[i]->name, name))
            return archai_module_kinds[i]->name;
    return NULL;
}
