/* The evaluator that does no work, to measure the runner itself: rows have only the cheap measures. */
#include "runner/evaluator/instant.h"

typedef struct null_settings {
    char *delay;
} null_settings;

static const archai_option null_options[] = {
    ARCHAI_DELAY_OPTION(null_settings),
    ARCHAI_OPTION_END,
};

static void null_check(const void *settings, archai_check *c)
{
    archai_delay_check(((const null_settings *)settings)->delay, c);
}

static int null_init(archai_evaluator *self, archai_err *err)
{
    const null_settings *s = self->setup->settings;

    return archai_delay_parse(s->delay, &((archai_instant *)self)->delay, err);
}

static int null_begin(archai_evaluator *self, const archai_trial *c, archai_err *err)
{
    (void)err;
    (void)archai_instant_answer((archai_instant *)self, c);
    return ARCHAI_OK;
}

const archai_evaluator_ops archai_evaluator_null = {
    .name = "null",
    .help = "does no work; only params, macs and the like are known",
    .options = null_options,
    .settings_size = sizeof(null_settings),
    .size = sizeof(archai_instant),
    .check = null_check,
    .init = null_init,
    .begin = null_begin,
    .open = archai_instant_open,
    .poll = archai_instant_poll,
    .close = archai_instant_close,
    .due = archai_instant_due,
};
