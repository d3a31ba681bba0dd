#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "small_search.h"

static const char two_objectives[] = "[space]\nname = cnn\nseed = 5\n"
                                     "[objective.accuracy]\ndirection = maximize\n"
                                     "[objective.params]\ndirection = minimize\n";

const char *constrained(const char *algorithm, int schedule, const char *more,
                               const char *last)
{
    static char text[65536];

    (void)snprintf(text, sizeof text,
                   "[search]\nalgorithm = %s\nschedule = %s\nseed = 3\n%s%s%s", algorithm,
                   schedule == ARCHAI_ASYNC ? "async" : "generational", more, two_objectives,
                   last);
    return text;
}

const char *config(const char *algorithm, int schedule, const char *more)
{
    return constrained(algorithm, schedule, more, "");
}

bool has_schedule(const archai_algorithm_ops *ops, archai_schedule schedule)
{
    return !ops->given && (ops->schedules & (1u << schedule)) != 0; /* what is given only is tested by itself */
}

void accuracy(const archai_trial *c, archai_trial *e, void *context)
{
    const int l = arch_int(c, "nb_layers"), k = arch_int(c, "kernel_size"),
              h = arch_int(c, "hidden_dim");

    (void)context;
    archai_trial_set_measure(e, "accuracy",
                                      1 - 1.0 / (l + k + log(h)) + 0.01 * ((l * k) % 3));
}

void fail_often(const archai_trial *c, archai_trial *e, void *context)
{
    accuracy(c, e, context);
    if (arch_int(c, "nb_layers") % 3 == 0)
        e->status = ARCHAI_STATUS_FAILED;
    else if (arch_int(c, "nb_layers") % 3 == 1)
        archai_trial_set_measure(e, "accuracy", NAN);
}

size_t count_different(const struct log *l)
{
    size_t n = 0;

    for (size_t i = 0; i < l->n; i++) {
        size_t k = 0;

        while (k < i && (strcmp(l->rows[k].archid, l->rows[i].archid) != 0 ||
                         l->rows[k].budget != l->rows[i].budget))
            k++;
        n += k == i;
    }
    return n;
}

void ask_one(struct world *w, archai_trial *c)
{
    archai_trial e;
    archai_ask what;

    assert_int_equal(ask(&w->search, &what, c, &e, NULL), ARCHAI_OK);
    assert_int_equal(what, ARCHAI_ASK_CANDIDATE);
}
