#include "io/model/weights.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/network/kind/kind.h"

typedef struct place {
    const archai_module *module;
    char *path; /* owned */
} place;

struct archai_weights {
    place *places; /* in the order of the addresses, once all are known */
    size_t n_places, capacity;
    archai_tensor *at; /* by name; float32 or int64; the data are borrowed, or owned where `converted` says so */
    bool *converted, *used;
    size_t n;
};

/* -- places -------------------------------------------------------------------------------- */

static void add_places(archai_weights *w, const archai_module *m, const char *path)
{
    ARCHAI_RESERVE(w->places, w->capacity, w->n_places + 1);
    w->places[w->n_places++] = (place){m, archai_strdup(path)};
    for (size_t i = 0; i < m->n_children; i++) {
        char *below = archai_printf("%s%s%s", path, path[0] != '\0' ? "." : "", m->children[i]->name);

        add_places(w, m->children[i], below);
        free(below);
    }
}

static int by_address(const void *a, const void *b)
{
    const archai_module *x = ((const place *)a)->module, *y = ((const place *)b)->module;

    return x < y ? -1 : x > y;
}

const char *archai_weights_path(const archai_weights *w, const archai_module *m)
{
    const place key = {m, NULL};
    const place *found = bsearch(&key, w->places, w->n_places, sizeof key, by_address);

    return found != NULL ? found->path : "";
}

/* -- tensors ------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const archai_tensor *)a)->name, ((const archai_tensor *)b)->name);
}

static const archai_tensor *find_name(const archai_weights *w, const char *name)
{
    char *text = archai_strdup(name);
    const archai_tensor key = {.name = text};
    const archai_tensor *found =
        w->n > 0 ? bsearch(&key, w->at, w->n, sizeof key, by_name) : NULL;

    free(text);
    return found;
}

static const archai_tensor *find_own(const archai_weights *w, const archai_module *layer,
                                     const char *name)
{
    const char *path = archai_weights_path(w, layer);
    char *whole = archai_printf("%s%s%s", path, path[0] != '\0' && name[0] != '\0' ? "." : "", name);
    const archai_tensor *found = find_name(w, whole);

    free(whole);
    return found;
}

bool archai_weights_taken(const archai_weights *w, const char *name, bool beginning)
{
    for (size_t i = 0; i < w->n && beginning; i++)
        if (strncmp(w->at[i].name, name, strlen(name)) == 0)
            return true;
    return !beginning && find_name(w, name) != NULL;
}

static bool is_shared(const archai_module *layer, const char *name)
{
    return layer->tied != NULL && strcmp(name, "weight") == 0;
}

const archai_tensor *archai_weights_find(const archai_weights *w, const archai_module *layer,
                                         const char *name)
{
    const archai_tensor *found =
        is_shared(layer, name) ? find_own(w, layer->tied, name) : NULL;

    return found != NULL ? found : find_own(w, layer, name);
}

/* -- numbers ------------------------------------------------------------------------------- */

static float from_bits(uint32_t bits)
{
    float v;

    memcpy(&v, &bits, sizeof v);
    return v;
}

static float from_half(uint16_t h)
{
    const uint32_t sign = (uint32_t)(h & 0x8000u) << 16, mantissa = h & 0x3ffu;
    const uint32_t exponent = (h >> 10) & 31;

    if (exponent == 0) /* zero and what is below the smallest normal number: times 2^-24 */
        return (sign != 0 ? -1.0f : 1.0f) * (float)mantissa * 0x1p-24f;
    return from_bits(sign | (exponent == 31 ? 255u : exponent + 112) << 23 | mantissa << 13);
}

static bool is_known(archai_dtype t)
{
    return t == ARCHAI_F32 || t == ARCHAI_I64 || t == ARCHAI_F64 || t == ARCHAI_F16 || t == ARCHAI_BF16;
}

/* The trainer stores float32; a user's program may have stored other floating-point numbers. */
static void convert(archai_tensor *t)
{
    const size_t n = t->bytes / archai_dtype_size(t->dtype);
    float *to = archai_malloc(n * sizeof *to + 1);

    for (size_t i = 0; i < n; i++)
        to[i] = t->dtype == ARCHAI_F64    ? (float)((const double *)t->data)[i]
                : t->dtype == ARCHAI_BF16 ? from_bits((uint32_t)((const uint16_t *)t->data)[i] << 16)
                                          : from_half(((const uint16_t *)t->data)[i]);
    t->data = to;
    t->dtype = ARCHAI_F32;
    t->bytes = n * sizeof *to;
}

/* -- the check ----------------------------------------------------------------------------- */

