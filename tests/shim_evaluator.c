/* archai-evaluator as its rank sees it: the process, its messages, its weights, its end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/config/config.h"
#include "io/dataset/dataset.h"
#include "io/file/tensors.h"
#include "runner/process/evaluator_client.h"
#include "tmpdir.h"

static const double limit_s = 120; /* ends a hang, measures nothing */

static const char *const environment[] = {"OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1", NULL};

/* 450 training pictures, 50 to validate on, of 4 kinds; small enough for a second an epoch. Masks come
 * with larger pictures, since the segmentation space has no smaller ones. */
static int load_data(bool masks)
{
    char text[256];
    int n = snprintf(text, sizeof text,
                     "[data]\nsamples = 500\nclasses = 4\nwidth = %d\nheight = %d\nmasks = %d\n",
                     masks ? 32 : 16, masks ? 32 : 16, masks);
    archai_dataset_source source;
    archai_ini ini;
    archai_err err = ARCHAI_ERR_INIT;
    int fd = -1;

    if (archai_ini_parse(&ini, "t.ini", text, (size_t)n, &err) != ARCHAI_OK ||
        archai_dataset_source_open(&source, &ini, &err) != ARCHAI_OK ||
        archai_dataset_load(&source, &fd, &err) != ARCHAI_OK)
        fail_msg("%s", err.text);
    archai_dataset_source_close(&source);
    archai_ini_free(&ini);
    return fd;
}

static void send_request(archai_evaluator_client *c, const archai_message *m)
{
    archai_err err = ARCHAI_ERR_INIT;

    if (archai_peer_send(&c->peer, m, &err) != ARCHAI_OK)
        fail_msg("%s", err.text);
}

/* The next message; caller fini. */
static archai_message receive(archai_evaluator_client *c)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_message m = {0};

    if (archai_peer_wait(&c->peer, &m, limit_s, &err) != ARCHAI_OK)
        fail_msg("%s", err.text);
    return m;
}

static void expect(archai_evaluator_client *c, archai_message_type type)
{
    archai_message m = receive(c);

    if (m.type != type)
        fail_msg("%s came (%s), expected %s", archai_message_name(m.type),
                 m.text != NULL ? m.text : "", archai_message_name(type));
    archai_message_fini(&m);
}

static void start(archai_evaluator_client *c, int data_fd, int side, const char *config)
{
    const archai_message open = {
        .type = ARCHAI_MSG_OPEN,
        .text = (char *)(uintptr_t)config,
        .device = (char *)(uintptr_t)"cpu",
        .threads = 1,
        .data = {.channels = data_fd >= 0, .height = side, .width = side, .num_classes = 4}};
    archai_err err = ARCHAI_ERR_INIT;

    if (archai_evaluator_client_start(c, &open, data_fd, true, environment, 0, &err) != ARCHAI_OK)
        fail_msg("%s", err.text);
}

static void send_work(archai_evaluator_client *c, int64_t id, const char *arch, double budget)
{
    archai_trial candidate = {
        .id = id, .arch = (char *)(uintptr_t)arch, .budget = budget, .seed = 5};
    const archai_message m = {
        .type = ARCHAI_MSG_WORK, .candidates = &candidate, .n_candidates = 1};

    candidate.model.archid = (char *)(uintptr_t)"x";
    send_request(c, &m);
}

/* After PROGRESS for each of `epochs`, MEASURED. Caller fini. */
static archai_message measured(archai_evaluator_client *c, int64_t id, int epochs)
{
    archai_message m;

    for (int i = 1; i <= epochs; i++) {
        m = receive(c);
        if (m.type != ARCHAI_MSG_PROGRESS)
            fail_msg("%s came: %s", archai_message_name(m.type), m.text);
        assert_int_equal(m.id, id);
        assert_int_equal(m.epoch, i);
        assert_int_equal(m.epochs, epochs);
        archai_message_fini(&m);
    }
    m = receive(c);
    if (m.type != ARCHAI_MSG_MEASURED)
        fail_msg("%s came: %s", archai_message_name(m.type), m.text);
    assert_int_equal(m.id, id);
    return m;
}

/* The first message that is not PROGRESS. Caller fini. */
static archai_message last_reply(archai_evaluator_client *c)
{
    for (;;) {
        archai_message m = receive(c);

        if (m.type != ARCHAI_MSG_PROGRESS)
            return m;
        archai_message_fini(&m);
    }
}

static double measure(const archai_message *m, const char *name)
{
    return archai_measure_get(m->evaluation->measures, m->evaluation->n_measures, name);
}

