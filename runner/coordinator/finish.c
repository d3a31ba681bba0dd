#include "runner/coordinator/finish.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/alloc.h"
#include "core/base/yaml.h"
#include "core/search/parameters.h"
#include "io/file/checkpoint.h"
#include "runner/process/child.h"
#include "runner/process/clock.h"
#include "runner/process/watch/vitals.h"
#include "runner/rank/signals.h"

enum { FRONT_LINES = 12, WHOLE_MAX = 24, SHORT_MIN = 8 };

/* In a process of its own, since HDF5 may crash on a file that a bad disk has damaged, and a million rows take memory
 * that rank 0 does not need otherwise. */
int archai_finish_inspect(const char *directory, const char *command, int stops, char *said, size_t size,
                          archai_err *err)
{
    archai_child child = ARCHAI_CHILD_INIT;
    char *argv[] = {(char *)"archai-inspect", (char *)"--", (char *)(uintptr_t)directory,
                    (char *)(uintptr_t)command, NULL};
    const archai_child_spec spec = {.argv = argv};
    const struct timespec pause = {.tv_nsec = 2000000};
    const int signals = archai_signals_count();
    archai_vitals vitals;
    char how[512];
    int rc = archai_child_start(&child, &spec, err);

    archai_vitals_reset(&vitals);
    while (rc == ARCHAI_OK && !archai_child_poll(&child)) {
        if (archai_signals_count() - signals + stops > 1) {
            rc = archai_fail(err, ARCHAI_EINTR, "stopped by a second signal");
        } else if (archai_vitals_hung(&vitals, child.program)) {
            archai_vitals_describe(&vitals, how, sizeof how);
            rc = archai_fail(err, ARCHAI_ETIMEOUT, "archai-inspect %s and is given up", how);
        } else {
            (void)nanosleep(&pause, NULL);
        }
    }
    archai_child_describe(&child, how, sizeof how);
    if (rc == ARCHAI_OK && child.status != 0)
        rc = archai_fail(err, ARCHAI_ECHILD, "archai-inspect %s", how);
    if (said != NULL)
        (void)snprintf(said, size, "%s", strchr(how, ':') != NULL ? strchr(how, ':') + 2 : "");
    archai_child_close(&child);
    return rc;
}

static void make_report(const archai_coordinator *c)
{
    archai_err err = ARCHAI_ERR_INIT;

    if (c->plan->config.output.report && c->stops < 2 &&
        archai_finish_inspect(c->dir->path, "report", c->stops, NULL, 0, &err) != ARCHAI_OK)
        archai_runlog_say(c->log, 0, "report.html: %s", err.text);
}

/* -- the front as a table ------------------------------------------------------------------ */

typedef struct sorter {
    const archai_search *search;
    size_t objective; /* first optimised one */
    double sign;
} sorter;

static int compare_members(const void *a, const void *b, void *payload)
{
    const sorter *s = payload;
    const archai_record *x = &s->search->records[*(const int64_t *)a];
    const archai_record *y = &s->search->records[*(const int64_t *)b];
    const double u = s->sign * x->values[s->objective], v = s->sign * y->values[s->objective];

    return u < v ? -1 : u > v;
}

/* A long archid, a hash, is cut where it still tells the members apart; archai-inspect takes the beginning. */
static int archid_width(const archai_search *s, const int64_t *members, size_t n)
{
    size_t width = strlen("archid"), needed = SHORT_MIN;

    for (size_t i = 0; i < n; i++) {
        const size_t len = strlen(s->records[members[i]].archid);

        width = len > width ? len : width;
    }
    if (width <= WHOLE_MAX)
        return (int)width;
    for (size_t i = 0; i < s->n_records; i++) /* of all, so that the beginning names just one */
        for (size_t k = 0; k < n; k++) {
            const char *one = s->records[i].archid, *other = s->records[members[k]].archid;
            size_t same = 0;

            while (one[same] != '\0' && one[same] == other[same])
                same++;
            if ((one[same] != '\0' || other[same] != '\0') && same + 1 > needed)
                needed = same + 1;
        }
    return (int)(needed < width ? needed : width);
}

/* The parameters that are not the same in all rows that are shown. */
typedef struct listing {
    json_t **of; /* [n] objects: name to value; owned */
    size_t n;
} listing;

static void take_parameter(void *payload, const char *name, const json_t *value)
{
    (void)json_object_set(payload, name, (json_t *)(uintptr_t)value);
}

static void list_parameters(const archai_search *s, const int64_t *members, listing *l)
{
    for (size_t i = 0; i < l->n; i++) {
        const char *text = s->records[members[i]].arch;
        json_t *arch = NULL;

        l->of[i] = archai_there(json_object());
        if (text != NULL && archai_document_parse(text, strlen(text), &arch, NULL) == ARCHAI_OK)
            archai_parameters_walk(arch, take_parameter, l->of[i]);
        json_decref(arch);
    }
}

static bool differs(const listing *l, const char *name)
{
    for (size_t i = 1; i < l->n; i++)
        if (!json_equal(json_object_get(l->of[i], name), json_object_get(l->of[0], name)) &&
            (json_object_get(l->of[i], name) != NULL || json_object_get(l->of[0], name) != NULL))
            return true;
    return l->n == 1;
}

