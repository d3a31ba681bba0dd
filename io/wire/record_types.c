/* io/wire/record_types.c - the fields of everything that a message carries. */
#include "io/wire/record_types.h"

#include "core/search/surrogate.h"
#include "core/search/trial.h"

/* clang-format off */
static const archai_field curve_fields[] = {
    F("name",   TEXT,   AT(archai_curve, name)),
    F("values", FLOATS, AT(archai_curve, values), COUNT(archai_curve, n)),
    {.key = NULL},
};
static const archai_record_type curve_type = {"curve", sizeof(archai_curve), curve_fields};

static const archai_field tensor_fields[] = {
    F("name",   TEXT,  AT(archai_tensor_place, name)),
    F("dtype",  DTYPE, AT(archai_tensor_place, dtype)),
    F("shape",  DIMS,  AT(archai_tensor_place, shape), COUNT(archai_tensor_place, ndim)),
    F("offset", I64,   AT(archai_tensor_place, offset)),
    F("crc",    U32,   AT(archai_tensor_place, crc)),
    {.key = NULL},
};
static const archai_record_type tensor_type = {"tensor", sizeof(archai_tensor_place), tensor_fields};

/* Of a trial, what its row holds. */
static const archai_field evaluation_fields[] = {
    F("id",         I64,      AT(archai_trial, id)),
    F("archid",     TEXT,     AT(archai_trial, model.archid)),
    F("arch",       TEXT,     AT(archai_trial, arch)),
    F("status",     STATUS,   AT(archai_trial, status)),
    F("error",      TEXT,     AT(archai_trial, error)),
    F("operator",   TEXT,     AT(archai_trial, operator_)),
    F("parents",    TEXT,     AT(archai_trial, parents)),
    F("metadata",   TEXT,     AT(archai_trial, metadata)),
    F("device",     TEXT,     AT(archai_trial, device)),
    O("log",        TEXT,     AT(archai_trial, log)),
    F("generation", I32,      AT(archai_trial, generation)),
    F("rank",       I32,      AT(archai_trial, rank)),
    F("budget",     DOUBLE,   AT(archai_trial, budget)),
    F("started",    DOUBLE,   AT(archai_trial, started)),
    F("seconds",    DOUBLE,   AT(archai_trial, seconds)),
    F("encoding",   FLOATS,   AT(archai_trial, encoding), COUNT(archai_trial, n_encoding)),
    F("measures",   MEASURES, AT(archai_trial, measures), COUNT(archai_trial, n_measures)),
    F("curves",     LIST,     AT(archai_trial, curves), COUNT(archai_trial, n_curves), .of = &curve_type),
    F("tensors",    LIST,     AT(archai_trial, tensors), COUNT(archai_trial, n_tensors), .of = &tensor_type),
    O("is_test",    BOOL,     AT(archai_trial, is_test)),
    {.key = NULL},
};
const archai_record_type archai_trial_row_type = {"evaluation", sizeof(archai_trial), evaluation_fields};

/* Of a trial, what rank 0 does not know already when its row is committed. */
static const archai_field report_fields[] = {
    F("id",       I64,      AT(archai_trial, id)),
    F("status",   STATUS,   AT(archai_trial, status)),
    O("error",    TEXT,     AT(archai_trial, error)),
    F("seconds",  DOUBLE,   AT(archai_trial, seconds)),
    O("stored",   I64,      AT(archai_trial, stored)),
    O("measures", MEASURES, AT(archai_trial, measures), COUNT(archai_trial, n_measures)),
    O("is_test",  BOOL,     AT(archai_trial, is_test)),
    {.key = NULL},
};
const archai_record_type archai_report_type = {"report", sizeof(archai_trial), report_fields};

/* Of a trial, what is measured while it is evaluated. */
static const archai_field progress_fields[] = {
    O("measures", MEASURES, AT(archai_trial, measures), COUNT(archai_trial, n_measures)),
    {.key = NULL},
};
const archai_record_type archai_progress_type = {"progress", sizeof(archai_trial), progress_fields};

/* Of a trial, what is asked about: may its weights be kept, and where? And what is answered. */
static const archai_field offer_fields[] = {
    F("id",       I64,      AT(archai_trial, id)),
    F("status",   STATUS,   AT(archai_trial, status)),
    O("error",    TEXT,     AT(archai_trial, error)),
    O("budget",   DOUBLE,   AT(archai_trial, budget)),
    O("seconds",  DOUBLE,   AT(archai_trial, seconds)),
    O("measures", MEASURES, AT(archai_trial, measures), COUNT(archai_trial, n_measures)),
    O("tensors",  LIST,     AT(archai_trial, tensors), COUNT(archai_trial, n_tensors), .of = &tensor_type),
    {.key = NULL},
};
const archai_record_type archai_offer_type = {"offer", sizeof(archai_trial), offer_fields};

