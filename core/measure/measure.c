#include "core/measure/measure.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/config/config.h"

#define BIG 0x1p31
#define AT(member) offsetof(archai_measure_spec, member)
#define X(name, help) " " #name
/* clang-format off */
static const char kinds[] = "command params macs flops madd non_embedding_params" ARCHAI_MEASURE_LIST(X);
#undef X

const archai_option archai_measure_options[] = {
    {"kind",       ARCHAI_OPT_CHOICE, AT(kind),       0, 0, NULL, "", kinds, "command: your own program; else a measure by its name (core/measure/README.md)"},
    {"stage",      ARCHAI_OPT_CHOICE, AT(stage),      0, 0, "before", "", "before after", "before: a violated constraint saves the training; after: once it is over. params, macs, ... are always known"},
    {"command",    ARCHAI_OPT_STRING, AT(command),    0, 0, "", "", NULL, "kind = command: program and arguments, as evaluator.command; the key NAME of its answer counts"},
    {"batch_size", ARCHAI_OPT_INT,    AT(batch_size), 1, BIG, "auto", "examples", "auto=0", "auto: 1 for latency, memory and energy, 64 for the others"},
    {"threads",    ARCHAI_OPT_INT,    AT(threads),    1, 4096, "auto", "", "auto=0", "auto: those of the evaluation"},
    {"device",     ARCHAI_OPT_CHOICE, AT(device),     0, 0, "auto", "", "auto cpu cuda", "auto: that of the evaluation"},
    {"percentile", ARCHAI_OPT_DOUBLE, AT(percentile), 0, 100, "50", "", NULL, "latency_seconds: of the repeated passes; 50: the median"},
    {"seconds",    ARCHAI_OPT_SECONDS, AT(seconds),   1e-3, 3600, "200ms", "", NULL, "latency_seconds, energy_joules: how long passes are repeated, after warming up"},
    {"pass",       ARCHAI_OPT_CHOICE, AT(pass),       0, 0, "inference", "", "inference training", "peak_memory_bytes: forward alone, or forward and backward"},
    ARCHAI_OPTION_END,
};
/* clang-format on */
enum { COMMAND = 0, FIRST_DESCRIBED = 1, FIRST_OF_MODEL = 6 };

const char archai_measure_prefix[] = "measure.";
static const size_t prefix_length = sizeof archai_measure_prefix - 1;

bool archai_measure_is_cheap(const char *name)
{
    const char *const cheap[] = {"params", "macs", "flops", "madd", "non_embedding_params"};

    for (size_t i = 0; i < sizeof cheap / sizeof *cheap; i++)
        if (strcmp(cheap[i], name) == 0)
            return true;
    return false;
}

bool archai_measure_is_command(const archai_measure_spec *m)
{
    return m->kind == COMMAND;
}

bool archai_measure_is_described(const archai_measure_spec *m)
{
    return m->kind >= FIRST_DESCRIBED && m->kind < FIRST_OF_MODEL;
}

bool archai_measure_is_of_model(const archai_measure_spec *m)
{
    return m->kind >= FIRST_OF_MODEL;
}

const char *archai_measure_kind_name(const archai_measure_spec *m)
{
    static const char *const names[] = {
        "command", "params", "macs", "flops", "madd", "non_embedding_params",
#define X(name, help) #name,
        ARCHAI_MEASURE_LIST(X)
#undef X
    };

    return names[m->kind];
}

/* -- reading ------------------------------------------------------------------------------- */

static int add(archai_measure_specs *out, archai_ini *ini, const char *section, archai_err *err)
{
    archai_check c = {.ini = ini, .section = section, .err = err};
    archai_measure_spec *m = &out->at[out->n];
    const char *name = section + prefix_length;

    if (name[0] == '\0' || strpbrk(name, "/\n\r\t") != NULL || strcmp(name, ".") == 0)
        archai_check_fail(&c, "kind", NULL, "a section [measure.NAME] with another NAME was expected");
    else if (out->n == ARCHAI_MAX_MEASURES)
        archai_check_fail(&c, "kind", NULL, "at most %d measures are possible", ARCHAI_MAX_MEASURES);
    if (c.rc != ARCHAI_OK)
        return c.rc;
    *m = (archai_measure_spec){.name = archai_strdup(name)};
    out->n++; /* from here on archai_measure_specs_free() sees it */
    ARCHAI_TRY(archai_config_apply(ini, section, archai_measure_options, m, err));
    if (archai_measure_is_command(m))
        archai_check_given(&c, "command", m->command, "kind",
                           "missing, kind = command needs a program and its arguments");
    else if (m->command[0] != '\0')
        archai_check_fail(&c, "command", NULL, "only kind = command runs a program, not %s",
                          archai_measure_kind_name(m));
    if (archai_measure_is_cheap(name) && strcmp(archai_measure_kind_name(m), name) != 0)
        archai_check_fail(&c, "kind", NULL, "'%s' is already known from the architecture", name);
    return c.rc;
}

int archai_measure_specs_create(archai_measure_specs *out, archai_ini *ini, archai_err *err)
{
    archai_err problem = ARCHAI_ERR_INIT;
    archai_measure_specs s = {.n = 0};
    int rc = ARCHAI_OK;

    for (size_t i = 0; i < ini->n; i++) {
        const char *section = ini->at[i].section;

        if (strncmp(section, archai_measure_prefix, prefix_length) == 0 &&
            archai_measure_specs_find(&s, section + prefix_length) == NULL)
            rc = archai_err_also(err, rc, add(&s, ini, section, &problem), &problem);
        if (s.n == ARCHAI_MAX_MEASURES && rc != ARCHAI_OK)
            break;
    }
    if (rc == ARCHAI_OK)
        *out = s;
    else
        archai_measure_specs_free(&s);
    return rc;
}

bool archai_measure_specs_imply(archai_measure_specs *s, const char *name)
{
    archai_measure_spec m = {.name = NULL};

    if (s->n == ARCHAI_MAX_MEASURES ||
        archai_option_set(&archai_measure_options[0], &m, name, NULL) != ARCHAI_OK ||
        !archai_measure_is_of_model(&m))
        return false;
    (void)archai_option_defaults(archai_measure_options, &m, NULL);
    (void)archai_option_set(&archai_measure_options[0], &m, name, NULL);
    m.name = archai_strdup(name);
    s->at[s->n++] = m;
    return true;
}

void archai_measure_specs_free(archai_measure_specs *s)
{
    for (size_t i = 0; i < s->n; i++) {
        archai_option_free(archai_measure_options, &s->at[i]);
        free(s->at[i].name);
    }
    *s = (archai_measure_specs){.n = 0};
}

const archai_measure_spec *archai_measure_specs_find(const archai_measure_specs *s, const char *name)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->at[i].name, name) == 0)
            return &s->at[i];
    return NULL;
}
