/* The values of one parameter: one of its choices, or a number of its range. */
#include <float.h>
#include <math.h>

#include "core/space/config/param_tree.h"

bool archai_value_equal(const json_t *a, const json_t *b)
{
    if (json_is_number(a) && json_is_number(b))
        return json_is_integer(a) && json_is_integer(b)
                   ? json_integer_value(a) == json_integer_value(b)
                   : json_number_value(a) == json_number_value(b);
    return json_equal(a, b) != 0;
}

bool archai_value_is_number(const json_t *v)
{
    return json_is_boolean(v) || (json_is_number(v) && fabs(json_number_value(v)) <= FLT_MAX);
}

double archai_value_number(const json_t *v)
{
    return json_is_boolean(v) ? (double)json_is_true(v) : json_number_value(v);
}

int archai_param_index(const archai_param *p, const json_t *value)
{
    for (size_t i = 0; i < json_array_size(p->choices); i++)
        if (archai_value_equal(json_array_get(p->choices, i), value))
            return (int)i;
    return -1;
}

static json_t *choice(const archai_param *p, size_t i)
{
    return json_incref(json_array_get(p->choices, i));
}

json_t *archai_param_first(const archai_param *p)
{
    return p->choices != NULL ? choice(p, 0) : archai_range_value(&p->range, p->range.low);
}

json_t *archai_param_draw(const archai_param *p, archai_rng *rng)
{
    return p->choices != NULL
               ? choice(p, archai_rng_choices(rng, p->weights, json_array_size(p->choices)))
               : archai_range_value(&p->range, archai_range_draw(&p->range, rng));
}

json_t *archai_param_mutate(const archai_param *p, const json_t *value, bool local,
                            archai_rng *rng)
{
    if (p->choices != NULL)
        return choice(p, archai_rng_below(rng, json_array_size(p->choices)));
    return archai_range_value(
        &p->range, local ? archai_range_mutate(&p->range, json_number_value(value), rng)
                         : archai_range_draw(&p->range, rng));
}

json_t *archai_param_take(const archai_param *p, const json_t *v)
{
    int i;

    if (p->choices == NULL)
        return archai_range_takes(&p->range, v)
                   ? archai_range_value(&p->range, json_number_value(v))
                   : NULL;
    i = archai_param_index(p, v);
    if (i >= 0)
        return choice(p, (size_t)i);
    return p->one_hot || p->times || !archai_value_is_number(v) ? NULL
                                                                : json_incref((json_t *)v);
}
