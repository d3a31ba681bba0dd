/* What people write who know other tools, and how it is written here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/number.h"
#include "core/base/python_text.h"
#include "core/space/config/param_tree_private.h"

enum { SHOWN_MAX = 60, WHAT_MAX = 300, PATH_MAX_BYTES = 256 };

typedef enum meaning { CHOICE, RANGE, LOG_RANGE, CONSTANT } meaning;

/* clang-format off */
static const struct { const char *word; meaning form; } words[] = {
    {"choices", CHOICE},      {"values", CHOICE},      {"value", CHOICE},       {"options", CHOICE},
    {"categories", CHOICE},   {"categorical", CHOICE}, {"candidates", CHOICE},  {"grid", CHOICE},
    {"grid_search", CHOICE},  {"one_of", CHOICE},      {"list", CHOICE},        {"enum", CHOICE},
    {"choose", CHOICE},       {"items", CHOICE},       {"sample_from", CHOICE},
    {"uniform", RANGE},       {"quniform", RANGE},     {"randint", RANGE},      {"qrandint", RANGE},
    {"int", RANGE},           {"integer", RANGE},      {"float", RANGE},        {"real", RANGE},
    {"interval", RANGE},      {"bounds", RANGE},       {"range", RANGE},        {"linear", RANGE},
    {"loguniform", LOG_RANGE}, {"log_uniform", LOG_RANGE}, {"qloguniform", LOG_RANGE},
    {"lograndint", LOG_RANGE}, {"reciprocal", LOG_RANGE},
    {"const", CONSTANT},      {"fixed", CONSTANT},
};
static const struct { const char *low, *high; } ends[] = {
    {"low", "high"},     {"min", "max"},   {"lower", "upper"},  {"minimum", "maximum"},
    {"start", "stop"},   {"start", "end"}, {"from", "to"},      {"lo", "hi"},
    {"min_value", "max_value"}, {"lower_bound", "upper_bound"},
};
/* clang-format on */

/* The value as it would be written, or where it is long what stands for it. Caller frees. */
static char *shown(const json_t *v, const char *otherwise)
{
    char *text = archai_python_json(v, false);

    if (strlen(text) <= SHOWN_MAX)
        return text;
    free(text);
    return archai_strdup(otherwise);
}

static bool asks_for_log(const json_t *v)
{
    static const char *const keys[] = {"log", "log_scale", "scale", "distribution", "type"};

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const json_t *said = json_object_get(v, keys[i]);

        if (json_is_true(said) ||
            (json_is_string(said) && strstr(json_string_value(said), "log") != NULL))
            return true;
    }
    return false;
}

/* `said` may hold the step and the scale. */
static void put_range(const json_t *low, const json_t *high, bool log, const json_t *said,
                      char what[WHAT_MAX])
{
    const json_t *step = json_object_get(said, "step");
    char *a = shown(low, "low"), *b = shown(high, "high"), *c = NULL;

    if (step != NULL)
        c = shown(step, "step");
    (void)snprintf(what, WHAT_MAX, "not a parameter: write {range: [%s, %s]%s%s%s}", a, b,
                   c != NULL ? ", step: " : "", c != NULL ? c : "",
                   log || asks_for_log(said) ? ", log: true" : "");
    free(a);
    free(b);
    free(c);
}

/* {"low": 1, "high": 9} and its like. */
static bool from_ends(const json_t *v, char what[WHAT_MAX])
{
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        const json_t *low = json_object_get(v, ends[i].low);
        const json_t *high = json_object_get(v, ends[i].high);

        if (low == NULL || high == NULL)
            continue;
        put_range(low, high, false, v, what);
        return true;
    }
    return false;
}

static void from_word(const json_t *v, meaning form, const char *word, char what[WHAT_MAX])
{
    const json_t *value = json_object_get(v, word);
    char *text;

    if ((form == RANGE || form == LOG_RANGE) && from_ends(value, what))
        return;
    if ((form == RANGE || form == LOG_RANGE) && json_array_size(value) >= 2) {
        put_range(json_array_get(value, 0), json_array_get(value, 1), form == LOG_RANGE, v,
                  what);
        return;
    }
    if (form == RANGE || form == LOG_RANGE) {
        (void)snprintf(what, WHAT_MAX, "not a parameter: write {range: [low, high]%s}",
                       form == LOG_RANGE ? ", log: true" : "");
        return;
    }
    text = shown(value, "...");
    (void)snprintf(what, WHAT_MAX, "'%s' does not make a parameter: write {%s: %s%s%s}", word,
                   form == CHOICE ? "choice" : "constant",
                   form == CHOICE && !json_is_array(value) ? "[" : "", text,
                   form == CHOICE && !json_is_array(value) ? "]" : "");
    free(text);
}

/* A word that is nearly one of ours. */
static bool from_nearest(const json_t *v, char what[WHAT_MAX])
{
    static const char *const ours[] = {"choice", "range", "repeat", "constant"};
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)v, key, value)
    {
        const char *near = archai_nearest(key, ours, sizeof ours / sizeof ours[0]);

        if (near == NULL || strcmp(near, key) == 0)
            continue;
        (void)snprintf(what, WHAT_MAX, "'%.60s' does not make a parameter; did you mean '%s'?",
                       key, near);
        return true;
    }
    return false;
}

static bool from_words(const json_t *v, char what[WHAT_MAX])
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (json_object_get(v, words[i].word) != NULL) {
            from_word(v, words[i].form, words[i].word, what);
            return true;
        }
    return from_ends(v, what) || from_nearest(v, what);
}

/* suggest_int('width', 8, 16), tune.choice([1, 2]): other tools' Python, not a constant text.
 */
bool archai_param_is_call(const json_t *v)
{
    const char *text = json_is_string(v) ? json_string_value(v) : "";
    const size_t n =
        strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.");

    return n > 0 && text[n] == '(' && text[strlen(text) - 1] == ')';
}

/* What is wrong with `v`, or else with the first of its members that should be something else;
 * returns which, and its dotted name below `name` in `path`. */
static const json_t *explain(const json_t *v, char path[PATH_MAX_BYTES], char what[WHAT_MAX])
{
    const size_t n = strlen(path);
    const char *key;
    json_t *member;

    if (json_is_string(v)) {
        (void)snprintf(what, WHAT_MAX,
                       "calls are not run: write {range: [low, high]} or {choice: [...]}, or "
                       "{constant: ...} for the text itself");
        return v;
    }
    if (json_is_array(v)) {
        char *text = shown(v, "[...]");

        (void)snprintf(what, WHAT_MAX,
                       "a bare list: write {choice: %s} to choose from it, or {constant: %s}",
                       text, text);
        free(text);
        return v;
    }
    if (from_words(v, what))
        return v;
    json_object_foreach((json_t *)v, key, member)
    {
        if (!json_is_array(member) && json_object_size(member) == 0)
            continue;
        (void)snprintf(path + n, PATH_MAX_BYTES - n, ".%s", key);
        return explain(member, path, what);
    }
    (void)snprintf(
        what, WHAT_MAX,
        "a group without a parameter: write {choice: [...]} or {range: [low, high]} for "
        "one, or {constant: {...}} for a constant mapping");
    return v;
}

int archai_param_no_form(archai_grammar *g, const archai_param_node *parent, const char *name,
                         const json_t *v)
{
    char what[WHAT_MAX], path[PATH_MAX_BYTES];
    const json_t *at;

    (void)snprintf(path, sizeof path, "%s", name);
    at = explain(v, path, what);
    return archai_param_located(g->lines, at, parent->source,
                                archai_param_fault(parent, path, what, g->err), g->err);
}
