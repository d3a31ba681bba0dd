/* io/dataset/record.c - what results.h5 holds of a data set, on its way there. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "io/dataset/dataset.h"

static const char format[] = "{s:I, s:I, s:I, s:I, s:I, s:i, s:o}";

char *archai_dataset_record(const archai_dataset_facts *f, const archai_dataset_header *d)
{
    json_t *about = json_loads(archai_dataset_about(d), 0, NULL), *record; /* NULL: there is nothing */
    char *text;

    if (about == NULL)
        about = archai_there(json_object());
    record = archai_there(json_pack(format, "train", (json_int_t)f->n[ARCHAI_SPLIT_TRAIN], "val",
                                    (json_int_t)f->n[ARCHAI_SPLIT_VAL], "test",
                                    (json_int_t)f->n[ARCHAI_SPLIT_TEST], "split_off",
                                    (json_int_t)f->split_off, "seed", (json_int_t)f->seed, "tokens",
                                    f->shape.tokens, "about", about));
    text = archai_there(json_dumps(record, JSON_COMPACT));
    json_decref(record);
    return text;
}

int archai_dataset_record_read(const char *text, archai_dataset_facts *f, char **about,
                               archai_err *err)
{
    json_int_t train, val, test, split_off, seed;
    json_error_t why;
    json_t *record = json_loads(text, 0, &why), *known;
    int tokens, rc = ARCHAI_OK;

    if (record == NULL || json_unpack(record, format, "train", &train, "val", &val, "test", &test,
                                      "split_off", &split_off, "seed", &seed, "tokens", &tokens,
                                      "about", &known) != 0 ||
        train < 0 || val < 0 || test < 0 || (split_off != 0 && split_off != val)) {
        rc = archai_fail(err, ARCHAI_EFORMAT, "record of a data set: %.100s", text);
    } else {
        *f = (archai_dataset_facts){
            .shape = {.tokens = tokens}, .n = {train, val, test}, .split_off = split_off, .seed = seed};
        *about = archai_there(json_dumps(known, JSON_COMPACT));
    }
    json_decref(record);
    return rc;
}
