/* The columns of /candidates, for the writer and the reader. */
#include "io/results/column.h"

/* clang-format off */
#define AT(f) offsetof(archai_trial, f)
const archai_candidate_column archai_candidate_columns[] = {
    {"id",         ARCHAI_COLUMN_I64,      AT(id)},
    {"archid",     ARCHAI_COLUMN_TEXT,     AT(model.archid)},
    {"arch",       ARCHAI_COLUMN_TEXT,     AT(arch)},
    {"status",     ARCHAI_COLUMN_STATUS,   AT(status)},
    {"error",      ARCHAI_COLUMN_TEXT,     AT(error)},
    {"operator",   ARCHAI_COLUMN_TEXT,     AT(operator_)},
    {"parents",    ARCHAI_COLUMN_TEXT,     AT(parents)},
    {"metadata",   ARCHAI_COLUMN_TEXT,     AT(metadata)},
    {"device",     ARCHAI_COLUMN_TEXT,     AT(device)},
    {"generation", ARCHAI_COLUMN_I32,      AT(generation)},
    {"rank",       ARCHAI_COLUMN_I32,      AT(rank)},
    {"budget",     ARCHAI_COLUMN_F64,      AT(budget)},
    {"started",    ARCHAI_COLUMN_F64,      AT(started)},
    {"seconds",    ARCHAI_COLUMN_F64,      AT(seconds)},
    {"encoding",   ARCHAI_COLUMN_ENCODING, AT(encoding)},
    {NULL,         ARCHAI_COLUMN_TEXT,     0},
};
/* clang-format on */
