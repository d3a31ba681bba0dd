#include "core/search/space.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/config/config.h"
#include "core/plugin.h"
#include "core/registries.h"
#include "core/base/python_text.h"
#include "core/base/yaml.h"

/* clang-format off */
const archai_option archai_space_common_options[] = {
    {"name", ARCHAI_OPT_STRING, offsetof(archai_space_common, name), 0, 0, NULL, "", NULL, "which search space, for example cnn; `plugin`: one of your own"},
    {"plugin", ARCHAI_OPT_STRING, offsetof(archai_space_common, plugin), 0, 0, "", "", NULL, "name = plugin: path of the shared library that brings the space"},
    {"seed", ARCHAI_OPT_INT, offsetof(archai_space_common, seed), 0, 0x1p63, "1", "", NULL, "seed of the space's own generator (Python's random.Random)"},
    ARCHAI_OPTION_END,
};
/* clang-format on */

/* -- creation -------------------------------------------------------------------------- */

static int find_space(const archai_ini *ini, const char *name, const archai_space_ops **out,
                      archai_err *err)
{
    size_t i;

    ARCHAI_TRY(
        archai_ini_locate(ini, archai_registry_find(&archai_space_registry, name, &i, err), err));
    *out = archai_spaces[i];
    return ARCHAI_OK;
}

/* Add file and line to an error of init about a key ("max_layers: ..."): its own line, or that of the
 * section where it has its default. */
static int locate(const archai_ini *ini, const archai_option *options, int rc, archai_err *err)
{
    size_t n = err != NULL ? strcspn(err->text, ":") : 0;
    const archai_ini_entry *e;

    for (const archai_option *o = options; n > 0 && o->key != NULL; o++) {
        if (strlen(o->key) != n || strncmp(o->key, err->text, n) != 0)
            continue;
        e = archai_ini_find(ini, "space", o->key);
        if (e == NULL)
            e = archai_ini_find(ini, "space", NULL);
        (void)archai_err_wrap(err, rc, "space.");
        return archai_ini_wrap(e, rc, err);
    }
    return rc;
}

static int open_space(archai_space **out, const archai_space_ops *ops, archai_ini *ini,
                      const archai_space_common *common, const archai_data_shape *data,
                      archai_err *err)
{
    archai_space *s = archai_calloc(1, ops->size);
    int rc;

    s->ops = ops;
    s->seed = common->seed;
    archai_rng_seed(&s->rng, (uint64_t)common->seed);
    if (data != NULL)
        s->data = *data;
    if (strcmp(common->name, ARCHAI_SPACE_PLUGIN) == 0)
        s->plugin = archai_strdup(common->plugin);
    rc = archai_config_apply(ini, "space", ops->options, s, err);
    if (rc == ARCHAI_OK) {
        rc = ops->init(s, err);
        if (rc != ARCHAI_OK)
            rc = locate(ini, ops->options, rc, err);
        else
            *out = s;
    }
    if (rc != ARCHAI_OK) {
        archai_option_free(ops->options, s);
        free(s->plugin);
        free(s);
    }
    return rc;
}

/* The space that a plug-in brings; errors say where its path stands. */
static int load_space(const archai_ini *ini, const char *path, const archai_space_ops **out,
                      archai_err *err)
{
    const archai_ini_entry *e = archai_ini_find(ini, "space", "plugin");
    const archai_plugin *plugin;
    int rc = archai_plugin_load(path, &plugin, err);

    if (rc == ARCHAI_OK && plugin->space == NULL)
        rc = archai_fail(err, ARCHAI_EINVAL, "%s: %s brings a measure, but no space", path,
                         plugin->name);
    if (rc == ARCHAI_OK) {
        *out = plugin->space;
        return ARCHAI_OK;
    }
    (void)archai_err_wrap(err, rc, "space.plugin: ");
    return archai_ini_wrap(e != NULL ? e : archai_ini_find(ini, "space", NULL), rc, err);
}

int archai_space_create(archai_space **out, archai_ini *ini, const archai_data_shape *data,
                        archai_err *err)
{
    archai_space_common common = {.name = NULL};
    const archai_space_ops *ops = NULL;
    int rc;

    if (!archai_ini_has_section(ini, "space"))
        return archai_fail(err, ARCHAI_ENOTFOUND, "%s: section [space] is missing",
                           archai_ini_name(ini));
    rc = archai_config_apply(ini, "space", archai_space_common_options, &common, err);
    if (rc == ARCHAI_OK && strcmp(common.name, ARCHAI_SPACE_PLUGIN) == 0)
        rc = load_space(ini, common.plugin, &ops, err);
    else if (rc == ARCHAI_OK)
        rc = find_space(ini, common.name, &ops, err);
    if (rc == ARCHAI_OK)
        rc = open_space(out, ops, ini, &common, data, err);
    archai_option_free(archai_space_common_options, &common);
    return rc;
}

