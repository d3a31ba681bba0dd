/* Which GPUs a job was given, by whom, and how they are dealt out: with variables and folders of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "runner/evaluator/device.h"
#include "runner/measure/measures.h"
#include "tmpdir.h"

static const char *const variables[] = {"CUDA_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL", "SLURM_STEP_GPUS", "SLURM_JOB_GPUS",
                                        "SLURM_GPUS_ON_NODE",   "PBS_GPUFILE",        "SGE_HGR_gpu",     "SGE_HGR_cuda"};

static int start(void **state)
{
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
        (void)unsetenv(variables[i]);
    return tmpdir_setup(state);
}

static void make_folder(const char *root, const char *path)
{
    char whole[4096];

    (void)snprintf(whole, sizeof whole, "%s%s", root, path);
    for (char *c = whole + strlen(root) + 1; *c != '\0'; c++)
        if (*c == '/') {
            *c = '\0';
            (void)mkdir(whole, 0700);
            *c = '/';
        }
    (void)mkdir(whole, 0700);
}

/* As NVIDIA's driver lists them. */
static void make_gpus(const char *root, int n)
{
    char path[64];

    for (int i = 0; i < n; i++) {
        (void)snprintf(path, sizeof path, "/proc/driver/nvidia/gpus/0000:%02d:00.0", i);
        make_folder(root, path);
    }
}

/* "0 2 3", and who gave them. */
static void expect(const char *root, const char *list, const char *given_by)
{
    archai_gpus g;
    char text[512] = "";

    archai_gpus_find(&g, root);
    for (size_t i = 0; i < g.n; i++)
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i > 0 ? " " : "", g.at[i]);
    assert_string_equal(text, list);
    if (given_by == NULL)
        assert_null(g.given_by);
    else {
        assert_non_null(g.given_by);
        assert_memory_equal(g.given_by, given_by, strlen(given_by));
    }
    archai_gpus_free(&g);
    archai_gpus_free(&g);
}

static void visible_devices_give(void **state)
{
    static const struct {
        const char *value, *list;
    } cases[] = {
        {"0,1,2,3", "0 1 2 3"},
        {"2", "2"},
        {" 1 , 0 ", "1 0"},
        {"GPU-5c8,MIG-1/2/3", "GPU-5c8 MIG-1/2/3"},
        {"MIG-GPU-8b1/7/0,MIG-22d5", "MIG-GPU-8b1/7/0 MIG-22d5"},
        {"0,-1,1", "0"},
        {"", ""},
        {"-1", ""},
        {"NoDevFiles", ""},
        {"none", ""},
    };

    make_gpus(*state, 8);
    (void)setenv("SLURM_JOB_GPUS", "5", 1); /* it has the last word */
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        (void)setenv("CUDA_VISIBLE_DEVICES", cases[i].value, 1);
        expect(*state, cases[i].list, cases[i].list[0] != '\0' ? "CUDA_VISIBLE_DEVICES=" : NULL);
    }
}

static void schedulers_give(void **state)
{
    static const struct {
        const char *name, *value, *list;
    } cases[] = {
        {"SLURM_JOB_GPUS", "0,2-3", "0 2 3"},
        {"SLURM_STEP_GPUS", "1", "1"},
        {"SLURM_GPUS_ON_NODE", "2", "0 1"},
        {"GPU_DEVICE_ORDINAL", "0,1", "0 1"},
        {"SGE_HGR_gpu", "gpu1 gpu3", "1 3"},
        {"SGE_HGR_cuda", "0 1", "0 1"},
    };
    char path[4096];
    FILE *f;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        (void)setenv(cases[i].name, cases[i].value, 1);
        expect(*state, cases[i].list, cases[i].name);
        (void)unsetenv(cases[i].name);
    }
    (void)setenv("SLURM_GPUS_ON_NODE", "0", 1);
    (void)setenv("SLURM_JOB_GPUS", "", 1);
    expect(*state, "", NULL);
    (void)snprintf(path, sizeof path, "%s/gpufile", (const char *)*state);
    f = fopen(path, "w");
    assert_non_null(f);
    (void)fputs("node7-gpu1\nnode7-gpu0\n", f);
    (void)fclose(f);
    (void)setenv("PBS_GPUFILE", path, 1);
    expect(*state, "1 0", "PBS_GPUFILE");
}

