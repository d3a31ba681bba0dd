#include "runner/evaluator/command/said.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/text.h"
#include "runner/evaluator/command_text.h"

void archai_said_fini(archai_said *s)
{
    if (s->measured != NULL)
        archai_trial_fini(s->measured);
    free(s->measured);
    free(s->error);
    *s = (archai_said){.measured = NULL};
}

/* Takes a number out of the object; NaN: it is not there. What is there and no number is a measure that is left
 * out. */
static double take_number(json_t *object, const char *key)
{
    double value = NAN;

    if (archai_command_number(json_object_get(object, key), &value))
        (void)json_object_del(object, key);
    return value;
}

static void read_progress(json_t *object, archai_said *out)
{
    const double epoch = take_number(object, "epoch");

    out->kind = ARCHAI_SAID_PROGRESS;
    out->is_epoch = !isnan(epoch);
    out->at = out->is_epoch ? epoch : take_number(object, "step");
    out->epochs = take_number(object, "epochs");
    out->measured = archai_calloc(1, sizeof *out->measured);
    archai_command_measures(object, out->measured);
}

/* A text may be marked as a number was (command_text.c): not one that a program sends. */
static void read_error(const json_t *object, archai_said *out)
{
    const char *text = json_string_value(json_object_get(object, "error"));

    out->kind = ARCHAI_SAID_ERROR;
    out->error = archai_strdup(text != NULL && text[0] != '\0' ? text : "no reason was given");
    archai_text_clean(out->error, false);
}

int archai_said_read(const char *line, int64_t id, archai_said *out, archai_err *err)
{
    json_t *object = NULL;
    const json_t *result;
    double of;
    int rc = ARCHAI_OK;

    ARCHAI_TRY(archai_command_object(line, &object, err));
    *out = (archai_said){.at = NAN, .epochs = NAN};
    result = json_object_get(object, "result");
    of = take_number(object, "id");
    if (!isnan(of) && of != (double)id) {
        out->kind = ARCHAI_SAID_OF_ANOTHER;
    } else if (result == NULL) {
        read_progress(object, out);
    } else if (json_is_object(result)) {
        out->kind = ARCHAI_SAID_RESULT;
        out->measured = archai_calloc(1, sizeof *out->measured);
        archai_command_measures(result, out->measured);
    } else if (json_is_null(result)) {
        read_error(object, out);
    } else {
        rc = archai_fail(err, ARCHAI_EFORMAT, "'result' is no object of measures, nor null");
    }
    json_decref(object);
    return rc;
}
