/* export: a model, or all models of the front, in one of the formats of this folder. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/alloc.h"
#include "runner/inspect/export/format.h"

static const export_format *const formats[] = {
#define X(name) &export_##name,
    EXPORT_FORMATS(X)
#undef X
};
enum { FORMATS = sizeof formats / sizeof formats[0], NAME_MAX_BYTES = 120 };

/* -- which format ---------------------------------------------------------------------------- */

static bool ends_for(const export_format *f, const char *ending)
{
    for (size_t i = 0; i < sizeof f->endings / sizeof f->endings[0] && f->endings[i] != NULL; i++)
        if (strcmp(f->endings[i], ending) == 0)
            return true;
    return false;
}

/* By --format, else by the ending of the file's name, else the first. */
static int choose(const inspect *t, const export_format **out, archai_err *err)
{
    const char *dot = t->output != NULL && !t->front ? strrchr(t->output, '.') : NULL;
    char known[256];
    size_t n = 0;

    *out = NULL;
    for (size_t i = 0; i < FORMATS; i++) {
        n += (size_t)snprintf(known + n, sizeof known - n, "%s%s",
                              i == 0              ? ""
                              : i + 1 == FORMATS ? " or "
                                                 : ", ",
                              formats[i]->name);
        if (t->format != NULL ? strcmp(t->format, formats[i]->name) == 0
                              : dot != NULL && ends_for(formats[i], dot + 1))
            *out = formats[i];
    }
    if (*out == NULL && t->format != NULL)
        return archai_fail(err, ARCHAI_EINVAL, "--format: '%s', expected %s", t->format, known);
    if (*out == NULL)
        *out = formats[0];
    return ARCHAI_OK;
}

/* -- one model ------------------------------------------------------------------------------- */

static int write_file(const export_model *m, const export_format *format, const char *path, archai_err *err)
{
    archai_beside b = ARCHAI_BESIDE_INIT;
    int rc;

    ARCHAI_TRY(archai_beside_output(&b, path, err));
    rc = archai_err_wrap(err, format->write(m, &b, err), "%s: ", path);
    if (rc == ARCHAI_OK)
        rc = archai_beside_publish(&b, err);
    archai_beside_drop(&b);
    return rc;
}

static int export_row(const inspect *t, size_t row, const export_format *format, archai_space *space,
                      const char *path, archai_err *err)
{
    export_model m;
    int rc = export_model_open(&m, t, row, format, space, err);

    if (rc == ARCHAI_OK)
        rc = write_file(&m, format, path, err);
    export_model_close(&m);
    return rc;
}

static void print_arch(const char *arch)
{
    (void)fputs(arch, stdout);
    if (arch[0] != '\0' && arch[strlen(arch) - 1] != '\n')
        (void)putchar('\n');
}

static int export_one(const inspect *t, const export_format *format, archai_space *space, archai_err *err)
{
    size_t row;

    ARCHAI_TRY(inspect_resolve(t, t->args[0], &row, err));
    if (strcmp(format->name, "arch") == 0 && (t->output == NULL || strcmp(t->output, "-") == 0)) {
        print_arch(t->r.rows[row].arch);
        return ARCHAI_OK;
    }
    return export_row(t, row, format, space, t->output, err);
}

/* -- the front ------------------------------------------------------------------------------- */

/* "DIR/front-2-<short archid>.pt": in the order of `pareto`, and no name twice. An archid is text from outside: what a file's
 * name cannot have, or a shell would stumble over, becomes '_'. Caller frees. */
static char *file_of(const inspect *t, size_t row, size_t place, const char *ending)
{
    char *name = inspect_short(t, row), *path;

    for (size_t i = 0; name[i] != '\0'; i++)
        if (i == NAME_MAX_BYTES)
            name[i--] = '\0';
        else if (strchr("=,.-+@%^", name[i]) == NULL && !(name[i] >= '0' && name[i] <= '9') &&
                 !((name[i] | 32) >= 'a' && (name[i] | 32) <= 'z'))
            name[i] = '_';
    path = archai_printf("%s/front-%zu-%s.%s", t->output, place, name, ending);
    free(name);
    return path;
}

static int make_directory(const char *path, archai_err *err)
{
    struct stat st;

    if (mkdir(path, 0777) == 0 || (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode)))
        return ARCHAI_OK;
    return archai_fail(err, ARCHAI_EINVAL, "-o: %s: %s", path,
                       errno == EEXIST ? "is a file, expected a directory" : strerror(errno));
}

static int export_front(inspect *t, const export_format *format, archai_space *space, archai_err *err)
{
    size_t n, *rows;
    int rc = ARCHAI_OK;

    ARCHAI_TRY(inspect_names(t, err));
    ARCHAI_TRY(make_directory(t->output, err));
    rows = inspect_front(&t->r, &n);
    for (size_t i = 0; i < n && rc == ARCHAI_OK; i++) {
        char *path = file_of(t, rows[i], i + 1, format->endings[0]);

        rc = export_row(t, rows[i], format, space, path, err);
        if (rc == ARCHAI_OK)
            (void)puts(path);
        free(path);
    }
    free(rows);
    return rc;
}

int inspect_export(inspect *t, archai_err *err)
{
    const export_format *format = NULL;
    archai_space *space = NULL;
    int rc;

    if (t->front ? t->n_args != 0 : t->n_args != 1)
        return archai_fail(err, ARCHAI_EINVAL, "export takes an ARCHID, or --front for all models of the front");
    if (t->front && t->output == NULL)
        return archai_fail(err, ARCHAI_EINVAL, "export --front needs -o DIRECTORY");
    ARCHAI_TRY(choose(t, &format, err));
    if (t->output == NULL && !format->text)
        return archai_fail(err, ARCHAI_EINVAL, "export needs -o FILE");
    if (format->network)
        ARCHAI_TRY(export_space(t, &space, err));
    rc = t->front ? export_front(t, format, space, err) : export_one(t, format, space, err);
    archai_space_destroy(space);
    return rc;
}