static void gpus_that_merely_exist_were_not_given(void **state)
{
    expect(*state, "", NULL);
    make_gpus(*state, 2);
    expect(*state, "0 1", NULL);
}

/* -- choosing ------------------------------------------------------------------------------ */

static void choose(const char *visible, int device, int64_t together, int place, const char *kind, const char *gpu,
                   bool given)
{
    archai_config config = {.evaluator = {.device = device, .workers_per_device = together}};
    archai_gpus g;
    archai_device d;

    if (visible != NULL)
        (void)setenv("CUDA_VISIBLE_DEVICES", visible, 1);
    else
        (void)unsetenv("CUDA_VISIBLE_DEVICES");
    archai_gpus_find(&g, "/nowhere");
    archai_device_choose(&d, &g, &config, place);
    assert_string_equal(d.kind, kind);
    if (gpu == NULL)
        assert_null(d.gpu);
    else
        assert_string_equal(d.gpu, gpu);
    assert_int_equal(d.given_by != NULL, given);
    archai_gpus_free(&g);
    archai_device_free(&d);
}

static void gpus_are_dealt_round(void **state)
{
    (void)state;
    choose("0,1,2,3", ARCHAI_DEVICE_AUTO, 0, 0, "cuda", "0", true);
    choose("0,1,2,3", ARCHAI_DEVICE_AUTO, 0, 3, "cuda", "3", true);
    choose("0,1,2,3", ARCHAI_DEVICE_AUTO, 0, 5, "cuda", "1", true);
    choose("2", ARCHAI_DEVICE_AUTO, 0, 7, "cuda", "2", true);
    choose("GPU-5c8,MIG-1/2/3", ARCHAI_DEVICE_CUDA, 0, 1, "cuda", "MIG-1/2/3", true);
    choose("4,5", ARCHAI_DEVICE_AUTO, 2, 1, "cuda", "4", true);
    choose("4,5", ARCHAI_DEVICE_AUTO, 2, 2, "cuda", "5", true);
    choose("0", ARCHAI_DEVICE_CPU, 0, 0, "cpu", NULL, false);
    choose("", ARCHAI_DEVICE_AUTO, 0, 0, "cpu", NULL, false);
    choose("-1", ARCHAI_DEVICE_AUTO, 0, 0, "cpu", NULL, false);
    choose(NULL, ARCHAI_DEVICE_AUTO, 0, 0, "cpu", NULL, false);
    choose(NULL, ARCHAI_DEVICE_CUDA, 0, 0, "cuda", NULL, true);
    choose("", ARCHAI_DEVICE_CUDA, 0, 0, "cuda", NULL, true);
}

static uint64_t identity(const char *text, const char *gpu)
{
    archai_device d = {.kind = "cuda", .gpu = (char *)(uintptr_t)gpu};

    (void)snprintf(d.text, sizeof d.text, "%s", text);
    return archai_device_identity(&d);
}

static void workers_on_one_gpu_are_told_by_its_uuid(void **state)
{
    const archai_device cpu = {.kind = "cpu"};
    archai_gpus a = {.n = 0}, b = {.n = 0};

    (void)state;
    assert_true(archai_device_identity(&cpu) == 0);
    assert_true(identity("cuda:0 H, GPU-12", "0") == identity("cuda:3 H, GPU-12", "GPU-12"));
    assert_true(identity("cuda:0 H, GPU-12", "0") != identity("cuda:0 H, GPU-13", "0"));
    assert_true(identity("cuda:0 H, MIG-12", "0") != identity("cuda:0 H, MIG-13", "0"));
    assert_true(identity("cuda:0 H", "0") != identity("cuda:0 H", "1"));
    (void)setenv("CUDA_VISIBLE_DEVICES", "0,1", 1);
    archai_gpus_find(&a, "/nowhere");
    (void)setenv("CUDA_VISIBLE_DEVICES", "1,0", 1);
    archai_gpus_find(&b, "/nowhere");
    assert_true(archai_device_list(&a) == archai_device_list(&a));
    assert_true(archai_device_list(&a) != archai_device_list(&b));
    archai_gpus_free(&a);
    archai_gpus_free(&b);
}

