#include "runner/given/retrain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/alloc.h"
#include "core/search/algorithm.h"
#include "io/file/file.h"
#include "runner/given/chosen.h"

/* -- the command line -------------------------------------------------------------------------- */

static int set(archai_ini *ini, const char *key, const char *value, archai_err *err)
{
    char *quoted = archai_ini_quote(value), *assignment = archai_printf("%s=%s", key, quoted);
    const char *dot = strrchr(key, '.');
    archai_ini_entry *e;
    char *section = archai_strndup(key, (size_t)(dot - key));
    const int rc = archai_ini_set(ini, assignment, err);

    e = rc == ARCHAI_OK ? archai_ini_find(ini, section, dot + 1) : NULL;
    if (e != NULL) { /* the place in messages */
        free(e->file);
        e->file = archai_strdup("--from");
    }
    free(section);
    free(assignment);
    free(quoted);
    return rc;
}

int archai_retrain_configure(archai_ini *ini, const archai_arguments *args, archai_err *err)
{
    static const archai_option list = {"models", ARCHAI_OPT_STRINGS, 0, 0, 0, "", "", NULL, "models"};
    archai_strings models = {(char **)(uintptr_t)args->models, args->n_models};
    char *text;
    int rc;

    if (args->from == NULL)
        return ARCHAI_OK;
    ARCHAI_TRY(set(ini, "search.algorithm", "retrain", err));
    ARCHAI_TRY(set(ini, "search.schedule", "async", err));
    ARCHAI_TRY(set(ini, "search.from", args->from, err));
    ARCHAI_TRY(set(ini, "search.fresh", args->fresh ? "yes" : "no", err));
    ARCHAI_TRY(set(ini, "search.max_evaluations", "none", err)); /* that of the search; the models are counted */
    ARCHAI_TRY(set(ini, "train.inherit_weights", "no", err));    /* here nobody has parents */
    text = args->n_models > 0 ? archai_option_format(&list, &models) : archai_strdup("pareto");
    rc = set(ini, "search.models", text, err);
    free(text);
    return rc;
}

/* -- what a search asks for -------------------------------------------------------------------- */

static int front(void *payload, const char *path, archai_given **out, size_t *n, archai_err *err)
{
    const archai_strings none = {NULL, 0};
    json_t *chosen = NULL;

    (void)payload;
    ARCHAI_TRY(archai_chosen_ask(path, &none, false, NULL, &chosen, err));
    archai_chosen_give(chosen, false, out, n);
    json_decref(chosen);
    return ARCHAI_OK;
}

