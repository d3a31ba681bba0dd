/* What kind torch checks before anything starts: objectives, recipes, and what the models put out. */
#include <string.h>

#include "core/config/train_own.h"
#include "io/dataset/loss.h"
#include "runner/measure/measures.h"
#include "runner/evaluator/torch_task.h"

static int check_measured(const archai_objectives *objectives, archai_err *err)
{
    static const char *const measured[] = {
#define X(name, value) #name,
        ARCHAI_MEASURED_LIST(X)
#undef X
    };
    const size_t n = sizeof measured / sizeof measured[0];

    for (size_t i = 0; i < n; i++)
        ARCHAI_TRY(archai_measures_check_name(&objectives->measures, measured[i], "evaluator.kind = torch", err));
    for (size_t i = 0; i < objectives->n; i++) {
        const archai_objective *o = &objectives->at[i];
        const char *near = archai_nearest(o->source, measured, n);

        if (!archai_evaluator_is_measured(&objectives->measures, o->source) &&
            !archai_measure_is_cheap(o->source) && (near == NULL || strcmp(near, o->source) != 0))
            return archai_fail(err, ARCHAI_EINVAL,
                               "objective.%s.source: the evaluator does not measure '%.100s'%s%s%s",
                               o->name, o->source, near != NULL ? "; did you mean '" : "",
                               near != NULL ? near : "", near != NULL ? "'?" : "");
    }
    return ARCHAI_OK;
}

/* What models of this space put out of one example. A random one tells. */
static int output_of(archai_space *space, bool tokens, archai_shape *out, archai_err *err)
{
    archai_model m = {.arch = NULL};
    archai_network net = {.n_steps = 0};
    archai_counts counts = {.params = 0};
    int rc;

    ARCHAI_TRY(archai_space_random_sample(space, &m, err));
    rc = archai_space_describe(space, &m, &net, err);
    if (rc == ARCHAI_OK && net.tokens != tokens)
        rc = archai_fail(err, ARCHAI_EINVAL,
                         "space.name: models of %s %s tokens, but the data are %s",
                         space->ops->name, tokens ? "do not take" : "take",
                         tokens ? "tokens" : "not");
    if (rc == ARCHAI_OK)
        rc = archai_network_count(&net, &counts, err);
    *out = counts.output;
    archai_network_fini(&net);
    archai_model_fini(&m);
    return rc;
}

/* Measures that this data set does not have. */
static int check_objectives(const archai_evaluator_task *task, archai_err *err)
{
    static const char *const words[] = {"all", "front", "none"};
    const int tested = task->config->train.test;

    if (tested == ARCHAI_TEST_FRONT && task->data->n[ARCHAI_SPLIT_TEST] == 0)
        return archai_fail(err, ARCHAI_EINVAL, "train.test: front: the data have no test split");
    for (size_t i = 0; i < task->objectives->n; i++) {
        const archai_objective *o = &task->objectives->at[i];
        const bool test = strncmp(o->source, "test_", 5) == 0;
        const char *measure = test || strncmp(o->source, "val_", 4) == 0
                                  ? strchr(o->source, '_') + 1
                                  : o->source;

        if (!archai_evaluator_is_measured(&task->objectives->measures, o->source) &&
            !archai_targets_have(task->data->targets, task->data->shape.num_classes, measure))
            return archai_fail(err, ARCHAI_EINVAL,
                               "objective.%s.source: data with %s have no %s", o->name,
                               archai_targets_text(task->data->targets), o->source);
        if (test && task->data->n[ARCHAI_SPLIT_TEST] == 0)
            return archai_fail(err, ARCHAI_EINVAL,
                               "objective.%s.source: the data have no test split for %s", o->name,
                               o->source);
        if (test && tested != ARCHAI_TEST_ALL)
            return archai_fail(err, ARCHAI_EINVAL,
                               "objective.%s.source: with train.test = %s no candidate has %s when it is "
                               "trained, expected train.test = all",
                               o->name, words[tested], o->source);
    }
    return ARCHAI_OK;
}

enum { RECIPES_TRIED = 64 };