/* What the machine lacks is said before anything starts: an objective that needs it is refused, a wish is noted. */
static void measures_that_cannot_be_taken_are_said(void **state)
{
    static const char head[] = "[objective.val_accuracy]\ndirection = maximize\n";
    static const struct {
        const char *more, *device, *refused, *noted;
        int gpus;
        bool meter;
    } cases[] = {
        {"[measure.fast]\nkind = latency_seconds\ndevice = cuda\n", "cpu", "measure.fast.device: cuda, but this machine has no GPU", NULL, 0, false},
        {"[measure.fast]\nkind = latency_seconds\ndevice = cuda\n", "cpu", NULL, NULL, 1, false},
        {"[measure.fast]\nkind = latency_seconds\ndevice = cuda\n", "cuda", NULL, NULL, 0, false},
        {"[measure.fast]\nkind = latency_seconds\ndevice = cpu\n", "cpu", NULL, NULL, 0, false},
        {"[measure.m]\nkind = peak_memory_bytes\ndevice = cuda\n", "cuda", "measure.m.device: cuda, but peak_memory_bytes is measured on CPUs only", NULL, 1, false},
        {"[measure.e]\nkind = energy_joules\n", "cpu", NULL, "ATTENTION: measure.e: no energy meter can be read (/sys/class", 0, false},
        {"[measure.e]\nkind = energy_joules\n", "cpu", NULL, NULL, 0, true},
        {"[measure.e]\nkind = energy_joules\n", "cuda", NULL, NULL, 0, false},
        {"[measure.e]\nkind = energy_joules\n[objective.e]\ndirection = minimize\n", "cpu", "measure.e.kind: energy_joules cannot be measured here", NULL, 0, false},
        {"[measure.e]\nkind = energy_joules\ndevice = cpu\n[objective.e]\ndirection = minimize\n", "cuda", "measure.e.kind: ", NULL, 0, false},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        archai_objectives objectives;
        archai_err err = ARCHAI_ERR_INIT;
        archai_ini ini = {0};
        char text[1024], path[4096], *notes = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&notes, &size);
        int rc;

        (void)snprintf(text, sizeof text, "%s%s", head, cases[i].more);
        assert_int_equal(archai_ini_parse(&ini, "t.ini", text, strlen(text), &err), ARCHAI_OK);
        assert_int_equal(archai_objectives_create(&objectives, &ini, &err), ARCHAI_OK);
        make_gpus(*state, cases[i].gpus);
        if (cases[i].meter) {
            FILE *f;

            make_folder(*state, "/sys/class/powercap/intel-rapl:0");
            (void)snprintf(path, sizeof path, "%s/sys/class/powercap/intel-rapl:0/energy_uj", (char *)*state);
            f = fopen(path, "w");
            assert_non_null(f);
            assert_int_equal(fclose(f), 0);
        }
        rc = archai_measures_check_here(&objectives, cases[i].device, *state, out, &err);
        assert_int_equal(fclose(out), 0);
        if ((rc != ARCHAI_OK) != (cases[i].refused != NULL) || (notes[0] != '\0') != (cases[i].noted != NULL) ||
            (cases[i].refused != NULL && strncmp(err.text, cases[i].refused, strlen(cases[i].refused)) != 0) ||
            (cases[i].noted != NULL && strncmp(notes, cases[i].noted, strlen(cases[i].noted)) != 0))
            fail_msg("case %zu: '%s' '%s'", i, err.text, notes);
        free(notes);
        archai_objectives_free(&objectives);
        archai_ini_free(&ini);
        assert_int_equal(tmpdir_remove(*state), 0);
        assert_int_equal(mkdir(*state, 0700), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(visible_devices_give, start, tmpdir_teardown),
        cmocka_unit_test_setup_teardown(schedulers_give, start, tmpdir_teardown),
        cmocka_unit_test_setup_teardown(gpus_that_merely_exist_were_not_given, start, tmpdir_teardown),
        cmocka_unit_test_setup_teardown(gpus_are_dealt_round, start, tmpdir_teardown),
        cmocka_unit_test_setup_teardown(workers_on_one_gpu_are_told_by_its_uuid, start, tmpdir_teardown),
        cmocka_unit_test_setup_teardown(measures_that_cannot_be_taken_are_said, start, tmpdir_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
