/* The configuration as text: the resolved one that a run keeps, and the list of all keys. */
#include <stdlib.h>
#include <string.h>

#include "core/config/config.h"
#include "core/search/objective.h"

static int put_pair(FILE *out, const char *section, const char *key, const char *value,
                    archai_err *err)
{
    char *text = archai_ini_quote(value);
    const bool fits = strlen(key) + 3 + strlen(text) <= ARCHAI_INI_LINE_MAX;

    if (fits)
        (void)fprintf(out, "%s =%s%s\n", key, text[0] != '\0' ? " " : "", text);
    free(text);
    return fits ? ARCHAI_OK
                : archai_fail(err, ARCHAI_EINVAL, "%s.%s: too long for a line of %d bytes", section,
                              key, ARCHAI_INI_LINE_MAX);
}

static int put_options(FILE *out, const char *section, const archai_option *table, const void *obj,
                       archai_err *err)
{
    for (const archai_option *o = table; obj != NULL && o->key != NULL; o++) {
        char *value = archai_option_format(o, obj);
        int rc = put_pair(out, section, o->key, value, err);

        free(value);
        ARCHAI_TRY(rc);
    }
    return ARCHAI_OK;
}

int archai_config_write(const archai_config *c, const archai_choice *choices,
                        const archai_objectives *objectives, FILE *out, archai_err *err)
{
    (void)fputs("; every key with the value that holds, defaults included\n", out);
    for (const archai_config_section *s = archai_config_sections; s->name != NULL; s++) {
        (void)fprintf(out, "\n[%s]\n", s->name);
        ARCHAI_TRY(put_options(out, s->name, s->options, c, err));
        for (const archai_choice *k = choices; k->registry != NULL; k++)
            if (strcmp(k->registry->section, s->name) == 0)
                ARCHAI_TRY(put_options(out, s->name, k->options, k->own, err));
    }
    for (const archai_choice *k = choices; k->registry != NULL; k++) {
        if (k->registry->common == NULL || k->common == NULL)
            continue;
        (void)fprintf(out, "\n[%s]\n", k->registry->section);
        ARCHAI_TRY(put_options(out, k->registry->section, k->registry->common, k->common, err));
        ARCHAI_TRY(put_options(out, k->registry->section, k->options, k->own, err));
    }
    for (size_t i = 0; objectives != NULL && i < objectives->n; i++) {
        const archai_objective *o = &objectives->at[i];

        (void)fprintf(out, "\n[objective.%s]\n", o->name);
        ARCHAI_TRY(put_options(out, o->name, archai_objective_options, o, err));
    }
    for (size_t i = 0; objectives != NULL && i < objectives->measures.n; i++) {
        const archai_measure_spec *m = &objectives->measures.at[i];

        (void)fprintf(out, "\n[%s%s]\n", archai_measure_prefix, m->name);
        ARCHAI_TRY(put_options(out, m->name, archai_measure_options, m, err));
    }
    if (ferror(out))
        return archai_fail(err, ARCHAI_EIO, "writing the configuration failed");
    return ARCHAI_OK;
}

/* -- the list of all keys -------------------------------------------------------------- */

static void put_table(FILE *out, const char *section, const archai_option *options)
{
    if (options->key == NULL)
        return;
    (void)fputs("| key | type | default | range | meaning |\n|---|---|---|---|---|\n", out);
    archai_option_markdown(options, section, out);
    (void)fputc('\n', out);
}

void archai_config_markdown(const archai_registry *const *registries, FILE *out)
{
    archai_kind kind;

    for (const archai_config_section *s = archai_config_sections; s->name != NULL; s++) {
        (void)fprintf(out, "**`[%s]`**\n\n", s->name);
        put_table(out, s->name, s->options);
    }
    (void)fputs("**`[objective.NAME]`**, a section for each objective\n\n", out);
    put_table(out, "objective.NAME", archai_objective_options);
    (void)fputs("**`[measure.NAME]`**, a section for each measure beside those of the training\n\n", out);
    put_table(out, "measure.NAME", archai_measure_options);
    for (const archai_registry *const *r = registries; *r != NULL; r++) {
        if ((*r)->common != NULL) {
            (void)fprintf(out, "**`[%s]`**\n\n", (*r)->section);
            put_table(out, (*r)->section, (*r)->common);
        }
        for (size_t i = 0; (*r)->at(i, &kind); i++) {
            (void)fprintf(out, "`[%s]` with `%s = %s`: %s\n\n", (*r)->section, (*r)->key, kind.name,
                          kind.help);
            put_table(out, (*r)->section, kind.options);
        }
    }
}