void archai_space_destroy(archai_space *s)
{
    if (s == NULL)
        return;
    if (s->ops->fini != NULL)
        s->ops->fini(s);
    archai_option_free(s->ops->options, s);
    free(s->plugin);
    free(s);
}

/* -- abilities ------------------------------------------------------------------------- */

bool archai_space_can(const archai_space *s, const char *ability)
{
    const struct {
        const char *name;
        bool has;
    } abilities[] = {
        {"mutate", s->ops->mutate != NULL},
        {"crossover", s->ops->crossover != NULL},
        {"encode", s->ops->encode != NULL},
        {"describe", s->ops->describe != NULL},
        {"at", s->ops->at != NULL && s->ops->cardinality != NULL},
    };

    for (size_t i = 0; i < sizeof abilities / sizeof abilities[0]; i++)
        if (strcmp(abilities[i].name, ability) == 0)
            return abilities[i].has;
    return false;
}

static int need(const archai_space *s, const char *ability, archai_err *err)
{
    if (archai_space_can(s, ability))
        return ARCHAI_OK;
    return archai_fail(err, ARCHAI_ENOTSUP, "space '%s' has no %s", s->ops->name, ability);
}

static int need_arch(const archai_model *m, archai_err *err)
{
    if (m->arch != NULL)
        return ARCHAI_OK;
    return archai_fail(err, ARCHAI_EINVAL, "model '%.200s' was cleared: its arch is gone",
                       m->archid);
}

int archai_space_breathe(archai_space *s, archai_err *err)
{
    return s->interrupt != NULL ? s->interrupt->check(s->interrupt->payload, err) : ARCHAI_OK;
}

int archai_space_random_sample(archai_space *s, archai_model *out, archai_err *err)
{
    ARCHAI_TRY(archai_space_breathe(s, err));
    return s->ops->random_sample(s, out, err);
}

int archai_space_mutate(archai_space *s, const archai_model *parent, archai_model *child,
                        archai_err *err)
{
    ARCHAI_TRY(need(s, "mutate", err));
    ARCHAI_TRY(need_arch(parent, err));
    ARCHAI_TRY(archai_space_breathe(s, err));
    return s->ops->mutate(s, parent, child, err);
}

int archai_space_crossover(archai_space *s, const archai_model *const *parents, size_t n,
                           archai_model *child, archai_err *err)
{
    ARCHAI_TRY(need(s, "crossover", err));
    if (n == 0)
        return archai_fail(err, ARCHAI_EINVAL, "a crossover needs at least one model");
    for (size_t i = 0; i < n; i++)
        ARCHAI_TRY(need_arch(parents[i], err));
    ARCHAI_TRY(archai_space_breathe(s, err));
    return s->ops->crossover(s, parents, n, child, err);
}

int archai_space_encode(archai_space *s, const archai_model *m, float *out, archai_err *err)
{
    ARCHAI_TRY(need(s, "encode", err));
    ARCHAI_TRY(need_arch(m, err));
    return s->ops->encode(s, m, out, err);
}

int archai_space_describe(archai_space *s, const archai_model *m, archai_network *out,
                          archai_err *err)
{
    ARCHAI_TRY(need(s, "describe", err));
    ARCHAI_TRY(need_arch(m, err));
    return s->ops->describe(s, m, out, err);
}

int archai_space_count(archai_space *s, const archai_model *m, archai_counts *out, archai_err *err)
{
    archai_network net = {.root = NULL};
    int rc;

    ARCHAI_TRY(need(s, "describe", err));
    ARCHAI_TRY(need_arch(m, err));
    if (s->ops->count != NULL)
        return s->ops->count(s, m, out, err);
    ARCHAI_TRY(s->ops->describe(s, m, &net, err));
    rc = archai_network_count(&net, out, err);
    archai_network_fini(&net);
    return rc;
}

/* Members of nested objects under dotted names. */
static void flatten(const json_t *object, const char *prefix, json_t *out)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)object, key, value)
    {
        char *name = archai_printf("%s%s%s", prefix, prefix[0] != '\0' ? "." : "", key);

        if (json_is_object(value))
            flatten(value, name, out);
        else
            (void)json_object_set(out, name, value);
        free(name);
    }
}

int archai_space_params(archai_space *s, const archai_model *m, json_t **out, archai_err *err)
{
    ARCHAI_TRY(need_arch(m, err));
    if (s->ops->params != NULL)
        return s->ops->params(s, m, out, err);
    *out = archai_there(json_object());
    flatten(m->arch, "", *out);
    return ARCHAI_OK;
}

int archai_space_train(archai_space *s, const archai_model *m, json_t **out, archai_err *err)
{
    *out = NULL;
    ARCHAI_TRY(need_arch(m, err));
    return s->ops->train != NULL ? s->ops->train(s, m, out, err) : ARCHAI_OK;
}

