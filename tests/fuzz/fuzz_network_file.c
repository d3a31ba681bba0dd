/* Networks in files (core/network/file): parameters get values that the file itself declares, and what is built can be
 * counted, printed and drawn. */
#include "fuzz.h"
#include <string.h>
#include "core/network/file/network_file.h"

enum { GROUPS_MAX = 3, DEPTH_MAX = 8 };

/* A value for what `parameters` declares; `pick` decides which. */
static json_t *value_of(const json_t *node, size_t pick, int depth)
{
    json_t *choices = json_object_get(node, "choice"), *repeat = json_object_get(node, "repeat"),
           *range = json_object_get(node, "range"), *value;
    size_t n = json_array_size(choices) + json_array_size(range);
    const char *key;
    json_t *out;

    if (!json_is_object(node) || depth > DEPTH_MAX)
        return json_incref((json_t *)node);
    if (n > 0)
        return json_incref(json_array_size(choices) > 0 ? json_array_get(choices, pick % n)
                                                        : json_array_get(range, pick % n));
    if (json_object_get(node, "constant") != NULL)
        return json_incref(json_object_get(node, "constant"));
    out = repeat != NULL ? json_array() : json_object();
    for (size_t i = 0; repeat != NULL && i <= pick % GROUPS_MAX; i++)
        json_array_append_new(out, value_of(repeat, pick + i, depth + 1));
    if (repeat == NULL)
        json_object_foreach((json_t *)node, key, value)
            json_object_set_new(out, key, value_of(value, pick++, depth + 1));
    return out;
}

static void look_at(const archai_network *net)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_counts counts;
    archai_state_entry *state;
    size_t n, size;
    char *text = NULL;
    FILE *out = open_memstream(&text, &size);
    int rc = archai_network_count(net, &counts, &err);

    FUZZ_CHECK(out != NULL);
    if (rc != ARCHAI_OK)
        FUZZ_CHECK_ERROR(rc, err);
    else
        FUZZ_CHECK(counts.output.ndim > 0 && counts.params >= 0);
    if (net->n_steps < 2000) {
        FUZZ_CHECK(archai_module_print(net->root, out) == 0);
        FUZZ_CHECK(archai_network_dot(net, "fuzz", out) == 0);
        state = archai_module_state(net->root, &n);
        archai_state_free(state, n);
    }
    fclose(out);
    free(text);
}

static void build(const archai_network_file *f, const json_t *parameters, size_t pick)
{
    static const archai_data_shape data[] = {
        {.channels = 3, .height = 8, .width = 8, .num_classes = 10}, {.tokens = 5, .vocab = 11}, {.features = 6}};
    archai_err err = ARCHAI_ERR_INIT;
    archai_network net = {.root = NULL};
    /* and once what is declared in place of values, which is of the wrong kind */
    json_t *params = pick == 3 ? json_incref((json_t *)parameters) : value_of(parameters, pick, 0);
    int rc = archai_network_file_build(f, params, &data[pick % 3], &net, &err);

    if (rc == ARCHAI_OK) {
        look_at(&net);
    } else {
        FUZZ_CHECK_ERROR(rc, err);
        FUZZ_CHECK(strchr(err.text, '\n') == NULL && net.root == NULL);
        FUZZ_CHECK(err.code != ARCHAI_EINTERNAL);
    }
    archai_network_fini(&net);
    json_decref(params);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_network_file *f = NULL;
    archai_lines *lines = archai_lines_create();
    json_t *document = NULL, *included;
    int rc = archai_document_parse_lines("fuzz.yaml", (const char *)data, size, &document, lines, &err);

    if (rc == ARCHAI_OK && json_object_get(document, "include") == NULL)
        rc = archai_network_file_create(&f, "fuzz.yaml", document, lines, &err);
    if (rc != ARCHAI_OK) {
        FUZZ_CHECK_ERROR(rc, err);
        FUZZ_CHECK(strchr(err.text, '\n') == NULL && f == NULL);
    } else if (f != NULL) {
        for (size_t pick = 0; pick < 4; pick++)
            build(f, json_object_get(document, "parameters"), pick);
        (void)archai_network_file_uses(f, "stages.kernel");
        included = archai_network_file_included(f);
        FUZZ_CHECK(included == NULL);
        archai_network_file_destroy(f);
    }
    archai_lines_destroy(lines);
    json_decref(document);
    return 0;
}
