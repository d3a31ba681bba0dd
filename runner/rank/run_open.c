/* From the command line to a run that is ready: rank 0 decides, all ranks set up together. */
#include "runner/rank/run_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "io/dataset/dataset.h"
#include "io/dataset/shape.h"
#include "io/file/beside.h"
#include "io/file/checkpoint.h"
#include "io/file/file.h"
#include "io/results/reconcile.h"
#include "runner/coordinator/finish.h"
#include "runner/measure/measures.h"
#include "runner/rank/pulse.h"

/* -- checking the input -------------------------------------------------------------------- */

/* Rank 0 reads and checks everything; no other rank touches a file before all agree. */
typedef struct opening {
    int rc;
    bool is_over; /* nothing to run */
    int exit_code; /* then */
    double heartbeat_s, lost_after_s;
    archai_data_shape data;
} opening;

static void say_data(archai_runlog *log, const archai_plan *plan)
{
    char text[ARCHAI_DATASET_SENTENCE];

    if (plan->facts.n[ARCHAI_SPLIT_TRAIN] > 0)
        archai_runlog_say(log, 0, "data: %s", archai_dataset_sentence(&plan->facts, text));
}

/* What this rank's machine cannot measure; notes: caller frees. */
static int check_measures(const archai_plan *plan, const archai_node *node, char **notes, archai_err *err)
{
    size_t size = 0;
    FILE *out = archai_there(open_memstream(notes, &size));
    const int rc = archai_measures_check_here(&plan->objectives, node->device.kind, "", out, err);

    (void)fclose(out);
    return archai_ini_locate(&plan->ini, rc, err);
}

/* Everything that a start does before it touches the directory. The images are read, too, in blocks: there is no
 * other way to see that a file is complete. */
static int dry_run(const archai_plan *plan, int workers, archai_err *err)
{
    archai_runlog no_file = {.file = NULL};
    archai_node alone;
    char sentence[1024], *notes = NULL;
    int rc;

    ARCHAI_TRY(archai_node_init(&alone, MPI_COMM_SELF, &plan->config, true, plan->evaluator->uses_device, NULL, err));
    archai_runlog_say_lines(&no_file, 0, alone.notes);
    rc = check_measures(plan, &alone, &notes, err);
    archai_node_fini(&alone);
    archai_runlog_say_lines(&no_file, 0, notes);
    free(notes);
    ARCHAI_TRY(rc);
    if (plan->evaluator->needs_data)
        ARCHAI_TRY(archai_dataset_check(&plan->source, err));
    archai_plan_sentence(plan, workers, sentence, sizeof sentence);
    (void)fputs(plan->text, stdout);
    (void)fflush(stdout);
    archai_runlog_say_lines(&no_file, 0, plan->unused);
    archai_runlog_say_lines(&no_file, 0, plan->retrain.notes);
    say_data(&no_file, plan);
    archai_runlog_say(&no_file, 0, "no problems found; this would run: %s", sentence);
    return ARCHAI_OK;
}

/* Two runs may have written here at the same time, and each published its own rows last. */
static void repair_complete(const char *directory)
{
    static const char done[] = "results.h5 was";
    archai_err err = ARCHAI_ERR_INIT;
    char said[400];

    if (access(directory, W_OK) != 0)
        return;
    if (archai_finish_inspect(directory, "repair", 0, said, sizeof said, &err) != ARCHAI_OK)
        (void)fprintf(stderr, "archai-run: %s: %s\n", directory, err.text);
    else if (strncmp(said, done, sizeof done - 1) == 0)
        (void)fprintf(stderr, "archai-run: %s: %s\n", directory, said);
}

/* The last start may have been killed after the last results.h5 and before `exit_code`, which scripts that
 * requeue jobs read. Results in a read-only directory are complete all the same. */
static void note_complete(archai_rank *r)
{
    if (archai_rundir_open(&r->dir, r->plan.config.output.directory, true, -1, r->comm.size,
                           NULL) == ARCHAI_OK)
        (void)archai_rundir_finish(&r->dir, r->plan.complete_code, NULL);
    else
        archai_rundir_close(&r->dir);
}

