/* The stack, the memo and the objects of a pickle. */
#include "io/file/pt/pickle_private.h"

#include <string.h>

#include "core/base/alloc.h"

/* What comes from a file must not take all memory. */
enum { MEMO_MAX = 1 << 22, ITEMS_MAX = 1 << 24 };

int pickle_refuse(pickle_machine *m, const char *what)
{
    return archai_fail(m->err, ARCHAI_EFORMAT, "its pickle %s", what);
}

int pickle_take(pickle_machine *m, size_t n, const unsigned char **out)
{
    if ((size_t)(m->end - m->at) < n)
        return pickle_refuse(m, "ends in the middle");
    *out = m->at;
    m->at += n;
    return ARCHAI_OK;
}

uint64_t pickle_number(const unsigned char *at, int bytes)
{
    uint64_t v = 0;

    for (int i = bytes; i-- > 0;)
        v = v << 8 | at[i];
    return v;
}

int pickle_take_number(pickle_machine *m, int bytes, uint64_t *out)
{
    const unsigned char *p = NULL;

    ARCHAI_TRY(pickle_take(m, (size_t)bytes, &p));
    *out = pickle_number(p, bytes);
    return ARCHAI_OK;
}

/* -- objects ------------------------------------------------------------------------------- */

archai_pickled *pickle_push(pickle_machine *m, archai_pickled_kind kind)
{
    archai_pickled *o = archai_calloc(1, sizeof *o);

    o->kind = kind;
    ARCHAI_RESERVE(m->out.all, m->out.capacity, m->out.n + 1);
    m->out.all[m->out.n++] = o;
    ARCHAI_RESERVE(m->stack, m->stack_capacity, m->depth + 1);
    m->stack[m->depth++] = o;
    return o;
}

int pickle_push_int(pickle_machine *m, int64_t v)
{
    pickle_push(m, ARCHAI_PICKLED_INT)->number = v;
    return ARCHAI_OK;
}

int pickle_push_text(pickle_machine *m, size_t n)
{
    const unsigned char *p = NULL;
    archai_pickled *o;

    ARCHAI_TRY(pickle_take(m, n, &p));
    o = pickle_push(m, ARCHAI_PICKLED_TEXT);
    o->text = (const char *)p;
    o->length = n;
    return ARCHAI_OK;
}

int pickle_add(pickle_machine *m, archai_pickled *to, archai_pickled *item)
{
    if (++m->items > ITEMS_MAX)
        return pickle_refuse(m, "holds too much");
    ARCHAI_RESERVE(to->items, to->capacity, to->n + 1);
    to->items[to->n++] = item;
    return ARCHAI_OK;
}

int pickle_pop(pickle_machine *m, archai_pickled **out)
{
    if (m->depth == 0 || m->stack[m->depth - 1]->kind == ARCHAI_PICKLED_MARK)
        return pickle_refuse(m, "takes what is not there");
    *out = m->stack[--m->depth];
    return ARCHAI_OK;
}

/* *from: the place of the first object above the last mark. */
int pickle_find_mark(pickle_machine *m, size_t *from)
{
    for (size_t i = m->depth; i-- > 0;)
        if (m->stack[i]->kind == ARCHAI_PICKLED_MARK) {
            *from = i + 1;
            return ARCHAI_OK;
        }
    return pickle_refuse(m, "takes what is not there");
}

/* The last n objects become one. */
static int gather(pickle_machine *m, archai_pickled_kind kind, size_t n)
{
    archai_pickled *o = archai_calloc(1, sizeof *o);
    int rc = ARCHAI_OK;

    o->kind = kind;
    ARCHAI_RESERVE(m->out.all, m->out.capacity, m->out.n + 1);
    m->out.all[m->out.n++] = o;
    for (size_t i = m->depth - n; i < m->depth && rc == ARCHAI_OK; i++)
        rc = m->stack[i]->kind == ARCHAI_PICKLED_MARK ? pickle_refuse(m, "takes what is not there")
                                                      : pickle_add(m, o, m->stack[i]);
    m->depth -= n;
    ARCHAI_RESERVE(m->stack, m->stack_capacity, m->depth + 1);
    m->stack[m->depth++] = o;
    return rc;
}

int pickle_gather_few(pickle_machine *m, size_t n)
{
    return n > m->depth ? pickle_refuse(m, "takes what is not there") : gather(m, ARCHAI_PICKLED_TUPLE, n);
}

int pickle_gather_marked(pickle_machine *m, archai_pickled_kind kind)
{
    size_t from = 0;
    archai_pickled *o;

    ARCHAI_TRY(pickle_find_mark(m, &from));
    ARCHAI_TRY(gather(m, kind, m->depth - from));
    o = m->stack[--m->depth]; /* instead of the mark */
    m->stack[m->depth - 1] = o;
    return kind == ARCHAI_PICKLED_DICT && o->n % 2 != 0 ? pickle_refuse(m, "has a key without a value")
                                                        : ARCHAI_OK;
}

/* What stands above the mark goes into the list or dictionary below it. */
int pickle_append(pickle_machine *m, archai_pickled_kind kind)
{
    archai_pickled *to;
    size_t from = 0;

    ARCHAI_TRY(pickle_find_mark(m, &from));
    if (from < 2 || m->stack[from - 2]->kind != kind ||
        (kind == ARCHAI_PICKLED_DICT && (m->depth - from) % 2 != 0))
        return pickle_refuse(m, "fills what is no list and no dictionary");
    to = m->stack[from - 2];
    for (size_t i = from; i < m->depth; i++)
        ARCHAI_TRY(pickle_add(m, to, m->stack[i]));
    m->depth = from - 1;
    return ARCHAI_OK;
}

int pickle_append_last(pickle_machine *m, archai_pickled_kind kind, size_t n)
{
    archai_pickled *to;

    if (m->depth < n + 1 || m->stack[m->depth - n - 1]->kind != kind)
        return pickle_refuse(m, "fills what is no list and no dictionary");
    to = m->stack[m->depth - n - 1];
    for (size_t i = m->depth - n; i < m->depth; i++)
        ARCHAI_TRY(pickle_add(m, to, m->stack[i]));
    m->depth -= n;
    return ARCHAI_OK;
}

/* -- the memo ------------------------------------------------------------------------------ */

int pickle_put(pickle_machine *m, uint64_t at)
{
    if (m->depth == 0 || at >= MEMO_MAX || at > m->out.n + 1024)
        return pickle_refuse(m, "keeps too much");
    if (at >= m->memo_capacity) {
        const size_t before = m->memo_capacity;

        ARCHAI_RESERVE(m->memo, m->memo_capacity, (size_t)at + 1);
        memset(m->memo + before, 0, (m->memo_capacity - before) * sizeof *m->memo);
    }
    m->memo[at] = m->stack[m->depth - 1];
    m->memo_n = at >= m->memo_n ? (size_t)at + 1 : m->memo_n;
    return ARCHAI_OK;
}

int pickle_get(pickle_machine *m, uint64_t at)
{
    if (at >= m->memo_capacity || m->memo[at] == NULL || m->memo[at]->kind == ARCHAI_PICKLED_MARK)
        return pickle_refuse(m, "asks for what it did not keep");
    ARCHAI_RESERVE(m->stack, m->stack_capacity, m->depth + 1);
    m->stack[m->depth++] = m->memo[at];
    return ARCHAI_OK;
}
