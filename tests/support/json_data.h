/* tests/support/json_data.h - reference data of tests/data, as JSON. */
#ifndef ARCHAI_TESTS_JSON_DATA_H
#define ARCHAI_TESTS_JSON_DATA_H
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ends the program when the file cannot be read: nothing can be tested then. */
static inline json_t *load_json_data(const char *name)
{
    char path[1024];
    json_error_t where;
    json_t *root;

    (void)snprintf(path, sizeof path, "%s/%s", ARCHAI_TEST_DATA, name);
    root = json_load_file(path, 0, &where);
    if (root == NULL) {
        fprintf(stderr, "%s:%d: %s\n", path, where.line, where.text);
        exit(1);
    }
    return root;
}
#endif
