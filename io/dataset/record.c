/* io/dataset/record.c - what results.h5 holds of a data set, on its way there. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "io/dataset/dataset.h"
#include "io/dataset/shape.h"

static const char format[] = "{s:I, s:I, s:I, s:I, s:I, s:i, s:o}";

/* What a space is told of the data; its members are data_shape's in results.h5. Records of earlier versions have none. */
static const char shape_format[] = "{s:i, s:i, s:i, s:i, s:i, s:i, s:i}";

json_t *archai_dataset_shape_json(const archai_data_shape *s)
{
    return archai_there(json_pack(shape_format, "channels", s->channels, "height", s->height, "width",
                                  s->width, "num_classes", s->num_classes, "tokens", s->tokens, "vocab",
                                  s->vocab, "features", s->features));
}

int archai_dataset_shape_read(const json_t *json, archai_data_shape *s, archai_err *err)
{
    archai_data_shape got = {0};

    /* json_unpack changes nothing */
    if (json_unpack((json_t *)(uintptr_t)json, shape_format, "channels", &got.channels, "height", &got.height,
                    "width", &got.width, "num_classes", &got.num_classes, "tokens", &got.tokens, "vocab",
                    &got.vocab, "features", &got.features) != 0 ||
        got.channels < 0 || got.height < 0 || got.width < 0 || got.num_classes < 0 || got.tokens < 0 ||
        got.vocab < 0 || got.features < 0)
        return archai_fail(err, ARCHAI_EFORMAT, "no shape of data");
    *s = got;
    return ARCHAI_OK;
}

char *archai_dataset_shape_record(const archai_data_shape *s)
{
    json_t *record = archai_there(json_pack("{s:o}", "shape", archai_dataset_shape_json(s)));
    char *text = archai_there(json_dumps(record, JSON_COMPACT));

    json_decref(record);
    return text;
}

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
    archai_must_have(json_object_set_new(record, "shape", archai_dataset_shape_json(&f->shape)) == 0);
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

    if (json_object_size(record) == 1 && json_object_get(record, "shape") != NULL) {
        *f = (archai_dataset_facts){.n = {0}};
        *about = NULL;
        rc = archai_dataset_shape_read(json_object_get(record, "shape"), &f->shape, err);
    } else if (record == NULL || json_unpack(record, format, "train", &train, "val", &val, "test", &test,
                                      "split_off", &split_off, "seed", &seed, "tokens", &tokens,
                                      "about", &known) != 0 ||
        train < 0 || val < 0 || test < 0 || (split_off != 0 && split_off != val)) {
        rc = archai_fail(err, ARCHAI_EFORMAT, "record of a data set: %.100s", text);
    } else {
        *f = (archai_dataset_facts){
            .shape = {.tokens = tokens}, .n = {train, val, test}, .split_off = split_off, .seed = seed};
        (void)archai_dataset_shape_read(json_object_get(record, "shape"), &f->shape, NULL);
        *about = archai_there(json_dumps(known, JSON_COMPACT));
    }
    json_decref(record);
    return rc;
}
