/* /params: the parameters of the architectures, a column each.
 *
 * A column holds numbers (truth values as 1 and 0) until a value comes that is none: then it holds texts. The
 * space knows which parameters an architecture has; where it cannot be made again (a plug-in, a tree that has
 * moved) the arch document is taken as it stands.
 */
#include "io/results/index/index_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/text.h"
#include "core/base/yaml.h"
#include "core/registries.h"
#include "core/search/parameters.h"
#include "io/file/h5.h"

enum { PARAMS_MAX = 1024, TEXT_MAX = 1024 };

static const char group_name[] = "params";

void index_params_init(index_params *p, const char *config_text)
{
    archai_space_common common = {.name = NULL};
    archai_ini ini = {0};

    *p = (index_params){.space = NULL};
    if (archai_ini_parse(&ini, "config.ini", config_text, strlen(config_text), NULL) == ARCHAI_OK &&
        archai_config_apply(&ini, "space", archai_space_common_options, &common, NULL) ==
            ARCHAI_OK &&
        strcmp(common.name, ARCHAI_SPACE_PLUGIN) != 0)
        (void)archai_space_create(&p->space, &ini, NULL, NULL);
    archai_option_free(archai_space_common_options, &common);
    archai_ini_free(&ini);
}

void index_params_forget(index_params *p)
{
    for (size_t i = 0; i < p->n; i++)
        archai_column_fini(&p->at[i]);
    p->n = 0;
}

void index_params_fini(index_params *p)
{
    index_params_forget(p);
    free(p->at);
    archai_space_destroy(p->space);
    *p = (index_params){.space = NULL};
}

/* -- the parameters of one row ----------------------------------------------------------------- */

static void take(void *payload, const char *name, const json_t *value)
{
    (void)json_object_set((json_t *)payload, name, (json_t *)(uintptr_t)value);
}

static json_t *parameters(const index_params *p, const archai_trial *e)
{
    const size_t size = e->arch != NULL ? strlen(e->arch) : 0;
    archai_model m = {.arch = NULL};
    json_t *arch = NULL, *out = NULL;

    if (p->space != NULL && size > 0 &&
        archai_space_load_arch(p->space, e->arch, size, &m, NULL) == ARCHAI_OK &&
        archai_space_params(p->space, &m, &out, NULL) != ARCHAI_OK)
        out = NULL;
    archai_model_fini(&m);
    if (out != NULL)
        return out;
    out = archai_there(json_object());
    if (size > 0 && archai_document_parse(e->arch, size, &arch, NULL) == ARCHAI_OK)
        archai_parameters_walk(arch, take, out);
    json_decref(arch);
    return out;
}

static bool is_number(const json_t *value)
{
    return json_is_number(value) || json_is_boolean(value) || json_is_null(value);
}

static double number_of(const json_t *value)
{
    return json_is_boolean(value) ? (double)json_is_true(value)
           : json_is_number(value) ? json_number_value(value)
                                   : (double)NAN;
}

static char *text_of(const json_t *value)
{
    char *text = value != NULL && !json_is_null(value) ? archai_parameter_text(value)
                                                       : archai_strdup("");
    size_t n = strlen(text);

    if (n > TEXT_MAX) {
        for (n = TEXT_MAX; n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80;)
            n--; /* not in the middle of a UTF-8 sequence */
        text[n] = '\0';
    }
    return text;
}

/* -- columns ------------------------------------------------------------------------------------- */

/* A column takes its value from a field of a row: these two stand for a parameter. */
static archai_column new_column(const char *name, bool is_text)
{
    return archai_column_new(is_text ? ARCHAI_COLUMN_TEXT : ARCHAI_COLUMN_F64, group_name, name, name,
                             is_text ? offsetof(archai_trial, device)
                                     : offsetof(archai_trial, seconds));
}

static bool is_text(const archai_column *c)
{
    return archai_column_is_text(c->kind);
}

static archai_column *find(index_params *p, const char *name)
{
    for (size_t i = 0; i < p->n; i++)
        if (strcmp(p->at[i].source, name) == 0)
            return &p->at[i];
    return NULL;
}

static int write_values(archai_column *c, json_t *const *params, size_t first, size_t n,
                        size_t total, hid_t file, archai_err *err)
{
    archai_trial *rows = archai_calloc(n, sizeof *rows);
    int rc;

    for (size_t i = 0; i < n; i++) {
        const json_t *value = json_object_get(params[i], c->source);

        if (is_text(c))
            rows[i].device = text_of(value);
        else
            rows[i].seconds = number_of(value);
    }
    rc = archai_column_write(c, file, first, rows, n, total, err);
    for (size_t i = 0; i < n; i++)
        free(rows[i].device);
    free(rows);
    return rc;
}

static json_t **read_batch(const index_params *p, const index_table *t, size_t first, size_t n,
                           archai_err *err)
{
    json_t **params = archai_calloc(n, sizeof *params);
    int rc = ARCHAI_OK;

    for (size_t i = 0; rc == ARCHAI_OK && i < n; i++) {
        archai_trial e = {0};

        rc = index_table_read(t, first + i, &e, err);
        if (rc == ARCHAI_OK)
            params[i] = parameters(p, &e);
        archai_trial_fini(&e);
    }
    if (rc == ARCHAI_OK)
        return params;
    for (size_t i = 0; i < n; i++)
        json_decref(params[i]);
    free(params);
    return NULL;
}