static void print_parameters(const listing *l, size_t at)
{
    const char *name;
    json_t *value;
    const char *sep = "  ";

    json_object_foreach(l->of[at], name, value)
    {
        char *text;

        if (!differs(l, name))
            continue;
        text = archai_parameter_text(value);
        (void)printf("%s%s=%s", sep, name, text);
        sep = ", ";
        free(text);
    }
}

static void print_front(const archai_search *s)
{
    const archai_objectives *o = s->objectives;
    const size_t n = s->front.n;
    const size_t shown = n < FRONT_LINES ? n : FRONT_LINES;
    int64_t *members = archai_malloc((n + 1) * sizeof *members);
    listing params = {.n = shown};
    sorter by = {.search = s};
    int width;

    if (n == 0) {
        free(members);
        return;
    }
    while (o->at[by.objective].direction == ARCHAI_CONSTRAIN)
        by.objective++;
    by.sign = o->at[by.objective].direction == ARCHAI_MAXIMIZE ? -1 : 1;
    memcpy(members, s->front.tags, n * sizeof *members);
    qsort_r(members, n, sizeof *members, compare_members, &by);
    width = archid_width(s, members, shown);
    params.of = archai_calloc(shown, sizeof(json_t *));
    list_parameters(s, members, &params);
    (void)printf("\n%-*s", width, "archid");
    for (size_t k = 0; k < o->n; k++)
        if (o->at[k].direction != ARCHAI_CONSTRAIN)
            (void)printf("  %14.14s", o->at[k].name);
    (void)printf("  parameters\n");
    for (size_t i = 0; i < shown; i++) {
        const archai_record *r = &s->records[members[i]];

        (void)printf("%-*.*s", width, width, r->archid);
        for (size_t k = 0; k < o->n; k++)
            if (o->at[k].direction != ARCHAI_CONSTRAIN)
                (void)printf("  %14.8g", r->values[k]);
        print_parameters(&params, i);
        (void)printf("\n");
    }
    if (n > shown)
        (void)printf("... and %zu more on the front\n", n - shown);
    for (size_t i = 0; i < shown; i++)
        json_decref(params.of[i]);
    free(params.of);
    free(members);
}

/* Quoted so that a shell takes it for one word. */
static void print_word(const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
    bool quoted = false;

    for (const char *c = text; *c != '\0'; c++)
        quoted = quoted || ((unsigned char)*c < 0x80 && strchr(plain, *c) == NULL);
    if (!quoted) {
        (void)fputs(text, stdout);
        return;
    }
    (void)putchar('\'');
    for (const char *c = text; *c != '\0'; c++)
        if (*c == '\'')
            (void)fputs("'\\''", stdout);
        else
            (void)putchar(*c);
    (void)putchar('\'');
}

/* A command that can be copied as it is: archai-inspect is beside this program, and a path may contain
 * blanks. */
static void print_look(const char *label, const char *dir, const char *command)
{
    const char *slash = strrchr(program_invocation_name, '/');
    char program[PATH_MAX];

    (void)snprintf(program, sizeof program, "%.*sarchai-inspect",
                   slash != NULL ? (int)(slash + 1 - program_invocation_name) : 0,
                   program_invocation_name);
    (void)printf("%-11s", label);
    print_word(program);
    (void)putchar(' ');
    print_word(dir);
    (void)printf(" %s\n", command);
}

static void print_next(const archai_coordinator *c, int exit_code)
{
    const char *dir = c->dir->path;

    (void)printf("\nresults    %s/results.h5\n", dir);
    if (c->plan->config.output.report)
        (void)printf("report     %s/report.html\n", dir);
    print_look("look", dir, "summary");
    if (c->plan->search.front.n > 0)
        print_look("", dir, "pareto");
    if (exit_code != 0 && strcmp(c->outcome.state, "complete") != 0)
        (void)printf("go on      the same command with --resume\n");
}

/* ", 12 pruned"; "": none. */
static void describe_pruned(const archai_search *s, char *out, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n_records; i++)
        n += s->records[i].status == ARCHAI_STATUS_PRUNED;
    out[0] = '\0';
    if (n > 0)
        (void)snprintf(out, size, ", %zu pruned", n);
}

void archai_finish(archai_coordinator *c, int exit_code)
{
    archai_err err = ARCHAI_ERR_INIT;
    char pruned[32];

    if (c->comm != NULL && c->phase == ARCHAI_PHASE_OVER) {
        archai_progress_clear(&c->progress);
        if (c->index.refreshes > 0)
            make_report(c);
        describe_pruned(&c->plan->search, pruned, sizeof pruned);
        (void)printf("%s %s %.1f s, %lld failed%s, %zu on the front, workers %.0f %% busy\n",
                     c->outcome.why, strcmp(c->outcome.state, "complete") == 0 ? "in" : "after", archai_clock_s() - c->began, (long long)c->n_failed, pruned,
                     c->plan->search.front.n, 100 * c->busy);
        print_front(&c->plan->search);
        print_next(c, exit_code);
        (void)fflush(stdout);
        archai_runlog_note(c->log, 0, "exit code %d, state %s, %lld failed, workers %.1f %% busy",
                           exit_code, c->outcome.state, (long long)c->n_failed, 100 * c->busy);
    }
    if (exit_code == 0 || (c->outcome.state != NULL && strcmp(c->outcome.state, "complete") == 0)) /* an earlier start may have left some */
        archai_checkpoints_sweep(c->dir->path, false);
    if (archai_rundir_finish(c->dir, exit_code, &err) != ARCHAI_OK)
        (void)fprintf(stderr, "archai-run: %s\n", err.text);
}
