#include "io/results/merge_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/config/ini.h"

static bool counts(const archai_ini_entry *e)
{
    return e->key != NULL && (strcmp(e->section, "space") == 0 || strncmp(e->section, "objective.", 10) == 0);
}

/* A declaration may lie elsewhere, as long as it says the same: its sha1 is a key, too. */
static bool is_place(const archai_ini *ini, const archai_ini_entry *e)
{
    return strcmp(e->section, "space") == 0 && strcmp(e->key, "tree") == 0 &&
           archai_ini_find(ini, "space", "tree_sha1") != NULL;
}

/* Is what counts in `a` the same in `b`? */
static int compare(const archai_ini *a, const archai_ini *b, const char *path_a, const char *path_b, archai_err *err)
{
    for (size_t i = 0; i < a->n; i++) {
        const archai_ini_entry *e = &a->at[i], *other;

        if (!counts(e) || is_place(a, e))
            continue;
        other = archai_ini_find(b, e->section, e->key);
        if (other == NULL)
            return archai_fail(err, ARCHAI_EINVAL,
                               "%s has %s.%s = %.200s, %s does not have it: only results of the same space "
                               "and objectives can be merged",
                               path_a, e->section, e->key, e->value, path_b);
        if (strcmp(other->value, e->value) != 0)
            return archai_fail(err, ARCHAI_EINVAL,
                               "%s.%s is %.200s in %s and %.200s in %s: only results of the same space and "
                               "objectives can be merged",
                               e->section, e->key, e->value, path_a, other->value, path_b);
    }
    return ARCHAI_OK;
}

int archai_merge_check(const archai_results *heads, const char *const *from, size_t n, archai_err *err)
{
    archai_ini *inis = archai_calloc(n, sizeof *inis);
    int rc = ARCHAI_OK;

    for (size_t k = 0; rc == ARCHAI_OK && k < n; k++)
        rc = archai_err_wrap(
            err, archai_ini_parse(&inis[k], "its configuration", heads[k].config, strlen(heads[k].config), err),
            "%s: ", from[k]);
    for (size_t k = 1; rc == ARCHAI_OK && k < n; k++) {
        rc = compare(&inis[0], &inis[k], from[0], from[k], err);
        if (rc == ARCHAI_OK)
            rc = compare(&inis[k], &inis[0], from[k], from[0], err);
    }
    for (size_t k = 0; k < n; k++)
        archai_ini_free(&inis[k]);
    free(inis);
    return rc;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int archai_merge_weights(const char *path, char **archids, size_t n, archai_err *err)
{
    archai_strings shown = {NULL, 0};
    int rc = archai_results_models(path, &shown, err);

    if (n > 1)
        qsort(archids, n, sizeof *archids, compare_texts);
    for (size_t i = 0; rc == ARCHAI_OK && i < shown.n; i++)
        if (n == 0 || bsearch(&shown.at[i], archids, n, sizeof *archids, compare_texts) == NULL)
            rc = archai_fail(err, ARCHAI_ENOTFOUND, "%s: the weights of %.200s are in no segment beside results.h5",
                             path, shown.at[i]);
    archai_strings_free(&shown);
    return rc;
}

typedef struct origin {
    const char *archid;
    size_t source;
} origin;

static int by_archid(const void *a, const void *b)
{
    const origin *x = a, *y = b;
    const int order = strcmp(x->archid, y->archid);

    return order != 0 ? order : (x->source > y->source) - (x->source < y->source);
}

int64_t archai_merge_repeated(const archai_results *heads, size_t n)
{
    size_t rows = 0, at = 0;
    int64_t repeated = 0;
    origin *all;

    for (size_t k = 0; k < n; k++)
        rows += heads[k].n;
    all = archai_calloc(rows, sizeof *all);
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; i < heads[k].n; i++)
            all[at++] = (origin){heads[k].rows[i].model.archid, k};
    if (rows > 1)
        qsort(all, rows, sizeof *all, by_archid);
    for (size_t i = 0, first = 0; i < rows; i++) {
        if (i > 0 && strcmp(all[i].archid, all[i - 1].archid) != 0)
            first = i;
        repeated += all[i].source != all[first].source;
    }
    free(all);
    return repeated;
}

/* -- the configuration of all of them ---------------------------------------------------------------------- */

/* The sum of search.max_evaluations, or -1: a run has no such limit. */
static long long all_evaluations(const archai_results *heads, size_t n)
{
    long long sum = 0;

    for (size_t k = 0; sum >= 0 && k < n; k++) {
        const archai_ini_entry *e = NULL;
        archai_ini ini = {0};
        int64_t value;

        if (archai_ini_parse(&ini, "config", heads[k].config, strlen(heads[k].config), NULL) == ARCHAI_OK)
            e = archai_ini_find(&ini, "search", "max_evaluations");
        value = e != NULL ? strtoll(e->value, NULL, 10) : 0; /* 0: "none" */
        sum = value > 0 && value < INT64_MAX / (int64_t)n ? sum + value : -1;
        archai_ini_free(&ini);
    }
    return sum;
}

static bool is_key(const char *line, const char *key)
{
    const size_t n = strlen(key);

    return strncmp(line, key, n) == 0 && line[n] != '\0' && strchr(" =", line[n]) != NULL;
}

char *archai_merge_config(const archai_results *heads, size_t n, const char *to)
{
    const long long evaluations = all_evaluations(heads, n);
    char *text = NULL, *quoted = archai_ini_quote(to);
    size_t size = 0;
    FILE *out = archai_there(open_memstream(&text, &size));
    bool in_output = false, in_search = false;

    for (const char *line = heads[0].config; *line != '\0';) {
        const size_t length = strcspn(line, "\n");

        if (line[0] == '[') {
            in_output = strncmp(line, "[output]", 8) == 0;
            in_search = strncmp(line, "[search]", 8) == 0;
        }
        if (in_output && is_key(line, "directory"))
            (void)fprintf(out, "directory = %s\n", quoted);
        else if (in_search && evaluations > 0 && is_key(line, "max_evaluations"))
            (void)fprintf(out, "max_evaluations = %lld\n", evaluations);
        else
            (void)fprintf(out, "%.*s\n", (int)length, line);
        line += length + (line[length] != '\0');
    }
    (void)fclose(out);
    free(quoted);
    return text;
}
