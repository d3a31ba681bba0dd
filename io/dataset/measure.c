#include "io/dataset/measure.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "io/dataset/layout.h"
#include "io/dataset/normalize.h"
#include "io/dataset/read.h"

/* One pass over the training examples, for all who want one. */
typedef struct pass {
    const archai_dataset_source *source;
    const archai_dataset_plan *plan;
    const archai_dataset_header *header;
    const char *base;
    const int64_t *map; /* streamed: where the examples lie in the file */
    const archai_dataset_plan *files;
    archai_normalize normalize;
    archai_dataset_measured *measured;
    int number;
    json_t *about;
} pass;

static bool format_measures(const pass *p)
{
    return p->measured->n_constants > 0 && p->number < p->source->format->measure_passes;
}

static int see(void *payload, const void *images, int64_t n, archai_err *err)
{
    pass *p = payload;

    if (p->number < p->normalize.passes)
        archai_normalize_see(&p->normalize, images, n);
    if (!format_measures(p))
        return ARCHAI_OK;
    return p->source->format->measure(p->source, p->plan, p->number, images, n, p->measured->constants,
                                      p->about, err);
}

static int look_at_all(pass *p, archai_err *err)
{
    const archai_dataset_split *train = &p->header->split[ARCHAI_SPLIT_TRAIN];
    archai_dataset_reader r;
    int rc;

    if (p->header->streamed == 0)
        return see(p, p->base + train->images, train->n, err);
    ARCHAI_TRY(archai_dataset_open_split(&r, p->source, p->files, ARCHAI_SPLIT_TRAIN, err));
    rc = archai_dataset_each(&r, p->map, train->n, archai_dataset_workers(p->source, p->plan), see, p, err);
    archai_dataset_close_split(&r);
    return rc;
}

static int run_passes(pass *p, archai_err *err)
{
    const archai_dataset_format *format = p->source->format;
    const int64_t n = p->header->split[ARCHAI_SPLIT_TRAIN].n;

    for (p->number = 0; p->number < p->normalize.passes || format_measures(p); p->number++) {
        ARCHAI_TRY(look_at_all(p, err));
        if (p->number < p->normalize.passes)
            archai_normalize_turn(&p->normalize);
        if (format_measures(p))
            ARCHAI_TRY(format->measure(p->source, p->plan, p->number, NULL, n, p->measured->constants,
                                       p->about, err));
    }
    return archai_normalize_put(&p->normalize, p->source, p->about, err);
}

static void adjust(const pass *p, char *base)
{
    for (int i = 0; i < ARCHAI_SPLIT_COUNT && p->measured->n_constants > 0; i++)
        p->source->format->adjust(p->plan, p->measured->constants, base + p->header->split[i].images,
                                  p->header->split[i].n);
}

int archai_dataset_measure(const archai_dataset_source *s, const archai_dataset_plan *plan,
                           const archai_dataset_header *h, int64_t split_off, char *base,
                           archai_dataset_measured *out, json_t *about, archai_err *err)
{
    const archai_dataset_facts facts = archai_dataset_facts_of(s, plan, split_off, h->bytes);
    archai_dataset_plan files = *plan;
    pass p = {.source = s, .plan = plan, .header = h, .base = base, .measured = out, .about = about,
              .files = &files};
    int64_t *map = NULL;
    size_t n;
    int rc;

    files.n[ARCHAI_SPLIT_TRAIN] += split_off;
    out->n_constants = s->format->n_constants != NULL ? s->format->n_constants(s, plan) : 0;
    out->constants = archai_calloc(out->n_constants + 1, sizeof *out->constants);
    archai_normalize_begin(&p.normalize, s, plan);
    if (h->streamed != 0)
        ARCHAI_TRY(archai_dataset_indices(&facts, ARCHAI_SPLIT_TRAIN, &map, &n, err));
    p.map = map;
    rc = run_passes(&p, err);
    if (rc == ARCHAI_OK && h->streamed == 0)
        adjust(&p, base);
    free(map);
    return rc;
}
