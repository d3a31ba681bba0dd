#include "runner/coordinator/progress.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/base/yaml.h"
#include "core/search/parameters.h"
#include "core/search/search.h"

static const double live_pause_s = 0.2, plain_pause_s = 30;
static const char *const modes[] = {"auto", "live", "plain", "none"};

int archai_progress_mode_from_name(const char *name)
{
    for (int i = 0; i < 4; i++)
        if (strcmp(name, modes[i]) == 0)
            return i;
    return -1;
}

/* The terminal at our own standard error or, where we are a rank, at our launcher's; the caller
 * closes it. -1: there is none. */
static int terminal(void)
{
    char path[64];
    int fd;

    if (isatty(STDERR_FILENO))
        return fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    (void)snprintf(path, sizeof path, "/proc/%ld/fd/2", (long)getppid());
    fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0 && !isatty(fd)) {
        (void)close(fd);
        fd = -1;
    }
    return fd;
}

static bool somebody_looks(void)
{
    int fd = terminal();

    if (fd >= 0)
        (void)close(fd);
    return fd >= 0;
}

/* How much of the line the terminal holds: one that wraps does not move but scrolls. Asked each
 * time, because windows are resized. */
static size_t room(size_t wanted)
{
    struct winsize size = {0};
    int fd = terminal();

    if (fd < 0)
        return wanted;
    if (ioctl(fd, TIOCGWINSZ, &size) != 0)
        size.ws_col = 0;
    (void)close(fd);
    return size.ws_col > 1 && wanted >= size.ws_col ? size.ws_col - 1U : wanted;
}

void archai_progress_init(archai_progress *p, archai_progress_mode mode)
{
    memset(p, 0, sizeof *p);
    if (mode == ARCHAI_PROGRESS_AUTO)
        mode = somebody_looks() ? ARCHAI_PROGRESS_LIVE : ARCHAI_PROGRESS_PLAIN;
    p->mode = mode;
    p->next_s = mode == ARCHAI_PROGRESS_LIVE ? 0 : plain_pause_s;
}

static void duration(double s, char out[32])
{
    if (s < 90)
        (void)snprintf(out, 32, "%.0fs", s);
    else if (s < 5400)
        (void)snprintf(out, 32, "%.0fm", s / 60);
    else if (s < 48 * 3600)
        (void)snprintf(out, 32, "%.1fh", s / 3600);
    else
        (void)snprintf(out, 32, "%.1fd", s / 86400);
}

/* By the rate of this start so far, and never longer than max_time allows; NaN: cannot be told. */
static double left_s(const archai_progress_facts *f)
{
    double finished = (double)(f->done - f->done_before);
    double by_rate = f->total > 0 && finished > 0
                         ? f->elapsed_s / finished * (double)(f->total - f->done)
                         : NAN;

    if (isinf(f->limit_s))
        return by_rate;
    return fmin(by_rate, fmax(0, f->limit_s - f->elapsed_s)); /* fmin passes a NaN by */
}

enum { PARAMETERS_MAX = 100 }; /* bytes; a line has no room for more */

static void put_parameter(void *payload, const char *name, const json_t *value)
{
    char **text = payload, *longer, *shown;

    if (strlen(*text) > PARAMETERS_MAX)
        return;
    shown = json_is_real(value) ? archai_printf("%.4g", json_real_value(value)) : archai_parameter_text(value);
    longer = archai_printf("%s%s%s=%s", *text, **text != '\0' ? ", " : "", name, shown);
    free(shown);
    free(*text);
    *text = longer;
}

char *archai_progress_parameters(const archai_search *s)
{
    const size_t k = s->front.n_objectives;
    const char *text = NULL;
    json_t *arch = NULL;
    size_t best = 0;
    char *out;

    for (size_t i = 1; i < s->front.n; i++)
        if (s->front.points[i * k] < s->front.points[best * k])
            best = i;
    if (s->front.n > 0)
        text = s->records[s->front.tags[best]].arch;
    if (text == NULL || archai_document_parse(text, strlen(text), &arch, NULL) != ARCHAI_OK)
        return NULL;
    out = archai_strdup("");
    archai_parameters_walk(arch, put_parameter, &out);
    json_decref(arch);
    return out;
}

/* Of this start: "7.2/s", "14/min", "3.5/h"; "": nothing is finished yet. */
static void pace(const archai_progress_facts *f, char out[32])
{
    const double per_s = f->elapsed_s > 0 ? (double)(f->done - f->done_before) / f->elapsed_s : 0;

    out[0] = '\0';
    if (per_s >= 1)
        (void)snprintf(out, 32, " | %.3g/s", per_s);
    else if (per_s >= 1 / 60.)
        (void)snprintf(out, 32, " | %.3g/min", 60 * per_s);
    else if (per_s > 0)
        (void)snprintf(out, 32, " | %.3g/h", 3600 * per_s);
}

void archai_progress_line(const archai_progress_facts *f, char *out, size_t size)
{
    char total[32] = "", best[96] = "", left[48] = "", text[32], rate[32];
    const bool has_parameters = f->parameters != NULL && f->parameters[0] != '\0';

    if (f->total > 0)
        (void)snprintf(total, sizeof total, "/%lld", (long long)f->total);
    if (!isnan(f->best))
        (void)snprintf(best, sizeof best, " | %.40s %.4g", f->objective, f->best);
    if (!isnan(left_s(f))) {
        duration(left_s(f), text);
        (void)snprintf(left, sizeof left, " | %s left", text);
    }
    pace(f, rate);
    (void)snprintf(out, size, "%lld%s done, %lld running, %lld failed%s | front %zu | %.0f %% busy%s%s%s%.100s",
                   (long long)f->done, total, (long long)f->running, (long long)f->failed, best,
                   f->front, 100 * f->busy, rate, left, has_parameters ? " | " : "",
                   has_parameters ? f->parameters : "");
}

void archai_progress_show(archai_progress *p, const archai_progress_facts *f)
{
    char line[256];
    size_t n;

    if (p->mode == ARCHAI_PROGRESS_NONE || f->elapsed_s < p->next_s)
        return;
    p->next_s = f->elapsed_s + (p->mode == ARCHAI_PROGRESS_LIVE ? live_pause_s : plain_pause_s);
    archai_progress_line(f, line, sizeof line);
    if (p->mode == ARCHAI_PROGRESS_PLAIN) {
        (void)fprintf(stderr, "archai-run: %s\n", line);
        return;
    }
    n = room(strlen(line));
    while (n > 0 && ((unsigned char)line[n] & 0xC0U) == 0x80U) /* not inside a UTF-8 character */
        n--;
    line[n] = '\0';
    p->width = room(p->width);
    /* blanks over the rest of a longer line before; mpirun passes on what is flushed */
    (void)fprintf(stderr, "\r%s%*s", line, p->width > n ? (int)(p->width - n) : 0, "");
    (void)fflush(stderr);
    p->width = n;
}

void archai_progress_clear(archai_progress *p)
{
    if (p->mode != ARCHAI_PROGRESS_LIVE || p->width == 0)
        return;
    (void)fprintf(stderr, "\r%*s\r", (int)room(p->width), "");
    (void)fflush(stderr);
    p->width = 0;
}
