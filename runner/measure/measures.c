#include "runner/measure/measures.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

int archai_evaluator_command_settings(const char *command, void **settings, archai_err *err)
{
    const archai_evaluator_ops *ops = &archai_evaluator_command;
    void *s = archai_calloc(1, ops->settings_size);
    int rc = archai_option_defaults(ops->options, s, err);

    if (rc == ARCHAI_OK)
        rc = archai_option_set(archai_option_find(ops->options, "command"), s, command, err);
    if (rc == ARCHAI_OK)
        *settings = s;
    else
        archai_settings_free(s, ops->options);
    return rc;
}

int archai_evaluator_check_measures(const archai_measure_specs *measures, const archai_ini *ini,
                                    archai_err *err)
{
    archai_check c = {.ini = ini, .err = err};

    for (size_t i = 0; i < measures->n; i++) {
        char *section = archai_printf("%s%s", archai_measure_prefix, measures->at[i].name);
        archai_err one = ARCHAI_ERR_INIT;
        void *settings = NULL;
        int rc = ARCHAI_OK;

        c.section = section;
        if (archai_measure_is_command(&measures->at[i]))
            rc = archai_evaluator_command_settings(measures->at[i].command, &settings, &one);
        if (settings != NULL)
            archai_evaluator_command.check(settings, &c);
        c.rc = archai_err_also(err, c.rc, rc, &one);
        archai_settings_free(settings, archai_evaluator_command.options);
        free(section);
    }
    return c.rc;
}

bool archai_evaluator_is_measured(const archai_measure_specs *measures, const char *source)
{
    for (size_t i = 0; i < measures->n; i++) {
        const size_t n = strlen(measures->at[i].name);

        if (strncmp(measures->at[i].name, source, n) == 0 && (source[n] == '\0' || source[n] == '_'))
            return true;
    }
    return false;
}

int archai_measures_check_name(const archai_measure_specs *measures, const char *own, const char *whose, archai_err *err)
{
    for (size_t i = 0; i < measures->n; i++) {
        const archai_measure_spec *m = &measures->at[i];
        const size_t n = strlen(m->name);

        if (archai_measure_is_described(m) || strncmp(own, m->name, n) != 0 || (own[n] != '\0' && own[n] != '_'))
            continue;
        return archai_fail(err, ARCHAI_EINVAL, "measure.%s.kind: %s measures '%s' itself; expected a section with another name",
                           m->name, whose, own);
    }
    return ARCHAI_OK;
}