static int check_entry(archai_weights *w, const archai_state_entry *e, archai_err *err)
{
    const archai_tensor *t = find_name(w, e->name);
    bool same;

    if (t == NULL)
        return archai_fail(err, ARCHAI_EINVAL, "the weights lack '%s'", e->name);
    same = t->ndim == e->ndim;
    for (int i = 0; same && i < e->ndim; i++)
        same = t->shape[i] == e->shape[i];
    if (!same)
        return archai_fail(err, ARCHAI_EINVAL, "'%s' has another shape in the weights than in the model",
                           e->name);
    if ((t->dtype == ARCHAI_I64) != (e->dtype == ARCHAI_I64))
        return archai_fail(err, ARCHAI_EINVAL, "'%s' is %s in the weights, expected %s", e->name,
                           archai_dtype_name(t->dtype), archai_dtype_name(e->dtype));
    w->used[t - w->at] = true;
    return ARCHAI_OK;
}

/* The tensors of a layer; of a tied one its weight may stand under the other name alone. */
static int check_layer(archai_weights *w, const archai_module *m, const char *path, archai_err *err)
{
    char *prefix = archai_printf("%s.", path);
    archai_state_list list = {.prefix = prefix};
    int rc = ARCHAI_OK;

    m->kind->state(m, &list);
    for (size_t i = 0; i < list.n && rc == ARCHAI_OK; i++) {
        const char *dot = strrchr(list.at[i].name, '.');
        const bool shared = dot != NULL && is_shared(m, dot + 1);

        if (!shared || find_name(w, list.at[i].name) != NULL)
            rc = check_entry(w, &list.at[i], err);
    }
    free(prefix);
    archai_state_free(list.at, list.n);
    return rc;
}

static void use(archai_weights *w, const archai_tensor *t)
{
    if (t != NULL)
        w->used[t - w->at] = true;
}

/* One tensor under two names: which of two values would it be? */
static int check_tie(const archai_weights *w, const archai_module *m, archai_err *err)
{
    const archai_tensor *a = find_own(w, m, "weight"), *b = find_own(w, m->tied, "weight");

    if (a == NULL && b == NULL)
        return archai_fail(err, ARCHAI_EINVAL, "the weights lack '%s.weight'", archai_weights_path(w, m));
    if (a != NULL && b != NULL && (a->bytes != b->bytes || memcmp(a->data, b->data, a->bytes) != 0))
        return archai_fail(err, ARCHAI_EINVAL, "'%s' and '%s' are one tensor in the model, and differ in the weights",
                           a->name, b->name);
    return ARCHAI_OK;
}

static int check(archai_weights *w, archai_err *err)
{
    for (size_t i = 0; i < w->n_places; i++) {
        const archai_module *m = w->places[i].module;

        if (m->kind != NULL && m->kind->state != NULL) {
            ARCHAI_TRY(check_layer(w, m, w->places[i].path, err));
            if (m->tied != NULL)
                ARCHAI_TRY(check_tie(w, m, err));
        }
        for (const char *const *name = m->unused; name != NULL && *name != NULL; name++)
            use(w, find_own(w, m, *name));
    }
    for (size_t i = 0; i < w->n; i++)
        if (!w->used[i])
            return archai_fail(err, ARCHAI_EINVAL, "the weights hold '%s', which the model lacks",
                               w->at[i].name);
    return ARCHAI_OK;
}

int archai_weights_open(archai_weights **out, const archai_module *root, const archai_tensor *at,
                        size_t n, archai_err *err)
{
    archai_weights *w = archai_calloc(1, sizeof *w);
    int rc = ARCHAI_OK;

    add_places(w, root, "");
    qsort(w->places, w->n_places, sizeof *w->places, by_address);
    w->at = archai_memdup(at, n * sizeof *at);
    w->n = n;
    w->converted = archai_calloc(n + 1, sizeof *w->converted);
    w->used = archai_calloc(n + 1, sizeof *w->used);
    qsort(w->at, n, sizeof *w->at, by_name);
    rc = check(w, err);
    for (size_t i = 0; i < n && rc == ARCHAI_OK; i++) {
        if (!is_known(w->at[i].dtype))
            rc = archai_fail(err, ARCHAI_EINVAL, "'%s' is %s in the weights, expected float32", w->at[i].name,
                             archai_dtype_name(w->at[i].dtype));
        else if (w->at[i].dtype != ARCHAI_F32 && w->at[i].dtype != ARCHAI_I64) {
            convert(&w->at[i]);
            w->converted[i] = true;
        }
    }
    if (rc == ARCHAI_OK)
        *out = w;
    else
        archai_weights_close(w);
    return rc;
}

void archai_weights_close(archai_weights *w)
{
    if (w == NULL)
        return;
    for (size_t i = 0; i < w->n_places; i++)
        free(w->places[i].path);
    for (size_t i = 0; i < w->n; i++)
        if (w->converted[i])
            free((void *)(uintptr_t)w->at[i].data);
    free(w->places);
    free(w->at);
    free(w->converted);
    free(w->used);
    free(w);
}
