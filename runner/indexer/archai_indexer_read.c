/* archai-indexer --read: reads earlier rows, in a process that HDF5 may crash. */
#include <stdlib.h>
#include <string.h>

#include "io/results/history.h"
#include "runner/indexer/archai_indexer.h"
#include "runner/process/limit.h"

/* So that rank 0 knows, after a crash, which file it was. */
static int touch(void *payload, const char *path, archai_err *err)
{
    const archai_message note = {
        .type = ARCHAI_MSG_NOTE, .id = ARCHAI_INDEXER_READS, .text = (char *)(uintptr_t)path};

    return archai_parent_send(payload, &note, err);
}

/* Rank 0 has to publish it before it hands out ids of its own, and the user is told. */
static int settle(const archai_history *h, archai_parent *parent, archai_err *err)
{
    char sentence[400];
    char *settled = archai_history_reconciled(h, sentence, sizeof sentence);
    const archai_message notes[] = {
        {.type = ARCHAI_MSG_NOTE, .id = ARCHAI_INDEXER_TELLS, .text = sentence},
        {.type = ARCHAI_MSG_NOTE, .id = ARCHAI_INDEXER_SETTLES, .text = settled},
    };
    int rc = ARCHAI_OK;

    for (int i = 0; rc == ARCHAI_OK && settled != NULL && i < 2; i++)
        rc = archai_parent_send(parent, &notes[i], err);
    free(settled);
    return rc;
}

static int send_rows(archai_history *h, const archai_results *head, archai_parent *parent,
                     int64_t *rows, archai_err *err)
{
    const archai_message earlier = {
        .type = ARCHAI_MSG_EARLIER,
        .text = head->config,
        .state = head->state,
        .n_rows = (int64_t)head->n,
        .rejected = head->rejected > 0 ? head->rejected : 0,
        .ranks = head->ranks > 0 && head->ranks < INT32_MAX ? (int32_t)head->ranks : 0};
    bool got = true;

    ARCHAI_TRY(archai_parent_send(parent, &earlier, err));
    for (*rows = 0;; ++*rows) {
        archai_trial e = {0};
        archai_message row = {.type = ARCHAI_MSG_ROW, .evaluation = &e};
        int rc;

        ARCHAI_TRY(archai_history_next(h, &e, &got, err));
        if (!got)
            return ARCHAI_OK;
        row.stored = e.stored;
        rc = archai_parent_queue(parent, &row, err);
        archai_trial_fini(&e);
        ARCHAI_TRY(rc);
    }
}

int archai_indexer_read(archai_parent *parent, const char *directory, archai_err *err)
{
    archai_message indexed = {.type = ARCHAI_MSG_INDEXED};
    archai_err why = ARCHAI_ERR_INIT;
    archai_history *h = NULL;
    archai_results head = {0};
    int rc;

    archai_limit_reading(&directory, 1);
    rc = archai_history_open(&h, directory, touch, parent, &head, &why);
    if (rc == ARCHAI_OK)
        rc = settle(h, parent, &why);
    if (rc == ARCHAI_OK)
        rc = send_rows(h, &head, parent, &indexed.n_rows, &why);
    rc = archai_parent_answer(parent, -1, rc, &indexed, &why, err);
    archai_history_close(h);
    archai_results_free(&head);
    return rc;
}
