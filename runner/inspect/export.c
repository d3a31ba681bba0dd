/* export: one model's weights as safetensors or as a PyTorch file, or its architecture. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/file/file.h"
#include "io/file/tensors.h"
#include "runner/process/evaluator_client.h"
#include "runner/inspect/inspect.h"

static const double start_limit_s = 120, save_limit_s = 600;

struct weights {
    archai_tensor_place *meta;
    void **data;
    archai_tensor *tensors; /* borrow from the two above */
    size_t n;
};

static void release(struct weights *w)
{
    archai_results_tensors_free(w->meta, w->data, w->n);
    free(w->tensors);
}

static int load(const inspect *t, struct weights *w, archai_err *err)
{
    *w = (struct weights){0};
    ARCHAI_TRY(archai_results_tensors(t->path, t->args[0], &w->meta, &w->data, &w->n, err));
    w->tensors = calloc(w->n + 1, sizeof *w->tensors);
    if (w->tensors == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "out of memory");
    for (size_t i = 0; i < w->n; i++) {
        archai_tensor *x = &w->tensors[i];

        x->name = w->meta[i].name;
        x->dtype = w->meta[i].dtype;
        x->ndim = w->meta[i].ndim;
        memcpy(x->shape, w->meta[i].shape, sizeof x->shape);
        x->data = w->data[i];
        x->bytes = archai_dtype_size(x->dtype);
        for (int d = 0; d < x->ndim; d++)
            x->bytes *= (size_t)x->shape[d];
    }
    return ARCHAI_OK;
}

/* -- safetensors --------------------------------------------------------------------------- */

static int write_safetensors(const struct weights *w, const char *beside, archai_err *err)
{
    int fd = open(beside, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    int rc;

    if (fd < 0)
        return archai_fail(err, ARCHAI_EIO, "cannot create: %s", strerror(errno));
    rc = archai_safetensors_write(fd, w->tensors, w->n, err);
    if (close(fd) != 0 && rc == ARCHAI_OK)
        rc = archai_fail(err, ARCHAI_EIO, "cannot write: %s", strerror(errno));
    return rc;
}

/* -- pt ------------------------------------------------------------------------------------ */

/* PyTorch's own format is libtorch's: archai-evaluator has it, this program has not. */
static int write_pt(const struct weights *w, const char *beside, archai_err *err)
{
    archai_evaluator_client client = ARCHAI_EVALUATOR_CLIENT_INIT;
    archai_message open_ = {.type = ARCHAI_MSG_OPEN, .id = -1, .threads = 1};
    archai_message save = {.type = ARCHAI_MSG_SAVE_PT, .id = -1};
    char *path = realpath(beside, NULL); /* the evaluator may stand elsewhere */
    int rc;

    open_.text = strdup("");
    open_.device = strdup("cpu");
    save.text = path;
    if (open_.text == NULL || open_.device == NULL || path == NULL) {
        rc = archai_fail(err, path == NULL ? ARCHAI_EIO : ARCHAI_ENOMEM, "%s", strerror(errno));
        goto out;
    }
    ARCHAI_TRY_GOTO(rc, archai_evaluator_client_start(&client, &open_, -1, false, NULL, 0, err),
                    out);
    ARCHAI_TRY_GOTO(rc, archai_safetensors_write(client.weights_fd, w->tensors, w->n, err),
                    out);
    ARCHAI_TRY_GOTO(
        rc, archai_evaluator_client_expect(&client, ARCHAI_MSG_READY, start_limit_s, err), out);
    ARCHAI_TRY_GOTO(rc, archai_peer_send(&client.peer, &save, err), out);
    rc = archai_evaluator_client_expect(&client, ARCHAI_MSG_SAVED, save_limit_s, err);
out:
    archai_evaluator_client_close(&client);
    archai_message_fini(&save);
    archai_message_fini(&open_);
    return rc;
}

/* -- the command --------------------------------------------------------------------------- */

static int export_arch(const inspect *t, archai_err *err)
{
    size_t row;
    const char *arch;
    const char *slash;
    char *directory;
    int rc;

    ARCHAI_TRY(inspect_find(t, t->args[0], &row, err));
    arch = t->r.rows[row].arch;
    if (t->output == NULL || strcmp(t->output, "-") == 0) {
        (void)fputs(arch, stdout);
        if (arch[0] != '\0' && arch[strlen(arch) - 1] != '\n')
            (void)putchar('\n');
        return ARCHAI_OK;
    }
    slash = strrchr(t->output, '/');
    directory =
        slash == NULL ? strdup(".") : strndup(t->output, (size_t)(slash - t->output) + 1);
    if (directory == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "out of memory");
    rc = archai_file_replace(directory, slash != NULL ? slash + 1 : t->output, arch,
                             strlen(arch), err);
    free(directory);
    return rc;
}

static int export_weights(const inspect *t, bool pt, archai_err *err)
{
    struct weights w;
    char *beside = NULL;
    size_t row;
    int fd, rc;

    ARCHAI_TRY(inspect_find(t, t->args[0], &row, err));
    rc = load(t, &w, err);
    if (rc != ARCHAI_OK)
        goto out;
    if (asprintf(&beside, "%s.new", t->output) < 0) {
        beside = NULL;
        rc = archai_fail(err, ARCHAI_ENOMEM, "out of memory");
        goto out;
    }
    fd = open(beside, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        rc = archai_fail(err, ARCHAI_EIO, "%s: cannot create: %s", beside, strerror(errno));
        goto out;
    }
    (void)close(fd);
    rc = pt ? write_pt(&w, beside, err) : write_safetensors(&w, beside, err);
    rc = archai_err_wrap(err, rc, "%s: ", beside);
    if (rc == ARCHAI_OK)
        rc = archai_file_publish(beside, t->output, err);
    if (rc != ARCHAI_OK)
        (void)unlink(beside);
out:
    free(beside);
    release(&w);
    return rc;
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);

    return n >= m && strcmp(text + n - m, end) == 0;
}

int inspect_export(inspect *t, archai_err *err)
{
    const char *format = t->format;

    if (format == NULL && t->output != NULL) /* the file's name says it */
        format = ends_with(t->output, ".pt") || ends_with(t->output, ".pth") ? "pt"
                 : ends_with(t->output, ".json") || ends_with(t->output, ".yaml")
                     ? "arch"
                     : "safetensors";
    if (format != NULL && strcmp(format, "arch") == 0)
        return export_arch(t, err);
    if (t->output == NULL)
        return archai_fail(err, ARCHAI_EINVAL, "export needs -o FILE");
    if (strcmp(format, "safetensors") != 0 && strcmp(format, "pt") != 0)
        return archai_fail(err, ARCHAI_EINVAL,
                           "--format: '%s', expected safetensors, pt or arch", format);
    return export_weights(t, strcmp(format, "pt") == 0, err);
}
