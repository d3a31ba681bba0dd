/* What models are called: short archids, the parameters that differ, and the words by which a user names
 * one. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/yaml.h"
#include "core/search/parameters.h"
#include "runner/inspect/inspect.h"

/* An archid up to this long is shown whole: people chose it. Of a longer one, a hash, as many characters as
 * tell it from all others, and at least SHORT_MIN. */
enum { WHOLE_MAX = 24, SHORT_MIN = 8 };

/* -- short archids ------------------------------------------------------------------------------ */

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static size_t common_prefix(const char *a, const char *b)
{
    size_t n = 0;

    while (a[n] != '\0' && a[n] == b[n])
        n++;
    return n;
}

static size_t short_length(const archai_results *r)
{
    const char **names = archai_calloc(r->n, sizeof *names);
    size_t length = SHORT_MIN;

    for (size_t i = 0; i < r->n; i++)
        names[i] = r->rows[i].model.archid;
    if (r->n > 1)
        qsort(names, r->n, sizeof *names, compare_texts);
    for (size_t i = 1; i < r->n; i++) {
        const size_t n = common_prefix(names[i - 1], names[i]);

        if (names[i][n] != '\0' && n + 1 > length)
            length = n + 1;
    }
    free(names);
    return length;
}

char *inspect_short(const inspect *t, size_t row)
{
    const char *archid = t->r.rows[row].model.archid;
    size_t n = strlen(archid);

    if (n > WHOLE_MAX && t->short_length + 4 < n) {
        n = t->short_length;
        while (((unsigned char)archid[n] & 0xc0) == 0x80) /* not in the middle of a character */
            n++;
    }
    return archai_strndup(archid, n);
}

/* -- parameters ---------------------------------------------------------------------------------- */

typedef struct gathering {
    inspect *t;
    size_t row, hint;
} gathering;

static void gather(void *payload, const char *name, const json_t *value)
{
    gathering *g = payload;
    inspect *t = g->t;
    size_t i = 0;

    for (; i < t->n_params; i++)
        if (strcmp(t->params[(g->hint + i) % t->n_params].name, name) == 0)
            break;
    if (i == t->n_params) {
        t->params = archai_realloc(t->params, t->n_params + 1, sizeof *t->params);
        t->params[t->n_params++] = (archai_results_param){
            .name = archai_strdup(name), .texts = archai_calloc(t->r.n, sizeof(char *))};
        g->hint = t->n_params - 1;
    } else {
        g->hint = (g->hint + i) % t->n_params;
    }
    t->params[g->hint].texts[g->row] = archai_parameter_text(value);
    g->hint++;
}

/* Results of earlier versions have no /params: the arch documents say the same. */
static void gather_all(inspect *t)
{
    for (size_t i = 0; i < t->r.n; i++) {
        const char *text = t->r.rows[i].arch;
        gathering g = {t, i, 0};
        json_t *arch = NULL;

        if (text != NULL && archai_document_parse(text, strlen(text), &arch, NULL) == ARCHAI_OK)
            archai_parameters_walk(arch, gather, &g);
        json_decref(arch);
    }
}

bool inspect_param_absent(const archai_results_param *p, size_t row)
{
    return p->texts != NULL ? p->texts[row] == NULL || p->texts[row][0] == '\0'
                            : isnan(p->numbers[row]);
}

void inspect_param_text(const archai_results_param *p, size_t row, char *out, size_t size)
{
    char number[32] = "";
    const char *text = p->texts == NULL ? number : p->texts[row] != NULL ? p->texts[row] : "";
    size_t n = size - 4;

    if (p->texts == NULL && !isnan(p->numbers[row]))
        inspect_number(p->numbers[row], number);
    if (strlen(text) < size) {
        (void)snprintf(out, size, "%s", text);
        return;
    }
    while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80) /* not in the middle of a character */
        n--;
    (void)snprintf(out, size, "%.*s...", (int)n, text);
}

