/* core/space/config/config_private.h - what the files of the space `config` share. */
#ifndef ARCHAI_CORE_SPACE_CONFIG_CONFIG_PRIVATE_H
#define ARCHAI_CORE_SPACE_CONFIG_CONFIG_PRIVATE_H
#include "core/network/file/network_file.h"
#include "core/search/space.h"
#include "core/space/config/param_tree.h"
#include "core/space/config/param_walk.h"

typedef struct archai_config_space {
    archai_space base;
    char *tree_path, *tree_sha1;
    double mutation_prob, unused_param_value;
    bool track_unused_params, hash_archid;
    int range_mutation;
    json_t *document;             /* owned; the whole file */
    archai_lines *lines;          /* owned; of it and what it includes */
    archai_network_file *network; /* owned; NULL: the file has none */
    archai_param_tree *tree;      /* owned */
    bool resumed; /* the sha1 was given: another start of a run, which has been checked */
    char *kinds;  /* owned; letters of the encoding */
    archai_param_walk walk;
} archai_config_space;

/* Does the tree describe a network of the space `cnn` (core/space/cnn_network.h)? */
bool archai_config_space_is_cnn(const archai_param_tree *t);

/* Read the file into document, lines, network, tree, tree_sha1. Errors begin with "tree: ". */
int archai_config_space_read(archai_config_space *c, archai_err *err);
/* Build the networks of n random samples, drawn with a generator of their own: at least one
 * must work or, with `all`, each. Nothing is tried where nobody knows what comes in. */
int archai_config_space_try(archai_config_space *c, int n, bool all, archai_err *err);

/* The values of an arch, a reference to each; release them. */
int archai_config_space_values(const archai_config_space *c, const archai_model *m,
                               json_t **values, archai_err *err);
void archai_config_space_release(const archai_config_space *c, json_t **values);
/* The network of these values. */
int archai_config_space_network(const archai_config_space *c, json_t *const *values,
                                archai_network *out, archai_err *err);

/* Slots of archai_space_ops. */
int archai_config_space_train(archai_space *base, const archai_model *m, json_t **out,
                              archai_err *err);
int archai_config_space_check_use(archai_space *base, const archai_space_use *use,
                                  archai_err *err);
#endif
