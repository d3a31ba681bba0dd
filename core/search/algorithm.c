#include "core/search/algorithm.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/config/config.h"
#include "core/registries.h"
#include "core/search/search.h"

/* Prepend the place of search.`key`, or of the section where it has its default. */
static int wrap_place(const archai_ini *ini, const char *key, int rc, archai_err *err)
{
    const archai_ini_entry *at = archai_ini_find(ini, "search", key);

    if (at == NULL)
        at = archai_ini_find(ini, "search", NULL);
    (void)archai_err_wrap(err, rc, "search.");
    return at != NULL ? archai_ini_wrap(at, rc, err) : rc;
}

int archai_algorithm_fail(const archai_ini *ini, const char *key, archai_err *err,
                          const char *fmt, ...)
{
    char text[ARCHAI_ERR_TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return wrap_place(ini, key, archai_fail(err, ARCHAI_EINVAL, "%s: %.800s", key, text), err);
}

static int check_needs(const archai_algorithm_ops *ops, const archai_search *s,
                       const archai_ini *ini, archai_err *err)
{
    static const struct {
        unsigned bit;
        const char *ability;
    } needs[] = {
        {ARCHAI_NEEDS_MUTATE, "mutate"},
        {ARCHAI_NEEDS_CROSSOVER, "crossover"},
        {ARCHAI_NEEDS_ENCODE, "encode"},
    };

    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++)
        if ((ops->needs & needs[i].bit) != 0 && !archai_space_can(s->space, needs[i].ability))
            return archai_algorithm_fail(ini, "algorithm", err,
                                         "%s needs %s, which space '%s' does not have",
                                         ops->name, needs[i].ability, s->space->ops->name);
    if ((ops->schedules & (1u << s->schedule)) == 0)
        return archai_algorithm_fail(ini, "schedule", err, "%s has no schedule '%s', only '%s'",
                                     ops->name,
                                     s->schedule == ARCHAI_ASYNC ? "async" : "generational",
                                     s->schedule == ARCHAI_ASYNC ? "generational" : "async");
    return ARCHAI_OK;
}

/* Add file and line to an error of init about a key ("num_crossovers: ..."). */
static int locate(const archai_ini *ini, const archai_option *options, int rc, archai_err *err)
{
    static const char *const common[] = {"algorithm", "seed"}; /* besides its own keys */
    const size_t n = rc != ARCHAI_OK && err != NULL ? strcspn(err->text, ":") : 0;

    for (size_t i = 0; n > 0 && i < sizeof common / sizeof *common; i++)
        if (strlen(common[i]) == n && strncmp(common[i], err->text, n) == 0)
            return wrap_place(ini, common[i], rc, err);
    for (const archai_option *o = options; n > 0 && o->key != NULL; o++)
        if (strlen(o->key) == n && strncmp(o->key, err->text, n) == 0)
            return wrap_place(ini, o->key, rc, err);
    return rc;
}

void archai_algorithm_fit_schedule(archai_config *config, const archai_ini *ini)
{
    size_t i;

    if (archai_ini_find(ini, "search", "schedule") == NULL &&
        archai_registry_find(&archai_algorithm_registry, config->search.algorithm, &i, NULL) == ARCHAI_OK &&
        (archai_algorithms[i]->schedules & 1u << ARCHAI_ASYNC) == 0)
        config->search.schedule = ARCHAI_GENERATIONAL;
}

int archai_algorithm_create(archai_algorithm **out, archai_search *search, const char *name,
                            archai_ini *ini, archai_err *err)
{
    const archai_algorithm_ops *ops;
    archai_algorithm *a;
    size_t i;
    int rc;

    ARCHAI_TRY(archai_ini_locate(
        ini, archai_registry_find(&archai_algorithm_registry, name, &i, err), err));
    ops = archai_algorithms[i];
    ARCHAI_TRY(check_needs(ops, search, ini, err));
    a = archai_calloc(1, ops->size);
    a->ops = ops;
    a->search = search;
    archai_rng_seed(&a->rng, search->seed);
    rc = archai_config_apply(ini, "search", ops->options, a, err);
    if (rc == ARCHAI_OK && ops->init != NULL)
        rc = locate(ini, ops->options, ops->init(a, err), err);
    if (rc == ARCHAI_OK)
        *out = a;
    else
        archai_algorithm_destroy(a);
    return rc;
}

void archai_algorithm_destroy(archai_algorithm *a)
{
    if (a == NULL)
        return;
    if (a->ops->fini != NULL)
        a->ops->fini(a);
    archai_option_free(a->ops->options, a);
    free(a);
}