static void free_batch(json_t **params, size_t n)
{
    for (size_t i = 0; params != NULL && i < n; i++)
        json_decref(params[i]);
    free(params);
}

/* A column of numbers becomes one of texts: rows [0, first) are written anew. */
static int become_text(index_params *p, archai_column *c, const index_table *t, size_t first,
                       hid_t file, archai_err *err)
{
    archai_column texts = new_column(c->source, true);
    char *path = archai_printf("%s/%s", group_name, c->name);
    int rc = archai_column_close(c, err);

    if (rc == ARCHAI_OK && c->width > 0)
        rc = archai_h5_ok(err, H5Ldelete(file, path, H5P_DEFAULT));
    free(path);
    archai_column_fini(c);
    *c = texts;
    for (size_t at = 0; rc == ARCHAI_OK && at < first; at += ARCHAI_COLUMN_BATCH) {
        const size_t n = first - at < ARCHAI_COLUMN_BATCH ? first - at : ARCHAI_COLUMN_BATCH;
        json_t **params = read_batch(p, t, at, n, err);

        rc = params != NULL ? write_values(c, params, at, n, t->n, file, err) : ARCHAI_EIO;
        free_batch(params, n);
    }
    return rc;
}

/* Every parameter of the batch has a column that can hold it. */
static int ensure(index_params *p, const index_table *t, json_t *const *params, size_t first,
                  size_t n, hid_t file, archai_err *err)
{
    const char *name;
    json_t *value;

    for (size_t i = 0; i < n; i++) {
        json_object_foreach(params[i], name, value)
        {
            archai_column *c = find(p, name);

            if (c != NULL && !is_text(c) && !is_number(value))
                ARCHAI_TRY(become_text(p, c, t, first, file, err));
            if (c != NULL || p->n == PARAMS_MAX || name[0] == '\0')
                continue;
            ARCHAI_RESERVE(p->at, p->capacity, p->n + 1);
            p->at[p->n++] = new_column(name, !is_number(value));
        }
    }
    return ARCHAI_OK;
}

int index_params_write(index_params *p, const index_table *t, size_t first, size_t n, hid_t file,
                       archai_err *err)
{
    json_t **params = read_batch(p, t, first, n, err);
    int rc;

    if (params == NULL)
        return ARCHAI_EIO;
    rc = ensure(p, t, params, first, n, file, err);
    for (size_t i = 0; rc == ARCHAI_OK && i < p->n; i++)
        rc = write_values(&p->at[i], params, first, n, t->n, file, err);
    free_batch(params, n);
    return rc;
}

int index_params_close(index_params *p, archai_err *err)
{
    int rc = ARCHAI_OK;

    for (size_t i = 0; i < p->n; i++)
        if (rc == ARCHAI_OK)
            rc = archai_column_close(&p->at[i], err);
        else
            archai_h5_release(&p->at[i].dataset);
    return rc;
}

/* -- the encoding -------------------------------------------------------------------------------- */

/* Texts of fixed length: HDF5's heap of longer ones has no checksum. */
static int write_names(hid_t dataset, const char *text, size_t width, size_t n, archai_err *err)
{
    const hsize_t dims[1] = {n};
    hid_t type = H5I_INVALID_HID, space = H5I_INVALID_HID, attribute = H5I_INVALID_HID;
    int rc;

    ARCHAI_TRY(archai_h5_string_type(&type, width, err));
    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &space, H5Screate_simple(1, dims, NULL)), out);
    ARCHAI_TRY_GOTO(rc,
                    archai_h5_id(err, &attribute,
                                 H5Acreate2(dataset, "names", type, space, H5P_DEFAULT, H5P_DEFAULT)),
                    out);
    rc = archai_h5_ok(err, H5Awrite(attribute, type, text));
out:
    archai_h5_release(&attribute);
    archai_h5_release(&space);
    archai_h5_release(&type);
    return rc;
}

/* An attribute in the object's header holds 64 KiB: a longer list is left out. */
enum { NAMES_BYTES_MAX = 60000 };

static int name_features(const archai_space *s, hid_t dataset, archai_err *err)
{
    char **names = archai_calloc(s->encoding_size, sizeof *names), *text;
    size_t width = 1;
    int rc = ARCHAI_OK;

    for (size_t i = 0; i < s->encoding_size; i++) {
        names[i] = archai_space_feature_name(s, i);
        width = strlen(names[i]) > width ? strlen(names[i]) : width;
    }
    text = archai_calloc(s->encoding_size, width);
    for (size_t i = 0; i < s->encoding_size; i++) {
        memcpy(&text[i * width], names[i], strlen(names[i]));
        free(names[i]);
    }
    if (s->encoding_size * width <= NAMES_BYTES_MAX)
        rc = write_names(dataset, text, width, s->encoding_size, err);
    free(names);
    free(text);
    return archai_err_wrap(err, rc, "/candidates/encoding: names: ");
}

int index_params_name_features(const index_params *p, hid_t file, archai_err *err)
{
    hid_t dataset = H5I_INVALID_HID;
    int rc = ARCHAI_OK;

    if (p->space == NULL || p->space->encoding_size == 0 || !archai_h5_has(file, "candidates/encoding"))
        return ARCHAI_OK;
    ARCHAI_TRY(archai_h5_id(err, &dataset, H5Dopen2(file, "candidates/encoding", H5P_DEFAULT)));
    if (H5Aexists(dataset, "names") == 0)
        rc = name_features(p->space, dataset, err);
    archai_h5_release(&dataset);
    return rc;
}
