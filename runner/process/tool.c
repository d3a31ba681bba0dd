#include "runner/process/tool.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/number.h"

static const archai_tool_command *line_of(const archai_tool *tool, size_t i)
{
    return (const void *)((const char *)tool->commands + i * tool->size);
}

void archai_tool_help(const archai_tool *tool, FILE *out)
{
    for (size_t i = 0; i < tool->n; i++)
        (void)fprintf(out, "  %s\n      %s\n", line_of(tool, i)->usage, line_of(tool, i)->help);
}

const void *archai_tool_find(const archai_tool *tool, const char *name, size_t n_args, archai_err *err)
{
    const char **names = archai_calloc(tool->n, sizeof *names), *near;
    const archai_tool_command *c = NULL;
    size_t i;

    for (i = 0; i < tool->n && strcmp(line_of(tool, i)->name, name) != 0; i++)
        names[i] = line_of(tool, i)->name;
    near = archai_nearest(name, names, i);
    free(names);
    if (i < tool->n)
        c = line_of(tool, i);
    if (c != NULL && n_args >= c->low && n_args <= c->high)
        return c;
    if (c != NULL)
        (void)archai_fail(err, ARCHAI_EINVAL, "usage: %s %s%s", tool->call, c->usage,
                          n_args > c->high ? " (quote a name with spaces: 'L=3, K=1, H=64')" : "");
    else if (near != NULL)
        (void)archai_fail(err, ARCHAI_EINVAL, "unknown command '%s'; did you mean '%s'?", name, near);
    else
        (void)archai_fail(err, ARCHAI_EINVAL, "unknown command '%s'; --help lists them all", name);
    return NULL;
}

int archai_tool_count(const char *text, int64_t low, int64_t *out, archai_err *err)
{
    char *end;

    errno = 0;
    *out = strtoll(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && *out >= low
               ? ARCHAI_OK
               : archai_fail(err, ARCHAI_EINVAL, "-n: '%s' is not a %swhole number", text,
                             low > 0 ? "positive " : "");
}

int archai_tool_bad_option(int option, char **argv, archai_err *err)
{
    return archai_fail(err, ARCHAI_EINVAL,
                       option == ':' ? "%s needs a value; --help shows all options"
                                     : "unknown option %s; --help shows all options",
                       argv[optind - 1]);
}
