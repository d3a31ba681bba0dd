/* Sections of the configuration, read through option tables; keys that need each other. */
#include "core/config/config.h"

#include <string.h>

#include "core/config/delay.h"

/* -- one section ----------------------------------------------------------------------- */

static int missing_key(const archai_ini *ini, const char *section, const archai_option *o,
                       archai_err *err)
{
    const archai_ini_entry *header = archai_ini_find(ini, section, NULL);
    const char *one_of = o->kind == ARCHAI_OPT_CHOICE ? "one of: " : "";
    const char *expected = o->kind == ARCHAI_OPT_CHOICE ? o->choices : o->help;

    if (header != NULL)
        return archai_ini_wrap(header,
                               archai_fail(err, ARCHAI_EINVAL, "%s.%s: missing, expected %s%s",
                                           section, o->key, one_of, expected),
                               err);
    return archai_fail(err, ARCHAI_EINVAL, "%s.%s: missing, and so is section [%s]", section,
                       o->key, section);
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
            one = archai_option_set(table, obj, o->key, e->value, &problem);
            (void)archai_err_wrap(&problem, one, "%s.", section);
            (void)archai_ini_wrap(e, one, &problem);
        }
        rc = archai_err_also(err, rc, one, &problem);
    }
    return rc;
}

/* -- keys that need each other --------------------------------------------------------- */

typedef struct checker {
    const archai_ini *ini;
    archai_err *err;
    int rc; /* of the first problem */
} checker;

/* A problem of section.key, said at the key's line, else at that of `cause`, a key of the same
 * section, else without a place. */
static void problem(checker *c, const char *section, const char *key, const char *cause,
                    const char *text)
{
    const archai_ini_entry *e = archai_ini_find(c->ini, section, key);
    archai_err one = ARCHAI_ERR_INIT;
    int rc = archai_fail(&one, ARCHAI_EINVAL, "%s.%s: %s", section, key, text);

    if (e == NULL && cause != NULL)
        e = archai_ini_find(c->ini, section, cause);
    if (e == NULL)
        e = archai_ini_find(c->ini, section, NULL);
    if (e != NULL)
        (void)archai_ini_wrap(e, rc, &one);
    c->rc = archai_err_also(c->err, c->rc, rc, &one);
}

static void need(checker *c, const char *section, const char *key, const char *value,
                 const char *cause, const char *text)
{
    if (value[0] == '\0')
        problem(c, section, key, cause, text);
}

/* Pictures and labels come in pairs. */
static void need_pair(checker *c, const char *images_key, const char *images,
                      const char *labels_key, const char *labels)
{
    if (images[0] != '\0')
        need(c, "data", labels_key, labels, images_key, "missing, the images have no labels");
    if (labels[0] != '\0')
        need(c, "data", images_key, images, labels_key, "missing, the labels have no images");
}

static void check_data(checker *c, const archai_config *config)
{
    if (config->data.format == ARCHAI_DATA_IDX) {
        need(c, "data", "train_images", config->data.train_images, "format",
             "missing, format = idx needs the path of an IDX file");
        need(c, "data", "train_labels", config->data.train_labels, "format",
             "missing, format = idx needs the path of an IDX file");
        need_pair(c, "val_images", config->data.val_images, "val_labels",
                  config->data.val_labels);
        need_pair(c, "test_images", config->data.test_images, "test_labels",
                  config->data.test_labels);
    }
    if (config->data.format == ARCHAI_DATA_HDF5)
        need(c, "data", "file", config->data.file, "format",
             "missing, format = hdf5 needs the path of an HDF5 file");
    if (config->data.format == ARCHAI_DATA_CIFAR10)
        need(c, "data", "file", config->data.file, "format",
             "missing, format = cifar10 needs the directory of its binary files");
}

/* Promises that this version does not keep are not accepted in silence. */
static void check_train(checker *c, const archai_config *config)
{
    if (config->train.checkpoint != ARCHAI_CHECKPOINT_NONE &&
        config->evaluator.kind != ARCHAI_EVALUATOR_TORCH &&
        config->evaluator.kind != ARCHAI_EVALUATOR_COMMAND)
        problem(c, "train", "checkpoint", NULL,
                "only evaluator.kind = torch and kind = command leave checkpoints");
    if (config->train.inherit_weights && config->evaluator.kind != ARCHAI_EVALUATOR_TORCH &&
        config->evaluator.kind != ARCHAI_EVALUATOR_COMMAND)
        problem(c, "train", "inherit_weights", NULL,
                "only evaluator.kind = torch and kind = command have weights to inherit");
}

static void check_evaluator(checker *c, const archai_config *config)
{
    const int kind = config->evaluator.kind;
    const char *delay = config->evaluator.delay;
    archai_delay parsed;
    archai_err why = ARCHAI_ERR_INIT;

    if (kind == ARCHAI_EVALUATOR_TABLE)
        need(c, "evaluator", "table", config->evaluator.table, "kind",
             "missing, kind = table needs the path of a CSV file");
    if (kind == ARCHAI_EVALUATOR_COMMAND)
        need(c, "evaluator", "command", config->evaluator.command, "kind",
             "missing, kind = command needs a program and its arguments");
    if (kind == ARCHAI_EVALUATOR_PLUGIN)
        need(c, "evaluator", "plugin", config->evaluator.plugin, "kind",
             "missing, kind = plugin needs the path of a shared library");
    if (delay[0] != '\0' && kind != ARCHAI_EVALUATOR_TABLE && kind != ARCHAI_EVALUATOR_NULL)
        problem(c, "evaluator", "delay", NULL,
                "only kind = table and kind = null take a delay");
    else if (archai_delay_parse(delay, &parsed, &why) != ARCHAI_OK)
        problem(c, "evaluator", "delay", NULL, why.text);
}

int archai_config_load(archai_config *out, archai_ini *ini, archai_err *err)
{
    archai_config config;
    checker c = {.ini = ini, .err = err};

    memset(&config, 0, sizeof config);
    for (const archai_config_section *s = archai_config_sections; s->name != NULL; s++) {
        archai_err one = ARCHAI_ERR_INIT;
        int rc = archai_config_apply(ini, s->name, s->options, &config, &one);

        c.rc = archai_err_also(err, c.rc, rc, &one);
    }
    if (c.rc != ARCHAI_ENOMEM && c.rc != ARCHAI_EINTERNAL) { /* strings are there */
        check_data(&c, &config);
        check_train(&c, &config);
        check_evaluator(&c, &config);
        need(&c, "output", "directory", config.output.directory, NULL,
             "is empty, expected a path");
    }
    if (c.rc != ARCHAI_OK)
        archai_config_free(&config);
    else
        *out = config;
    return c.rc;
}

void archai_config_free(archai_config *c)
{
    for (const archai_config_section *s = archai_config_sections; s->name != NULL; s++)
        archai_option_free(s->options, c);
}
