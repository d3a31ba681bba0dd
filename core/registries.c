#include "core/registries.h"

#include <stdint.h>

static bool space_at(size_t i, archai_kind *out)
{
    const archai_space_ops *ops = archai_spaces[i];

    if (ops != NULL)
        *out = (archai_kind){ops->name, ops->help, ops->options};
    return ops != NULL;
}

static bool algorithm_at(size_t i, archai_kind *out)
{
    const archai_algorithm_ops *ops = archai_algorithms[i];

    if (ops != NULL)
        *out = (archai_kind){ops->name, ops->help, ops->options};
    return ops != NULL;
}

const archai_registry archai_space_registry = {
    .section = "space",
    .key = "name",
    .common = archai_space_common_options,
    .at = space_at,
    .refused = "*",
    .plugin = ARCHAI_SPACE_PLUGIN,
};

const archai_registry archai_algorithm_registry = {
    .section = "search",
    .key = "algorithm",
    .at = algorithm_at,
    .refused = "*",
};

archai_choice archai_space_choice(const archai_space *s, archai_space_common *common)
{
    if (s == NULL)
        return archai_registry_choice(&archai_space_registry, NULL);
    *common = (archai_space_common){
        .name = (char *)(uintptr_t)(s->plugin != NULL ? ARCHAI_SPACE_PLUGIN : s->ops->name), /* only read */
        .plugin = s->plugin != NULL ? s->plugin : (char *)(uintptr_t)"",
        .seed = s->seed,
    };
    return (archai_choice){.registry = &archai_space_registry,
                           .name = s->ops->name,
                           .options = s->ops->options,
                           .common = common,
                           .own = s};
}

archai_choice archai_algorithm_choice(const archai_algorithm *a)
{
    if (a == NULL)
        return archai_registry_choice(&archai_algorithm_registry, NULL);
    return (archai_choice){.registry = &archai_algorithm_registry,
                           .name = a->ops->name,
                           .options = a->ops->options,
                           .own = a};
}
