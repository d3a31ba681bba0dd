/* core/space/natsbench_tss/tss_cell.h - the cells of NAS-Bench-201, which NATS-Bench calls its
 * topology search space (TSS): Dong, Liu, Musial, Gabrys 2021, arXiv:2009.00437.
 *
 * A cell has four nodes and an edge from each node to every later one, in the order 1<-0, 2<-0,
 * 2<-1, 3<-0, 3<-1, 3<-2. Each edge has one of five operations; a node is the sum of its edges.
 * As text: "|op~0|+|op~0|op~1|+|op~0|op~1|op~2|".
 */
#ifndef ARCHAI_CORE_SPACE_NATSBENCH_TSS_TSS_CELL_H
#define ARCHAI_CORE_SPACE_NATSBENCH_TSS_TSS_CELL_H
#include <jansson.h>
#include <stdint.h>
#include "core/base/err.h"

enum {
    ARCHAI_TSS_NODES = 4,
    ARCHAI_TSS_EDGES = 6,
    ARCHAI_TSS_OPS = 5,
    ARCHAI_TSS_CELLS = 15625, /* OPS to the power of EDGES */
    ARCHAI_TSS_TEXT = 128     /* bytes of a cell's text, at most */
};

/* In the order in which the benchmark lists the cells. */
typedef enum archai_tss_op {
    ARCHAI_TSS_NONE,
    ARCHAI_TSS_SKIP,
    ARCHAI_TSS_CONV1X1,
    ARCHAI_TSS_CONV3X3,
    ARCHAI_TSS_POOL
} archai_tss_op;
extern const char *const archai_tss_ops[ARCHAI_TSS_OPS]; /* "none", "skip_connect", ... */

/* Each edge's target and source. */
typedef struct archai_tss_edge {
    int to, from;
} archai_tss_edge;
extern const archai_tss_edge archai_tss_edges[ARCHAI_TSS_EDGES];

typedef struct archai_tss_cell {
    archai_tss_op op[ARCHAI_TSS_EDGES];
} archai_tss_cell;

/* The benchmark's numbers of the cells: the list of all cells, the first edge slowest, shuffled
 * by Python's random.seed(88); random.shuffle(cells). */
typedef struct archai_tss_order {
    uint16_t listed[ARCHAI_TSS_CELLS]; /* place in the list of the cell with this number */
    uint16_t number[ARCHAI_TSS_CELLS]; /* number of the cell at this place in the list */
} archai_tss_order;
void archai_tss_order_init(archai_tss_order *order);
archai_tss_cell archai_tss_order_cell(const archai_tss_order *order, int number);
int archai_tss_order_number(const archai_tss_order *order, const archai_tss_cell *cell);

void archai_tss_cell_write(const archai_tss_cell *cell, char text[ARCHAI_TSS_TEXT]);
/* ARCHAI_EINVAL: what does not belong there, and what does. */
int archai_tss_cell_read(archai_tss_cell *out, const char *text, archai_err *err);
#endif