/* Of a trial, what its evaluation takes. */
static const archai_field candidate_fields[] = {
    F("id",         I64,      AT(archai_trial, id)),
    F("archid",     TEXT,     AT(archai_trial, model.archid)),
    O("metadata",   TEXT,     AT(archai_trial, metadata)),
    F("arch",       TEXT,     AT(archai_trial, arch)),
    F("operator",   TEXT,     AT(archai_trial, operator_)),
    O("parents",    TEXT,     AT(archai_trial, parents)),
    O("generation", I32,      AT(archai_trial, generation)),
    F("budget",     DOUBLE,   AT(archai_trial, budget)),
    F("seed",       U64,      AT(archai_trial, seed)),
    O("begin_at",   I64,      AT(archai_trial, begin_at)),
    O("max_budget", DOUBLE,   AT(archai_trial, max_budget)),
    O("keep",       BOOL,     AT(archai_trial, keep)),
    O("is_test",    BOOL,     AT(archai_trial, is_test)),
    O("measures",   MEASURES, AT(archai_trial, measures), COUNT(archai_trial, n_measures)),
    O("encoding",   FLOATS,   AT(archai_trial, encoding), COUNT(archai_trial, n_encoding)),
    {.key = NULL},
};
const archai_record_type archai_candidate_type = {"candidate", sizeof(archai_trial), candidate_fields};

static const archai_field data_fields[] = {
    F("channels",    I32, AT(archai_data_shape, channels)),
    F("height",      I32, AT(archai_data_shape, height)),
    F("width",       I32, AT(archai_data_shape, width)),
    F("num_classes", I32, AT(archai_data_shape, num_classes)),
    F("tokens",      I32, AT(archai_data_shape, tokens)),
    F("vocab",       I32, AT(archai_data_shape, vocab)),
    F("features",    I32, AT(archai_data_shape, features)),
    {.key = NULL},
};
const archai_record_type archai_data_type = {"data", sizeof(archai_data_shape), data_fields};

static const archai_field settings_fields[] = {
    F("model",                WORD,   AT(archai_surrogate_settings, model)),
    F("num_ensemble_members", I64,    AT(archai_surrogate_settings, num_ensemble_members)),
    F("num_layers",           I64,    AT(archai_surrogate_settings, num_layers)),
    F("width",                I64,    AT(archai_surrogate_settings, width)),
    F("num_tr_steps",         I64,    AT(archai_surrogate_settings, num_tr_steps)),
    F("lr",                   DOUBLE, AT(archai_surrogate_settings, lr)),
    F("replace_nan_value",    DOUBLE, AT(archai_surrogate_settings, replace_nan_value)),
    {.key = NULL},
};
static const archai_record_type settings_type = {"settings", sizeof(archai_surrogate_settings), settings_fields};

static const archai_field job_fields[] = {
    F("id",         I64,    AT(archai_surrogate_job, id)),
    F("settings",   INSIDE, AT(archai_surrogate_job, settings), .of = &settings_type),
    F("seed",       U64,    AT(archai_surrogate_job, seed)),
    F("warm",       BOOL,   AT(archai_surrogate_job, warm)),
    F("kinds",      TEXT,   AT(archai_surrogate_job, kinds)),
    F("n_features", I64,    AT(archai_surrogate_job, n_features)),
    F("n_targets",  I64,    AT(archai_surrogate_job, n_targets)),
    F("held",       I64,    AT(archai_surrogate_job, held)),
    F("x",          FLOATS, AT(archai_surrogate_job, x), COUNT(archai_surrogate_job, n_x)),
    F("y",          FLOATS, AT(archai_surrogate_job, y), COUNT(archai_surrogate_job, n_y)),
    F("queries",    FLOATS, AT(archai_surrogate_job, queries), COUNT(archai_surrogate_job, n_queries)),
    {.key = NULL},
};
const archai_record_type archai_job_type = {"job", sizeof(archai_surrogate_job), job_fields};

static const archai_field answer_fields[] = {
    F("id",   I64,    AT(archai_surrogate_answer, id)),
    F("mean", FLOATS, AT(archai_surrogate_answer, mean), COUNT(archai_surrogate_answer, n_mean)),
    F("var",  FLOATS, AT(archai_surrogate_answer, var), COUNT(archai_surrogate_answer, n_var)),
    {.key = NULL},
};
const archai_record_type archai_answer_type = {"answer", sizeof(archai_surrogate_answer), answer_fields};
/* clang-format on */
