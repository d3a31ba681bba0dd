#include "io/results/repair.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/base/text.h"
#include "core/config/config.h"
#include "core/search/search.h"
#include "io/file/file.h"
#include "io/results/history.h"
#include "io/results/index/index.h"
#include "io/results/reconcile.h"
#include "io/wire/message.h"

enum { CONFIG_BYTES_MAX = 64 << 20 };

static int touch(void *payload, const char *path, archai_err *err)
{
    (void)payload;
    (void)path;
    (void)err;
    return ARCHAI_OK;
}

/* Reads every row once, so that nothing is written where nothing is wrong. */
static int look(const char *directory, archai_results *head, size_t *behind, FILE *say, archai_err *err)
{
    archai_history *h = NULL;
    char sentence[400], *settled = NULL;
    bool got = true;
    int rc;

    ARCHAI_TRY(archai_history_open(&h, directory, touch, NULL, head, err));
    for (rc = ARCHAI_OK; rc == ARCHAI_OK && got;) {
        archai_trial e = {0};

        rc = archai_history_next(h, &e, &got, err);
        archai_trial_fini(&e);
    }
    *behind = archai_history_behind(h);
    if (rc == ARCHAI_OK && (settled = archai_history_reconciled(h, sentence, sizeof sentence)) != NULL) {
        (void)fprintf(say, "%s\n", sentence);
        rc = archai_reconciled_publish(settled, directory, err);
    }
    free(settled);
    archai_history_close(h);
    return rc;
}

/* What results.h5 says of its run, or else config.ini. */
static int read_config(const char *directory, const archai_results *head, char **text, archai_err *err)
{
    char *path;
    size_t n;
    int rc;

    if (head->config != NULL) {
        *text = archai_strdup(head->config);
        return ARCHAI_OK;
    }
    path = archai_file_path(directory, "config.ini");
    rc = archai_text_read(path, CONFIG_BYTES_MAX, text, &n, err);
    if (rc == ARCHAI_OK) {
        *text = archai_realloc(*text, n + 1, 1);
        (*text)[n] = '\0';
    }
    free(path);
    return rc;
}

static const char *or(const char *text, const char *otherwise)
{
    return text != NULL && *text != '\0' ? text : otherwise;
}

static int rebuild(const char *directory, const archai_results *head, const archai_ini *ini,
                   const archai_config *config, const archai_objectives *objectives, const char *text,
                   int64_t *rows, archai_err *err)
{
    const archai_ini_entry *space = archai_ini_find(ini, "space", "name");
    const char *state = archai_run_state(or(head->state, "interrupted"));
    const archai_index_run run = {
        .directory = directory,
        .config_text = text,
        .config = config,
        .objectives = objectives,
        .space = or(head->space, space != NULL ? space->value : ""),
        .software = or(head->software, "archai-inspect " ARCHAI_VERSION),
        .started = or(head->started, "1970-01-01T00:00:00Z"),
        .ranks = head->ranks > 0 && head->ranks < INT32_MAX ? (int)head->ranks : 1,
        .is_resume = true,
    };
    archai_index *x = NULL;
    int rc;

    if (state == NULL || strcmp(state, "running") == 0)
        state = "interrupted";
    ARCHAI_TRY(archai_index_open(&x, &run, err));
    rc = archai_index_refresh(x, state, head->rejected > 0 ? head->rejected : 0, rows, err);
    archai_index_close(x);
    return rc;
}

int archai_results_repair(const char *directory, bool *was_needed, int64_t *rows, FILE *say,
                          archai_err *err)
{
    archai_objectives objectives = {.n = 0};
    archai_results head = {0};
    archai_config config = {0};
    archai_ini ini = {0};
    size_t behind = 0;
    char *text = NULL;
    int rc;

    *was_needed = false;
    ARCHAI_TRY(look(directory, &head, &behind, say, err));
    if (behind == 0 && head.state != NULL) {
        archai_results_free(&head);
        return ARCHAI_OK;
    }
    ARCHAI_TRY_GOTO(rc, read_config(directory, &head, &text, err), out);
    ARCHAI_TRY_GOTO(rc, archai_ini_parse(&ini, "the configuration of the run", text, strlen(text), err), out);
    ARCHAI_TRY_GOTO(rc, archai_config_load(&config, &ini, err), out);
    ARCHAI_TRY_GOTO(rc, archai_objectives_create(&objectives, &ini, err), out);
    archai_text_clean(text, true);
    rc = rebuild(directory, &head, &ini, &config, &objectives, text, rows, err);
    *was_needed = rc == ARCHAI_OK;
out:
    archai_objectives_free(&objectives);
    archai_config_free(&config);
    archai_ini_free(&ini);
    archai_results_free(&head);
    free(text);
    return rc;
}
