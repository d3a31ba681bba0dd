/* The columns of /candidates, for the writer and the reader. */
#include "io/results/column.h"

/* clang-format off */
#define AT(f) offsetof(archai_trial, f)
const archai_candidate_column archai_candidate_columns[] = {
    {"id",         ARCHAI_COLUMN_I64,      AT(id), false},
    {"archid",     ARCHAI_COLUMN_TEXT,     AT(model.archid), false},
    {"arch",       ARCHAI_COLUMN_TEXT,     AT(arch), false},
    {"status",     ARCHAI_COLUMN_STATUS,   AT(status), false},
    {"error",      ARCHAI_COLUMN_TEXT,     AT(error), false},
    {"operator",   ARCHAI_COLUMN_TEXT,     AT(operator_), false},
    {"parents",    ARCHAI_COLUMN_TEXT,     AT(parents), false},
    {"metadata",   ARCHAI_COLUMN_TEXT,     AT(metadata), false},
    {"device",     ARCHAI_COLUMN_TEXT,     AT(device), false},
    {"log",        ARCHAI_COLUMN_TEXT,     AT(log), true},
    {"generation", ARCHAI_COLUMN_I32,      AT(generation), false},
    {"rank",       ARCHAI_COLUMN_I32,      AT(rank), false},
    {"budget",     ARCHAI_COLUMN_F64,      AT(budget), false},
    {"started",    ARCHAI_COLUMN_F64,      AT(started), false},
    {"seconds",    ARCHAI_COLUMN_F64,      AT(seconds), false},
    {"encoding",   ARCHAI_COLUMN_ENCODING, AT(encoding), true},
    {NULL,         ARCHAI_COLUMN_TEXT,     0, false},
};
/* clang-format on */
