/* Documents that people write, YAML or JSON (core/base/yaml.h). What is read must come out of the
 * writer as YAML that reads as the same value, and each value has a line of the text. */
#include "fuzz.h"
#include <string.h>
#include "core/base/yaml.h"

static void check_lines(const archai_lines *l, const json_t *value, int last)
{
    const char *key, *file;
    json_t *member;
    int line;

    if (!json_is_boolean(value) && !json_is_null(value)) {
        FUZZ_CHECK(archai_lines_where(l, value, &file, &line));
        FUZZ_CHECK(strcmp(file, "text") == 0 && line >= 1 && line <= last);
    }
    for (size_t i = 0; i < json_array_size(value); i++)
        check_lines(l, json_array_get(value, i), last);
    json_object_foreach((json_t *)value, key, member) check_lines(l, member, last);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    archai_err err = ARCHAI_ERR_INIT;
    json_t *value = NULL, *again = NULL;
    char *text = NULL;
    archai_lines *lines = archai_lines_create();
    int rc = archai_document_parse_lines("text", (const char *)data, size, &value, lines, &err);

    if (rc == ARCHAI_OK)
        check_lines(lines, value, (int)size + 1);
    archai_lines_destroy(lines);
    if (rc != ARCHAI_OK) {
        FUZZ_CHECK_ERROR(rc, err);
        return 0;
    }
    text = archai_yaml_text(value);
    rc = archai_document_parse(text, strlen(text), &again, &err);
    if (rc != ARCHAI_OK || !json_equal(value, again))
        fprintf(stderr, "%s\n%s\n", rc != ARCHAI_OK ? err.text : "differs", text);
    FUZZ_CHECK(rc == ARCHAI_OK && json_equal(value, again));
    json_decref(value);
    json_decref(again);
    free(text);
    return 0;
}