static const char train_config[] = "[space]\nname = cnn\n[train]\nepochs = 2\nbatch_size = 32\n"
                                   "learning_rate = 1e-2\n";
static const char arch[] = "{\"nb_layers\": 2, \"kernel_size\": 3, \"hidden_dim\": 8}";

/* -- tests ------------------------------------------------------------------------------------- */

/* Two evaluations of the same candidate agree to the last bit, and training lowers the loss. */
static void training_learns_and_repeats_itself(void **state)
{
    archai_evaluator_client c = ARCHAI_EVALUATOR_CLIENT_INIT;
    int data_fd = load_data(false);
    char *weights[2] = {NULL};
    size_t bytes[2] = {0};
    double loss[2];

    (void)state;
    start(&c, data_fd, 16, train_config);
    expect(&c, ARCHAI_MSG_READY);
    for (int i = 0; i < 2; i++) {
        archai_tensors t = {0};
        archai_message m;

        send_work(&c, 40 + i, arch, 6); /* a budget is a number of epochs */
        m = measured(&c, 40 + i, 6);
        assert_int_equal(m.evaluation->n_curves, 4);
        assert_string_equal(m.evaluation->curves[0].name, "train_loss");
        assert_int_equal(m.evaluation->curves[0].n, 6);
        assert_true(m.evaluation->curves[0].values[5] < m.evaluation->curves[0].values[0]);
        assert_true(measure(&m, "val_accuracy") > 0.35); /* guessing gives 0.25 */
        assert_true(measure(&m, "train_seconds") > 0);
        /* 8 * (9 + 1 + 2) + 8 * (72 + 1 + 2) + 4 * 9 */
        assert_true(measure(&m, "params") == 732);
        assert_true(measure(&m, "macs") == 16 * 16 * (72 + 576) + 32);
        assert_true(isnan(measure(&m, "val_miou")));
        assert_true(isnan(measure(&m, "test_accuracy")));
        loss[i] = measure(&m, "val_loss");

        assert_int_equal(archai_safetensors_open_fd(&t, c.weights_fd, NULL), ARCHAI_OK);
        assert_int_equal(t.n, m.evaluation->n_tensors);
        for (size_t k = 0; k < t.n; k++) {
            assert_string_equal(t.at[k].name, m.evaluation->tensors[k].name);
            assert_int_equal(t.at[k].dtype, m.evaluation->tensors[k].dtype);
            assert_int_equal(t.at[k].ndim, m.evaluation->tensors[k].ndim);
            assert_int_equal(m.evaluation->tensors[k].offset, 0);
        }
        bytes[i] = t.map_bytes;
        weights[i] = malloc(bytes[i]);
        assert_non_null(weights[i]);
        memcpy(weights[i], t.map, bytes[i]);
        archai_tensors_close(&t);
        archai_message_fini(&m);
    }
    assert_true(loss[0] == loss[1]);
    assert_int_equal(bytes[0], bytes[1]);
    assert_memory_equal(weights[0], weights[1], bytes[0]);
    free(weights[0]);
    free(weights[1]);
    archai_evaluator_client_close(&c);
    (void)close(data_fd);
}

/* It says what is wrong with one candidate and evaluates the next one. */
static void a_bad_candidate_costs_itself_alone(void **state)
{
    const archai_message drain = {.type = ARCHAI_MSG_DRAIN};
    archai_evaluator_client c = ARCHAI_EVALUATOR_CLIENT_INIT;
    int data_fd = load_data(false);
    archai_message m;

    (void)state;
    start(&c, data_fd, 16, train_config);
    expect(&c, ARCHAI_MSG_READY);
    send_work(&c, 1, "{\"nb_layers\": 2}", 0);
    m = receive(&c);
    assert_int_equal(m.type, ARCHAI_MSG_FAILED);
    assert_int_equal(m.id, 1);
    assert_int_equal(m.code, ARCHAI_EINVAL);
    assert_non_null(strstr(m.text, "kernel_size"));
    archai_message_fini(&m);
    send_work(&c, 2, arch, 0); /* no budget: train.epochs */
    m = measured(&c, 2, 2);
    archai_message_fini(&m);
    send_work(&c, 3, arch, 0.25); /* less than an epoch: one */
    m = measured(&c, 3, 1);
    archai_message_fini(&m);
    send_request(&c, &drain); /* comes too late: no harm */
    send_work(&c, 4, arch, 1);
    m = measured(&c, 4, 1);
    archai_message_fini(&m);
    archai_evaluator_client_close(&c);
    (void)close(data_fd);
}

