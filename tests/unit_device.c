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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(visible_devices_give, start, tmpdir_teardown),
        cmocka_unit_test_setup_teardown(schedulers_give, start, tmpdir_teardown),
        cmocka_unit_test_setup_teardown(gpus_that_merely_exist_were_not_given, start, tmpdir_teardown),
        cmocka_unit_test_setup_teardown(gpus_are_dealt_round, start, tmpdir_teardown),
        cmocka_unit_test_setup_teardown(workers_on_one_gpu_are_told_by_its_uuid, start, tmpdir_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