static bool same(const archai_results_param *p, size_t a, size_t b)
{
    if (inspect_param_absent(p, a) || inspect_param_absent(p, b))
        return inspect_param_absent(p, a) == inspect_param_absent(p, b);
    return p->texts != NULL ? strcmp(p->texts[a], p->texts[b]) == 0
                            : p->numbers[a] == p->numbers[b];
}

int inspect_names(inspect *t, archai_err *err)
{
    if (t->short_length > 0)
        return ARCHAI_OK;
    ARCHAI_TRY(archai_results_params(t->path, t->r.n, &t->params, &t->n_params, err));
    if (t->n_params == 0)
        gather_all(t);
    t->differs = archai_calloc(t->n_params, sizeof *t->differs);
    for (size_t k = 0; k < t->n_params; k++)
        for (size_t i = 1; i < t->r.n && !t->differs[k]; i++)
            t->differs[k] = !same(&t->params[k], 0, i);
    t->short_length = short_length(&t->r);
    return ARCHAI_OK;
}

void inspect_names_free(inspect *t)
{
    archai_results_params_free(t->params, t->n_params, t->r.n);
    free(t->differs);
    t->params = NULL;
    t->differs = NULL;
    t->n_params = t->short_length = 0;
}

/* "stages.0.kernel" for Archai's "stages._configs.0.kernel", "stages" for "stages._repeat_times". */
static void put_name(FILE *out, const char *name)
{
    static const char *const inner[] = {"._configs", "._repeat_times"};

    while (*name != '\0') {
        size_t skip = 0;

        for (size_t i = 0; i < sizeof inner / sizeof inner[0]; i++) {
            const size_t n = strlen(inner[i]);

            if (strncmp(name, inner[i], n) == 0 && (name[n] == '.' || name[n] == '\0'))
                skip = n;
        }
        if (skip == 0)
            (void)fputc(*name++, out);
        name += skip;
    }
}

char *inspect_differing(const inspect *t, size_t row)
{
    char *text = NULL, value[128];
    size_t size = 0, n = 0;
    FILE *out = archai_there(open_memstream(&text, &size));

    for (size_t k = 0; k < t->n_params; k++) {
        if (!t->differs[k] || inspect_param_absent(&t->params[k], row))
            continue;
        inspect_param_text(&t->params[k], row, value, sizeof value);
        (void)fputs(n++ > 0 ? ", " : "", out);
        put_name(out, t->params[k].name);
        (void)fprintf(out, "=%s", value);
    }
    (void)fclose(out);
    return archai_there(text);
}

/* -- architectures by number ----------------------------------------------------------------------- */

static int compare_archids(const void *a, const void *b, void *results)
{
    const archai_results *r = results;
    const size_t i = *(const size_t *)a, k = *(const size_t *)b;
    const int order = strcmp(r->rows[i].model.archid, r->rows[k].model.archid);

    return order != 0 ? order : (i > k) - (i < k);
}

size_t *inspect_number_archids(const archai_results *r, size_t *n)
{
    size_t *order = archai_calloc(r->n, sizeof *order), *number = archai_calloc(r->n, sizeof *number);

    *n = 0;
    for (size_t i = 0; i < r->n; i++)
        order[i] = i;
    if (r->n > 1)
        qsort_r(order, r->n, sizeof *order, compare_archids, (void *)(uintptr_t)r);
    for (size_t i = 0; i < r->n; i++) {
        *n += i == 0 || strcmp(r->rows[order[i]].model.archid,
                               r->rows[order[i - 1]].model.archid) != 0;
        number[order[i]] = *n - 1;
    }
    free(order);
    return number;
}

size_t inspect_once(const archai_results *r, size_t *rows, size_t n, size_t most)
{
    size_t n_archids, kept = 0, *number = inspect_number_archids(r, &n_archids);
    char *known = archai_calloc(n_archids, 1);

    for (size_t i = 0; i < n && kept < most; i++) {
        if (known[number[rows[i]]])
            continue;
        known[number[rows[i]]] = 1;
        rows[kept++] = rows[i];
    }
    free(known);
    free(number);
    return kept;
}

