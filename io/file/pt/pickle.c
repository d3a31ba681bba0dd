#include "io/file/pt/pickle_private.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

enum { OBJECTS_MAX = 1 << 21 };

/* -- calls --------------------------------------------------------------------------------- */

static int push_global(pickle_machine *m)
{
    const unsigned char *begin = m->at, *line = memchr(begin, '\n', (size_t)(m->end - begin));
    const unsigned char *end =
        line != NULL ? memchr(line + 1, '\n', (size_t)(m->end - line - 1)) : NULL;
    archai_pickled *o;

    if (end == NULL)
        return pickle_refuse(m, "ends in the middle");
    o = pickle_push(m, ARCHAI_PICKLED_GLOBAL);
    o->text = (const char *)begin;
    o->length = (size_t)(end - begin);
    m->at = end + 1;
    return ARCHAI_OK;
}

static bool is_global(const archai_pickled *o, const char *name)
{
    return o->kind == ARCHAI_PICKLED_GLOBAL && o->length == strlen(name) &&
           memcmp(o->text, name, o->length) == 0;
}

static int unknown(pickle_machine *m, const archai_pickled *f)
{
    char name[96] = "something";

    if (f->kind == ARCHAI_PICKLED_GLOBAL) {
        const size_t n = f->length < sizeof name ? f->length : sizeof name - 1;

        for (size_t i = 0; i < n; i++)
            name[i] = f->text[i] > ' ' && f->text[i] < 0x7f ? f->text[i] : '.';
        name[n] = '\0';
    }
    return archai_fail(m->err, ARCHAI_EFORMAT,
                       "its pickle calls %s; only a dictionary of tensors is read (a state_dict)", name);
}

/* The result of a call takes the places of function and arguments. */
static int reduce(pickle_machine *m)
{
    archai_pickled *args = NULL, *f = NULL, *o;

    ARCHAI_TRY(pickle_pop(m, &args));
    ARCHAI_TRY(pickle_pop(m, &f));
    if (args->kind != ARCHAI_PICKLED_TUPLE)
        return pickle_refuse(m, "calls something without arguments");
    if (is_global(f, "collections\nOrderedDict") && args->n == 0) {
        (void)pickle_push(m, ARCHAI_PICKLED_DICT);
        return ARCHAI_OK;
    }
    if (is_global(f, "torch._utils\n_rebuild_tensor_v2") && args->n >= 4) {
        o = pickle_push(m, ARCHAI_PICKLED_TENSOR);
        for (size_t i = 0; i < 4; i++)
            ARCHAI_TRY(pickle_add(m, o, args->items[i]));
        return ARCHAI_OK;
    }
    if ((is_global(f, "torch._utils\n_rebuild_parameter") ||
         is_global(f, "torch._utils\n_rebuild_parameter_with_state") ||
         is_global(f, "torch.jit._pickle\nrestore_type_tag") || is_global(f, "torch\nSize")) &&
        args->n >= 1) {
        ARCHAI_RESERVE(m->stack, m->stack_capacity, m->depth + 1);
        m->stack[m->depth++] = args->items[0];
        return ARCHAI_OK;
    }
    return unknown(m, f);
}

/* Attributes of a dictionary (a state_dict's _metadata) are of no interest. */
static int build(pickle_machine *m)
{
    archai_pickled *state = NULL;

    ARCHAI_TRY(pickle_pop(m, &state));
    if (m->depth == 0 || m->stack[m->depth - 1]->kind != ARCHAI_PICKLED_DICT)
        return pickle_refuse(m, "builds an object; only a dictionary of tensors is read (a state_dict)");
    return ARCHAI_OK;
}

static int persistent(pickle_machine *m)
{
    archai_pickled *id = NULL, *o;

    ARCHAI_TRY(pickle_pop(m, &id));
    if (id->kind != ARCHAI_PICKLED_TUPLE || id->n < 5)
        return pickle_refuse(m, "names a storage in an unknown way");
    o = pickle_push(m, ARCHAI_PICKLED_STORAGE);
    for (size_t i = 0; i < 5; i++)
        ARCHAI_TRY(pickle_add(m, o, id->items[i]));
    return ARCHAI_OK;
}

/* Of up to 8 bytes; more is of no interest. */
static int push_long(pickle_machine *m)
{
    const unsigned char *p = NULL;
    uint64_t n = 0, v = 0;

    ARCHAI_TRY(pickle_take_number(m, 1, &n));
    ARCHAI_TRY(pickle_take(m, (size_t)n, &p));
    if (n > 8) {
        (void)pickle_push(m, ARCHAI_PICKLED_NONE);
        return ARCHAI_OK;
    }
    v = pickle_number(p, (int)n);
    if (n > 0 && n < 8 && (p[n - 1] & 0x80) != 0)
        v |= ~(uint64_t)0 << (8 * n);
    return pickle_push_int(m, (int64_t)v);
}

static int drop_to_mark(pickle_machine *m)
{
    size_t from = 0;

    ARCHAI_TRY(pickle_find_mark(m, &from));
    m->depth = from - 1;
    return ARCHAI_OK;
}