/* Asked to stop in the same write that brought the candidate: it stops after the first epoch, with a
 * checkpoint. */
static void a_drain_that_came_with_the_candidate_stops_it(void **state)
{
    const archai_message drain = {.type = ARCHAI_MSG_DRAIN};
    archai_trial candidate = {.id = 7, .arch = (char *)(uintptr_t)arch, .budget = 50, .seed = 5};
    const archai_message work = {
        .type = ARCHAI_MSG_WORK, .candidates = &candidate, .n_candidates = 1};
    archai_evaluator_client c = ARCHAI_EVALUATOR_CLIENT_INIT;
    int data_fd = load_data(false);
    archai_message m;

    (void)state;
    start(&c, data_fd, 16,
          "[space]\nname = cnn\n[train]\nbatch_size = 32\ncheckpoint = epoch\n[output]\n"
          "directory = .\n");
    expect(&c, ARCHAI_MSG_READY);
    candidate.model.archid = (char *)(uintptr_t)"x";
    assert_int_equal(archai_frame_append(&work, &c.peer.out, NULL), ARCHAI_OK);
    send_request(&c, &drain); /* both in one write */
    expect(&c, ARCHAI_MSG_PROGRESS);
    m = receive(&c);
    if (m.type != ARCHAI_MSG_RETURNED)
        fail_msg("%s came: %s", archai_message_name(m.type), m.text != NULL ? m.text : "");
    archai_message_fini(&m);
    assert_int_equal(unlink("checkpoint-7.safetensors"), 0);
    archai_evaluator_client_close(&c);
    (void)close(data_fd);
}

/* Told to end, it ends after the epoch with what it has measured, and takes the next candidate. What is said about
 * another candidate, or too late, changes nothing. */
static void a_pruned_candidate_ends_early(void **state)
{
    const archai_message other = {.type = ARCHAI_MSG_PRUNE, .id = 4}, prune = {.type = ARCHAI_MSG_PRUNE, .id = 7};
    archai_evaluator_client c = ARCHAI_EVALUATOR_CLIENT_INIT;
    int data_fd = load_data(false);
    archai_message m;

    (void)state;
    start(&c, data_fd, 16, "[search]\nprune = median\n[space]\nname = cnn\n[train]\nbatch_size = 32\n");
    expect(&c, ARCHAI_MSG_READY);
    send_work(&c, 7, arch, 10000);
    send_request(&c, &other);
    m = receive(&c);
    assert_int_equal(m.type, ARCHAI_MSG_PROGRESS);
    assert_true(m.by_epoch && m.at == 1 && m.epochs == 10000);
    assert_true(measure(&m, "val_accuracy") > 0 && measure(&m, "train_loss") > 0);
    archai_message_fini(&m);
    send_request(&c, &prune);
    m = last_reply(&c);
    assert_int_equal(m.type, ARCHAI_MSG_MEASURED);
    assert_int_equal(m.evaluation->status, ARCHAI_STATUS_PRUNED);
    assert_true(m.evaluation->curves[0].n >= 1 && m.evaluation->curves[0].n < 10000);
    assert_true(measure(&m, "val_accuracy") > 0 && measure(&m, "params") == 732 && isnan(measure(&m, "test_accuracy")));
    assert_int_equal(m.evaluation->n_tensors, 0);
    archai_message_fini(&m);
    send_request(&c, &prune);
    send_work(&c, 8, arch, 2);
    m = measured(&c, 8, 2);
    assert_int_equal(m.evaluation->status, ARCHAI_STATUS_OK);
    assert_int_equal(m.evaluation->curves[0].n, 2);
    archai_message_fini(&m);
    archai_evaluator_client_close(&c);
    (void)close(data_fd);
}

/* A learning rate of 1000: the loss is soon not a number. */
static void a_loss_that_is_not_a_number_is_a_failure(void **state)
{
    archai_evaluator_client c = ARCHAI_EVALUATOR_CLIENT_INIT;
    int data_fd = load_data(false);
    archai_message m;

    (void)state;
    start(&c, data_fd, 16,
          "[space]\nname = cnn\n[train]\nepochs = 50\nbatch_size = 32\noptimizer = sgd\n"
          "learning_rate = 1000\nweight_decay = 1000\nlearning_rate_schedule = constant\n");
    expect(&c, ARCHAI_MSG_READY);
    send_work(&c, 3, arch, 0);
    m = last_reply(&c);
    assert_int_equal(m.type, ARCHAI_MSG_FAILED);
    assert_int_equal(m.id, 3);
    assert_int_equal(m.code, ARCHAI_ETORCH);
    if (strstr(m.text, "_loss is NaN after epoch ") == NULL &&
        strstr(m.text, "_loss is infinite after epoch ") == NULL)
        fail_msg("it says: %s", m.text);
    archai_message_fini(&m);
    archai_evaluator_client_close(&c);
    (void)close(data_fd);
}

