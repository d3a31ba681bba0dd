#include "core/algorithm/population.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/text.h"

enum { ARCH_FILE_MAX = 4 * 1024 * 1024 };

/* -- given architectures --------------------------------------------------------------------- */

static int read_given(archai_space *space, const char *path, archai_model *out, archai_err *err)
{
    char *text;
    size_t size;
    int rc;

    ARCHAI_TRY(archai_text_read(path, ARCH_FILE_MAX, &text, &size, err));
    rc = archai_err_wrap(err, archai_space_load_arch(space, text, size, out, err), "%s:", path);
    free(text);
    return rc;
}

int archai_population_init(archai_algorithm *self, archai_err *err)
{
    archai_population *p = (archai_population *)self;
    const archai_strings *paths = &p->initial_population_paths;

    p->given = archai_calloc(paths->n, sizeof *p->given);
    for (; p->n_given < paths->n; p->n_given++) {
        const int rc = read_given(self->search->space, paths->at[p->n_given],
                                  &p->given[p->n_given], err);

        if (rc != ARCHAI_OK)
            return archai_err_wrap(err, rc, "initial_population_paths: ");
    }
    return ARCHAI_OK;
}

void archai_population_fini(archai_algorithm *self)
{
    archai_population *p = (archai_population *)self;

    for (size_t i = 0; i < p->n_given; i++)
        archai_model_fini(&p->given[i]);
    free(p->given);
    archai_generation_fini(&p->generation);
}

static void next_given(archai_population *p, archai_trial *out)
{
    *out = (archai_trial){.operator_ = archai_strdup(ARCHAI_OPERATOR_INITIAL)};
    archai_model_copy(&out->model, &p->given[p->next_given++]);
}

/* -- both schedules ---------------------------------------------------------------------------- */

int archai_population_next(archai_population *p, archai_trial *out, archai_err *err)
{
    archai_search *s = p->base.search;

    while (p->next_given < p->n_given && archai_search_seen(s, p->given[p->next_given].archid))
        p->next_given++; /* an earlier start had it */
    if (p->n_given > 0 && p->next_given == p->n_given)
        return ARCHAI_ENONE;
    if (p->n_given > 0) {
        next_given(p, out);
        return ARCHAI_OK;
    }
    return (int64_t)s->n_records < p->init_num_models ? archai_vary_random(s, out, err)
                                                      : ARCHAI_ENONE;
}

int archai_population_begin(archai_population *p, int32_t iteration, int rounds,
                            archai_proposals *batch, archai_err *err)
{
    if (iteration > 0 || p->n_given == 0)
        return archai_generation_sample(p->base.search, p->init_num_models, rounds,
                                        iteration > 0, batch, err);
    while (p->next_given < p->n_given) {
        archai_trial given;

        next_given(p, &given);
        archai_proposals_push(batch, &given);
    }
    return ARCHAI_OK;
}

int archai_population_propose(archai_algorithm *self, archai_breed *breed, archai_next *next,
                              archai_propose *what, archai_trial *out, archai_err *err)
{
    archai_population *p = (archai_population *)self;
    int rc;

    if (self->search->schedule == ARCHAI_GENERATIONAL)
        return archai_generation_propose(&p->generation, self, p->num_iters, breed, what, out, err);
    *what = ARCHAI_PROPOSED;
    rc = archai_population_next(p, out, err);
    return rc == ARCHAI_ENONE ? next(self, out, err) : rc;
}
