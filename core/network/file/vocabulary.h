/* core/network/file/vocabulary.h - the words of the grammar that mean the same everywhere. */
#ifndef ARCHAI_CORE_NETWORK_FILE_VOCABULARY_H
#define ARCHAI_CORE_NETWORK_FILE_VOCABULARY_H
#include "core/network/network.h"

/* Items that are neither classes nor steps: for, if, save, ... NULL ends. */
extern const char *const archai_keywords[];
bool archai_is_keyword(const char *name);

/* index, first, last, count: where an element of a loop stands. */
bool archai_is_place(const char *name);

/* What the data say: channels, classes, ... NULL ends. The size of that name, or, without a
 * shape, any address; NULL: there is none of that name. */
extern const char *const archai_data_names[];
const int *archai_data_size(const archai_data_shape *data, const char *name);

/* Letters, digits and _, and no word of expressions or of the grammar: a name that a file gives
 * to a block, an argument or a variable. ARCHAI_EINVAL says what is expected. */
int archai_check_name(const char *name, archai_err *err);

/* PyTorch's name of what is called otherwise here: "cat" is concat. What to write; NULL: it is
 * none of these. */
const char *archai_class_synonym(const char *name);
/* The class or step that `name` is but for case, underscores, and nn. or F. before it; NULL:
 * none. */
const char *archai_class_of_case(const char *name);

/* Is it a word that an argument of some kind takes (same, bilinear)? */
bool archai_is_argument_word(const char *word);
#endif
