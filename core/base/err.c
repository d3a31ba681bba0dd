#include "core/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

int archai_err_set_(archai_err *err, int code, const char *file, int line, const char *fmt, ...)
{
    va_list ap;

    if (err == NULL)
        return code;
    err->code = code;
    err->line = line;
    (void)snprintf(err->file, sizeof err->file, "%s", base_name(file));
    va_start(ap, fmt);
    (void)vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    archai_text_clean(err->text, false); /* it quotes unchecked input */
    return code;
}

int archai_err_wrap(archai_err *err, int rc, const char *fmt, ...)
{
    char text[ARCHAI_ERR_TEXT_MAX];
    va_list ap;
    size_t n;

    if (err == NULL || rc == ARCHAI_OK)
        return rc;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    archai_text_clean(text, false);
    n = strlen(text);
    (void)snprintf(text + n, sizeof text - n, "%s", err->text);
    archai_text_clean(text, true); /* no half of a character at the end */
    memcpy(err->text, text, sizeof text);
    return rc;
}

int archai_err_also(archai_err *err, int rc, int other_rc, const archai_err *other)
{
    size_t n;

    if (other_rc == ARCHAI_OK)
        return rc;
    if (err != NULL && rc == ARCHAI_OK) {
        *err = *other;
    } else if (err != NULL) {
        n = strlen(err->text);
        if (n + strlen(other->text) + 1 < sizeof err->text)
            (void)snprintf(err->text + n, sizeof err->text - n, "\n%s", other->text);
    }
    return rc != ARCHAI_OK ? rc : other_rc;
}

int archai_rc_exit_status(int rc)
{
    static const int status[ARCHAI_RC_COUNT] = {
#define X(name, value, exit_status) [value] = exit_status,
        ARCHAI_RC_LIST(X)
#undef X
    };

    return (unsigned)rc < ARCHAI_RC_COUNT ? status[rc] : 1;
}