/* Per-pixel labels: accuracy of pixels and mean intersection over union. */
static void masks_are_measured_by_pixel(void **state)
{
    archai_evaluator_client c = ARCHAI_EVALUATOR_CLIENT_INIT;
    int data_fd = load_data(true);
    archai_message m;

    (void)state;
    start(&c, data_fd, 32,
          "[space]\nname = segmentation_dag\nnb_classes = 4\nimg_size = 32 32\nmax_layers = 2\n"
          "max_base_channels = 16\nmax_scale = 4\n[train]\nepochs = 3\nlearning_rate = 1e-2\n");
    expect(&c, ARCHAI_MSG_READY);
    send_work(&c, 9,
              "{\"post_upsample_layers\": 1, \"channels_per_scale\": {\"base_channels\": 8, "
              "\"delta_channels\": 8}, \"architecture\": [{\"name\": \"input\", \"op\": \"conv3x3\", "
              "\"inputs\": null, \"scale\": 1}, {\"name\": \"output\", \"op\": null, \"inputs\": "
              "[\"input\"], \"scale\": 1}]}",
              0);
    m = measured(&c, 9, 3);
    assert_int_equal(m.evaluation->n_curves, 5);
    assert_true(measure(&m, "val_miou") > 0 && measure(&m, "val_miou") < 1);
    assert_true(measure(&m, "val_accuracy") > measure(&m, "val_miou"));
    assert_true(m.evaluation->curves[0].values[2] < m.evaluation->curves[0].values[0]);
    archai_message_fini(&m);
    archai_evaluator_client_close(&c);
    (void)close(data_fd);
}

static void sigterm_gives_the_candidate_back(void **state)
{
    archai_evaluator_client c = ARCHAI_EVALUATOR_CLIENT_INIT;
    int data_fd = load_data(false);
    archai_message m;

    (void)state;
    start(&c, data_fd, 16, train_config);
    expect(&c, ARCHAI_MSG_READY);
    send_work(&c, 7, arch, 10000);
    m = receive(&c);
    assert_int_equal(m.type, ARCHAI_MSG_PROGRESS); /* it trains */
    archai_message_fini(&m);
    assert_int_equal(kill(c.peer.child.program, SIGTERM), 0);
    m = last_reply(&c);
    assert_int_equal(m.type, ARCHAI_MSG_RETURNED);
    assert_int_equal(m.id, 7);
    archai_message_fini(&m);
    /* ... and ends, well. */
    assert_int_equal(archai_peer_wait(&c.peer, &m, limit_s, NULL), ARCHAI_ECHILD);
    assert_true(WIFEXITED(c.peer.child.status) && WEXITSTATUS(c.peer.child.status) == 0);
    archai_evaluator_client_close(&c);
    (void)close(data_fd);
}

static void refuses_to_open_what_it_cannot(void **state)
{
    static const char *const bad[] = {"[space]\nname = nowhere\n", "[space]\nname = cnn\n[train]\nepochs = x\n",
                                      "no configuration"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        archai_evaluator_client c = ARCHAI_EVALUATOR_CLIENT_INIT;
        archai_message m;

        start(&c, -1, 0, bad[i]);
        m = receive(&c);
        assert_int_equal(m.type, ARCHAI_MSG_FAILED);
        assert_int_equal(m.id, -1);
        archai_message_fini(&m);
        archai_evaluator_client_close(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_learns_and_repeats_itself),
        cmocka_unit_test(a_bad_candidate_costs_itself_alone),
        cmocka_unit_test(a_drain_that_came_with_the_candidate_stops_it),
        cmocka_unit_test(a_pruned_candidate_ends_early),
        cmocka_unit_test(a_loss_that_is_not_a_number_is_a_failure),
        cmocka_unit_test(masks_are_measured_by_pixel),
        cmocka_unit_test(sigterm_gives_the_candidate_back),
        cmocka_unit_test(refuses_to_open_what_it_cannot),
    };

    return cmocka_run_group_tests_name("evaluator", tests, NULL, NULL);
}
