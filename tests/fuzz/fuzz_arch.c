/* An architecture file for every registered space: the first line names the space, the rest is the
 * text. What load_arch accepts is an architecture like any other: it is described, counted,
 * printed, drawn, encoded, mutated and crossed, and what save_arch writes is the same one. */
#include "fuzz.h"
#include <math.h>
#include <string.h>
#include "core/search/objective.h"
#include "core/search/space.h"

enum { SPACES_MAX = 32 };

static archai_space *spaces[SPACES_MAX];
static size_t n_spaces;

/* Keys that have no default. */
static const struct {
    const char *name, *keys;
} required[] = {
    {"config", "tree = \"" ARCHAI_TEST_DATA "/config_tree.json\"\n"},
    {"transformer_flex", "arch_type = gpt2-flex\n"},
};

static const char *keys_of(const char *name)
{
    for (size_t i = 0; i < sizeof required / sizeof required[0]; i++)
        if (strcmp(required[i].name, name) == 0)
            return required[i].keys;
    return "";
}

static void create_spaces(void)
{
    const archai_data_shape data = {.channels = 3, .height = 32, .width = 64, .num_classes = 5};

    for (size_t i = 0; archai_spaces[i] != NULL && n_spaces < SPACES_MAX; i++) {
        archai_ini ini = {0};
        char text[4096];
        const char *name = archai_spaces[i]->name;
        int n = snprintf(text, sizeof text, "[space]\nname = %s\n%s", name, keys_of(name));

        FUZZ_CHECK(archai_ini_parse(&ini, "fuzz.ini", text, (size_t)n, NULL) == ARCHAI_OK);
        if (archai_space_create(&spaces[n_spaces], &ini, &data, NULL) == ARCHAI_OK)
            n_spaces++;
        archai_ini_free(&ini);
    }
    FUZZ_CHECK(n_spaces > 0);
}

static archai_space *find_space(const char *name, size_t n)
{
    for (size_t i = 0; i < n_spaces; i++)
        if (strlen(spaces[i]->ops->name) == n && memcmp(spaces[i]->ops->name, name, n) == 0)
            return spaces[i];
    return NULL;
}

static void look(archai_space *s, const archai_model *m)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_network net = {0};
    archai_counts counts;
    archai_state_entry *state = NULL;
    char *text = NULL;
    size_t size = 0, n_state = 0;
    FILE *f = open_memstream(&text, &size);

    FUZZ_CHECK(f != NULL);
    if (archai_space_can(s, "describe")) {
        int rc = archai_space_describe(s, m, &net, &err);

        if (rc == ARCHAI_OK) {
            (void)archai_network_count(&net, &counts, &err); /* may not fit this input */
            FUZZ_CHECK(archai_module_params(net.root) >= 0);
            state = archai_module_state(net.root, &n_state);
            archai_state_free(state, n_state);
            FUZZ_CHECK(archai_network_dot(&net, m->archid, f) == ARCHAI_OK);
            archai_network_fini(&net);
        } else {
            FUZZ_CHECK_ERROR(rc, err);
        }
    }
    (void)archai_space_print(s, m, f, &err);
    FUZZ_CHECK(fclose(f) == 0);
    free(text);
}

static void encode(archai_space *s, const archai_model *m)
{
    float *at;
    archai_err err = ARCHAI_ERR_INIT;

    if (!archai_space_can(s, "encode"))
        return;
    at = calloc(s->encoding_size > 0 ? s->encoding_size : 1, sizeof *at);
    FUZZ_CHECK(at != NULL);
    if (archai_space_encode(s, m, at, &err) == ARCHAI_OK)
        for (size_t i = 0; i < s->encoding_size; i++)
            FUZZ_CHECK(isfinite(at[i]));
    free(at);
}

static void breed(archai_space *s, const archai_model *m)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_model child = {0};
    const archai_model *parents[2] = {m, m};

    if (archai_space_can(s, "mutate") && archai_space_mutate(s, m, &child, &err) == ARCHAI_OK)
        archai_model_fini(&child);
    child = (archai_model){0};
    if (archai_space_can(s, "crossover") &&
        archai_space_crossover(s, parents, 2, &child, &err) == ARCHAI_OK)
        archai_model_fini(&child);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_model m = {0}, again = {0};
    const char *input = (const char *)data, *line;
    archai_space *s;
    char *text = NULL;
    int rc;

    if (n_spaces == 0)
        create_spaces();
    line = size > 0 ? memchr(input, '\n', size) : NULL;
    s = line != NULL ? find_space(input, (size_t)(line - input)) : NULL;
    if (s == NULL)
        return 0;
    rc = archai_space_load_arch(s, line + 1, size - (size_t)(line + 1 - input), &m, &err);
    if (rc != ARCHAI_OK) {
        FUZZ_CHECK_ERROR(rc, err);
        return 0;
    }
    FUZZ_CHECK(m.archid != NULL && strchr(m.archid, '/') == NULL);
    FUZZ_CHECK(archai_space_save_arch(s, &m, &text, &err) == ARCHAI_OK);
    rc = archai_space_load_arch(s, text, strlen(text), &again, &err);
    if (rc != ARCHAI_OK || strcmp(m.archid, again.archid) != 0)
        fprintf(stderr, "%s: %s\n%s\n", m.archid, rc != ARCHAI_OK ? err.text : again.archid, text);
    FUZZ_CHECK(rc == ARCHAI_OK && strcmp(m.archid, again.archid) == 0);
    archai_model_fini(&again);
    free(text);

    look(s, &m);
    encode(s, &m);
    breed(s, &m);
    archai_model_fini(&m);
    return 0;
}
