/* Failures by kind, with one whole log of each of the commonest. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/alloc.h"
#include "core/base/text.h"
#include "io/file/file.h"
#include "runner/inspect/report/report.h"

enum { LOGS_MAX = 12, LOG_BYTES = 128 << 10, READ_MAX = 256 << 20 };

static int compare_ids(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = ((const archai_trial *)b)->id;

    return (x > y) - (x < y);
}

/* The name comes out of a file: it must be the one that the candidate's log has, and no link to elsewhere. */
static char *log_path(const inspect *t, const archai_trial *e)
{
    char *expected = archai_printf("logs/%lld.log", (long long)e->id), *path = NULL;
    struct stat st;

    if (e->log != NULL && strcmp(e->log, expected) == 0)
        path = archai_file_path(t->directory, expected);
    free(expected);
    if (path != NULL && lstat(path, &st) == 0 && S_ISREG(st.st_mode))
        return path;
    free(path);
    return NULL;
}

/* Of a long one the beginning and the end. */
static char *read_log(const char *path)
{
    char *text = NULL, *cut;
    size_t n = 0;

    if (archai_file_read(path, READ_MAX, &text, &n, NULL) != ARCHAI_OK)
        return NULL;
    n = archai_bytes_clean(text, n, true);
    text[n] = '\0';
    if (n <= LOG_BYTES)
        return text;
    cut = archai_printf("%.*s\n[... %zu bytes are left out ...]\n%s", LOG_BYTES / 2, text, n - LOG_BYTES,
                        text + n - LOG_BYTES / 2);
    archai_text_clean(cut, true); /* half a character on either side of the cut */
    free(text);
    return cut;
}

int report_failures(report *p, archai_err *err)
{
    const archai_results *r = &p->t->r;
    json_t *list = json_array();

    (void)err;
    for (size_t i = 0; i < p->f->failures.n; i++) {
        const archai_failure *kind = &p->f->failures.at[i];
        const archai_trial *e = bsearch(&kind->id, r->rows, r->n, sizeof *r->rows, compare_ids);
        json_t *item =
            json_pack("{s:o, s:I, s:o, s:I}", "kind", inspect_json_text(kind->kind), "count", (json_int_t)kind->n,
                      "example", inspect_json_text(kind->example), "id", (json_int_t)kind->id);
        char *path = e != NULL && i < LOGS_MAX ? log_path(p->t, e) : NULL;
        char *text = path != NULL ? read_log(path) : NULL;

        if (e != NULL)
            p->is_named[e - r->rows] = true;
        if (text != NULL)
            (void)json_object_set_new(item, "log", inspect_json_text(text));
        (void)json_array_append_new(list, archai_there(item));
        free(text);
        free(path);
    }
    (void)json_object_set_new(p->out, "failures", list);
    (void)json_object_set_new(p->out, "failures_of_other_kinds", json_integer((json_int_t)p->f->failures.other));
    return ARCHAI_OK;
}
