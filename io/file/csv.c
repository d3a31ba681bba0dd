#include "io/file/csv.h"

int archai_csv_cell(char **at, char separator, char **cell, bool *more, archai_err *err)
{
    char *in = *at, *out = *at;

    *cell = out;
    if (*in == '"') {
        for (in++; *in != '"' || in[1] == '"'; in++) {
            if (*in == '\0' || *in == '\n')
                return archai_fail(err, ARCHAI_EFORMAT, "a quote is not closed");
            if (*in == '"')
                in++;
            *out++ = *in;
        }
        in++;
        if (*in != separator && *in != '\n' && *in != '\r' && *in != '\0')
            return archai_fail(err, ARCHAI_EFORMAT, "text after a closing quote");
    } else {
        while (*in != separator && *in != '\n' && *in != '\r' && *in != '\0')
            *out++ = *in++;
    }
    *more = *in == separator;
    if (*in == '\r' && in[1] == '\n')
        in++;
    *at = *in == '\0' ? in : in + 1;
    *out = '\0';
    return ARCHAI_OK;
}