static bool is_same_folder(const char *a, const char *b)
{
    struct stat x, y;

    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static int choose(void *payload, const char *path, const archai_strings *models, bool fresh, archai_given **out,
                  size_t *n, archai_err *err)
{
    archai_retrain *r = payload;
    char *kept = archai_printf("%s/%s/models.json", r->directory, ARCHAI_RETRAIN_FOLDER);
    char *index = archai_printf("%s/results.h5", r->directory);
    int rc = r->resume ? archai_chosen_read(kept, &r->chosen, err) : ARCHAI_ENOTFOUND;

    r->earlier = rc == ARCHAI_OK;
    if (rc == ARCHAI_ENOTFOUND && (is_same_folder(path, r->directory) || is_same_folder(path, index)))
        rc = archai_fail(err, ARCHAI_EINVAL, "%s: are the results of this very run; expected another output.directory",
                         path);
    else if (rc == ARCHAI_ENOTFOUND)
        rc = archai_chosen_ask(path, models, !fresh, NULL, &r->chosen, err);
    if (rc == ARCHAI_OK) {
        r->from = archai_strdup(path);
        r->fresh = fresh;
        archai_chosen_give(r->chosen, !fresh, out, n);
    }
    free(index);
    free(kept);
    return rc;
}

void archai_retrain_init(archai_retrain *r, const archai_config *config, bool resume)
{
    *r = (archai_retrain){
        .directory = config->output.directory,
        .resume = resume,
        .giver = {.payload = r, .front = front, .chosen = choose},
    };
}

void archai_retrain_fini(archai_retrain *r)
{
    free(r->from);
    free(r->notes);
    json_decref(r->chosen);
    *r = (archai_retrain){.from = NULL};
}

/* -- do the weights fit? ------------------------------------------------------------------------ */

static const char *archid_of(const json_t *m)
{
    return json_string_value(json_object_get(m, "archid"));
}

static bool is_shape(const json_t *shape, const archai_state_entry *e)
{
    if (json_array_size(shape) != (size_t)e->ndim)
        return false;
    for (int d = 0; d < e->ndim; d++)
        if (json_integer_value(json_array_get(shape, (size_t)d)) != e->shape[d])
            return false;
    return true;
}

static char *shape_text(const json_t *shape)
{
    return shape == NULL ? archai_strdup("missing") : archai_there(json_dumps(shape, JSON_ENCODE_ANY));
}

static json_t *shape_of(const archai_state_entry *e)
{
    json_t *shape = archai_there(json_array());

    for (int d = 0; d < e->ndim; d++)
        archai_must_have(json_array_append_new(shape, json_integer(e->shape[d])) == 0);
    return shape;
}

/* Is it one of the last module's tensors? "head.weight" and "head.bias" are. */
static bool is_of_last(const archai_state_entry *all, size_t n, size_t i)
{
    const char *last = all[n - 1].name, *dot = strrchr(last, '.');
    const size_t length = dot != NULL ? (size_t)(dot - last) + 1 : 0;

    return strncmp(all[i].name, last, length) == 0 && strchr(all[i].name + length, '.') == NULL;
}

/* What differs in a model, in the order of its tensors: a line of notes, or a refusal. */
static int compare(const archai_retrain *r, const json_t *m, const archai_state_entry *all, size_t n, FILE *notes,
                   archai_err *err)
{
    const json_t *weights = json_object_get(m, "weights");
    size_t differ = 0, first = n;
    bool head = true;
    json_t *here;
    char *was, *is;
    int rc = ARCHAI_OK;

    for (size_t i = 0; i < n; i++) {
        const json_t *shape = json_object_get(weights, all[i].name);

        if (shape != NULL && is_shape(shape, &all[i]))
            continue;
        first = differ++ == 0 ? i : first;
        head = head && shape != NULL && is_of_last(all, n, i);
    }
    if (differ == 0)
        return ARCHAI_OK;
    here = shape_of(&all[first]);
    was = shape_text(json_object_get(weights, all[first].name));
    is = shape_text(here);
    if (head && differ < n)
        (void)fprintf(notes,
                      "'%s': %s is %s there and %s here: the last layer begins with new weights, all others with those "
                      "of %s\n",
                      archid_of(m), all[first].name, was, is, r->from);
    else
        rc = archai_fail(err, ARCHAI_EINVAL,
                         "search.from: %s: the weights of '%s' do not fit this configuration: %s is %s there, %s here, "
                         "%zu of %zu tensors differ; expected data and [space] as they were there (the last layer may "
                         "differ), or --fresh",
                         r->from, archid_of(m), all[first].name, was, is, differ, n);
    free(is);
    free(was);
    json_decref(here);
    return rc;
}

static int check_model(const archai_retrain *r, archai_space *space, const json_t *m, FILE *notes, archai_err *err)
{
    const char *arch = json_string_value(json_object_get(m, "arch"));
    archai_model model = {.arch = NULL};
    archai_network net = {.root = NULL};
    archai_state_entry *all = NULL;
    size_t n = 0;
    int rc;

    ARCHAI_TRY(archai_space_load_arch(space, arch, strlen(arch), &model, err));
    rc = archai_space_describe(space, &model, &net, err);
    if (rc == ARCHAI_OK) {
        all = archai_module_state(net.root, &n);
        if (n > 0)
            rc = compare(r, m, all, n, notes, err);
    }
    archai_state_free(all, n);
    archai_network_fini(&net);
    archai_model_fini(&model);
    return rc;
}

/* Every model that lacks weights would otherwise be one more start. */
static int check_there(const archai_retrain *r, const json_t *models, archai_err *err)
{
    const json_t *m, *first = NULL;
    size_t i, n = 0;

    json_array_foreach(models, i, m)
    {
        if (json_is_object(json_object_get(m, "weights")))
            continue;
        first = n++ == 0 ? m : first;
    }
    if (n == 0)
        return ARCHAI_OK;
    return archai_fail(err, ARCHAI_EINVAL,
                       "search.from: %s: %zu of %zu chosen models have no weights there, '%s' for one (%s); expected "
                       "others, or --fresh",
                       r->from, n, json_array_size(models), archid_of(first),
                       json_string_value(json_object_get(first, "lack")) != NULL
                           ? json_string_value(json_object_get(first, "lack"))
                           : "none were asked for");
}

static void say_models(const archai_retrain *r, const json_t *models, FILE *notes)
{
    const json_t *m;
    size_t i;

    (void)fprintf(notes, "%zu model%s of %s %s trained, from %s weights: ", json_array_size(models),
                  json_array_size(models) == 1 ? "" : "s", r->from, json_array_size(models) == 1 ? "is" : "are",
                  r->fresh ? "new" : "the stored");
    json_array_foreach(models, i, m)
    {
        (void)fprintf(notes, "%s'%s'", i > 0 ? ", " : "", archid_of(m));
    }
    (void)fputs("\n", notes);
}

int archai_retrain_check(archai_retrain *r, archai_space *space, const archai_evaluator_ops *evaluator,
                         archai_config *config, archai_err *err)
{
    const json_t *models = json_object_get(r->chosen, "models"), *m;
    const char *theirs = json_string_value(json_object_get(r->chosen, "space"));
    size_t i, size = 0;
    FILE *notes;
    int rc = ARCHAI_OK;

    if (r->from == NULL)
        return ARCHAI_OK;
    if (strcmp(theirs, space->ops->name) != 0)
        return archai_fail(err, ARCHAI_EINVAL, "search.from: %s: models of space %s, but [space] is %s", r->from, theirs,
                           space->ops->name);
    if (!r->fresh && evaluator->start_fd == NULL)
        return archai_fail(err, ARCHAI_EINVAL,
                           "search.from: evaluator.kind = %s does not begin from weights; expected torch or command, "
                           "or --fresh",
                           evaluator->name);
    if (!r->fresh)
        ARCHAI_TRY(check_there(r, models, err));
    notes = archai_there(open_memstream(&r->notes, &size));
    say_models(r, models, notes);
    json_array_foreach(models, i, m)
    {
        if (rc == ARCHAI_OK && !r->fresh && evaluator->needs_network)
            rc = check_model(r, space, m, notes, err);
    }
    (void)fclose(notes);
    if (config->search.max_evaluations == INT64_MAX)
        config->search.max_evaluations = (int64_t)json_array_size(models);
    return rc;
}

/* -- into the run's directory -------------------------------------------------------------------- */

/* By archid: a running search may have another front by now. */
static int write_again(const archai_retrain *r, const char *folder, archai_err *err)
{
    const json_t *models = json_object_get(r->chosen, "models");
    archai_strings archids = {archai_calloc(json_array_size(models), sizeof *archids.at), 0};
    json_t *written = NULL;
    int rc;

    for (; archids.n < json_array_size(models); archids.n++)
        archids.at[archids.n] = archai_strdup(archid_of(json_array_get(models, archids.n)));
    rc = archai_chosen_ask(r->from, &archids, !r->fresh, folder, &written, err);
    if (rc == ARCHAI_OK && json_array_size(json_object_get(written, "models")) != archids.n)
        rc = archai_fail(err, ARCHAI_EFORMAT, "%s: has changed meanwhile", r->from);
    json_decref(written);
    archai_strings_free(&archids);
    return rc;
}

int archai_retrain_hand_over(archai_retrain *r, archai_err *err)
{
    char *folder;
    int rc = ARCHAI_OK;

    if (r->from == NULL || r->earlier)
        return ARCHAI_OK;
    folder = archai_file_path(r->directory, ARCHAI_RETRAIN_FOLDER);
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        rc = archai_fail(err, ARCHAI_EIO, "%s: %s", folder, strerror(errno));
    if (rc == ARCHAI_OK)
        rc = write_again(r, folder, err);
    free(folder);
    return rc;
}
