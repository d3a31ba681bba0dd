/* Steps of augmentation as text. */
#include "core/config/augment.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/number.h"

/* clang-format off */
static const struct word {
    const char *name, *args; /* what they are, for people */
    size_t needed, n;
    double low[ARCHAI_AUGMENT_ARGS], high[ARCHAI_AUGMENT_ARGS], def[ARCHAI_AUGMENT_ARGS];
    bool whole;
} words[] = {
    [ARCHAI_AUGMENT_CROP]          = {"crop", "PADDING", 1, 1, {1}, {4096}, {0}, true},
    [ARCHAI_AUGMENT_RESIZED_CROP]  = {"resized_crop", "LOW HIGH", 0, 2, {1e-3, 1e-3}, {1, 1}, {0.08, 1}, false},
    [ARCHAI_AUGMENT_FLIP]          = {"flip", "P", 0, 1, {0}, {1}, {0.5}, false},
    [ARCHAI_AUGMENT_VERTICAL_FLIP] = {"vertical_flip", "P", 0, 1, {0}, {1}, {0.5}, false},
    [ARCHAI_AUGMENT_COLOR_JITTER]  = {"color_jitter", "BRIGHTNESS CONTRAST SATURATION HUE", 1, 4, {0, 0, 0, 0}, {10, 10, 10, 0.5}, {0, 0, 0, 0}, false},
    [ARCHAI_AUGMENT_RANDAUGMENT]   = {"randaugment", "OPS MAGNITUDE", 0, 2, {1, 0}, {16, 30}, {2, 9}, true},
    [ARCHAI_AUGMENT_CUTOUT]        = {"cutout", "SIDE", 1, 1, {1}, {4096}, {0}, true},
    [ARCHAI_AUGMENT_ERASING]       = {"erasing", "P LOW HIGH", 0, 3, {0, 1e-3, 1e-3}, {1, 1, 1}, {0.5, 0.02, 0.33}, false},
    [ARCHAI_AUGMENT_MIXUP]         = {"mixup", "ALPHA", 0, 1, {1e-3}, {1000}, {0.2}, false},
    [ARCHAI_AUGMENT_CUTMIX]        = {"cutmix", "ALPHA", 0, 1, {1e-3}, {1000}, {1}, false},
};
/* clang-format on */
enum { N_WORDS = sizeof words / sizeof words[0] };

static int unknown(const char *name, archai_err *err)
{
    const char *names[N_WORDS];

    for (size_t i = 0; i < N_WORDS; i++)
        names[i] = words[i].name;
    return archai_fail(err, ARCHAI_EINVAL, "unknown '%.40s'%s", name,
                       archai_suggest(name, names, N_WORDS).text);
}

static bool read_number(const char *text, double *out)
{
    char *end;

    *out = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*out);
}

static int set_args(const struct word *w, size_t given, const double *at, double *out, archai_err *err)
{
    if (given < w->needed || given > w->n)
        return archai_fail(err, ARCHAI_EINVAL, "'%s': %zu numbers, expected %zu to %zu: %s", w->name,
                           given, w->needed, w->n, w->args);
    for (size_t i = 0; i < w->n; i++) {
        out[i] = i < given ? at[i] : w->def[i];
        if (!(out[i] >= w->low[i] && out[i] <= w->high[i]) || (w->whole && out[i] != floor(out[i])))
            return archai_fail(err, ARCHAI_EINVAL, "'%s': %g, expected %s from %g to %g (%s)", w->name,
                               out[i], w->whole ? "a whole number" : "a number", w->low[i],
                               w->high[i], w->args);
    }
    if (strstr(w->args, "LOW HIGH") != NULL && out[w->n - 2] > out[w->n - 1])
        return archai_fail(err, ARCHAI_EINVAL, "'%s': LOW %g exceeds HIGH %g", w->name, out[w->n - 2],
                           out[w->n - 1]);
    return ARCHAI_OK;
}

/* One step: `text` up to a comma, in memory of our own. */
static int parse_step(char *text, archai_augment *out, archai_err *err)
{
    double args[ARCHAI_AUGMENT_ARGS];
    size_t given = 0, kind = 0;
    char *save = NULL;
    const char *name = strtok_r(text, " \t", &save);

    if (name == NULL)
        return archai_fail(err, ARCHAI_EINVAL, "a step is empty, expected a list such as "
                                               "'crop 4, flip'");
    while (kind < N_WORDS && strcmp(words[kind].name, name) != 0)
        kind++;
    if (kind == N_WORDS)
        return unknown(name, err);
    for (const char *t = strtok_r(NULL, " \t", &save); t != NULL; t = strtok_r(NULL, " \t", &save)) {
        if (given == ARCHAI_AUGMENT_ARGS || !read_number(t, &args[given]))
            return archai_fail(err, ARCHAI_EINVAL, "'%s': '%.40s', expected numbers: %s", name, t,
                               words[kind].args);
        given++;
    }
    if (out->n == ARCHAI_AUGMENT_MAX)
        return archai_fail(err, ARCHAI_EINVAL, "more than %d steps", ARCHAI_AUGMENT_MAX);
    out->steps[out->n].kind = (archai_augment_kind)kind;
    ARCHAI_TRY(set_args(&words[kind], given, args, out->steps[out->n].args, err));
    out->n++;
    return ARCHAI_OK;
}

int archai_augment_parse(const char *text, archai_augment *out, archai_err *err)
{
    archai_augment a = {.n = 0};

    if (text[0] == '\0' || strcmp(text, "none") == 0) {
        *out = a;
        return ARCHAI_OK;
    }
    for (;;) {
        const size_t n = strcspn(text, ",");
        char step[256];

        if (n >= sizeof step)
            return archai_fail(err, ARCHAI_EINVAL, "a step is longer than %zu bytes", sizeof step - 1);
        (void)snprintf(step, sizeof step, "%.*s", (int)n, text);
        ARCHAI_TRY(parse_step(step, &a, err));
        if (text[n] == '\0')
            break;
        text += n + 1;
    }
    *out = a;
    return ARCHAI_OK;
}

bool archai_augment_has(const archai_augment *a, archai_augment_kind kind)
{
    for (size_t i = 0; i < a->n; i++)
        if (a->steps[i].kind == kind)
            return true;
    return false;
}

const char *archai_augment_name(archai_augment_kind kind)
{
    return words[kind].name;
}
