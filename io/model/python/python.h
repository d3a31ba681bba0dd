/* io/model/python/python.h - a described network as one Python file that needs PyTorch (1.13 or later) alone.
 *
 * Its Model has the names of the state_dict; it loads weights from results.h5 (with h5py), from files of torch.save and from
 * safetensors, and measures itself on the validation data of the search. Names and texts may come from anywhere: they stand in the
 * file as literals of ASCII characters, never as code or comments.
 */
#ifndef ARCHAI_IO_MODEL_PYTHON_PYTHON_H
#define ARCHAI_IO_MODEL_PYTHON_PYTHON_H
#include <jansson.h>
#include <stdio.h>
#include "core/network/network.h"

/* What the file says of the model; borrowed. */
typedef struct archai_python_facts {
    const char *archid, *arch; /* as a text each */
    const char *results;       /* path of results.h5, where it looks for weights by default */
    const json_t *data;        /* an object: the section [data], texts by key; NULL: none was used */
    const json_t *about;       /* an object, `data` of results.h5; NULL: none */
    const json_t *recorded;    /* an object: numbers by name of the measure; NULL: none */
} archai_python_facts;

/* ARCHAI_EINVAL: the description is not consistent. Errors of `out` are the caller's to look for. */
int archai_python_write(const archai_network *net, const archai_python_facts *facts, FILE *out,
                        archai_err *err);
/* Text as a literal of Python: "caf\u00e9"; what is not UTF-8 becomes '?'. */
void archai_python_literal(const char *text, FILE *out);
#endif
