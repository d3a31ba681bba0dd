#include "core/search/given.h"

#include <stdlib.h>

void archai_given_free(archai_given *at, size_t n)
{
    for (size_t i = 0; at != NULL && i < n; i++) {
        free(at[i].archid);
        free(at[i].arch);
        free(at[i].metadata);
    }
    free(at);
}
