/* core/network/file/reader.h - from a document to items: what the files that read share.
 *
 * Errors are begun here without their place; archai_reader_at puts it in front.
 */
#ifndef ARCHAI_CORE_NETWORK_FILE_READER_H
#define ARCHAI_CORE_NETWORK_FILE_READER_H
#include "core/network/file/items.h"

/* Names of loops and of `let`, innermost first. Without a name: the members of `declared`,
 * which is what a loop goes through, and index, first, last, count. */
typedef struct archai_visible archai_visible;
struct archai_visible {
    const char *name;
    archai_declared declared;
    size_t n; /* so many with those outside */
    const archai_visible *outer;
};

typedef struct archai_reader {
    archai_network_file *f;
    archai_block *block; /* whose body is read */
    const archai_visible *visible;
    archai_declared declared; /* of the name that was looked up last */
    bool counting;            /* a loop's head: a list of groups is not used as a whole */
    char where[256];          /* "mbconv.conv1", for messages */
    size_t n_items;
    archai_err *err;
} archai_reader;

/* Put the place in front of an error that a call returned. */
int archai_reader_at(archai_reader *r, const json_t *at, const json_t *in, int rc);
/* Go into a child (a name, not copied where it does not fit); returns what to leave with. */
size_t archai_reader_enter(archai_reader *r, const char *name);
void archai_reader_leave(archai_reader *r, size_t where);

/* -- names (names.c) ----------------------------------------------------------------------- */
/* An expression whose names are all known here. `at` is a document's value, a text or not. */
int archai_reader_expression(archai_reader *r, const json_t *at, const archai_expression **out);
int archai_reader_expression_text(archai_reader *r, const char *text,
                                  const archai_expression **out);
int archai_reader_template(archai_reader *r, const char *text, archai_template *out);
int archai_reader_show(archai_reader *r, const char *name, archai_declared declared);
/* Is there a variable of that name, a value, an argument, a parameter? */
bool archai_reader_knows(archai_reader *r, const char *name);
/* May it stand for an item: is it a variable of the block, no parameter and nothing of the
 * data? */
bool archai_reader_runs(archai_reader *r, const char *name);
void archai_block_saves(archai_block *b, const char *name);
bool archai_reader_saves(const archai_reader *r, const char *name);
/* ARCHAI_EINVAL: "there is no WHAT 'NAME'", with the nearest class, step, block, keyword or
 * variable. */
int archai_reader_unknown(archai_reader *r, const char *what, const char *name);

/* -- arguments (read_arguments.c) ---------------------------------------------------------- */
/* What a class, step, block or `make` is given; of a class or step what is constant is checked.
 */
int archai_read_arguments(archai_reader *r, const json_t *v, const json_t *in,
                          archai_item *item);
/* - Conv2d:
 *   out_channels: 8    are these arguments beside their class, not in it? */
int archai_check_indent(archai_reader *r, const json_t *members);

/* -- blocks (read_blocks.c) ---------------------------------------------------------------- */
/* The blocks of one document: first their names, then their arguments, then what they hold. */
int archai_read_block_names(archai_reader *r, const json_t *blocks);
int archai_read_block_headings(archai_reader *r, const json_t *blocks);
int archai_read_block_bodies(archai_reader *r, const json_t *blocks);
/* All names that anything in `v` is saved under are the block's. */
void archai_find_saved(archai_block *b, const json_t *v);
int archai_read_block(archai_reader *r, archai_block *b, const json_t *body, const json_t *in);
/* Once all bodies are read: is an argument mentioned nowhere? What is handed to it would be
 * lost without a word. */
int archai_check_block_arguments(archai_reader *r);

/* -- items (read_item.c, read_control.c) --------------------------------------------------- */
int archai_read_body(archai_reader *r, const json_t *v, const json_t *in, archai_body *out);
int archai_read_item(archai_reader *r, const json_t *v, const json_t *in, archai_item *out);
/* One operand: as an item, but the name of a value is that value, and members are in a row. */
int archai_read_operand(archai_reader *r, const json_t *v, const json_t *in, archai_item *out);
int archai_read_operands(archai_reader *r, const json_t *v, const json_t *in, archai_item *out);
/* {for: ...} and the like: has it a word that takes others beside it? And such an item, whose
 * bodies are operands or not. */
bool archai_is_form(const json_t *v);
int archai_read_form(archai_reader *r, const json_t *v, bool operands, archai_item *out);
/* An item of one word and what belongs to it: save, use, call, residual, let, child, inline. */
int archai_read_keyword(archai_reader *r, const char *word, const json_t *v, archai_item *out);
#endif
