/* core/plugin.h - the public header of plug-ins: a search space, a measure, or both, in a shared
 * object that you build.
 *
 *   #include "core/plugin.h"
 *   const archai_plugin archai_plugin_entry = {
 *       .abi = ARCHAI_PLUGIN_ABI, .name = "stack", .space = &stack_ops, .measure = stack_measure};
 *
 *   cc -shared -fPIC -I <source of archai-run> stack.c -o stack.so $(pkg-config --libs jansson)
 *
 *   [space]                     [evaluator]
 *   name = plugin               kind = plugin
 *   plugin = ./stack.so         plugin = ./stack.so
 *
 * The functions of core/ that a plug-in calls are found in the program that loads it. Write the
 * space as the built-in ones are written (core/space/cnn.c is one to copy); its option table
 * becomes keys of [space]. A measure runs in a child process: a crash costs one candidate. A worked
 * example that is built and tested: configs/examples/plugin_stack.c.
 *
 * ARCHAI_PLUGIN_ABI grows whenever a struct here, in core/search/space.h or in what they include
 * changes its layout; a plug-in built for another number is refused with both numbers.
 */
#ifndef ARCHAI_CORE_PLUGIN_H
#define ARCHAI_CORE_PLUGIN_H
#include "core/base/err.h"
#include "core/search/space.h"
#include "core/search/trial.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { ARCHAI_PLUGIN_ABI = 5 };

/* A measure sees one trial as the candidate that is evaluated and fills in another as its evaluation. */
typedef archai_trial archai_candidate, archai_evaluation;
static inline int archai_evaluation_set_measure(archai_evaluation *e, const char *name, double value,
                                                archai_err *err)
{
    (void)err;
    archai_trial_set_measure(e, name, value);
    return ARCHAI_OK;
}

typedef struct archai_plugin {
    int abi;                       /* ARCHAI_PLUGIN_ABI; always the first member */
    const char *name;              /* for messages */
    const archai_space_ops *space; /* (optional) for space.plugin */
    /* (optional) for evaluator.plugin: measure `c` and add what was measured to `e` with
     * archai_evaluation_set_measure. c->model is complete, c->budget and c->seed are set. `space`
     * is the run's, whatever its kind. Not called for two candidates at once. */
    int (*measure)(archai_space *space, const archai_candidate *c, archai_evaluation *e,
                   archai_err *err);
} archai_plugin;

extern const archai_plugin archai_plugin_entry; /* what a plug-in defines */

/* Load a plug-in; it stays loaded until the program ends. A path without '/' is taken from the
 * working directory, never from the system's library path. Errors name the path: missing, not a
 * plug-in, another ABI, unresolved symbols. */
int archai_plugin_load(const char *path, const archai_plugin **out, archai_err *err);

#ifdef __cplusplus
}
#endif
#endif
