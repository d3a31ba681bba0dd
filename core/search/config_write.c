/* The configuration as text: the resolved one that a run keeps, and the README's table. */
#include <stdlib.h>
#include <string.h>

#include "core/search/algorithm.h"
#include "core/config/config.h"
#include "core/search/objective.h"
#include "core/search/space.h"

typedef struct writer {
    FILE *out;
    archai_err *err;
    const char *section;
} writer;

static int put_pair(const writer *w, const char *key, const char *value)
{
    char *text = archai_ini_quote(value);

    if (text == NULL)
        return archai_fail(w->err, ARCHAI_ENOMEM, "%s.%s: out of memory", w->section, key);
    if (strlen(key) + 3 + strlen(text) > ARCHAI_INI_LINE_MAX) {
        free(text);
        return archai_fail(w->err, ARCHAI_EINVAL, "%s.%s: too long for a line of %d bytes",
                           w->section, key, ARCHAI_INI_LINE_MAX);
    }
    (void)fprintf(w->out, "%s =%s%s\n", key, text[0] != '\0' ? " " : "", text);
    free(text);
    return ARCHAI_OK;
}

static int put_options(const writer *w, const archai_option *table, const void *obj)
{
    for (const archai_option *o = table; o->key != NULL; o++) {
        char *value = archai_option_format(o, obj);
        int rc = value != NULL ? put_pair(w, o->key, value)
                               : archai_fail(w->err, ARCHAI_ENOMEM, "%s.%s: out of memory",
                                             w->section, o->key);

        free(value);
        ARCHAI_TRY(rc);
    }
    return ARCHAI_OK;
}

static int put_space(writer *w, const archai_space *space)
{
    const char *name = space->plugin != NULL ? "plugin" : space->ops->name;
    archai_space_common common = {.name = (char *)(uintptr_t)name, /* only read */
                                  .plugin = space->plugin,
                                  .seed = space->seed};

    w->section = "space";
    (void)fputs("\n[space]\n", w->out);
    ARCHAI_TRY(put_options(w, archai_space_common_options, &common));
    return put_options(w, space->ops->options, space);
}

static int put_objectives(writer *w, const archai_objectives *objectives)
{
    for (size_t i = 0; i < objectives->n; i++) {
        w->section = objectives->at[i].name;
        (void)fprintf(w->out, "\n[objective.%s]\n", objectives->at[i].name);
        ARCHAI_TRY(put_options(w, archai_objective_options, &objectives->at[i]));
    }
    return ARCHAI_OK;
}

int archai_config_write(const archai_config *c, const archai_space *space,
                        const archai_objectives *objectives, const archai_algorithm *algorithm,
                        FILE *out, archai_err *err)
{
    writer w = {.out = out, .err = err};

    (void)fputs("; every key with the value that holds, defaults included\n", out);
    for (const archai_config_section *s = archai_config_sections; s->name != NULL; s++) {
        w.section = s->name;
        (void)fprintf(out, "\n[%s]\n", s->name);
        ARCHAI_TRY(put_options(&w, s->options, c));
        if (strcmp(s->name, "search") == 0 && algorithm != NULL)
            ARCHAI_TRY(put_options(&w, algorithm->ops->options, algorithm));
    }
    if (space != NULL)
        ARCHAI_TRY(put_space(&w, space));
    if (objectives != NULL)
        ARCHAI_TRY(put_objectives(&w, objectives));
    if (ferror(out))
        return archai_fail(err, ARCHAI_EIO, "writing the configuration failed");
    return ARCHAI_OK;
}

/* -- the README's table ---------------------------------------------------------------- */

static const char table_head[] =
    "| key | type | default | range | meaning |\n|---|---|---|---|---|\n";

static void put_table(FILE *out, const char *section, const archai_option *options)
{
    (void)fputs(table_head, out);
    archai_option_markdown(options, section, out);
    (void)fputc('\n', out);
}

void archai_config_markdown(FILE *out)
{
    for (const archai_config_section *s = archai_config_sections; s->name != NULL; s++) {
        (void)fprintf(out, "**`[%s]`**\n\n", s->name);
        put_table(out, s->name, s->options);
    }
    (void)fputs("**`[objective.NAME]`**, one section for each objective\n\n", out);
    put_table(out, "objective.NAME", archai_objective_options);
    (void)fputs("**`[space]`**\n\n", out);
    put_table(out, "space", archai_space_common_options);
    for (size_t i = 0; archai_spaces[i] != NULL; i++) {
        (void)fprintf(out, "`name = %s`: %s\n\n", archai_spaces[i]->name,
                      archai_spaces[i]->help);
        put_table(out, "space", archai_spaces[i]->options);
    }
    for (size_t i = 0; archai_algorithms[i] != NULL; i++) {
        (void)fprintf(out, "`[search]` with `algorithm = %s`: %s\n\n",
                      archai_algorithms[i]->name, archai_algorithms[i]->help);
        put_table(out, "search", archai_algorithms[i]->options);
    }
}
