/* core/config/option_value.h - one value of an option table: text to field and back. Private to
 * option.c; a value is parsed whole before the field is touched. */
#ifndef ARCHAI_CORE_CONFIG_OPTION_VALUE_H
#define ARCHAI_CORE_CONFIG_OPTION_VALUE_H
#include "core/config/option.h"

/* Room for a value of any kind. */
typedef union archai_option_scratch {
    int64_t i;
    double d;
    archai_strings list;
} archai_option_scratch;

/* Errors carry no key: the caller knows it. Overwrites the field without releasing it. */
int archai_option_value_parse(const archai_option *opt, const char *text, void *field,
                              archai_err *err);
void archai_option_value_free(const archai_option *opt, void *field);

/* By archai_option_kind: what the list of keys calls it, and bytes of the field. */
typedef struct archai_option_kind_info {
    const char *name;
    size_t size;
} archai_option_kind_info;
extern const archai_option_kind_info archai_option_kinds[];
#endif
