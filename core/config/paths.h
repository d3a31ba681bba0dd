/* core/config/paths.h - paths in a configuration: "~", "$HOME", and files beside the INI file. */
#ifndef ARCHAI_CORE_CONFIG_PATHS_H
#define ARCHAI_CORE_CONFIG_PATHS_H
#include <stdio.h>
#include "core/config/ini.h"

/* In the values that name files: a "~" or "$HOME" at the beginning becomes `home` (NULL: stays); an input that
 * is not found from the current directory, but from that of the file in which it stands, is taken from there,
 * and a line in `notes` (may be NULL) says so. Values of --set count from the current directory alone. To be
 * called once, before the values are read. */
void archai_paths_resolve(archai_ini *ini, const char *home, FILE *notes);
#endif
