/* The first line names the columns; what separates them is the first of tab, semicolon and comma that
 * occurs there. */
#include "io/dataset/format/numbers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/alloc.h"
#include "core/base/number.h"
#include "io/file/csv.h"
#include "io/file/file.h"
#include "io/file/memory.h"

enum { MAX_COLUMNS = 1 << 16, MANY_CLASSES = 1000 };
static const size_t max_file = (size_t)1 << 33; /* bytes */

enum { IGNORED = -1, LABEL = -2 };

typedef struct reader {
    archai_numbers table;
    char *text; /* owned; the cells lie in it */
    char *at;
    char separator;
    char **name; /* owned array: [n_columns], cells */
    size_t n_columns, name_room;
    int64_t *role;     /* [n_columns]: a feature, d + a target, IGNORED or LABEL */
    char **label_text; /* owned array: [n], cells */
    size_t feature_room, target_room, label_room;
} reader;

/* -- columns ------------------------------------------------------------------------------- */

static int read_header(reader *r, archai_err *err)
{
    bool more = true;

    if (strncmp(r->at, "\xef\xbb\xbf", 3) == 0) /* a byte order mark, as spreadsheets write it */
        r->at += 3;
    r->separator = r->at[strcspn(r->at, "\t;,\n")];
    if (r->separator == '\0' || r->separator == '\n')
        r->separator = ',';
    while (more) {
        if (r->n_columns == MAX_COLUMNS)
            return archai_fail(err, ARCHAI_EFORMAT, "more than %d columns", (int)MAX_COLUMNS);
        ARCHAI_RESERVE(r->name, r->name_room, r->n_columns + 1);
        ARCHAI_TRY(archai_csv_cell(&r->at, r->separator, &r->name[r->n_columns], &more, err));
        r->n_columns++;
    }
    return ARCHAI_OK;
}

/* The column of that name, or an error that suggests one. */
static int find_column(const reader *r, const char *name, size_t *out, archai_err *err)
{
    size_t n = 0;

    for (size_t c = 0; c < r->n_columns; c++)
        if (strcmp(r->name[c], name) == 0) {
            *out = c;
            n++;
        }
    if (n == 1)
        return ARCHAI_OK;
    if (n > 1)
        return archai_fail(err, ARCHAI_EFORMAT, "%zu columns are called '%.100s'", n, name);
    return archai_fail(err, ARCHAI_EINVAL, "no column '%.100s'%s", name,
                       archai_suggest(name, (const char *const *)r->name, r->n_columns).text);
}

static void append_name(archai_strings *names, const char *name)
{
    names->at = archai_realloc(names->at, names->n + 1, sizeof *names->at);
    names->at[names->n++] = archai_strdup(name);
}

/* What each column is for. Another file's columns may stand in another order. */
static int choose_columns(reader *r, const archai_numbers_wish *wish, const archai_numbers *like,
                          archai_err *err)
{
    const archai_strings *columns = like != NULL ? &like->feature_names : &wish->columns;
    archai_numbers *t = &r->table;
    size_t c;

    r->role = archai_malloc(r->n_columns * sizeof *r->role);
    for (c = 0; c < r->n_columns; c++)
        r->role[c] = IGNORED;
    t->d = columns->n > 0 ? columns->n : r->n_columns - wish->target.n;
    for (size_t i = 0; i < columns->n; i++) {
        ARCHAI_TRY(find_column(r, columns->at[i], &c, err));
        if (r->role[c] != IGNORED)
            return archai_fail(err, ARCHAI_EINVAL, "column '%.100s' is named twice",
                               columns->at[i]);
        r->role[c] = (int64_t)i;
        append_name(&t->feature_names, r->name[c]);
    }
    for (size_t i = 0; i < wish->target.n; i++) {
        ARCHAI_TRY(find_column(r, wish->target.at[i], &c, err));
        if (r->role[c] != IGNORED)
            return archai_fail(err, ARCHAI_EINVAL, "column '%.100s' has two uses", wish->target.at[i]);
        r->role[c] = wish->targets == ARCHAI_NUMBERS_CLASS ? LABEL : (int64_t)(t->d + i);
    }
    if (columns->n == 0)
        for (c = 0; c < r->n_columns; c++)
            if (r->role[c] == IGNORED) {
                r->role[c] = (int64_t)t->feature_names.n;
                append_name(&t->feature_names, r->name[c]);
            }
    t->k = wish->targets == ARCHAI_NUMBERS_REAL ? wish->target.n : 0;
    return t->d > 0 ? ARCHAI_OK
                    : archai_fail(err, ARCHAI_EFORMAT, "the targets are the only columns");
}

