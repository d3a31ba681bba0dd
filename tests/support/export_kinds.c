/* Every case of data/make_kinds.py as files of its own, for e2e_export_kinds.py: DIRECTORY/<number>.onnx, .py and .safetensors,
 * the weights that make_kinds.py draws. usage: export_kinds DIRECTORY */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

#include "io/file/file.h"
#include "io/model/onnx/onnx.h"
#include "io/model/python/python.h"
#include "kind_case.h"

static void must(int rc, const archai_err *err, const kind_case *c)
{
    if (rc == ARCHAI_OK)
        return;
    (void)fprintf(stderr, "%s: %s\n", kind_case_name(c), err->text);
    exit(1);
}

static int new_file(const char *directory, size_t index, const char *ending)
{
    char path[1024];
    int fd;

    (void)snprintf(path, sizeof path, "%s/%zu.%s", directory, index, ending);
    fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0666);
    if (fd < 0) {
        perror(path);
        exit(1);
    }
    return fd;
}

/* As shim_kinds.c draws them; free the data. */
static archai_tensor *draw(const kind_case *c, size_t *n)
{
    const json_t *state = json_object_get(c->json, "state");
    archai_state_entry *entries = archai_module_state(c->net.root, n);
    archai_tensor *at = calloc(*n + 1, sizeof *at);

    for (size_t k = 0; k < *n; k++) {
        const int64_t seed = json_integer_value(json_array_get(json_array_get(state, k), 3));
        size_t values = 1;
        float *v;

        at[k] = (archai_tensor){.name = strdup(entries[k].name), .dtype = entries[k].dtype, .ndim = entries[k].ndim};
        for (int d = 0; d < at[k].ndim; d++)
            values *= (size_t)(at[k].shape[d] = entries[k].shape[d]);
        v = kind_args_draw((uint32_t)seed, at[k].dtype == ARCHAI_I64 ? 2 : values);
        if (at[k].dtype == ARCHAI_I64)
            memcpy(v, &(int64_t){3}, sizeof(int64_t));
        else if (strstr(at[k].name, "running_var") != NULL)
            for (size_t j = 0; j < values; j++)
                v[j] = fabsf(v[j]) + 0.5f;
        at[k].data = v;
        at[k].bytes = values * archai_dtype_size(at[k].dtype);
    }
    archai_state_free(entries, *n);
    return at;
}

static void export_case(const char *directory, kind_case *c)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_weights *weights;
    unsigned char *bytes;
    size_t n, size;
    archai_tensor *at;
    FILE *file;
    int fd;

    kind_case_describe(c);
    at = draw(c, &n);
    fd = new_file(directory, c->index, "safetensors");
    must(archai_safetensors_write(fd, at, n, &err), &err, c);
    (void)close(fd);
    must(archai_weights_open(&weights, c->net.root, at, n, &err), &err, c);
    must(archai_onnx_write(&c->net, weights, NULL, 0, &bytes, &size, &err), &err, c);
    fd = new_file(directory, c->index, "onnx");
    must(archai_file_pwrite(fd, bytes, size, 0, "the network", &err), &err, c);
    (void)close(fd);
    free(bytes);
    file = fdopen(new_file(directory, c->index, "py"), "w");
    if (file == NULL)
        exit(1);
    must(archai_python_write(&c->net, &(archai_python_facts){"case", "{}", "", NULL, NULL, NULL}, file, &err), &err, c);
    if (fclose(file) != 0)
        exit(1);
    archai_weights_close(weights);
    for (size_t k = 0; k < n; k++) {
        free(at[k].name);
        free((void *)(uintptr_t)at[k].data);
    }
    free(at);
    archai_network_fini(&c->net);
}

int main(int argc, char **argv)
{
    json_t *cases = load_json_data("kinds.json");

    if (argc != 2)
        return 2;
    for (size_t i = 0; i < json_array_size(cases); i++) {
        kind_case c = {.index = i, .json = json_array_get(cases, i)};

        export_case(argv[1], &c);
    }
    json_decref(cases);
    return 0;
}
