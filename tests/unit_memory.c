/* How much memory is left: by the control groups of made-up machines, and by a limit of this process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "io/file/memory.h"
#include "tmpdir.h"

/* A file below the root, and the directories that lead to it. */
static void put(const char *root, const char *name, const char *text)
{
    char *path = archai_printf("%s/%s", root, name);
    FILE *f;

    for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        (void)mkdir(path, 0700);
        *slash = '/';
    }
    f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0 && fclose(f) == 0);
    free(path);
}

static archai_memory look(const char *root)
{
    archai_memory m;

    archai_memory_look_below(root, &m);
    return m;
}

static void the_machine_alone(void **state)
{
    archai_memory m = look(*state);

    assert_true(isinf(m.free) && isinf(m.limit)); /* nothing is known */
    put(*state, "proc/meminfo", "MemTotal:       1000 kB\nMemFree: 1 kB\nMemAvailable:    600 kB\n");
    m = look(*state);
    assert_true(m.limit == 1024000 && m.free == 614400);
    assert_string_equal(m.free_by, "this machine");
}

/* v2: the group itself has no limit, the one above it has; page cache counts as free, tmpfs does not. */
static void groups_of_version_2(void **state)
{
    archai_memory m;

    put(*state, "proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 600 kB\n");
    put(*state, "proc/self/cgroup", "0::/slurm/job/step\n");
    put(*state, "proc/self/mountinfo", "30 23 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw\n");
    put(*state, "sys/fs/cgroup/slurm/job/step/memory.max", "max\n");
    put(*state, "sys/fs/cgroup/slurm/job/step/memory.current", "1000\n");
    put(*state, "sys/fs/cgroup/slurm/job/memory.max", "200000\n");
    put(*state, "sys/fs/cgroup/slurm/job/memory.current", "150000\n");
    put(*state, "sys/fs/cgroup/slurm/job/memory.stat",
        "anon 10000\nfile 90000\nshmem 20000\ninactive_file 50000\nactive_file 20000\n");
    m = look(*state);
    assert_true(m.limit == 200000 && m.free == 200000 - (150000 - 70000));
    assert_string_equal(m.free_by, "the control group");
    put(*state, "sys/fs/cgroup/slurm/job/step/memory.max", "1500\n");
    m = look(*state);
    assert_true(m.limit == 1500 && m.free == 500);
    put(*state, "sys/fs/cgroup/slurm/job/step/memory.current", "2000\n");
    assert_true(look(*state).free == 0);
}

/* v1 beside an empty v2, in a container that sees its part of the hierarchy alone. */
static void groups_of_version_1(void **state)
{
    archai_memory m;

    put(*state, "proc/self/cgroup", "4:cpu,memory:/docker/abc/inner\n1:name=systemd:/\n0::/\n");
    put(*state, "proc/self/mountinfo",
        "31 23 0:27 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,cpu,memory\n"
        "32 23 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
    put(*state, "sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    put(*state, "sys/fs/cgroup/memory/memory.usage_in_bytes", "5000\n");
    put(*state, "sys/fs/cgroup/memory/inner/memory.limit_in_bytes", "7000\n");
    put(*state, "sys/fs/cgroup/memory/inner/memory.usage_in_bytes", "4000\n");
    put(*state, "sys/fs/cgroup/memory/inner/memory.stat",
        "inactive_file 1\nactive_file 1\ntotal_inactive_file 900\ntotal_active_file 100\n");
    m = look(*state);
    assert_true(m.limit == 7000 && m.free == 4000);
    put(*state, "sys/fs/cgroup/memory/memory.limit_in_bytes", "5500\n");
    assert_true(look(*state).free == 500);
}

/* In a child, whose limit stays its own: both numbers are said. */
static void what_is_too_much_is_refused(void **state)
{
    const pid_t pid = fork();
    int status;

    (void)state;
#ifdef __SANITIZE_ADDRESS__
    print_message("not tried: the sanitizer's own memory is beyond every RLIMIT_DATA\n");
    if (pid == 0)
        _exit(0);
#endif
    if (pid == 0) {
        const struct rlimit limit = {(rlim_t)1 << 30, (rlim_t)1 << 30};
        archai_err err = ARCHAI_ERR_INIT;
        archai_memory m;
        bool ok = setrlimit(RLIMIT_DATA, &limit) == 0;

        archai_memory_look(true, &m);
        ok = ok && (m.free > 0x1p30 || strcmp(m.free_by, "RLIMIT_DATA") != 0);
        ok = ok && archai_memory_check("a model", 1e6, &err) == ARCHAI_OK;
        ok = ok && archai_memory_check("a model", 0x1p31, &err) == ARCHAI_EINVAL;
        ok = ok && strstr(err.text, "a model needs 2 GiB of memory, but RLIMIT_DATA leaves ") != NULL;
        _exit(ok ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_machine_alone, tmpdir_setup, tmpdir_teardown),
        cmocka_unit_test_setup_teardown(groups_of_version_2, tmpdir_setup, tmpdir_teardown),
        cmocka_unit_test_setup_teardown(groups_of_version_1, tmpdir_setup, tmpdir_teardown),
        cmocka_unit_test(what_is_too_much_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