/* -- rows ---------------------------------------------------------------------------------- */

static bool is_number(const char *text, double *out)
{
    char *end;

    *out = strtod(text, &end);
    while (end != text && (*end == ' ' || *end == '\t'))
        end++;
    return end != text && *end == '\0' && isfinite((float)*out);
}

static int take_cell(reader *r, size_t column, char *text, archai_err *err)
{
    archai_numbers *t = &r->table;
    const int64_t role = r->role[column];
    double v;

    if (role == IGNORED)
        return ARCHAI_OK;
    if (role == LABEL) {
        if (*text == '\0')
            return archai_fail(err, ARCHAI_EFORMAT, "column '%.100s': empty, expected a class",
                               r->name[column]);
        r->label_text[t->n] = text;
        return ARCHAI_OK;
    }
    if (!is_number(text, &v))
        return archai_fail(err, ARCHAI_EFORMAT, "column '%.100s': %s%.50s%s, expected a number",
                           r->name[column], *text == '\0' ? "empty" : "'", text,
                           *text == '\0' ? "" : "'");
    if ((size_t)role < t->d)
        t->features[t->n * t->d + (size_t)role] = v;
    else
        t->targets[t->n * t->k + (size_t)role - t->d] = v;
    return ARCHAI_OK;
}

static int read_row(reader *r, archai_err *err)
{
    archai_numbers *t = &r->table;
    bool more = true;
    char *text;

    ARCHAI_RESERVE(t->features, r->feature_room, (t->n + 1) * t->d);
    ARCHAI_RESERVE(t->targets, r->target_room, (t->n + 1) * t->k + 1);
    ARCHAI_RESERVE(r->label_text, r->label_room, t->n + 1);
    for (size_t c = 0; c < r->n_columns; c++) {
        if (!more)
            return archai_fail(err, ARCHAI_EFORMAT, "%zu cells, the header has %zu", c, r->n_columns);
        ARCHAI_TRY(archai_csv_cell(&r->at, r->separator, &text, &more, err));
        ARCHAI_TRY(take_cell(r, c, text, err));
    }
    if (more)
        return archai_fail(err, ARCHAI_EFORMAT, "more cells than the header's %zu", r->n_columns);
    t->n++;
    return ARCHAI_OK;
}

static int read_rows(reader *r, size_t most, archai_err *err)
{
    for (size_t line = 2; *r->at != '\0' && r->table.n < most; line++) {
        const size_t blank = strspn(r->at, "\r");

        if (r->at[blank] == '\n') { /* an empty line */
            r->at += blank + 1;
            continue;
        }
        ARCHAI_TRY(archai_err_wrap(err, read_row(r, err), "%zu: ", line));
    }
    return ARCHAI_OK;
}

/* -- classes ------------------------------------------------------------------------------- */

