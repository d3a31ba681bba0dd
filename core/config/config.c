/* Sections of the configuration, read through option tables. */
#include "core/config/config.h"

#include <string.h>

#include "core/base/alloc.h"

static int missing_key(const archai_ini *ini, const char *section, const archai_option *o,
                       archai_err *err)
{
    const archai_ini_entry *header = archai_ini_find(ini, section, NULL);
    const bool chosen = o->kind == ARCHAI_OPT_CHOICE;

    if (header != NULL)
        return archai_ini_wrap(header,
                               archai_fail(err, ARCHAI_EINVAL, "%s.%s: missing%s%s%s", section,
                                           o->key, chosen ? ", expected one of: " : " (",
                                           chosen ? o->choices : o->help, chosen ? "" : ")"),
                               err);
    return archai_fail(err, ARCHAI_EINVAL, "%s.%s: missing, and so is section [%s]", section,
                       o->key, section);
}

/* A file's name in quotes is one name, whatever it holds. (A list that was written out, "a\" \"b", stands
 * in quotes for another reason.) */
static int set_option(const archai_option *o, void *obj, const archai_ini_entry *e, archai_err *err)
{
    archai_strings *paths;

    if (o->kind != ARCHAI_OPT_STRINGS || !e->quoted || o->unit == NULL ||
        strcmp(o->unit, "paths") != 0 || e->value[0] == '"' || e->value[0] == '\0')
        return archai_option_set(o, obj, e->value, err);
    ARCHAI_TRY(archai_option_set(o, obj, "", err));
    paths = (archai_strings *)(void *)((char *)obj + o->offset);
    paths->at = archai_realloc(paths->at, 1, sizeof *paths->at);
    paths->at[0] = archai_strdup(e->value);
    paths->n = 1;
    return ARCHAI_OK;
}

int archai_config_apply(archai_ini *ini, const char *section, const archai_option *table,
                        void *obj, archai_err *err)
{
    archai_err problem = ARCHAI_ERR_INIT;
    int rc = ARCHAI_OK, one;

    ARCHAI_TRY(archai_option_defaults(table, obj, err));
    for (const archai_option *o = table; o->key != NULL; o++) {
        archai_ini_entry *e = archai_ini_find(ini, section, o->key);

        if (e == NULL && o->def != NULL)
            continue;
        if (e == NULL) {
            one = missing_key(ini, section, o, &problem);
        } else {
            e->used = true;
            one = set_option(o, obj, e, &problem);
            (void)archai_err_wrap(&problem, one, "%s.", section);
            (void)archai_ini_wrap(e, one, &problem);
        }
        rc = archai_err_also(err, rc, one, &problem);
    }
    return rc;
}

int archai_config_load(archai_config *out, archai_ini *ini, archai_err *err)
{
    archai_config config;
    archai_check output = {.ini = ini, .section = "output", .err = err};
    archai_check train = {.ini = ini, .section = "train", .err = err};

    memset(&config, 0, sizeof config);
    for (const archai_config_section *s = archai_config_sections; s->name != NULL; s++) {
        archai_err one = ARCHAI_ERR_INIT;
        int rc = archai_config_apply(ini, s->name, s->options, &config, &one);

        output.rc = archai_err_also(err, output.rc, rc, &one);
    }
    train.rc = output.rc;
    if (train.rc != ARCHAI_EINTERNAL)
        archai_train_check(&config.train, &train);
    if (train.rc != ARCHAI_EINTERNAL && config.train.precision == ARCHAI_PRECISION_FP16 &&
        config.evaluator.device == ARCHAI_DEVICE_CPU)
        archai_check_fail(&train, "precision", NULL,
                          "fp16 needs a GPU, and evaluator.device is cpu; bf16 works there");
    output.rc = train.rc;
    if (output.rc != ARCHAI_EINTERNAL) /* strings are there */
        archai_check_given(&output, "directory", config.output.directory, NULL,
                           "is empty, expected a path");
    if (output.rc != ARCHAI_OK)
        archai_config_free(&config);
    else
        *out = config;
    return output.rc;
}

void archai_config_free(archai_config *c)
{
    for (const archai_config_section *s = archai_config_sections; s->name != NULL; s++)
        archai_option_free(s->options, c);
}
