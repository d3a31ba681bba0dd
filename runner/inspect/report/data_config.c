/* The configuration, and which of its keys mattered: those that choose, and those not at their defaults. */
#include <string.h>

#include "core/base/alloc.h"
#include "core/config/config.h"
#include "core/measure/measure.h"
#include "core/registries.h"
#include "core/search/objective.h"
#include "io/dataset/dataset.h"
#include "runner/inspect/report/report.h"

/* The evaluators are no part of this program: what one of their own keys says always mattered. */
static const archai_registry *const registries[] = {&archai_space_registry, &archai_algorithm_registry,
                                                    &archai_dataset_registry};

static const archai_option *find_own(const archai_ini *ini, const archai_ini_entry *e, bool *chooses)
{
    const archai_option *found = NULL;

    for (size_t i = 0; i < sizeof registries / sizeof registries[0] && found == NULL; i++) {
        const archai_registry *r = registries[i];
        const archai_ini_entry *choice = archai_ini_find(ini, r->section, r->key);

        if (strcmp(e->section, r->section) != 0)
            continue;
        *chooses = *chooses || strcmp(e->key, r->key) == 0;
        if (choice != NULL)
            found = archai_option_find(archai_registry_choice(r, choice->value).options, e->key);
        if (found == NULL && r->common != NULL)
            found = archai_option_find(r->common, e->key);
    }
    return found;
}

static const archai_option *find_option(const archai_ini *ini, const archai_ini_entry *e, bool *chooses)
{
    const archai_option *found = find_own(ini, e, chooses);

    if (found == NULL && strncmp(e->section, "objective.", 10) == 0)
        return archai_option_find(archai_objective_options, e->key);
    if (found == NULL && strncmp(e->section, archai_measure_prefix, strlen(archai_measure_prefix)) == 0)
        return archai_option_find(archai_measure_options, e->key);
    for (const archai_config_section *s = archai_config_sections; found == NULL && s->name != NULL; s++)
        if (strcmp(s->name, e->section) == 0)
            found = archai_option_find(s->options, e->key);
    return found;
}

static bool mattered(const archai_ini *ini, const archai_ini_entry *e)
{
    bool chooses = strcmp(e->section, "evaluator") == 0 && strcmp(e->key, "kind") == 0, is_default = false;
    const archai_option *o = find_option(ini, e, &chooses);

    if (chooses)
        return true;
    if (o == NULL)
        return e->value[0] != '\0';
    if (o->def == NULL || archai_option_is_default(o, e->value, &is_default, NULL) != ARCHAI_OK)
        return true;
    return !is_default;
}

int report_config(report *p, archai_err *err)
{
    const archai_results *r = &p->t->r;
    archai_ini ini = {0};
    json_t *list = json_array();

    (void)err;
    if (archai_ini_parse(&ini, "config", r->config, strlen(r->config), NULL) == ARCHAI_OK)
        for (size_t i = 0; i < ini.n; i++)
            if (ini.at[i].key != NULL)
                (void)json_array_append_new(list, json_pack("[o, o, o, b]", inspect_json_text(ini.at[i].section),
                                                            inspect_json_text(ini.at[i].key),
                                                            inspect_json_text(ini.at[i].value),
                                                            (int)mattered(&ini, &ini.at[i])));
    archai_ini_free(&ini);
    (void)json_object_set_new(p->out, "config", list);
    (void)json_object_set_new(p->out, "config_text", inspect_json_text(r->config));
    return ARCHAI_OK;
}