int archai_space_check_use(archai_space *s, const archai_space_use *use, archai_err *err)
{
    return s->ops->check_use != NULL
               ? archai_err_wrap(err, s->ops->check_use(s, use, err), "space.")
               : ARCHAI_OK;
}

char *archai_space_feature_name(const archai_space *s, size_t i)
{
    return s->ops->feature_name != NULL ? s->ops->feature_name(s, i)
                                        : archai_printf("feature_%zu", i);
}

double archai_space_cardinality(const archai_space *s)
{
    const double n = s->ops->cardinality != NULL ? s->ops->cardinality(s) : INFINITY;

    return n >= 1.0 ? n : INFINITY; /* a plug-in may return anything */
}

/* -- arch files ------------------------------------------------------------------------ */

int archai_space_save_arch(archai_space *s, const archai_model *m, char **text, archai_err *err)
{
    ARCHAI_TRY(need_arch(m, err));
    if (s->ops->save_arch != NULL)
        return s->ops->save_arch(s, m, text, err);
    *text = archai_python_json(m->arch, false);
    return ARCHAI_OK;
}

/* The next mention of a key, as "key" in JSON or key: in YAML, not before `from`; NULL: none. */
static const char *find_key(const char *from, const char *end, const char *key, int n)
{
    char quoted[130];
    const char *hit;

    if (n <= 0 || n >= 128)
        return NULL;
    (void)snprintf(quoted, sizeof quoted, "\"%.*s\"", n, key);
    hit = memmem(from, (size_t)(end - from), quoted, (size_t)n + 2);
    if (hit != NULL)
        return hit;
    (void)snprintf(quoted, sizeof quoted, "%.*s:", n, key);
    return memmem(from, (size_t)(end - from), quoted, (size_t)n + 1);
}

/* Line of what an error of load_arch begins with: "key: ...", or "list[2].key: ...", the third such
 * key after the list's. Where that is missing, the line of the list; where that is, the first. */
static int line_of_key(const char *text, size_t size, const char *message)
{
    const char *end = text + size, *hit = find_key(text, end, message, (int)strcspn(message, ".[: "));
    const char *member = message + strcspn(message, ".[: ");
    int line = 1, index = -1, skip = 0;

    if (hit != NULL && sscanf(member, "[%d].%n", &index, &skip) == 1 && skip > 0) {
        const char *key = member + skip, *at = hit;
        int n = (int)strcspn(key, ".[: ");

        for (int i = 0; i <= index && at != NULL; i++)
            at = find_key(at + 1, end, key, n);
        if (at != NULL && strstr(key, ": missing") == NULL)
            hit = at;
    }
    for (const char *p = text; hit != NULL && p < hit; p++)
        line += *p == '\n' ? 1 : 0;
    return line;
}

int archai_space_load_arch(archai_space *s, const char *text, size_t size, archai_model *out,
                           archai_err *err)
{
    archai_err inner = ARCHAI_ERR_INIT;
    json_t *arch = NULL;
    int rc;

    ARCHAI_TRY(archai_document_parse(text, size, &arch, err));
    rc = s->ops->load_arch(s, arch, out, &inner);
    json_decref(arch);
    if (rc != ARCHAI_OK)
        return archai_fail(err, rc, "%d: %s", line_of_key(text, size, inner.text), inner.text);
    return ARCHAI_OK;
}

int archai_space_load_json(archai_space *s, const json_t *arch, archai_model *out,
                           archai_err *err)
{
    return s->ops->load_arch(s, arch, out, err);
}

/* -- printed form ---------------------------------------------------------------------- */

static int print_arch(archai_space *s, const archai_model *m, FILE *out, archai_err *err)
{
    archai_network net = {.n_steps = 0};

    if (m->arch == NULL) {
        (void)fputs("None", out);
        return ARCHAI_OK;
    }
    if (s->ops->describe == NULL) {
        archai_python_repr(m->arch, out);
        return ARCHAI_OK;
    }
    ARCHAI_TRY(s->ops->describe(s, m, &net, err));
    (void)archai_module_print(net.root, out); /* ferror tells the caller */
    archai_network_fini(&net);
    return ARCHAI_OK;
}

int archai_space_print(archai_space *s, const archai_model *m, FILE *out, archai_err *err)
{
    (void)fprintf(out, "ArchaiModel(\n\tarchid=%s, \n\tmetadata=", m->archid);
    archai_python_repr(m->metadata, out);
    (void)fputs(", \n\tarch=", out);
    ARCHAI_TRY(print_arch(s, m, out, err));
    (void)fputs("\n)", out);
    if (ferror(out))
        return archai_fail(err, ARCHAI_EIO, "printing a model failed");
    return ARCHAI_OK;
}
