#include "core/space/natsbench_tss/tss_cell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/number.h"
#include "core/base/rng.h"

const char *const archai_tss_ops[] = {"none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3",
                                      "avg_pool_3x3"};
const archai_tss_edge archai_tss_edges[] = {{1, 0}, {2, 0}, {2, 1}, {3, 0}, {3, 1}, {3, 2}};

/* -- numbers ----------------------------------------------------------------------------- */

void archai_tss_order_init(archai_tss_order *order)
{
    static const uint64_t seed = 88; /* the benchmark's */
    size_t *cells = archai_calloc(ARCHAI_TSS_CELLS, sizeof *cells);
    archai_rng r;

    for (size_t i = 0; i < ARCHAI_TSS_CELLS; i++)
        cells[i] = i;
    archai_rng_seed(&r, seed);
    archai_rng_shuffle(&r, cells, ARCHAI_TSS_CELLS);
    for (size_t i = 0; i < ARCHAI_TSS_CELLS; i++) {
        order->listed[i] = (uint16_t)cells[i];
        order->number[cells[i]] = (uint16_t)i;
    }
    free(cells);
}

archai_tss_cell archai_tss_order_cell(const archai_tss_order *order, int number)
{
    archai_tss_cell cell;
    int place = order->listed[number];

    for (int i = ARCHAI_TSS_EDGES - 1; i >= 0; i--) {
        cell.op[i] = (archai_tss_op)(place % ARCHAI_TSS_OPS);
        place /= ARCHAI_TSS_OPS;
    }
    return cell;
}

int archai_tss_order_number(const archai_tss_order *order, const archai_tss_cell *cell)
{
    int place = 0;

    for (int i = 0; i < ARCHAI_TSS_EDGES; i++)
        place = place * ARCHAI_TSS_OPS + (int)cell->op[i];
    return order->number[place];
}

/* -- text -------------------------------------------------------------------------------- */

/* What stands before an edge's operation: a node's first edge opens its list. */
static const char *before(int edge)
{
    return edge == 0 ? "|" : archai_tss_edges[edge].from == 0 ? "+|" : "";
}

void archai_tss_cell_write(const archai_tss_cell *cell, char text[ARCHAI_TSS_TEXT])
{
    char *at = text;

    for (int i = 0; i < ARCHAI_TSS_EDGES; i++) {
        at = stpcpy(stpcpy(at, before(i)), archai_tss_ops[cell->op[i]]);
        *at++ = '~';
        *at++ = (char)('0' + archai_tss_edges[i].from);
        *at++ = '|';
    }
    *at = '\0';
}

static int unexpected(const char *text, const char *expected, archai_err *err)
{
    return archai_fail(
        err, ARCHAI_EINVAL,
        "'%.40s' where %s is expected; a cell reads |op~0|+|op~0|op~1|+|op~0|op~1|op~2|", text,
        expected);
}

/* Take one operation and its source off *at. */
static int read_edge(const char **at, int edge, archai_tss_op *out, archai_err *err)
{
    const size_t length = strcspn(*at, "~|+");
    char word[32], source[8];
    int op = 0;

    (void)snprintf(word, sizeof word, "%.*s",
                   (int)(length < sizeof word ? length : sizeof word), *at);
    while (op < ARCHAI_TSS_OPS && strcmp(archai_tss_ops[op], word) != 0)
        op++;
    if (op == ARCHAI_TSS_OPS)
        return archai_fail(err, ARCHAI_EINVAL,
                           "unknown operation '%s', expected one of: none skip_connect "
                           "nor_conv_1x1 nor_conv_3x3 avg_pool_3x3%s",
                           word, archai_suggest(word, archai_tss_ops, ARCHAI_TSS_OPS).text);
    (void)snprintf(source, sizeof source, "~%d|", archai_tss_edges[edge].from);
    if (strncmp(*at + length, source, strlen(source)) != 0)
        return unexpected(*at + length, source, err);
    *at += length + strlen(source);
    *out = (archai_tss_op)op;
    return ARCHAI_OK;
}

int archai_tss_cell_read(archai_tss_cell *out, const char *text, archai_err *err)
{
    archai_tss_cell cell;

    for (int i = 0; i < ARCHAI_TSS_EDGES; i++) {
        const char *opening = before(i);

        if (strncmp(text, opening, strlen(opening)) != 0)
            return unexpected(text, opening, err);
        text += strlen(opening);
        ARCHAI_TRY(read_edge(&text, i, &cell.op[i], err));
    }
    if (*text != '\0')
        return unexpected(text, "the end", err);
    *out = cell;
    return ARCHAI_OK;
}
