/* How many threads an evaluator gets: affinities that are shared, CPU quotas of cgroups, OMP_THREAD_LIMIT. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "runner/process/cores.h"
#include "tmpdir.h"

/* -- sharing ------------------------------------------------------------------------------- */

static archai_cores bound(int first, int last)
{
    archai_cores c = {.evaluates = 1};

    for (int i = first; i <= last; i++)
        c.mask[i / 64] |= UINT64_C(1) << (i % 64);
    return c;
}

static archai_cores under(archai_cores c, uint64_t inode, double cores)
{
    c.quotas[c.n_quotas++] = (archai_quota){.device = 7, .inode = inode, .cores = cores};
    return c;
}

static void cores_of_several_are_shared_out(void **state)
{
    archai_cores two[] = {bound(0, 1), bound(0, 1)}, apart[] = {bound(0, 3), bound(4, 7)};
    archai_cores mixed[] = {bound(0, 7), bound(0, 3), bound(0, 3)}, thirds[] = {bound(0, 2), bound(0, 2), bound(0, 2)};
    archai_cores wide[] = {bound(60, 130), bound(0, 1)}, unknown[] = {{.evaluates = 1}, {.evaluates = 1}};

    (void)state;
    assert_int_equal(archai_cores_share(&two[0], two, 2, 64), 1);
    assert_int_equal(archai_cores_share(&two[0], two, 1, 64), 2);
    assert_int_equal(archai_cores_share(&apart[0], apart, 2, 8), 4);
    assert_int_equal(archai_cores_share(&apart[0], apart, 2, 4), 2); /* no more than the node has for each */
    assert_int_equal(archai_cores_share(&mixed[0], mixed, 3, 64), 5); /* 4 alone, a third of 4 */
    assert_int_equal(archai_cores_share(&mixed[1], mixed, 3, 64), 1);
    assert_int_equal(archai_cores_share(&thirds[0], thirds, 3, 3), 1);
    assert_int_equal(archai_cores_share(&wide[0], wide, 2, 1000), 71);
    assert_int_equal(archai_cores_share(&unknown[0], unknown, 2, 8), 4);
    assert_int_equal(archai_cores_share(&unknown[0], unknown, 2, 0) >= 1, 1);
    two[1].evaluates = 0; /* rank 0 without a worker slot */
    assert_int_equal(archai_cores_share(&two[0], two, 2, 64), 2);
}

static void quotas_are_shared_by_those_below_them(void **state)
{
    /* each its own 3 cores, together 4 */
    archai_cores two[] = {under(under(bound(0, 31), 1, 3), 9, 4), under(under(bound(0, 31), 2, 3), 9, 4)};
    archai_cores one[] = {under(bound(0, 31), 1, 2.5), bound(0, 31)}, little[] = {under(bound(0, 31), 1, 0.2)};

    (void)state;
    assert_int_equal(archai_cores_share(&two[0], two, 2, 32), 2);
    assert_int_equal(archai_cores_share(&two[0], two, 1, 32), 3);
    assert_int_equal(archai_cores_share(&one[0], one, 2, 32), 2);
    assert_int_equal(archai_cores_share(&one[1], one, 2, 32), 16);
    assert_int_equal(archai_cores_share(&little[0], little, 1, 32), 1);
    two[1].quotas[1].device = 8; /* another file system's folder with that number */
    assert_int_equal(archai_cores_share(&two[0], two, 2, 32), 3);
}

static void openmp_limits_threads(void **state)
{
    static const struct {
        const char *text;
        int limit;
    } cases[] = {{"3", 3},     {" 2 ", 2},    {"1", 1},           {"0", INT_MAX}, {"-4", INT_MAX},
                 {"", INT_MAX}, {"two", INT_MAX}, {"99999999999999999999", INT_MAX}, {"4x", INT_MAX}};
    const archai_cores one = bound(0, 7);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(setenv("OMP_THREAD_LIMIT", cases[i].text, 1), 0);
        assert_int_equal(archai_thread_limit(), cases[i].limit);
        assert_int_equal(archai_cores_share(&one, &one, 1, 8), cases[i].limit < 8 ? cases[i].limit : 8);
    }
    assert_int_equal(unsetenv("OMP_THREAD_LIMIT"), 0);
    assert_int_equal(archai_thread_limit(), INT_MAX);
}

/* -- reading ------------------------------------------------------------------------------- */

