/* What a model is, in names and values: the parameters of its arch. */
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/yaml.h"
#include "core/search/parameters.h"
#include "runner/inspect/inspect.h"

/* A page stays readable: longer texts end in "...". */
enum { TEXT_MAX = 2000 };

typedef struct listing {
    FILE *out;
    size_t size; /* written so far */
    bool cut;
} listing;

static void put(void *payload, const char *name, const json_t *value)
{
    listing *l = payload;
    char *text;

    if (l->cut)
        return;
    if (l->size > TEXT_MAX) {
        l->cut = true;
        (void)fputs(", ...", l->out);
        return;
    }
    text = json_is_string(value) ? archai_strdup(json_string_value(value))
                                 : json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
    l->size += (size_t)fprintf(l->out, "%s%s=%s", l->size > 0 ? ", " : "", name,
                               text != NULL ? text : "?");
    free(text);
}

char *inspect_parameters(const archai_trial *e)
{
    char *text = NULL;
    size_t size = 0;
    listing l = {.out = open_memstream(&text, &size)};
    json_t *arch = NULL;

    if (l.out == NULL)
        return archai_strdup("");
    if (e->arch != NULL &&
        archai_document_parse(e->arch, strlen(e->arch), &arch, NULL) == ARCHAI_OK)
        archai_parameters_walk(arch, put, &l);
    json_decref(arch);
    if (fclose(l.out) != 0) {
        free(text);
        return archai_strdup("");
    }
    return text;
}