/* Both are numbers. "1" and "1.0" are the same class. */
static int by_number(const void *a, const void *b)
{
    double x, y;

    (void)is_number(*(char *const *)a, &x);
    (void)is_number(*(char *const *)b, &y);
    return (x > y) - (x < y);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int by_number_and_text(const void *a, const void *b)
{
    const int order = by_number(a, b);

    return order != 0 ? order : by_text(a, b);
}

static bool all_numbers(char *const *text, size_t n)
{
    double v;

    for (size_t i = 0; i < n; i++)
        if (!is_number(text[i], &v))
            return false;
    return true;
}

/* The different texts of the target column, sorted. */
static int collect_classes(reader *r, const archai_numbers_wish *wish, archai_err *err)
{
    archai_numbers *t = &r->table;
    char **sorted = archai_memdup(r->label_text, t->n * sizeof *sorted);
    const bool numbers = all_numbers(sorted, t->n);
    size_t n = 0;

    qsort(sorted, t->n, sizeof *sorted, numbers ? by_number_and_text : by_text);
    for (size_t i = 0; i < t->n; i++)
        if (n == 0 || (numbers ? by_number : by_text)(&sorted[i], &sorted[n - 1]) != 0)
            sorted[n++] = sorted[i];
    t->classes.at = archai_malloc((n + 1) * sizeof *t->classes.at);
    for (; t->classes.n < n && n <= ARCHAI_DATASET_MAX_CLASSES; t->classes.n++)
        t->classes.at[t->classes.n] = archai_strdup(sorted[t->classes.n]);
    free(sorted);
    if (n < 2)
        return archai_fail(err, ARCHAI_EFORMAT, "column '%.100s' has a single value, expected classes",
                           wish->target.at[0]);
    if ((numbers && n > MANY_CLASSES) || n > ARCHAI_DATASET_MAX_CLASSES)
        return archai_fail(err, ARCHAI_EFORMAT,
                           "column '%.100s' has %zu different values; targets = real takes them as "
                           "numbers, not classes",
                           wish->target.at[0], n);
    return ARCHAI_OK;
}

static int number_classes(reader *r, const archai_numbers_wish *wish, const archai_numbers *like,
                          archai_err *err)
{
    archai_numbers *t = &r->table;
    const archai_strings *classes = like != NULL ? &like->classes : &t->classes;
    const bool numbers = all_numbers(classes->at, classes->n);

    t->label = archai_malloc((t->n + 1) * sizeof *t->label);
    for (size_t i = 0; i < t->n; i++) {
        char *const *at = NULL;

        if (!numbers || all_numbers(&r->label_text[i], 1))
            at = bsearch(&r->label_text[i], classes->at, classes->n, sizeof *classes->at,
                         numbers ? by_number : by_text);
        if (at == NULL)
            return archai_fail(err, ARCHAI_EFORMAT,
                               "column '%.100s': row %zu is '%.100s', which no training row is",
                               wish->target.at[0], i + 1, r->label_text[i]);
        t->label[i] = (int32_t)(at - classes->at);
    }
    return ARCHAI_OK;
}

/* -- all together -------------------------------------------------------------------------- */

static int read_table(reader *r, const char *path, const archai_numbers_wish *wish,
                      const archai_numbers *like, size_t most, archai_err *err)
{
    struct stat st;
    size_t size;
    int rc;

    ARCHAI_TRY(archai_file_check(path, err));
    /* its text; what is made of it takes as much again, as numbers are written */
    if (stat(path, &st) == 0)
        ARCHAI_TRY(archai_err_wrap(err, archai_memory_check("the table", 2 * (double)st.st_size, err),
                                   "%s: ", path));
    ARCHAI_TRY(archai_file_read(path, max_file, &r->text, &size, err));
    if (strlen(r->text) != size)
        return archai_fail(err, ARCHAI_EFORMAT, "%s: contains a NUL byte; this is not a CSV file", path);
    r->at = r->text;
    rc = read_header(r, err);
    if (rc == ARCHAI_OK)
        rc = choose_columns(r, wish, like, err);
    ARCHAI_TRY(archai_err_wrap(err, rc, "%s:1: ", path));
    ARCHAI_TRY(archai_err_wrap(err, read_rows(r, most, err), "%s:", path));
    if (r->table.n == 0)
        return archai_fail(err, ARCHAI_EFORMAT, "%s: the table has no rows", path);
    if (r->table.k > 0)
        return ARCHAI_OK;
    if (like == NULL && most == SIZE_MAX)
        rc = collect_classes(r, wish, err);
    if (rc == ARCHAI_OK && (like != NULL || most == SIZE_MAX))
        rc = number_classes(r, wish, like, err);
    return archai_err_wrap(err, rc, "%s: ", path);
}

int archai_numbers_read(archai_numbers *out, const char *path, const archai_numbers_wish *wish,
                        const archai_numbers *like, size_t most, archai_err *err)
{
    reader r = {.text = NULL};
    int rc = read_table(&r, path, wish, like, most, err);

    if (rc == ARCHAI_OK)
        *out = r.table;
    else
        archai_numbers_free(&r.table);
    free(r.text);
    free(r.name);
    free(r.role);
    free(r.label_text);
    return rc;
}

void archai_numbers_free(archai_numbers *t)
{
    free(t->features);
    free(t->targets);
    free(t->label);
    archai_strings_free(&t->feature_names);
    archai_strings_free(&t->classes);
    memset(t, 0, sizeof *t);
}
