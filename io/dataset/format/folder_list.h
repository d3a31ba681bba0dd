/* io/dataset/format/folder_list.h - the pictures in a folder per class, in one order everywhere; for
 * folder.c alone. */
#ifndef ARCHAI_IO_DATASET_FOLDER_LIST_H
#define ARCHAI_IO_DATASET_FOLDER_LIST_H
#include <stdbool.h>
#include <stdint.h>
#include "core/base/err.h"
#include "core/config/option.h"

typedef struct archai_folder_file {
    char *path; /* owned; below the folder: "cat/1.jpg" */
    int class;
} archai_folder_file;

typedef struct archai_folder {
    archai_strings classes;   /* names of its folders, sorted by bytes */
    archai_folder_file *file; /* owned; one of each class in turn, each class sorted as ImageFolder does it */
    size_t n, capacity;
    int64_t others; /* files with other names than *.jpg, *.jpeg, *.png */
} archai_folder;

/* List the pictures below `path`/CLASS. Classes: those that are expected, in this order; NULL: as they come. Names
 * that begin with a dot are not seen. Errors begin with the path that is wrong. */
int archai_folder_read(archai_folder *out, const char *path, const archai_strings *classes,
                       archai_err *err);
void archai_folder_free(archai_folder *f); /* safe on a zeroed struct */
bool archai_folder_exists(const char *path, const char *name); /* a folder of that name below path */
#endif