/* A file with all folders above it. */
static void put(const char *root, const char *path, const char *text)
{
    char whole[4096];
    FILE *f;

    (void)snprintf(whole, sizeof whole, "%s%s", root, path);
    for (char *c = whole + strlen(root) + 1; *c != '\0'; c++)
        if (*c == '/') {
            *c = '\0';
            (void)mkdir(whole, 0700);
            *c = '/';
        }
    f = fopen(whole, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void quotas_of_v2_are_read_up_to_the_mount(void **state)
{
    const char *root = *state;
    archai_cores c;

    put(root, "/proc/self/cgroup", "0::/jobs/42/step\n");
    put(root, "/proc/self/mountinfo", "20 1 0:5 / /proc rw - proc proc rw\n"
                                      "31 20 0:28 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n");
    put(root, "/sys/fs/cgroup/cpu.max", "max 100000\n");
    put(root, "/sys/fs/cgroup/jobs/cpu.max", "800000 100000\n");
    put(root, "/sys/fs/cgroup/jobs/42/cpu.max", "150000 50000\n");
    put(root, "/sys/fs/cgroup/jobs/42/step/cpu.max", "max 100000\n");
    archai_cores_read(&c, true, root);
    assert_int_equal(c.n_quotas, 2);
    assert_true(c.quotas[0].cores == 3 && c.quotas[1].cores == 8);
    assert_true(c.quotas[0].inode != c.quotas[1].inode);
    assert_int_equal(c.evaluates, 1);
    assert_int_equal(archai_cores_share(&c, &c, 1, 1) >= 1, 1);
}

static void quotas_of_v1_are_read(void **state)
{
    const char *root = *state;
    archai_cores c;

    put(root, "/proc/self/cgroup", "5:cpuset:/elsewhere\n4:cpu,cpuacct:/docker/abc\n0::/unified\n");
    put(root, "/proc/self/mountinfo",
        "40 31 0:30 /docker/abc /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
        "41 31 0:31 /docker/abc /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n");
    put(root, "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "250000\n");
    put(root, "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
    put(root, "/sys/fs/cgroup/cpuset/cpu.cfs_quota_us", "1\n"); /* of another hierarchy */
    put(root, "/sys/fs/cgroup/cpuset/cpu.cfs_period_us", "1\n");
    archai_cores_read(&c, true, root);
    assert_int_equal(c.n_quotas, 1);
    assert_true(c.quotas[0].cores == 2.5);
    put(root, "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n"); /* none */
    archai_cores_read(&c, false, root);
    assert_int_equal(c.n_quotas, 0);
    assert_int_equal(c.evaluates, 0);
}

/* In a container the folder may lie outside of what is mounted. */
static void a_cgroup_that_is_not_mounted_counts_as_what_is(void **state)
{
    const char *root = *state;
    archai_cores c;

    put(root, "/proc/self/cgroup", "0::/../../host/slice\n");
    put(root, "/proc/self/mountinfo", "31 20 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    put(root, "/sys/fs/cgroup/cpu.max", "100000 100000\n");
    archai_cores_read(&c, true, root);
    assert_int_equal(c.n_quotas, 1);
    assert_true(c.quotas[0].cores == 1);
    put(root, "/proc/self/cgroup", "0::/kubepods/pod1\n");
    put(root, "/proc/self/mountinfo", "31 20 0:28 /kubepods /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    put(root, "/sys/fs/cgroup/pod1/cpu.max", "50000 100000\n");
    archai_cores_read(&c, true, root);
    assert_int_equal(c.n_quotas, 2);
    put(root, "/proc/self/mountinfo", "nonsense\n31 20 0:28 / /sys - \n\n");
    archai_cores_read(&c, true, root);
    assert_int_equal(c.n_quotas, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cores_of_several_are_shared_out),
        cmocka_unit_test(quotas_are_shared_by_those_below_them),
        cmocka_unit_test(openmp_limits_threads),
        cmocka_unit_test_setup_teardown(quotas_of_v2_are_read_up_to_the_mount, tmpdir_setup, tmpdir_teardown),
        cmocka_unit_test_setup_teardown(quotas_of_v1_are_read, tmpdir_setup, tmpdir_teardown),
        cmocka_unit_test_setup_teardown(a_cgroup_that_is_not_mounted_counts_as_what_is, tmpdir_setup, tmpdir_teardown),
    };

    (void)unsetenv("OMP_THREAD_LIMIT");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
