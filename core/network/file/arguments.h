/* core/network/file/arguments.h - what is written for the arguments of a class or step, as the
 * numbers that its kind takes. */
#ifndef ARCHAI_CORE_NETWORK_FILE_ARGUMENTS_H
#define ARCHAI_CORE_NETWORK_FILE_ARGUMENTS_H
#include "core/network/file/items.h"
#include "core/network/kind/kind.h"

/* args[] as in archai_module_layer: what is given, else the defaults. Without a scope only
 * constants are looked at, and the rest of args is of no use. ARCHAI_EINVAL: "Conv2d:
 * kernel_size: expected a whole number from 1, got 0"; *at is where that stands. */
int archai_arguments_of_kind(const archai_module_kind *kind, const archai_arguments *given,
                             archai_expression_scope *scope,
                             double args[ARCHAI_MODULE_MAX_ARGS], const json_t **at,
                             archai_err *err);
/* The argument of that name; NULL: the kind has none. */
const archai_arg *archai_kind_argument(const archai_module_kind *kind, const char *name);
/* The argument that a value without a name is for, or the first of a list: the first that must
 * be given. A kind where none must be and none follows from the input takes its arguments in
 * order. NULL: all are written by name. */
const archai_arg *archai_kind_first_argument(const archai_module_kind *kind);
/* Is it no argument, but an input: `of`, or query, key, value of what takes three? */
bool archai_is_operand(const archai_module_kind *kind, const char *name);
/* The place of a word among those of the argument; -1: it is none of them. */
int archai_argument_word(const archai_arg *a, const char *word);
#endif
