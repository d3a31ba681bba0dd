/* Candidates: trained with libtorch, or measured by a plug-in. */
#include "runner/trainer/archai_evaluator.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/config/train_own.h"
#include "runner/process/clock.h"
#include "runner/evaluator/evaluator.h"

void archai_serve_set_measures(archai_trial *r, const char *prefix, const archai_counts *counts,
                               const shim_train_result *t)
{
    const struct {
        const char *name;
        double value;
    } all[] = {
#define X(name, value) {#name, value},
        ARCHAI_MEASURED_LIST(X)
#undef X
    };

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (strncmp(all[i].name, prefix, strlen(prefix)) == 0 && !isnan(all[i].value))
            archai_trial_set_measure(r, all[i].name, all[i].value);
}

/* By the plug-in. Only the arch text of a candidate is sent: the model is made here. */
static int measure(archai_server *e, const archai_trial *c, archai_trial *r,
                   archai_err *err)
{
    archai_trial complete = *c;
    int rc;

    if (e->space == NULL || e->plugin->measure == NULL)
        return archai_fail(err, ARCHAI_EINTERNAL,
                           "a candidate was sent without a measure for it");
    r->id = c->id;
    complete.model = (archai_model){0};
    ARCHAI_TRY(
        archai_space_load_arch(e->space, c->arch, strlen(c->arch), &complete.model, err));
    rc = e->plugin->measure(e->space, &complete, r, err);
    archai_model_fini(&complete.model);
    return rc;
}

/* A budget that an algorithm gives counts whole epochs, at least one; [train] epochs may be a fraction. */
static int64_t epochs_of(double budget)
{
    return (int64_t)fmin(fmax(round(budget), 1), SHIM_MAX_EPOCHS);
}

/* Section [train] as it holds for a candidate: its space may say some of it (free *own). */
static int train_keys(archai_server *e, const archai_trial *c, archai_config *own, double *epochs,
                      archai_err *err)
{
    archai_model m = {0};
    json_t *said = NULL;
    int rc;

    if (e->space == NULL)
        return archai_fail(err, ARCHAI_EINTERNAL, "a model was sent before a search space");
    ARCHAI_TRY(archai_space_load_arch(e->space, c->arch, strlen(c->arch), &m, err));
    rc = archai_space_train(e->space, &m, &said, err);
    archai_model_fini(&m);
    if (rc == ARCHAI_OK)
        rc = archai_err_wrap(err, archai_train_override(own, &e->config, said, err), "train.");
    *epochs = c->max_budget > 0 ? (double)epochs_of(c->budget)
              : c->budget > 0   ? c->budget
                                : e->config.train.epochs;
    if (rc == ARCHAI_OK && c->max_budget == 0 && json_object_get(said, "epochs") != NULL)
        *epochs = own->train.epochs;
    json_decref(said);
    return rc;
}

/* Per parameter: weight, gradient, what the optimizer keeps, the average, the best epoch's. On a GPU
 * these are in its memory, and the process holds the weights alone. */
static int64_t training_bytes(const archai_server *e, const archai_config *config)
{
    const archai_train_settings *s = &config->train;
    const bool momentum = s->momentum > 0;
    int64_t state = s->ema > 0 ? 1 : 0;

    if (s->optimizer == ARCHAI_OPTIMIZER_ADAM || s->optimizer == ARCHAI_OPTIMIZER_ADAMW)
        state += 2;
    else if (s->optimizer == ARCHAI_OPTIMIZER_RMSPROP)
        state += momentum ? 2 : 1;
    else if (s->optimizer == ARCHAI_OPTIMIZER_LION || momentum)
        state += 1;
    if (s->keep == ARCHAI_KEEP_BEST)
        state += 1;
    return strncmp(e->device_text, "cpu", 3) == 0 ? ARCHAI_WEIGHT_BYTES * (2 + state)
                                                  : ARCHAI_WEIGHT_BYTES;
}

