/* core/config/ini_private.h - shared by ini.c and ini_parse.c. */
#ifndef ARCHAI_CORE_CONFIG_INI_PRIVATE_H
#define ARCHAI_CORE_CONFIG_INI_PRIVATE_H
#include "core/config/ini.h"

/* Append a copy; key NULL for a header. ARCHAI_EFORMAT, without the place, where there are too many. */
int archai_ini_append(archai_ini *ini, const char *section, const char *key, const char *value,
                      const char *file, int line, archai_err *err);
void archai_ini_trim(char *text);    /* blanks at both ends */
bool archai_ini_unquote(char *text); /* where all of it is one quoted text, as the answer says */
bool archai_ini_name_ok(const char *name);
/* ARCHAI_EFORMAT where a line is too long or holds a control character. */
int archai_ini_check_bytes(const char *text, size_t n, archai_err *err);
#endif