/* -- the front, and the best --------------------------------------------------------------------- */

size_t *inspect_front(const archai_results *r, size_t *n)
{
    size_t *rows = archai_memdup(r->front, r->n_front * sizeof *rows);

    if (r->n_objectives > 0)
        inspect_sort(r, rows, r->n_front, r->objectives[0].name, inspect_sign(&r->objectives[0]));
    *n = inspect_once(r, rows, r->n_front, r->n_front); /* earlier versions named repeated rows, too */
    return rows;
}

bool inspect_is_better(const archai_results *r, size_t a, size_t b, size_t objective)
{
    for (size_t i = 0; i < r->n_objectives; i++) {
        const size_t k = i == 0 ? objective : i <= objective ? i - 1 : i;
        const double sign = inspect_sign(&r->objectives[k]);
        const double x = sign * r->values[a * r->n_objectives + k];
        const double y = sign * r->values[b * r->n_objectives + k];

        if (isnan(x) != isnan(y))
            return isnan(y);
        if (x != y && !isnan(x))
            return x < y;
    }
    return a < b;
}

size_t inspect_best(const archai_results *r, size_t objective)
{
    size_t best = r->n;

    for (size_t i = 0; i < r->n_front; i++)
        if (best == r->n || inspect_is_better(r, r->front[i], best, objective))
            best = r->front[i];
    return best;
}

/* -- a model as a user names it ------------------------------------------------------------------ */

/* "front:2": the second line of `pareto`. */
static int find_on_front(const inspect *t, const char *number, size_t *row, archai_err *err)
{
    char *end;
    const unsigned long k = strtoul(number, &end, 10);
    size_t n, *rows = inspect_front(&t->r, &n);
    const bool ok = *number >= '0' && *number <= '9' && *end == '\0' && k >= 1 && k <= n;

    if (ok)
        *row = rows[k - 1];
    free(rows);
    return ok ? ARCHAI_OK
              : archai_fail(err, ARCHAI_ENOTFOUND, "%s: no model front:%s; the front has %zu",
                            t->path, number, n);
}

static bool find_id(const inspect *t, const char *word, size_t *row)
{
    char *end;
    long long id;

    errno = 0;
    id = strtoll(word, &end, 10);
    if (*word < '0' || *word > '9' || *end != '\0' || errno != 0)
        return false;
    for (size_t i = 0; i < t->r.n; i++)
        if (t->r.rows[i].id == id) {
            *row = i;
            return true;
        }
    return false;
}

/* The archid that begins with `word`; NULL: none does. *others: more than one do. */
static const char *complete(const inspect *t, const char *word, bool *others)
{
    const size_t n = strlen(word);
    const char *found = NULL;

    *others = false;
    for (size_t i = 0; n > 0 && i < t->r.n; i++) {
        const char *archid = t->r.rows[i].model.archid;

        if (strncmp(archid, word, n) != 0)
            continue;
        *others = *others || (found != NULL && strcmp(found, archid) != 0);
        found = found != NULL ? found : archid;
    }
    return found;
}

int inspect_resolve(const inspect *t, const char *word, size_t *row, archai_err *err)
{
    const char *archid;
    bool several;

    if (inspect_find(t, word, row, NULL) == ARCHAI_OK)
        return ARCHAI_OK;
    if (strncmp(word, "front:", 6) == 0)
        return find_on_front(t, word + 6, row, err);
    if (find_id(t, word, row))
        return ARCHAI_OK;
    archid = complete(t, word, &several);
    if (several)
        return archai_fail(err, ARCHAI_ENOTFOUND,
                           "%s: several models begin with '%s', such as %s; give more of the archid",
                           t->path, word, archid);
    return inspect_find(t, archid != NULL ? archid : word, row, err);
}
