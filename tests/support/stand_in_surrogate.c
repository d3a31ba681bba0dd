/* tests/support/stand_in_surrogate.c - an archai-evaluator that only predicts, by a closed
 * form.
 *
 * The surrogate that golden_algorithms.json was made with: the mean of all targets measured so
 * far plus 0.01 times the sum of the encoding, variance 0.04. Laid beside a copy of archai-run
 * (e2e_archai.py), so that everything but the prediction is what always runs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/wire/message.h"

enum { REQUESTS = 3, REPLIES = 4 };

static double sum; /* of all targets so far */
static size_t rows;

static int reply(const archai_message *m, archai_err *err)
{
    archai_buffer out = {.data = NULL};
    size_t done = 0;
    int rc = archai_frame_append(m, &out, err);

    while (rc == ARCHAI_OK && done < out.size) {
        const ssize_t n = write(REPLIES, out.data + done, out.size - done);

        if (n <= 0)
            rc = archai_fail(err, ARCHAI_EIO, "cannot reply");
        else
            done += (size_t)n;
    }
    archai_buffer_free(&out);
    return rc;
}

static int fit(const archai_surrogate_job *job, archai_err *err)
{
    const size_t f = (size_t)job->n_features, n = job->n_queries / f;
    archai_surrogate_answer answer = {.id = job->id, .n_mean = n, .n_var = n};
    const archai_message fitted = {.type = ARCHAI_MSG_FITTED, .answer = &answer};
    int rc;

    if (job->n_targets != 1)
        return archai_fail(err, ARCHAI_EINVAL, "knows one target only");
    if (job->held == 0) {
        sum = 0.0;
        rows = 0;
    }
    for (size_t i = 0; i < job->n_y; i++, rows++)
        sum += (double)job->y[i];
    answer.mean = calloc(n + 1, sizeof *answer.mean);
    answer.var = calloc(n + 1, sizeof *answer.var);
    if (answer.mean == NULL || answer.var == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for %zu predictions", n);
    for (size_t i = 0; i < n; i++) {
        double encoding = 0.0;

        for (size_t k = 0; k < f; k++)
            encoding += (double)job->queries[i * f + k];
        answer.mean[i] = (float)(sum / (double)rows + 0.01 * encoding);
        answer.var[i] = 0.04f;
    }
    rc = reply(&fitted, err);
    archai_surrogate_answer_fini(&answer);
    return rc;
}

static int serve(const archai_message *m, archai_err *err)
{
    char version[] = "stand-in", device[] = "none";
    const archai_message ready = {.type = ARCHAI_MSG_READY, .text = version, .device = device};

    if (m->type == ARCHAI_MSG_OPEN)
        return reply(&ready, err);
    if (m->type == ARCHAI_MSG_FIT)
        return fit(m->job, err);
    return archai_fail(err, ARCHAI_EFORMAT, "a request of type '%s'",
                       archai_message_name(m->type));
}

int main(void)
{
    archai_buffer in = {.data = NULL};
    archai_err err = ARCHAI_ERR_INIT;
    size_t used = 0;
    int rc = ARCHAI_OK;

    while (rc == ARCHAI_OK) {
        archai_message m = {0};
        bool got;
        ssize_t n;

        rc = archai_frame_take(&in, &used, &m, &got, &err);
        if (rc == ARCHAI_OK && got) {
            rc = serve(&m, &err);
            archai_message_fini(&m);
            continue;
        }
        if (rc != ARCHAI_OK)
            break;
        archai_buffer_reserve(&in, 65536);
        n = read(REQUESTS, in.data + in.size, 65536);
        if (n <= 0)
            break;
        in.size += (size_t)n;
    }
    archai_buffer_free(&in);
    if (rc != ARCHAI_OK)
        fprintf(stderr, "stand_in_surrogate: %s\n", err.text);
    return rc == ARCHAI_OK ? 0 : 1;
}