static int check_input(archai_rank *r, int args_rc, const archai_err *args_err, opening *o,
                       archai_err *err)
{
    int workers = r->comm.size;

    if (args_rc != ARCHAI_OK) {
        *err = *args_err;
        return args_rc;
    }
    o->is_over = true;
    if (r->args->words != NULL) {
        r->args->words(stdout);
        return ARCHAI_OK;
    }
    ARCHAI_TRY(archai_plan_make(&r->plan, r->args, err));
    o->data = r->plan.data;
    o->heartbeat_s = r->plan.config.run.heartbeat_s;
    o->lost_after_s = r->plan.config.run.lost_after_s;
    if (!r->plan.config.run.coordinator_evaluates && workers > 1)
        workers--;
    if (r->args->dry_run)
        return dry_run(&r->plan, workers, err);
    o->is_over = r->plan.complete != NULL;
    if (o->is_over) {
        o->exit_code = r->plan.complete_code;
        if (o->exit_code == 0)
            (void)printf("%s\n", r->plan.complete);
        else
            (void)fprintf(stderr, "archai-run: %s\n", r->plan.complete);
        repair_complete(r->plan.config.output.directory);
        note_complete(r);
    }
    return ARCHAI_OK;
}

/* Collective: afterwards every rank has the plan. */
static int share_plan(archai_rank *r, const opening *o, archai_err *err)
{
    char *text = r->plan.text;
    int rc;

    ARCHAI_TRY(archai_comm_share_text(r->comm.comm, &text, err));
    rc = r->comm.rank == 0 ? ARCHAI_OK : archai_plan_from_text(&r->plan, text, &o->data, err);
    return archai_comm_agree(r->comm.comm, rc, err);
}

/* -- setting up ---------------------------------------------------------------------------- */

static bool evaluates(const archai_rank *r, int rank)
{
    return rank != 0 || r->comm.size == 1 || r->plan.config.run.coordinator_evaluates;
}

static void say_changes(archai_rank *r)
{
    archai_runlog_say_lines(&r->log, 0, r->plan.unused);
    archai_runlog_say_lines(&r->log, 0, r->plan.changes);
    if (r->plan.told != NULL)
        archai_runlog_say(&r->log, 0, "%s", r->plan.told);
    if (r->dir.resumed && r->plan.earlier_ranks > 0 && r->plan.earlier_ranks != r->comm.size)
        archai_runlog_say(&r->log, 0, "ranks: were %d, are %d from now on",
                          r->plan.earlier_ranks, r->comm.size);
}

/* Those that a killed start could not remove any more. */
static void sweep_checkpoints(archai_rank *r)
{
    for (size_t i = 0; i < r->plan.n_left_over; i++)
        archai_checkpoint_remove(r->dir.path, r->plan.left_over[i]);
    archai_checkpoints_sweep(r->dir.path, true);
    archai_beside_sweep(r->dir.path, "report.html");
    if (r->plan.n_left_over > 0)
        archai_runlog_note(&r->log, 0, "removed %zu checkpoint%s of committed rows",
                           r->plan.n_left_over, r->plan.n_left_over == 1 ? "" : "s");
}

/* What results.h5 is to hold of the data. */
static int record_data(archai_rank *r, archai_err *err)
{
    const archai_dataset_header *data;

    if (r->node.data_fd < 0) { /* a program that reads the data itself; the space knows what they look like */
        if (r->plan.data.channels > 0 || r->plan.data.features > 0 || r->plan.data.vocab > 0)
            r->plan.data_set = archai_dataset_shape_record(&r->plan.data);
        return ARCHAI_OK;
    }
    ARCHAI_TRY(archai_dataset_map(r->node.data_fd, &data, err));
    r->plan.data_set = archai_dataset_record(&r->plan.facts, data);
    archai_dataset_unmap(data);
    return ARCHAI_OK;
}

