#include "core/progress/growing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

static const char step_name[] = "step";

void archai_growing_clear(archai_growing *g)
{
    for (size_t i = 0; i < g->n; i++) {
        free(g->at[i].name);
        free(g->at[i].values);
    }
    free(g->at);
    *g = (archai_growing){.at = NULL};
}

static archai_growing_curve *find(archai_growing *g, const char *name)
{
    for (size_t i = 0; i < g->n; i++)
        if (strcmp(g->at[i].name, name) == 0)
            return &g->at[i];
    if (g->n == ARCHAI_GROWING_CURVES)
        return NULL;
    ARCHAI_RESERVE(g->at, g->capacity, g->n + 1);
    g->at[g->n] = (archai_growing_curve){.name = archai_strdup(name)};
    return &g->at[g->n++];
}

void archai_growing_add(archai_growing *g, size_t place, const char *name, double value)
{
    archai_growing_curve *c = find(g, name);
    size_t more;

    if (c == NULL)
        return;
    more = place >= c->n ? place + 1 - c->n : 0;
    if (more > ARCHAI_GROWING_VALUES - g->n_values)
        return;
    ARCHAI_RESERVE(c->values, c->capacity, place + 1);
    for (; c->n <= place; c->n++)
        c->values[c->n] = NAN;
    c->values[place] = (float)value;
    g->n_values += more;
}

/* Every second value of every curve. */
static void thin(archai_growing *g)
{
    for (size_t i = 0; i < g->n; i++) {
        archai_growing_curve *c = &g->at[i];
        const size_t n = (c->n + 1) / 2;

        for (size_t k = 0; k < n; k++)
            c->values[k] = c->values[2 * k];
        g->n_values -= c->n - n;
        c->n = n;
    }
    g->stride *= 2;
    g->n_kept = (g->n_kept + 1) / 2;
}

static bool place_by_step(archai_growing *g, double step, size_t *place)
{
    const int64_t number = g->n_reports++;

    g->stride = g->stride > 0 ? g->stride : 1;
    if (number % g->stride != 0)
        return false;
    if (g->n_kept == ARCHAI_GROWING_STEPS) {
        thin(g);
        if (number % g->stride != 0)
            return false;
    }
    *place = g->n_kept++;
    if (!isnan(step))
        archai_growing_add(g, *place, step_name, step);
    return true;
}

bool archai_growing_begin(archai_growing *g, double at, bool by_epoch, size_t *place)
{
    if (!by_epoch || g->stride > 0 || at != floor(at)) /* once by steps, always by steps: places must mean one thing */
        return place_by_step(g, at, place);
    if (g->n_reports++ == 0)
        g->base = at == 0 ? 0 : 1;
    if (!(at >= (double)g->base) || at - (double)g->base >= ARCHAI_GROWING_EPOCHS)
        return false;
    *place = (size_t)(at - (double)g->base);
    return true;
}
