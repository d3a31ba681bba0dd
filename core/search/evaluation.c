#include "core/search/evaluation.h"

#include <string.h>

/* clang-format off */
static const char *const status_names[] = {
#define X(name, value, text) [name] = text,
    ARCHAI_STATUS_LIST(X)
#undef X
};
/* clang-format on */

const char *archai_status_name(int status)
{
    return status >= 0 && status < ARCHAI_STATUS_COUNT ? status_names[status] : "unknown";
}

int archai_status_from_name(const char *name)
{
    for (int i = 0; i < ARCHAI_STATUS_COUNT; i++)
        if (strcmp(status_names[i], name) == 0)
            return i;
    return -1;
}
