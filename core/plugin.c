#include "core/plugin.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/alloc.h"

static const char entry[] = "archai_plugin_entry";

/* The loader's own sentence, without the path, which the caller puts in front. */
static const char *loader_error(const char *path)
{
    const char *text = dlerror();
    size_t n = strlen(path);

    if (text == NULL)
        return "cannot be loaded";
    return strncmp(text, path, n) == 0 && strncmp(text + n, ": ", 2) == 0 ? text + n + 2 : text;
}

static int check(const archai_plugin *p, archai_err *err)
{
    if (p->abi != ARCHAI_PLUGIN_ABI)
        return archai_fail(err, ARCHAI_EINVAL,
                           "was built for plug-in version %d, this archai-run takes version %d; "
                           "rebuild it with this version's core/plugin.h",
                           p->abi, ARCHAI_PLUGIN_ABI);
    if (p->name == NULL || (p->space == NULL && p->measure == NULL))
        return archai_fail(err, ARCHAI_EINVAL, "%s brings neither a space nor a measure", entry);
    if (p->space != NULL && p->space->abi != ARCHAI_SPACE_ABI)
        return archai_fail(err, ARCHAI_EINVAL,
                           "its space was built for version %d, this archai-run takes version %d",
                           p->space->abi, ARCHAI_SPACE_ABI);
    if (p->space != NULL && (p->space->name == NULL || p->space->options == NULL ||
                             p->space->init == NULL || p->space->random_sample == NULL ||
                             p->space->load_arch == NULL || p->space->size < sizeof(archai_space)))
        return archai_fail(err, ARCHAI_EINVAL,
                           "its space lacks one of name, size, options, init, "
                           "random_sample and load_arch");
    return ARCHAI_OK;
}

int archai_plugin_load(const char *path, const archai_plugin **out, archai_err *err)
{
    const archai_plugin *p;
    struct stat st;
    char *place;
    void *library;
    int rc;

    if (*path == '\0')
        return archai_fail(err, ARCHAI_EINVAL, "is empty, expected the path of a shared library");
    if (access(path, R_OK) != 0)
        return archai_fail(err, ARCHAI_EINVAL, "%s: %s", path, strerror(errno));
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) /* dlopen would wait for a FIFO's writer */
        return archai_fail(err, ARCHAI_EINVAL, "%s: not a regular file", path);
    place = archai_printf("%s%s", strchr(path, '/') == NULL ? "./" : "", path);
    library = dlopen(place, RTLD_NOW | RTLD_LOCAL);
    rc = library == NULL ? archai_fail(err, ARCHAI_EINVAL, "%s: %s", path, loader_error(place))
                         : ARCHAI_OK;
    free(place);
    ARCHAI_TRY(rc);
    p = dlsym(library, entry);
    rc = p == NULL ? archai_fail(err, ARCHAI_EINVAL, "is not a plug-in of archai-run: it has no %s",
                                 entry)
                   : check(p, err);
    if (rc != ARCHAI_OK) {
        (void)dlclose(library);
        return archai_err_wrap(err, rc, "%s: ", path);
    }
    *out = p; /* the library stays loaded: its tables and functions are in use */
    return ARCHAI_OK;
}