static int open_directory(archai_rank *r, archai_err *err)
{
    char sentence[1024];
    int workers = 0;

    r->workers = archai_calloc((size_t)r->comm.size, sizeof *r->workers);
    for (int i = 0; i < r->comm.size; i++) {
        r->workers[i] = evaluates(r, i);
        workers += r->workers[i];
    }
    ARCHAI_TRY(record_data(r, err));
    ARCHAI_TRY(archai_rundir_open(&r->dir, r->plan.config.output.directory, r->args->resume,
                                  r->plan.starts, r->comm.size, err));
    ARCHAI_TRY(archai_retrain_hand_over(&r->plan.retrain, err));
    if (r->plan.settled != NULL) /* before ids are handed out that it knows nothing of */
        ARCHAI_TRY(archai_reconciled_publish(r->plan.settled, r->dir.path, err));
    ARCHAI_TRY(archai_runlog_open(&r->log, r->dir.path, err));
    ARCHAI_TRY(
        archai_file_replace(r->dir.path, "config.ini", r->plan.text, strlen(r->plan.text), err));
    archai_plan_sentence(&r->plan, workers, sentence, sizeof sentence);
    archai_runlog_say(&r->log, 0, "%s%s", sentence,
                      r->dir.resumed ? " (resumed from an earlier start)" : "");
    say_data(&r->log, &r->plan);
    archai_runlog_say_lines(&r->log, 0, r->plan.retrain.notes);
    archai_runlog_say_lines(&r->log, 0, r->node.notes);
    archai_runlog_say_lines(&r->log, 0, r->measures);
    say_changes(r);
    sweep_checkpoints(r);
    archai_coordinator_init(&r->coordinator, &r->comm, &r->plan, &r->dir, &r->log, r->workers,
                            r->args->progress);
    return ARCHAI_OK;
}

static int open_worker(archai_rank *r, archai_err *err)
{
    const archai_evaluator_setup setup = {
        .settings = r->plan.evaluator_settings,
        .config = &r->plan.config,
        .config_text = r->plan.text,
        .data = r->plan.data,
        .data_fd = r->node.data_fd,
        .device = r->node.device.kind,
        .gpu = r->node.device.gpu,
        .sharing = r->node.sharing,
        .unused_gpus = r->node.device.unused,
        .threads = r->node.threads,
    };

    r->has_worker = evaluates(r, r->comm.rank);
    if (!r->has_worker)
        return ARCHAI_OK;
    return archai_worker_init(&r->worker, &r->comm, r->plan.evaluator, &setup,
                              &r->plan.objectives, r->plan.config.output.directory, err);
}

/* Collective. The data comes first, since it may turn out to be bad; the directory is touched last. */
static int set_up(archai_rank *r, archai_err *err)
{
    int rc;

    ARCHAI_TRY(archai_node_init(&r->node, r->comm.comm, &r->plan.config,
                                evaluates(r, r->comm.rank), r->plan.evaluator->uses_device,
                                r->plan.evaluator->needs_data ? &r->plan.source : NULL, err));
    rc = evaluates(r, r->comm.rank) ? check_measures(&r->plan, &r->node, &r->measures, err) : ARCHAI_OK;
    ARCHAI_TRY(archai_comm_agree(r->comm.comm, rc, err));
    rc = r->comm.rank == 0 ? open_directory(r, err) : ARCHAI_OK;
    ARCHAI_TRY(archai_comm_agree(r->comm.comm, rc, err));
    return archai_comm_agree(r->comm.comm, open_worker(r, err), err);
}

int archai_run_open(archai_rank *r, int args_rc, const archai_err *args_err, bool *is_over,
                    archai_err *err)
{
    opening o = {0};
    int rc;

    if (r->comm.rank == 0)
        o.rc = check_input(r, args_rc, args_err, &o, err);
    ARCHAI_TRY(archai_comm_share(r->comm.comm, 0, &o, sizeof o, err));
    *is_over = o.is_over;
    r->exit_code = o.exit_code;
    if (o.rc != ARCHAI_OK || o.is_over)
        return o.rc;
    archai_pulse_pace(o.heartbeat_s, o.lost_after_s);
    rc = share_plan(r, &o, err);
    if (rc == ARCHAI_OK)
        rc = set_up(r, err);
    return rc == ARCHAI_EMPI ? archai_err_wrap(err, rc, "while the run was being set up: ") : rc;
}
