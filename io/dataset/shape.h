/* io/dataset/shape.h - what a space is told of the data, as results.h5 records it. */
#ifndef ARCHAI_IO_DATASET_SHAPE_H
#define ARCHAI_IO_DATASET_SHAPE_H
#include <jansson.h>
#include "core/base/err.h"
#include "core/network/network.h"

/* A JSON object of its members (a new reference), and back; ARCHAI_EFORMAT: something else. */
json_t *archai_dataset_shape_json(const archai_data_shape *s);
int archai_dataset_shape_read(const json_t *json, archai_data_shape *s, archai_err *err);
/* As archai_dataset_record, of a run that knows the shape and reads no examples: archai_dataset_record_read gives it back
 * with an `about` of NULL. Caller frees. */
char *archai_dataset_shape_record(const archai_data_shape *s);
#endif