/* One opcode. */
static int step(pickle_machine *m, int op)
{
    archai_pickled *dropped = NULL;
    const unsigned char *p = NULL;
    uint64_t v = 0;

    switch (op) {
    case 0x80: /* PROTO */
        return pickle_take(m, 1, &p);
    case 0x95: /* FRAME */
        return pickle_take(m, 8, &p);
    case '(': /* MARK */
        (void)pickle_push(m, ARCHAI_PICKLED_MARK);
        return ARCHAI_OK;
    case '0': /* POP */
        return pickle_pop(m, &dropped);
    case '1': /* POP_MARK */
        return drop_to_mark(m);
    case 'N': /* NONE */
        (void)pickle_push(m, ARCHAI_PICKLED_NONE);
        return ARCHAI_OK;
    case 0x88: /* NEWTRUE */
    case 0x89: /* NEWFALSE */
        return pickle_push_int(m, op == 0x88);
    case 'J': /* BININT */
        ARCHAI_TRY(pickle_take_number(m, 4, &v));
        return pickle_push_int(m, (int32_t)(uint32_t)v);
    case 'K': /* BININT1 */
        ARCHAI_TRY(pickle_take_number(m, 1, &v));
        return pickle_push_int(m, (int64_t)v);
    case 'M': /* BININT2 */
        ARCHAI_TRY(pickle_take_number(m, 2, &v));
        return pickle_push_int(m, (int64_t)v);
    case 0x8a: /* LONG1 */
        return push_long(m);
    case 'G': /* BINFLOAT */
        (void)pickle_push(m, ARCHAI_PICKLED_NONE);
        return pickle_take(m, 8, &p);
    case 'X': /* BINUNICODE */
        ARCHAI_TRY(pickle_take_number(m, 4, &v));
        return pickle_push_text(m, (size_t)v);
    case 0x8c: /* SHORT_BINUNICODE */
        ARCHAI_TRY(pickle_take_number(m, 1, &v));
        return pickle_push_text(m, (size_t)v);
    case ')': /* EMPTY_TUPLE */
    case ']': /* EMPTY_LIST */
        (void)pickle_push(m, ARCHAI_PICKLED_TUPLE);
        return ARCHAI_OK;
    case '}': /* EMPTY_DICT */
        (void)pickle_push(m, ARCHAI_PICKLED_DICT);
        return ARCHAI_OK;
    case 't': /* TUPLE */
    case 'l': /* LIST */
        return pickle_gather_marked(m, ARCHAI_PICKLED_TUPLE);
    case 'd': /* DICT */
        return pickle_gather_marked(m, ARCHAI_PICKLED_DICT);
    case 0x85: /* TUPLE1, TUPLE2, TUPLE3 */
    case 0x86:
    case 0x87:
        return pickle_gather_few(m, (size_t)op - 0x84);
    case 'a': /* APPEND */
        return pickle_append_last(m, ARCHAI_PICKLED_TUPLE, 1);
    case 'e': /* APPENDS */
        return pickle_append(m, ARCHAI_PICKLED_TUPLE);
    case 's': /* SETITEM */
        return pickle_append_last(m, ARCHAI_PICKLED_DICT, 2);
    case 'u': /* SETITEMS */
        return pickle_append(m, ARCHAI_PICKLED_DICT);
    case 'q': /* BINPUT */
        ARCHAI_TRY(pickle_take_number(m, 1, &v));
        return pickle_put(m, v);
    case 'r': /* LONG_BINPUT */
        ARCHAI_TRY(pickle_take_number(m, 4, &v));
        return pickle_put(m, v);
    case 0x94: /* MEMOIZE */
        return pickle_put(m, m->memo_n);
    case 'h': /* BINGET */
        ARCHAI_TRY(pickle_take_number(m, 1, &v));
        return pickle_get(m, v);
    case 'j': /* LONG_BINGET */
        ARCHAI_TRY(pickle_take_number(m, 4, &v));
        return pickle_get(m, v);
    case 'c': /* GLOBAL */
        return push_global(m);
    case 'R': /* REDUCE */
        return reduce(m);
    case 'b': /* BUILD */
        return build(m);
    case 'Q': /* BINPERSID */
        return persistent(m);
    default:
        return archai_fail(m->err, ARCHAI_EFORMAT,
                           "its pickle has opcode 0x%02x; only a dictionary of tensors is read (a state_dict)",
                           (unsigned)op);
    }
}

int archai_pickle_read(archai_pickle *out, const void *data, size_t size, archai_err *err)
{
    pickle_machine m = {.at = data, .end = (const unsigned char *)data + size, .err = err};
    int rc = ARCHAI_OK;

    for (;;) {
        if (m.at == m.end) {
            rc = pickle_refuse(&m, "has no end");
            break;
        }
        if (*m.at == '.') {
            rc = pickle_pop(&m, &m.out.top);
            break;
        }
        rc = m.out.n < OBJECTS_MAX ? step(&m, *m.at++) : pickle_refuse(&m, "holds too much");
        if (rc != ARCHAI_OK)
            break;
    }
    free(m.stack);
    free(m.memo);
    if (rc == ARCHAI_OK)
        *out = m.out;
    else
        archai_pickle_free(&m.out);
    return rc;
}

void archai_pickle_free(archai_pickle *p)
{
    for (size_t i = 0; i < p->n; i++) {
        free(p->all[i]->items);
        free(p->all[i]);
    }
    free(p->all);
    *p = (archai_pickle){.all = NULL};
}
