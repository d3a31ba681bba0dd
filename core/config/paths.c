#include "core/config/paths.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/config/option.h"

/* clang-format off */
static const struct {
    const char *section, *key;
    enum { INPUT, INPUTS, OUTPUT } kind; /* INPUTS: a list */
} paths[] = {
    {"space", "tree", INPUT},
    {"space", "plugin", INPUT},
    {"search", "initial_population_paths", INPUTS},
    {"search", "from", INPUT},
    {"data", "file", INPUT},
    {"data", "val_file", INPUT},
    {"data", "test_file", INPUT},
    {"data", "train_images", INPUT},
    {"data", "train_labels", INPUT},
    {"data", "val_images", INPUT},
    {"data", "val_labels", INPUT},
    {"data", "test_images", INPUT},
    {"data", "test_labels", INPUT},
    {"evaluator", "table", INPUT},
    {"evaluator", "plugin", INPUT},
    {"output", "directory", OUTPUT},
};
/* clang-format on */

/* The path with the home directory in place; NULL: nothing to do. Caller frees. */
static char *expand_home(const char *path, const char *home)
{
    static const char *const names[] = {"~", "$HOME", "${HOME}"};

    for (size_t i = 0; home != NULL && home[0] != '\0' && i < sizeof names / sizeof names[0]; i++) {
        const size_t n = strlen(names[i]);

        if (strncmp(path, names[i], n) == 0 && (path[n] == '/' || path[n] == '\0'))
            return archai_printf("%s%s", home, path + n);
    }
    return NULL;
}

/* The path beside `file`, if it is there and not where it was looked for first; else NULL. Caller frees. */
static char *find_beside(const char *file, const char *path)
{
    const char *slash = file != NULL ? strrchr(file, '/') : NULL;
    char *beside;

    if (path[0] == '/' || path[0] == '\0' || slash == NULL || access(path, F_OK) == 0)
        return NULL;
    beside = archai_printf("%.*s/%s", (int)(slash - file), file, path);
    if (access(beside, F_OK) == 0)
        return beside;
    free(beside);
    return NULL;
}

static char *resolve(const archai_ini_entry *e, const char *path, bool is_input, const char *home,
                     FILE *notes)
{
    char *expanded = expand_home(path, home);
    const char *now = expanded != NULL ? expanded : path;
    char *beside = is_input && e->line > 0 ? find_beside(e->file, now) : NULL;

    if (beside == NULL)
        return expanded != NULL ? expanded : archai_strdup(path);
    if (notes != NULL)
        (void)fprintf(notes, "%s.%s: %s is not here, %s is taken\n", e->section, e->key, now, beside);
    free(expanded);
    return beside;
}

/* A list that cannot be read stays as it is: its owner says why. */
static char *resolve_list(const archai_ini_entry *e, const char *home, FILE *notes)
{
    static const archai_option words = {
        "words", ARCHAI_OPT_STRINGS, 0, 0, 0, "", "", NULL, "a list of paths"};
    archai_strings list = {NULL, 0};
    char *text;

    if (archai_option_set(&words, &list, e->value, NULL) != ARCHAI_OK)
        return archai_strdup(e->value);
    for (size_t i = 0; i < list.n; i++) {
        char *path = resolve(e, list.at[i], true, home, notes);

        free(list.at[i]);
        list.at[i] = path;
    }
    text = archai_option_format(&words, &list);
    archai_strings_free(&list);
    return text;
}

void archai_paths_resolve(archai_ini *ini, const char *home, FILE *notes)
{
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        archai_ini_entry *e = archai_ini_find(ini, paths[i].section, paths[i].key);
        char *value;

        if (e == NULL || e->key == NULL)
            continue;
        value = paths[i].kind == INPUTS && !e->quoted
                    ? resolve_list(e, home, notes)
                    : resolve(e, e->value, paths[i].kind != OUTPUT, home, notes);
        free(e->value);
        e->value = value;
    }
}
