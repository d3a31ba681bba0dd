#include "runner/rank/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>

static volatile sig_atomic_t requests;
static volatile sig_atomic_t first;

static void count(int number)
{
    if (requests == 0)
        first = number;
    if (requests < 100)
        requests++;
}

static const struct {
    int number;
    const char *name;
} stops[] = {{SIGINT, "SIGINT"},
             {SIGTERM, "SIGTERM"},
             {SIGUSR1, "SIGUSR1"},
             {SIGUSR2, "SIGUSR2"},
             {SIGHUP, "SIGHUP"}};
enum { N_STOPS = sizeof stops / sizeof stops[0] };

/* A program started by nohup is to outlive its terminal. */
static bool stays_ignored(int number)
{
    struct sigaction old;

    return number == SIGHUP && sigaction(number, NULL, &old) == 0 && old.sa_handler == SIG_IGN;
}

int archai_signals_install(archai_err *err)
{
    struct sigaction action = {.sa_flags = SA_RESTART};

    (void)sigemptyset(&action.sa_mask);
    action.sa_handler = count;
    for (int i = 0; i < N_STOPS; i++)
        if (!stays_ignored(stops[i].number) && sigaction(stops[i].number, &action, NULL) != 0)
            return archai_fail(err, ARCHAI_EINTERNAL, "sigaction: %s", strerror(errno));
    action.sa_handler = SIG_IGN;
    if (sigaction(SIGPIPE, &action, NULL) != 0 || sigaction(SIGXFSZ, &action, NULL) != 0)
        return archai_fail(err, ARCHAI_EINTERNAL, "sigaction: %s", strerror(errno));
    return ARCHAI_OK;
}

int archai_signals_count(void)
{
    return requests;
}

const char *archai_signals_name(void)
{
    for (int i = 0; i < N_STOPS; i++)
        if (first == stops[i].number)
            return stops[i].name;
    return "";
}
