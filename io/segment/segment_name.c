/* Names of segment files, and a row of any of them as one number. */
#include "io/segment/segment.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

void archai_segment_name(char name[ARCHAI_SEGMENT_NAME_MAX], int start, int k)
{
    (void)snprintf(name, ARCHAI_SEGMENT_NAME_MAX, "segment-%d-%d.h5", start, k);
}

bool archai_segment_name_read(const char *name, int *start, int *k)
{
    char again[ARCHAI_SEGMENT_NAME_MAX];

    if (sscanf(name, "segment-%5d-%5d.h5", start, k) != 2 || *start < 0 || *start > INT16_MAX ||
        *k < 0 || *k > UINT16_MAX)
        return false;
    archai_segment_name(again, *start, *k);
    return strcmp(again, name) == 0; /* no signs, blanks or leading zeros, and nothing behind */
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int archai_segment_list(const char *directory, archai_strings *out, archai_err *err)
{
    archai_strings list = {NULL, 0};
    size_t capacity = 0;
    struct dirent *entry;
    DIR *d = opendir(directory);
    int start, k;

    if (d == NULL)
        return archai_fail(err, errno == ENOENT ? ARCHAI_ENOTFOUND : ARCHAI_EIO,
                           "%s: cannot read the directory: %s", directory, strerror(errno));
    while ((entry = readdir(d)) != NULL)
        if (archai_segment_name_read(entry->d_name, &start, &k)) {
            ARCHAI_RESERVE(list.at, capacity, list.n + 1);
            list.at[list.n++] = archai_strdup(entry->d_name);
        }
    (void)closedir(d);
    if (list.n > 1)
        qsort(list.at, list.n, sizeof *list.at, compare_names);
    *out = list;
    return ARCHAI_OK;
}

int64_t archai_segment_place(const char *name, int64_t row)
{
    int start, k;

    if (!archai_segment_name_read(name, &start, &k) || row < 0 || row >= UINT32_MAX)
        return 0;
    return (int64_t)start << 48 | (int64_t)k << 32 | (row + 1);
}

bool archai_segment_of_place(int64_t place, char name[ARCHAI_SEGMENT_NAME_MAX], int64_t *row)
{
    *row = (place & UINT32_MAX) - 1;
    if (place <= 0 || *row < 0)
        return false;
    archai_segment_name(name, (int)(place >> 48), (int)(place >> 32 & UINT16_MAX));
    return true;
}