static int train(archai_server *e, const archai_trial *c, const archai_config *config,
                 double epochs, archai_trial *r, archai_err *err)
{
    const int64_t bytes = training_bytes(e, config);
    archai_train_start start = {.checkpoint = {.id = -1}};
    archai_train_progress p = {.e = e,
                  .result = r,
                  .candidate = c,
                  .start = &start,
                  .left_at = archai_clock_s(),
                  .err = ARCHAI_ERR_INIT};
    shim_train_settings settings = {
        .recipe = config->train,
        .augment = e->augment,
        .epochs = epochs,
        .schedule_epochs = c->max_budget > epochs ? (double)epochs_of(c->max_budget) : epochs,
        .seed =
            archai_rng_derive(c->seed, 1), /* for shuffling; c->seed is for the initial weights */
        .on_epoch = archai_train_on_epoch,
        .payload = &p,
    };
    archai_network net = {0};
    shim_model *model = NULL;
    shim_train_result trained;
    archai_counts counts;
    int rc;

    ARCHAI_TRY_GOTO(rc, archai_serve_build(e, c->arch, c->seed, bytes, &net, &model, err), out);
    archai_train_make_curves(r, (size_t)shim_train_epochs(epochs), e->data);
    ARCHAI_TRY_GOTO(rc, archai_train_start_load(e, c, model, &settings, r, &start, err), out);
    rc = shim_model_train(model, e->data, &settings, &trained, err);
    if (rc == ARCHAI_EFORMAT && settings.first_epoch > 0) { /* the state is another optimizer's */
        ARCHAI_TRY_GOTO(rc, archai_serve_note(e, c->id, err, "starts over: %.900s", err->text), out);
        settings.first_epoch = start.epochs_before = 0;
        settings.train_seconds = 0;
        shim_model_destroy(model);
        model = NULL;
        archai_network_fini(&net);
        net = (archai_network){0};
        ARCHAI_TRY_GOTO(rc, archai_serve_build(e, c->arch, c->seed, bytes, &net, &model, err), out);
        ARCHAI_TRY_GOTO(rc, archai_train_start_inherit(c, model, &start, err), out);
        rc = shim_model_train(model, e->data, &settings, &trained, err);
    }
    if (rc == ARCHAI_EINTR && p.err.code != ARCHAI_OK) { /* on_epoch had a reason to stop */
        *err = p.err;
        rc = p.err.code;
    }
    if (rc == ARCHAI_EINTR && p.last.epoch > 0)
        ARCHAI_TRY_GOTO(rc, archai_train_end_pruned(&p, &net, err), out);
    ARCHAI_TRY_GOTO(rc, r->status == ARCHAI_STATUS_PRUNED ? ARCHAI_OK : rc, out);
    if (r->status == ARCHAI_STATUS_PRUNED)
        goto out;
    archai_train_start_close(&start);
    if (trained.arithmetic[0] != '\0')
        r->device = archai_printf("%s, %s", e->device_text, trained.arithmetic);
    for (size_t i = 0; i < r->n_curves; i++) /* shorter where training ended early */
        r->curves[i].n = (size_t)trained.epochs;
    if (settings.recipe.keep == ARCHAI_KEEP_BEST)
        archai_trial_set_measure(r, "kept_epoch", (double)trained.kept.epoch);
    ARCHAI_TRY_GOTO(rc, archai_network_count(&net, &counts, err), out);
    archai_serve_set_measures(r, "", &counts, &trained);
    if (c->max_budget > 0)
        archai_trial_set_measure(r, "epochs_before", (double)start.epochs_before);
    if (e->config.train.inherit_weights || c->begin_at < 0)
        archai_trial_set_measure(r, "inherited", start.inherited);
    if (!p.offered)
        rc = archai_train_offer_weights(r, model, err);
out:
    archai_train_start_close(&start);
    shim_model_destroy(model);
    archai_network_fini(&net);
    return rc;
}

static int evaluate(archai_server *e, const archai_trial *c, archai_trial *r, archai_err *err)
{
    archai_config config;
    double epochs = 0;
    int rc;

    r->id = c->id;
    if (strcmp(e->config.evaluator.kind, "torch") != 0) /* somebody else evaluates: measure alone */
        return archai_serve_measures(e, c, -1, r, err);
    if (e->data == NULL)
        return archai_fail(err, ARCHAI_EINTERNAL, "work was sent without a data set");
    ARCHAI_TRY(archai_serve_feed(e, err));
    if (!c->is_test)
        ARCHAI_TRY(archai_serve_measures(e, c, ARCHAI_BEFORE, r, err));
    if (!c->is_test && archai_serve_is_infeasible(e, c, r))
        return ARCHAI_OK;
    ARCHAI_TRY(train_keys(e, c, &config, &epochs, err));
    rc = c->is_test ? archai_serve_test(e, c, &config, r, err)
                    : train(e, c, &config, epochs, r, err);
    archai_config_free(&config);
    return rc == ARCHAI_OK && !c->is_test && r->status != ARCHAI_STATUS_PRUNED ? archai_serve_measures(e, c, ARCHAI_AFTER, r, err) : rc;
}

int archai_serve_work(archai_server *e, const archai_message *m, archai_err *err)
{
    for (size_t i = 0; i < m->n_candidates; i++) {
        const int64_t id = m->candidates[i].id;
        archai_trial result = {.status = ARCHAI_STATUS_OK};
        const archai_message measured = {
            .type = ARCHAI_MSG_MEASURED, .id = id, .evaluation = &result};
        const archai_message returned = {.type = ARCHAI_MSG_RETURNED, .id = id};
        archai_err cause = ARCHAI_ERR_INIT;
        int rc = archai_serve_stopped() ? ARCHAI_EINTR
                 : e->plugin != NULL    ? measure(e, &m->candidates[i], &result, &cause)
                                        : evaluate(e, &m->candidates[i], &result, &cause);

        if (rc != ARCHAI_OK && rc != ARCHAI_EINTR)
            archai_serve_feed_close(e);
        rc = rc == ARCHAI_EINTR ? archai_parent_send(&e->parent, &returned, err)
                                : archai_parent_answer(&e->parent, id, rc, &measured, &cause, err);
        archai_trial_fini(&result);
        ARCHAI_TRY(rc);
    }
    return ARCHAI_OK;
}
