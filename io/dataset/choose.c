/* io/dataset/choose.c - data.resident: are the examples held in memory? */
#include <inttypes.h>

#include "core/base/number.h"
#include "io/dataset/layout.h"
#include "io/file/memory.h"

/* Models, libtorch and the page cache of what is read need room, too. */
static const double auto_share = 0.75;

int archai_dataset_choose(const archai_dataset_source *s, const archai_dataset_plan *p, uint64_t bytes,
                          bool *streamed, archai_err *err)
{
    char much[ARCHAI_BYTES_TEXT], little[ARCHAI_BYTES_TEXT];
    archai_memory m;

    archai_memory_look(true, &m);
    *streamed = s->resident == ARCHAI_RESIDENT_NO ||
                (s->resident == ARCHAI_RESIDENT_AUTO && p->held == NULL &&
                 (double)bytes > auto_share * m.free);
    if (s->resident == ARCHAI_RESIDENT_NO && p->held != NULL)
        return archai_fail(err, ARCHAI_EINVAL, "data.resident: no, but %s", p->held);
    if (*streamed || (double)bytes <= m.free)
        return ARCHAI_OK;
    archai_format_bytes((double)bytes, much);
    archai_format_bytes(m.free, little);
    return archai_fail(err, ARCHAI_EINVAL, "data.resident: the data take %s of memory, but %s leaves %s%s%s",
                       much, m.free_by, little,
                       p->held != NULL ? "; they cannot be read while training, since " : "",
                       p->held != NULL ? p->held : "");
}
