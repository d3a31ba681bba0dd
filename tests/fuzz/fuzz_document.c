/* Documents that people write, YAML or JSON (core/base/yaml.h). What is read must come out of the
 * writer as YAML that reads as the same value. */
#include "fuzz.h"
#include <string.h>
#include "core/base/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    archai_err err = ARCHAI_ERR_INIT;
    json_t *value = NULL, *again = NULL;
    char *text = NULL;
    int rc = archai_document_parse((const char *)data, size, &value, &err);

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
