/* What a persistent program says: bytes in pieces, lines, and what a line is (runner/evaluator/command/said.h). */
#include "fuzz.h"
#include "runner/evaluator/command/said.h"
#include "runner/evaluator/command/spoken.h"

#include <string.h>

static void read_line(const char *line)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_said said = {.measured = NULL};
    const int rc = archai_said_read(line, 7, &said, &err);

    FUZZ_CHECK(strchr(line, '\n') == NULL && strchr(line, '\r') == NULL);
    if (rc != ARCHAI_OK)
        FUZZ_CHECK_ERROR(rc, err);
    FUZZ_CHECK((said.measured != NULL) == (rc == ARCHAI_OK && (said.kind == ARCHAI_SAID_PROGRESS || said.kind == ARCHAI_SAID_RESULT)));
    archai_said_fini(&said);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const size_t step = size > 0 ? data[0] % 7 + 1 : 1;
    archai_spoken spoken = {.data = NULL};
    const char *line;

    for (size_t at = 0; at < size; at += step) {
        archai_spoken_add(&spoken, (const char *)data + at, size - at < step ? size - at : step);
        while ((line = archai_spoken_next(&spoken)) != NULL)
            read_line(line);
    }
    line = archai_spoken_rest(&spoken);
    if (line != NULL)
        read_line(line);
    archai_spoken_fini(&spoken);
    return 0;
}
