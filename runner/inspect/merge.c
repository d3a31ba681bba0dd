/* merge: one results directory out of several runs of the same space and objectives. */
#include "io/results/merge.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "io/file/file.h"
#include "runner/directory/rundir.h"
#include "runner/inspect/json.h"

enum { RUNS_MAX = 1024 };

static void remove_files(const char *directory)
{
    DIR *d = opendir(directory);

    for (const struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
        (void)unlinkat(dirfd(d), e->d_name, 0); /* . and .. stay */
    if (d != NULL)
        (void)closedir(d);
}

/* It was empty before. */
static void undo(archai_rundir *d)
{
    char *logs = archai_file_path(d->path, "logs"), *path = archai_strdup(d->path);

    remove_files(logs);
    (void)rmdir(logs);
    remove_files(path);
    archai_rundir_close(d);
    (void)rmdir(path);
    free(logs);
    free(path);
}

static int check_paths(const inspect *t, archai_err *err)
{
    struct stat st;

    if (t->n_paths < 2 || t->n_paths > RUNS_MAX)
        return archai_fail(err, ARCHAI_EINVAL, "merge: expected 2 to %d results, %zu given", RUNS_MAX, t->n_paths);
    if (t->output == NULL)
        return archai_fail(err, ARCHAI_EINVAL, "merge needs -o DIRECTORY");
    for (size_t i = 0; i < t->n_paths; i++)
        if (stat(t->paths[i], &st) != 0 || !S_ISDIR(st.st_mode))
            return archai_fail(err, ARCHAI_EINVAL, "%s: not a results directory", t->paths[i]);
    return archai_rundir_check(t->output, false, err);
}

int inspect_merge(inspect *t, archai_err *err)
{
    archai_merged merged;
    archai_rundir d;
    int rc;

    ARCHAI_TRY(check_paths(t, err));
    ARCHAI_TRY(archai_rundir_open(&d, t->output, false, -1, 1, err));
    rc = archai_results_merge((const char *const *)t->paths, t->n_paths, t->output, &merged, err);
    if (rc == ARCHAI_OK)
        rc = archai_rundir_finish(&d, 0, err);
    if (rc != ARCHAI_OK) {
        undo(&d);
        return rc;
    }
    archai_rundir_close(&d);
    if (merged.notes != NULL && merged.notes[0] != '\0')
        (void)fprintf(stderr, "archai-inspect: %s\n", merged.notes);
    free(merged.notes);
    if (t->json) {
        inspect_json_print(json_pack("{s:o, s:I, s:I, s:I}", "path", inspect_json_text(t->output), "rows",
                                     (json_int_t)merged.rows, "models", (json_int_t)merged.models, "repeated",
                                     (json_int_t)merged.repeated));
        return ARCHAI_OK;
    }
    (void)printf("%s: %lld rows of %zu runs, weights of %lld models", t->output, (long long)merged.rows, t->n_paths,
                 (long long)merged.models);
    if (merged.repeated > 0)
        (void)printf("; %lld rows are of architectures that an earlier run has, too", (long long)merged.repeated);
    (void)puts("");
    return ARCHAI_OK;
}
