/* train.test = front: the stored weights of a model, on the test data. */
#include "runner/trainer/archai_evaluator.h"

static int load_stored(archai_server *e, const char *arch, archai_network *net, shim_model **model,
                       archai_err *err)
{
    archai_tensors file = {0};
    int rc;

    ARCHAI_TRY(archai_serve_build(e, arch, 0, ARCHAI_WEIGHT_BYTES, net, model, err));
    rc = archai_err_wrap(err, archai_safetensors_open_fd(&file, WEIGHTS, err), "stored weights: ");
    if (rc == ARCHAI_OK)
        rc = archai_serve_take_weights(&file, *model, err);
    archai_tensors_close(&file);
    return rc;
}

int archai_serve_test(archai_server *e, const archai_trial *c, const archai_config *config,
                      archai_trial *r, archai_err *err)
{
    shim_train_result measured = {.epochs = 0};
    archai_network net = {0};
    shim_model *model = NULL;
    int rc = load_stored(e, c->arch, &net, &model, err);

    if (rc == ARCHAI_OK)
        rc = shim_model_test(model, e->data, &config->train, &measured, err);
    if (rc == ARCHAI_OK)
        archai_serve_set_measures(r, "test_", NULL, &measured);
    shim_model_destroy(model);
    archai_network_fini(&net);
    return rc;
}
