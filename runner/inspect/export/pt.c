/* The state_dict as torch.save writes it. That takes libtorch: archai-evaluator has it, this program does not. */
#include "core/base/alloc.h"
#include "runner/inspect/export/format.h"
#include "runner/process/evaluator_client.h"

static const double save_limit_s = 600;

static int write(const export_model *m, const archai_beside *out, archai_err *err)
{
    archai_evaluator_client client = ARCHAI_EVALUATOR_CLIENT_INIT;
    archai_message open_ = {.type = ARCHAI_MSG_OPEN, .id = -1, .threads = 1};
    archai_message save = {.type = ARCHAI_MSG_SAVE_PT, .id = -1};
    int rc;

    open_.text = archai_strdup("");
    open_.device = archai_strdup("cpu");
    save.text = archai_strdup(out->at);
    ARCHAI_TRY_GOTO(rc, archai_evaluator_client_start(&client, &open_, -1, false, NULL, 0, err),
                    out);
    ARCHAI_TRY_GOTO(rc, archai_safetensors_write(client.weights_fd, m->tensors, m->n, err), out);
    rc = archai_evaluator_client_ask(&client, &save, ARCHAI_MSG_SAVED, save_limit_s, err);
out:
    archai_evaluator_client_close(&client);
    archai_message_fini(&save);
    archai_message_fini(&open_);
    return rc;
}

const export_format export_pt = {
    .name = "pt", .endings = {"pt", "pth"}, .weights = true, .write = write};
