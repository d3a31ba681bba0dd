#include "core/search/failure.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

/* -- the kind of an error ------------------------------------------------------------------------ */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* A word ends at blanks and at what encloses or ends a path in an error message. */
static size_t word_length(const char *text)
{
    return strcspn(text, " \t\r\n'\"`()<>[]{},;|=");
}

/* "/a/b.py", "./x", "~/x", "a/b/c", "a/b.py"; not "and/or", "it/s". */
static bool is_path(const char *word, size_t n)
{
    const char *slash = memchr(word, '/', n);
    const char *end = word + n;

    if (slash == NULL)
        return false;
    return slash == word || *word == '.' || *word == '~' ||
           memchr(slash + 1, '/', (size_t)(end - slash - 1)) != NULL ||
           memchr(slash + 1, '.', (size_t)(end - slash - 1)) != NULL;
}

/* Bytes of the number at `at`, 0: none begins there. A hash counts as a number. */
static size_t number_length(const char *at, const char *end)
{
    const char *s = at;
    bool digits = false;

    if (end - s > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X') && is_hex(s[2])) {
        for (s += 2; s < end && is_hex(*s);)
            s++;
        return (size_t)(s - at);
    }
    for (; s < end && is_hex(*s); s++)
        digits = digits || is_digit(*s);
    if (digits && s - at >= 8)
        return (size_t)(s - at);
    if (!is_digit(*at))
        return 0;
    for (s = at; s < end && is_digit(*s);)
        s++;
    while (end - s > 1 && *s == '.' && is_digit(s[1])) /* also a version: 1.13.1 */
        for (s++; s < end && is_digit(*s);)
            s++;
    if (end - s > 1 && (*s == 'e' || *s == 'E')) {
        const char *exponent = s + 1 + (s[1] == '-' || s[1] == '+');

        if (exponent < end && is_digit(*exponent))
            for (s = exponent; s < end && is_digit(*s);)
                s++;
    }
    return (size_t)(s - at);
}

static char *put(char *out, const char *text)
{
    const size_t n = strlen(text);

    memcpy(out, text, n);
    return out + n;
}

/* A word without its numbers. */
static char *put_masked(char *out, const char *word, const char *end)
{
    for (const char *s = word; s < end;) {
        const size_t n = number_length(s, end);
        const bool sign = s == word && *s == '-' && number_length(s + 1, end) > 0;

        if (sign) {
            s++;
        } else if (n > 0) {
            out = put(out, "N");
            s += n;
        } else { /* no number begins in the letters before the next digit */
            const bool letter = is_hex(*s);

            do
                *out++ = *s++;
            while (letter && s < end && is_hex(*s) && !is_digit(*s));
        }
    }
    return out;
}

char *archai_failure_kind(const char *error)
{
    const char *line = error + strspn(error, " \t\r\n");
    const char *end = line + strcspn(line, "\r\n");
    char *kind = archai_malloc(4 * (size_t)(end - line) + 1), *out = kind; /* "/" may become "PATH" */

    while (line < end) {
        const size_t n = word_length(line);
        size_t path = n;

        while (path > 0 && strchr(":.", line[path - 1]) != NULL) /* the end of a sentence, not of a path */
            path--;
        if (n == 0) {
            *out++ = *line++;
            continue;
        }
        if (is_path(line, path)) {
            const char *colon = memchr(line, ':', path); /* file.py:17: */

            if (colon != NULL && colon > line)
                path = (size_t)(colon - line);
            out = put(out, "PATH");
            out = put_masked(out, line + path, line + n);
        } else {
            out = put_masked(out, line, line + n);
        }
        line += n;
    }
    *out = '\0';
    return kind;
}

/* -- counting ------------------------------------------------------------------------------------ */

void archai_failures_add(archai_failures *f, const char *error, int64_t id)
{
    size_t i = 0;
    char *kind;

    error = error != NULL ? error : "";
    if (strncmp(error, ARCHAI_FAILURE_REPEATED, strlen(ARCHAI_FAILURE_REPEATED)) == 0)
        return;
    kind = archai_failure_kind(error);
    f->total++;
    while (i < f->n && strcmp(f->at[i].kind, kind) != 0)
        i++;
    if (i == ARCHAI_FAILURE_KINDS_MAX) {
        f->other++;
        free(kind);
        return;
    }
    if (i < f->n) {
        f->at[i].n++;
        free(kind);
        return;
    }
    ARCHAI_RESERVE(f->at, f->capacity, f->n + 1);
    f->at[f->n++] = (archai_failure){
        .kind = kind, .example = archai_strdup(error), .id = id, .n = 1};
}

void archai_failures_sort(archai_failures *f)
{
    for (size_t i = 1; i < f->n; i++) { /* stable; few */
        const archai_failure moved = f->at[i];
        size_t k = i;

        for (; k > 0 && f->at[k - 1].n < moved.n; k--)
            f->at[k] = f->at[k - 1];
        f->at[k] = moved;
    }
}

const archai_failure *archai_failures_commonest(const archai_failures *f)
{
    const archai_failure *most = NULL;

    for (size_t i = 0; i < f->n; i++)
        if (most == NULL || f->at[i].n > most->n)
            most = &f->at[i];
    return most;
}

void archai_failures_free(archai_failures *f)
{
    for (size_t i = 0; i < f->n; i++) {
        free(f->at[i].kind);
        free(f->at[i].example);
    }
    free(f->at);
    *f = (archai_failures){0};
}

char *archai_failures_all(const archai_failures *f)
{
    const archai_failure *most = archai_failures_commonest(f);

    if (most == NULL)
        return archai_strdup("every candidate failed");
    if (f->total == 1)
        return archai_printf("the only candidate failed: %s", most->example);
    if (most->n == f->total)
        return archai_printf("all %zu candidates failed: %s", f->total, most->example);
    return archai_printf("all %zu candidates failed, %zu of them with: %s", f->total, most->n,
                         most->example);
}
