/* The network as a Python file that needs PyTorch alone: loads its weights, and measures itself on the validation data. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/alloc.h"
#include "io/file/file.h"
#include "io/model/python/python.h"
#include "runner/inspect/export/format.h"

/* The section [data] of the run, if it used any. */
/* Paths that are found from here are made absolute, since the file may be run from anywhere. */
static json_t *data_of(const inspect *t)
{
    archai_ini ini = {.file = NULL};
    json_t *data = NULL;

    if (t->r.data == NULL || archai_ini_parse(&ini, "config", t->r.config, strlen(t->r.config), NULL) != ARCHAI_OK)
        goto out;
    data = archai_there(json_object());
    for (size_t i = 0; i < ini.n; i++)
        if (ini.at[i].key != NULL && strcmp(ini.at[i].section, "data") == 0) {
            char *whole = strchr(ini.at[i].value, '/') != NULL ? realpath(ini.at[i].value, NULL) : NULL;

            (void)json_object_set_new(data, ini.at[i].key, json_string(whole != NULL ? whole : ini.at[i].value));
            free(whole);
        }
out:
    archai_ini_free(&ini);
    return data;
}

/* Finite ones alone: JSON has no others. */
static json_t *measures_of(const inspect *t, size_t row)
{
    const archai_trial *e = &t->r.rows[row];
    json_t *all = archai_there(json_object());

    for (size_t i = 0; i < e->n_measures; i++)
        if (isfinite(e->measures[i].value))
            (void)json_object_set_new(all, e->measures[i].name, json_real(e->measures[i].value));
    for (size_t i = 0; i < t->r.n_objectives; i++) {
        const double v = t->r.values[row * t->r.n_objectives + i];

        if (isfinite(v))
            (void)json_object_set_new(all, t->r.objectives[i].source, json_real(v));
    }
    return all;
}

/* Absolute, since the file may be run from anywhere. Caller frees. */
static char *results_file(const inspect *t)
{
    struct stat st;
    char *path = stat(t->path, &st) == 0 && S_ISDIR(st.st_mode) ? archai_printf("%s/results.h5", t->path)
                                                                : archai_strdup(t->path);
    char *whole = realpath(path, NULL);

    if (whole == NULL)
        return path;
    free(path);
    return whole;
}

static int write(const export_model *m, const archai_beside *out, archai_err *err)
{
    json_t *data = data_of(m->t), *recorded = measures_of(m->t, m->row);
    json_t *about = m->t->r.data != NULL ? json_loads(m->t->r.data, 0, NULL) : NULL;
    char *results = results_file(m->t), *text = NULL;
    const archai_python_facts facts = {m->archid, m->t->r.rows[m->row].arch, results, data, about, recorded};
    size_t size = 0;
    FILE *made = archai_there(open_memstream(&text, &size));
    int rc = archai_python_write(&m->net, &facts, made, err);

    (void)archai_there(fclose(made) == 0 ? text : NULL);
    if (rc == ARCHAI_OK)
        rc = archai_file_pwrite(out->fd, text, size, 0, "the file", err);
    free(text);
    free(results);
    json_decref(data);
    json_decref(recorded);
    json_decref(about);
    return rc;
}

const export_format export_python = {.name = "python", .endings = {"py"}, .network = true, .write = write};
