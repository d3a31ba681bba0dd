/* core/search/engine/search_front.c - the front as the results have it: different architectures, each by one row. */
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/search/search.h"

/* By archid; of one archid the highest budget first, there the first id. */
static int compare(const void *a, const void *b, void *payload)
{
    const archai_search *s = payload;
    const size_t i = *(const size_t *)a, k = *(const size_t *)b;
    const archai_record *x = &s->records[i], *y = &s->records[k];
    const int archid = strcmp(x->archid, y->archid);

    if (archid != 0)
        return archid;
    if (x->budget < y->budget || x->budget > y->budget)
        return x->budget > y->budget ? -1 : 1;
    return (i > k) - (i < k);
}

void archai_search_front(const archai_search *s, size_t **out, size_t *n)
{
    const size_t k = s->front.n_objectives;
    size_t *records = archai_malloc((s->n_records + 1) * sizeof *records), all = 0, unique = 0;
    double *points;

    for (size_t i = 0; i < s->n_records; i++)
        if (archai_record_counts(&s->records[i]))
            records[all++] = i;
    if (all > 0)
        qsort_r(records, all, sizeof *records, compare, (void *)(uintptr_t)s);
    for (size_t i = 0; i < all; i++)
        if (unique == 0 || strcmp(s->records[records[unique - 1]].archid,
                                  s->records[records[i]].archid) != 0)
            records[unique++] = records[i];
    points = archai_malloc((unique * k + 1) * sizeof *points);
    *out = archai_malloc((unique + 1) * sizeof **out);
    for (size_t i = 0; i < unique; i++)
        archai_objectives_minimised(s->objectives, s->records[records[i]].values, &points[i * k]);
    *n = archai_pareto_front(points, unique, k, *out);
    for (size_t i = 0; i < *n; i++)
        (*out)[i] = records[(*out)[i]];
    free(points);
    free(records);
}
