/* export: one model's weights as safetensors or as a PyTorch file, or its architecture. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "io/file/beside.h"
#include "io/file/file.h"
#include "io/file/tensors.h"
#include "runner/inspect/inspect.h"
#include "runner/process/evaluator_client.h"

static const double save_limit_s = 600;

/* PyTorch's format takes libtorch: archai-evaluator has it, this program does not. */
static int write_pt(const archai_tensor *weights, size_t n, const char *path, archai_err *err)
{
    archai_evaluator_client client = ARCHAI_EVALUATOR_CLIENT_INIT;
    archai_message open_ = {.type = ARCHAI_MSG_OPEN, .id = -1, .threads = 1};
    archai_message save = {.type = ARCHAI_MSG_SAVE_PT, .id = -1};
    int rc;

    open_.text = archai_strdup("");
    open_.device = archai_strdup("cpu");
    save.text = archai_strdup(path);
    ARCHAI_TRY_GOTO(rc, archai_evaluator_client_start(&client, &open_, -1, false, NULL, 0, err),
                    out);
    ARCHAI_TRY_GOTO(rc, archai_safetensors_write(client.weights_fd, weights, n, err), out);
    rc = archai_evaluator_client_ask(&client, &save, ARCHAI_MSG_SAVED, save_limit_s, err);
out:
    archai_evaluator_client_close(&client);
    archai_message_fini(&save);
    archai_message_fini(&open_);
    return rc;
}

static int write_file(const inspect *t, const char *format, const archai_tensor *weights, size_t n,
                      archai_err *err)
{
    const char *arch = t->r.rows[t->row].arch;
    archai_beside b = ARCHAI_BESIDE_INIT;
    int rc;

    ARCHAI_TRY(archai_beside_output(&b, t->output, err));
    if (strcmp(format, "arch") == 0)
        rc = archai_file_pwrite(b.fd, arch, strlen(arch), 0, "the architecture", err);
    else if (strcmp(format, "pt") == 0)
        rc = write_pt(weights, n, b.at, err);
    else
        rc = archai_safetensors_write(b.fd, weights, n, err);
    rc = archai_err_wrap(err, rc, "%s: ", t->output);
    if (rc == ARCHAI_OK)
        rc = archai_beside_publish(&b, err);
    archai_beside_drop(&b);
    return rc;
}

static void print_arch(const char *arch)
{
    (void)fputs(arch, stdout);
    if (arch[0] != '\0' && arch[strlen(arch) - 1] != '\n')
        (void)putchar('\n');
}

/* By the ending of the file's name. */
static const char *format_of(const char *name)
{
    static const struct {
        const char *end, *format;
    } known[] = {{".pt", "pt"}, {".pth", "pt"}, {".json", "arch"}, {".yaml", "arch"}};
    const char *dot = strrchr(name, '.');

    for (size_t i = 0; dot != NULL && i < sizeof known / sizeof known[0]; i++)
        if (strcmp(dot, known[i].end) == 0)
            return known[i].format;
    return "safetensors";
}

int inspect_export(inspect *t, archai_err *err)
{
    const char *format = t->format != NULL   ? t->format
                         : t->output != NULL ? format_of(t->output)
                                             : "safetensors";
    const bool is_arch = strcmp(format, "arch") == 0;
    archai_tensor *weights = NULL;
    size_t n = 0;
    int rc = ARCHAI_OK;

    if (!is_arch && t->output == NULL)
        return archai_fail(err, ARCHAI_EINVAL, "export needs -o FILE");
    if (!is_arch && strcmp(format, "safetensors") != 0 && strcmp(format, "pt") != 0)
        return archai_fail(err, ARCHAI_EINVAL,
                           "--format: '%s', expected safetensors, pt or arch", format);
    if (is_arch && (t->output == NULL || strcmp(t->output, "-") == 0)) {
        print_arch(t->r.rows[t->row].arch);
        return ARCHAI_OK;
    }
    if (!is_arch)
        rc = archai_results_tensors(t->path, t->r.rows[t->row].model.archid, &weights, &n, err);
    if (rc == ARCHAI_OK)
        rc = write_file(t, format, weights, n, err);
    archai_arrays_free(weights, n);
    return rc;
}
