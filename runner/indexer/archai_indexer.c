/* archai-indexer - the process that writes results.h5, so that rank 0 never waits for HDF5.
 *
 * Rank 0 starts it (runner/indexer/index_client.h) and sends messages (io/wire/message.h):
 *
 *   INDEX    the run: its configuration, directory, ...
 *   REFRESH  as often as wanted
 *
 * Each is answered, in order, with INDEXED or FAILED. The end of the pipe ends it with status 0.
 * A failed refresh leaves the last results.h5 in place and may be asked for again; a failed
 * INDEX ends the process after its answer.
 *
 * archai-indexer --read DIRECTORY reads what earlier starts left instead
 * (archai_indexer_read.c).
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include "core/base/text.h"
#include "core/config/config.h"
#include "core/search/search.h"
#include "io/results/index/index.h"
#include "runner/indexer/archai_indexer.h"
#include "runner/process/clock.h"
#include "runner/process/program.h"

typedef struct indexed_run {
    archai_message request; /* ARCHAI_MSG_INDEX */
    archai_ini ini;
    archai_config config;
    archai_objectives objectives;
    archai_index *index;
} indexed_run;

static int open_index(indexed_run *r, archai_err *err)
{
    const archai_message *m = &r->request;
    const archai_index_run run = {
        .directory = m->directory,
        .config_text = m->text,
        .config = &r->config,
        .objectives = &r->objectives,
        .space = m->space,
        .software = m->software,
        .started = m->started,
        .data = m->data_set,
        .ranks = m->ranks,
        .is_resume = m->is_resume,
    };

    if (m->type != ARCHAI_MSG_INDEX)
        return archai_fail(err, ARCHAI_EFORMAT, "a '%s' came before the run",
                           archai_message_name(m->type));
    ARCHAI_TRY(archai_ini_parse(&r->ini, "the resolved configuration", m->text, strlen(m->text), err));
    ARCHAI_TRY(archai_config_load(&r->config, &r->ini, err));
    ARCHAI_TRY(archai_objectives_create(&r->objectives, &r->ini, err));
    archai_text_clean(m->text, true); /* an attribute of results.h5 is nothing else */
    return archai_index_open(&r->index, &run, err);
}

static int refresh(indexed_run *r, const archai_message *m, archai_message *indexed, archai_err *err)
{
    if (m->type != ARCHAI_MSG_REFRESH)
        return archai_fail(err, ARCHAI_EFORMAT, "a request of type '%s'", archai_message_name(m->type));
    ARCHAI_TRY(archai_index_refresh(r->index, archai_run_state(m->state), m->rejected,
                                    &indexed->n_rows, err));
    indexed->text = archai_index_notes(r->index);
    return ARCHAI_OK;
}

static int serve(archai_parent *parent, indexed_run *r, archai_err *err)
{
    for (;;) {
        archai_message m = {0}, indexed = {.type = ARCHAI_MSG_INDEXED};
        archai_err why = ARCHAI_ERR_INIT;
        double began;
        bool got;
        int rc, sent;

        ARCHAI_TRY(archai_parent_receive(parent, NULL, &m, &got, err));
        if (!got)
            return ARCHAI_OK;
        began = archai_clock_s();
        if (r->index == NULL) {
            r->request = m;
            rc = open_index(r, &why);
        } else {
            rc = refresh(r, &m, &indexed, &why);
            archai_message_fini(&m);
        }
        indexed.seconds = archai_clock_s() - began;
        sent = archai_parent_answer(parent, -1, rc, &indexed, &why, err);
        archai_message_fini(&indexed);
        ARCHAI_TRY(sent);
        if (r->index == NULL)
            return archai_fail(err, rc, "%s", why.text);
    }
}

static int make_index(archai_parent *parent, archai_err *err)
{
    indexed_run r = {.index = NULL};
    const int rc = serve(parent, &r, err);

    archai_index_close(r.index);
    archai_objectives_free(&r.objectives);
    archai_config_free(&r.config);
    archai_ini_free(&r.ini);
    archai_message_fini(&r.request);
    return rc;
}

int main(int argc, char **argv)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_parent parent = {.in = {.used = 0}};
    int rc;

    archai_program_begin("archai-indexer", "");
    if (argc > 1 && (argc != 3 || strcmp(argv[1], "--read") != 0)) {
        (void)fprintf(stderr, "%s is started by archai-run; it takes no arguments\n", argv[0]);
        return 2;
    }
    /* A vanished rank 0 is an error of write(2) here, a file size limit one of the disk. */
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
    /* Schedulers signal every process of a job, when the last index has yet to be written: rank 0
     * decides when this process ends, and the guard ends it with rank 0. */
    (void)signal(SIGTERM, SIG_IGN);
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    (void)signal(SIGUSR1, SIG_IGN);
    (void)signal(SIGUSR2, SIG_IGN);
    rc = archai_parent_check(&err);
    if (rc == ARCHAI_OK)
        rc = argc > 1 ? archai_indexer_read(&parent, argv[2], &err) : make_index(&parent, &err);
    archai_parent_fini(&parent);
    return archai_program_end(rc, &err);
}
