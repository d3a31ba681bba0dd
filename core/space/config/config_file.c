/* The file that a space `config` is read from: a tree of parameters, or `parameters` and
 * `network`. */
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/python_text.h"
#include "core/base/sha1.h"
#include "core/space/config/config_private.h"
#include "core/space/config/param_tree_private.h"

/* A tree may have a parameter or a list of either name; a group or a network is a member of a
 * file. */
static const json_t *member(const json_t *document, const char *name)
{
    const json_t *v = json_object_get(document, name);

    return v == NULL || archai_param_is_one(v) || json_object_get(v, "repeat") != NULL ? NULL
                                                                                       : v;
}

/* The sha1 is that of the declaration; comments and layout do not count. */
static int take_sha1(archai_config_space *c, archai_err *err)
{
    json_t *included = c->network != NULL ? archai_network_file_included(c->network) : NULL;
    char *text = archai_python_json(c->document, false), *more, hash[ARCHAI_SHA1_HEX];
    int rc;

    if (included != NULL) {
        char *blocks = archai_python_json(included, false);

        more = archai_printf("%s%s", text, blocks);
        free(text);
        free(blocks);
        text = more;
    }
    json_decref(included);
    rc = archai_sha1_hex(text, strlen(text), hash, err);
    free(text);
    if (rc != ARCHAI_OK)
        return rc;
    if (c->resumed && strcmp(c->tree_sha1, hash) != 0)
        return archai_fail(err, ARCHAI_EINVAL,
                           "%s: has changed: its sha1 is %s, tree_sha1 says %.60s",
                           c->tree_path, hash, c->tree_sha1);
    free(c->tree_sha1);
    c->tree_sha1 = archai_strdup(hash);
    return ARCHAI_OK;
}

/* `parameters` without a network: nothing else is known, and what is a network's says that one
 * is missing. */
static int check_members(const archai_config_space *c, archai_err *err)
{
    const json_t *at = c->document;
    int rc = archai_network_file_check_keys(c->document, &at, err);

    if (rc == ARCHAI_OK && json_object_size(c->document) > 1)
        rc = archai_fail(err, ARCHAI_EINVAL, "there is no 'network'");
    return archai_param_located(c->lines, at, c->document, rc, err);
}

static int read_parts(archai_config_space *c, archai_err *err)
{
    const bool has_network = member(c->document, "network") != NULL;
    const json_t *parameters = member(c->document, "parameters"), *tree = c->document;
    /* An earlier version took lists and mappings for constants; what it began can be resumed.
     */
    unsigned how = c->resumed ? ARCHAI_TREE_LENIENT : 0;
    json_t *none = NULL;
    int rc = ARCHAI_OK;

    if (has_network)
        rc = archai_network_file_create(&c->network, c->tree_path, c->document, c->lines, err);
    else if (parameters != NULL)
        rc = check_members(c, err);
    if (rc == ARCHAI_OK)
        rc = take_sha1(c, err);
    if (has_network || parameters != NULL)
        tree = parameters;
    if (has_network)
        how |= ARCHAI_TREE_MAY_BE_EMPTY;
    if (tree == NULL)
        tree = none = archai_there(json_object());
    if (rc == ARCHAI_OK)
        rc = archai_param_tree_create(&c->tree, tree, c->lines, how, err);
    json_decref(none);
    return rc;
}

int archai_config_space_read(archai_config_space *c, archai_err *err)
{
    int rc;

    c->resumed = c->tree_sha1[0] != '\0';
    c->lines = archai_lines_create();
    rc = archai_document_read_lines(c->tree_path, &c->document, c->lines, err);
    if (rc == ARCHAI_OK)
        rc = read_parts(c, err);
    return archai_err_wrap(err, rc, "tree: ");
}

int archai_config_space_network(const archai_config_space *c, json_t *const *values,
                                archai_network *out, archai_err *err)
{
    json_t *params = archai_param_tree_values(c->tree, values);
    const int rc = archai_network_file_build(c->network, params, &c->base.data, out, err);

    json_decref(params);
    return rc;
}

static int try_one(const archai_config_space *c, archai_rng *rng, archai_err *err)
{
    json_t *values[ARCHAI_PARAM_MAX];
    archai_network net = {.root = NULL};
    int rc;

    for (size_t i = 0; i < c->tree->n; i++)
        values[i] = archai_param_draw(&c->tree->params[i], rng);
    rc = archai_config_space_network(c, values, &net, err);
    archai_network_fini(&net);
    archai_config_space_release(c, values);
    return rc;
}

/* Without data and without `input` nothing can be built; the file is not wrong for that. */
static bool knows_input(const archai_config_space *c)
{
    const archai_data_shape *d = &c->base.data;

    return json_object_get(c->document, "input") != NULL || d->channels > 0 || d->tokens > 0 ||
           d->features > 0;
}

int archai_config_space_try(archai_config_space *c, int n, bool all, archai_err *err)
{
    archai_err first = ARCHAI_ERR_INIT;
    archai_rng rng;
    int failed = 0;

    if (c->network == NULL || !knows_input(c))
        return ARCHAI_OK;
    archai_rng_seed(&rng, 1);
    for (int i = 0; i < n; i++)
        failed += try_one(c, &rng, failed == 0 ? &first : NULL) != ARCHAI_OK;
    if (failed == 0 || (!all && failed < n))
        return ARCHAI_OK;
    return failed == n ? archai_fail(err, first.code, "tree: %s", first.text)
                       : archai_fail(err, first.code, "tree: %s (%d of %d random samples fail)",
                                     first.text, failed, n);
}
