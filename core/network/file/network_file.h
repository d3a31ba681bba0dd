/* core/network/file/network_file.h - a network described in a file.
 *
 * The README of this folder is the grammar. A file is read once: every name, class, step, block
 * and argument in it is checked and every expression parsed; after that a network is built from
 * the values of the parameters as often as one likes. Both are bounded (ARCHAI_NETWORK_FILE_*),
 * since files come from outside.
 *
 * Errors (ARCHAI_EINVAL, ARCHAI_EFORMAT) are one line: "FILE:LINE: children.of.the.network:
 * what", with the shape that arrived where a layer does not take it.
 */
#ifndef ARCHAI_CORE_NETWORK_FILE_NETWORK_FILE_H
#define ARCHAI_CORE_NETWORK_FILE_NETWORK_FILE_H
#include <jansson.h>
#include <stdbool.h>
#include "core/base/yaml.h"
#include "core/network/network.h"

/* Bounds of a file and of one network made from it. */
enum {
    ARCHAI_NETWORK_FILE_INCLUDES = 64,    /* files */
    ARCHAI_NETWORK_FILE_ITEMS = 100000,   /* of the file and what it includes */
    ARCHAI_NETWORK_FILE_MODULES = 100000, /* layers and containers */
    ARCHAI_NETWORK_FILE_STEPS = 200000,   /* layers called, sums and so on */
    ARCHAI_NETWORK_FILE_NAMES = 1000,     /* of loops and `let` that are visible at once */
    ARCHAI_NETWORK_FILE_DEPTH = 128,      /* blocks in blocks, loops in loops, lists in lists */
    ARCHAI_NETWORK_FILE_BLOCKS = 10000,
    ARCHAI_NETWORK_FILE_WORK = 4 * 1000000 /* operations of expressions and items */
};

typedef struct archai_network_file archai_network_file;

/* `document` is the whole file that `path` names: `input`, `include`, `blocks`, `class` and
 * `network` are read here, and `parameters` for the names in it, which is otherwise the
 * caller's. The files that it includes are read, too; where their values stand is added to
 * `lines`.
 *
 *   document, lines   borrowed; outlive *out
 *   path              for messages, and includes are relative to it */
int archai_network_file_create(archai_network_file **out, const char *path,
                               const json_t *document, archai_lines *lines, archai_err *err);
void archai_network_file_destroy(archai_network_file *f); /* NULL is allowed */

/* ARCHAI_EINVAL, "netwrok: unknown key; did you mean 'network'?", where the document has a
 * member that such files do not; *at is then its value. */
int archai_network_file_check_keys(const json_t *document, const json_t **at, archai_err *err);

/* The network for these values of the parameters: an object of values by name, in which groups
 * are objects, lists of groups (`repeat`) arrays, and parameters that do not exist are left
 * out. What `data` does not know (zeros) is taken from the file's `input`. *out is the caller's
 * to finish; it is written only on success. May be called by several threads at once. */
int archai_network_file_build(const archai_network_file *f, const json_t *params,
                              const archai_data_shape *data, archai_network *out,
                              archai_err *err);

/* Is the parameter at this path (members joined by dots, without the indices of lists:
 * "stages.kernel") mentioned in `network` or in a block? For a list ("stages"), which is the
 * number of its groups: is the list? */
bool archai_network_file_uses(const archai_network_file *f, const char *path);

/* What decides about the network beside `document`: the blocks of the files that it includes,
 * by their headings. A new reference; NULL: it includes none. */
json_t *archai_network_file_included(const archai_network_file *f);
#endif