/* [train] itself, and as some of the candidates have it whose parameters say so. */
static int check_recipes(const archai_evaluator_task *task, archai_err *err)
{
    const archai_targets targets = task->data->targets;
    bool more = true;

    ARCHAI_TRY(archai_loss_check(&task->config->train, targets, err));
    for (int i = 0; i < RECIPES_TRIED && more; i++) {
        archai_model m = {.arch = NULL};
        archai_config own = {.train = {.epochs = 0}};
        json_t *said = NULL;
        int rc;

        ARCHAI_TRY(archai_space_random_sample(task->space, &m, err));
        rc = archai_space_train(task->space, &m, &said, err);
        archai_model_fini(&m);
        more = said != NULL;
        if (rc == ARCHAI_OK && more)
            rc = archai_err_wrap(err, archai_train_override(&own, task->config, said, err),
                                 "space.tree: train.");
        if (rc == ARCHAI_OK && more)
            rc = archai_err_wrap(err, archai_loss_check(&own.train, targets, err),
                                 "space.tree: ");
        archai_config_free(&own);
        json_decref(said);
        ARCHAI_TRY(rc);
    }
    return ARCHAI_OK;
}

/* More outputs than classes are allowed, fewer would fail in every candidate. */
static int check_size(const archai_evaluator_task *task, const archai_shape *output, archai_err *err)
{
    const archai_data_shape *data = &task->data->shape;
    const archai_targets targets = task->data->targets;
    const bool exact = targets == ARCHAI_TARGETS_LABELS || targets == ARCHAI_TARGETS_NUMBERS;
    const int64_t given = output->dim[targets == ARCHAI_TARGETS_NEXT_TOKEN ? 1 : 0];
    const int64_t wanted = targets == ARCHAI_TARGETS_NEXT_TOKEN ? data->vocab : data->num_classes;
    char text[ARCHAI_SHAPE_TEXT];

    if (given < wanted || (exact && given != wanted))
        return archai_fail(err, ARCHAI_EINVAL,
                           "space.name: models of %s put out %s for each example, but the data have "
                           "%lld %s",
                           task->space->ops->name, archai_shape_text(output, text),
                           (long long)wanted,
                           targets == ARCHAI_TARGETS_NEXT_TOKEN ? "different tokens"
                           : exact                              ? "numbers to learn"
                                                                : "classes");
    if (targets == ARCHAI_TARGETS_MASK &&
        (output->dim[1] != data->height || output->dim[2] != data->width))
        return archai_fail(err, ARCHAI_EINVAL,
                           "space.name: models of %s put out %s for each example, but the masks are "
                           "%d x %d",
                           task->space->ops->name, archai_shape_text(output, text), data->height,
                           data->width);
    return ARCHAI_OK;
}

/* What the space's models put out must be of the kind that the data have. */
int archai_torch_check_task(const void *settings, const archai_evaluator_task *task, archai_err *err)
{
    const archai_targets targets = task->data->targets;
    const int ndim = targets == ARCHAI_TARGETS_MASK ? 3 : targets == ARCHAI_TARGETS_NEXT_TOKEN ? 2 : 1;
    archai_shape output;

    (void)settings;
    ARCHAI_TRY(check_measured(task->objectives, err));
    ARCHAI_TRY(check_objectives(task, err));
    ARCHAI_TRY(check_recipes(task, err));
    ARCHAI_TRY(output_of(task->space, task->data->shape.tokens > 0, &output, err));
    if (output.ndim == ndim)
        return check_size(task, &output, err);
    if (targets == ARCHAI_TARGETS_CLASS || targets == ARCHAI_TARGETS_MASK)
        return archai_fail(err, ARCHAI_EINVAL,
                           "space.name: models of %s classify %s, but the data has a label for each %s",
                           task->space->ops->name, output.ndim == 1 ? "pictures" : "pixels",
                           output.ndim == 1 ? "pixel (masks)" : "picture");
    return archai_fail(err, ARCHAI_EINVAL,
                       "space.name: models of %s put out %d dimensions for each example, but the data "
                       "has %s",
                       task->space->ops->name, output.ndim, archai_targets_text(targets));
}
