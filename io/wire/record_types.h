/* io/wire/record_types.h - the record types of messages: a table of fields each.
 *
 * A trial travels as one of five: what an evaluator needs (candidate), what is measured meanwhile (progress), what a
 * row holds (row), what rank 0 lacks of a finished one (report), what is asked before weights are kept (offer).
 */
#ifndef ARCHAI_IO_WIRE_RECORD_TYPES_H
#define ARCHAI_IO_WIRE_RECORD_TYPES_H
#include "io/wire/record.h"

/* For tables: a field by its key, its kind without the prefix, and its offsets; O: an optional one. */
#define F(name, suffix, ...) {.key = name, .kind = ARCHAI_FIELD_##suffix, __VA_ARGS__}
#define O(name, suffix, ...) F(name, suffix, __VA_ARGS__, .optional = true)
#define AT(type, member)     .at = offsetof(type, member)
#define COUNT(type, member)  .count_at = offsetof(type, member)

extern const archai_record_type archai_candidate_type, archai_trial_row_type, archai_report_type,
    archai_offer_type, archai_progress_type;
extern const archai_record_type archai_data_type, archai_job_type, archai_answer_type;
#endif
