#include "core/config/paths.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

/* Words that are files: with a slash or a dot in them, not here, but beside the INI file. A bare name is looked for in
 * $PATH alone, where a program's name belongs. */
static char *resolve_word(const archai_ini_entry *e, const char *word, FILE *notes)
{
    char *beside = strpbrk(word, "/.") != NULL && word[0] != '-' && e->line > 0 ? find_beside(e->file, word) : NULL;
    struct stat s;

    if (beside != NULL && (stat(beside, &s) != 0 || !S_ISREG(s.st_mode))) {
        free(beside);
        return NULL;
    }
    if (beside != NULL && notes != NULL)
        (void)fprintf(notes, "%s.%s: %s is not here, %s is taken\n", e->section, e->key, word, beside);
    return beside;
}

static void put_quoted(FILE *out, const char *word)
{
    (void)fputc('"', out);
    for (; *word != '\0'; word++)
        (void)fprintf(out, *word == '"' || *word == '\\' ? "\\%c" : "%c", *word);
    (void)fputc('"', out);
}

/* A program and its arguments, divided as it will be when it is started (runner/evaluator/command_text.h); words that
 * are not replaced stay as they were written. */
static char *resolve_command(const archai_ini_entry *e, FILE *notes)
{
    char *word = archai_malloc(strlen(e->value) + 1), *text = NULL, *beside;
    size_t size = 0;
    FILE *out = archai_there(open_memstream(&text, &size));

    for (const char *p = e->value; *p != '\0';) {
        const char *begin = p + strspn(p, " \t");
        char *to = word;
        bool quoted = false;

        (void)fwrite(p, 1, (size_t)(begin - p), out);
        for (p = begin; *p != '\0' && (quoted || strchr(" \t", *p) == NULL); p++) {
            if (*p == '"')
                quoted = !quoted;
            else if (quoted && *p == '\\' && (p[1] == '"' || p[1] == '\\'))
                *to++ = *++p;
            else
                *to++ = *p;
        }
        *to = '\0';
        beside = resolve_word(e, word, notes);
        if (beside != NULL && strpbrk(beside, " \t\"\\") == NULL)
            (void)fputs(beside, out);
        else if (beside != NULL)
            put_quoted(out, beside);
        else
            (void)fwrite(begin, 1, (size_t)(p - begin), out);
        free(beside);
    }
    free(word);
    (void)fclose(out);
    return archai_there(text);
}

static bool is_command(const archai_ini_entry *e)
{
    return e->key != NULL && strcmp(e->key, "command") == 0 &&
           (strcmp(e->section, "evaluator") == 0 || strncmp(e->section, "measure.", 8) == 0);
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
    for (size_t i = 0; i < ini->n; i++)
        if (is_command(&ini->at[i])) {
            char *value = resolve_command(&ini->at[i], notes);

            free(ini->at[i].value);
            ini->at[i].value = value;
        }
}
