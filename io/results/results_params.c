/* Reading /params. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "io/file/file.h"
#include "io/file/h5.h"
#include "io/results/results_private.h"

void archai_results_params_free(archai_results_param *at, size_t n, size_t rows)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; at[i].texts != NULL && k < rows; k++)
            free(at[i].texts[k]);
        free(at[i].texts);
        free(at[i].numbers);
        free(at[i].name);
    }
    free(at);
}

static int take(void *payload, size_t row, const void *value, size_t width, archai_err *err)
{
    const archai_results_param *p = payload;

    (void)err;
    if (p->texts != NULL)
        p->texts[row] = archai_strndup(value, width);
    else
        p->numbers[row] = *(const double *)value;
    return ARCHAI_OK;
}

static int read_one(const archai_results_reader *x, hid_t group, const char *link, size_t rows,
                    archai_results_param *p, archai_err *err)
{
    hid_t dataset = H5I_INVALID_HID, type = H5I_INVALID_HID;
    bool is_text = false;
    int rc;

    ARCHAI_TRY(archai_h5_id(err, &dataset, H5Dopen2(group, link, H5P_DEFAULT)));
    rc = archai_h5_id(err, &type, H5Dget_type(dataset));
    if (rc == ARCHAI_OK)
        is_text = H5Tget_class(type) == H5T_STRING;
    archai_h5_release(&type);
    archai_h5_release(&dataset);
    if (rc != ARCHAI_OK)
        return rc;
    if (is_text)
        p->texts = archai_calloc(rows, sizeof *p->texts);
    else
        p->numbers = archai_file_room(rows, sizeof *p->numbers, err);
    if (p->texts == NULL && p->numbers == NULL)
        return ARCHAI_ENOMEM;
    return results_column(x, group, link, is_text ? ARCHAI_COLUMN_TEXT : ARCHAI_COLUMN_F64, 0,
                          rows, take, p, err);
}

int archai_results_params(const char *path, size_t rows, archai_results_param **out, size_t *n,
                          archai_err *err)
{
    archai_results_reader *x = NULL;
    archai_results head = {0};
    archai_results_param *at = NULL;
    archai_strings names = {NULL, 0};
    hid_t group = H5I_INVALID_HID;
    size_t read = 0;
    int rc;

    ARCHAI_TRY(archai_results_open(&x, path, &head, err));
    head.n = 0;
    rc = results_group(x, "params", &group, &names, err);
    at = archai_calloc(names.n, sizeof *at);
    for (; rc == ARCHAI_OK && read < names.n; read++) {
        at[read].name = results_shown_name(names.at[read]);
        rc = read_one(x, group, names.at[read], rows, &at[read], err);
    }
    rc = archai_err_wrap(err, rc, "/params: ");
    if (rc != ARCHAI_OK)
        rc = results_blame(x, rc, err);
    if (rc != ARCHAI_OK) {
        archai_results_params_free(at, read, rows);
    } else {
        *out = at;
        *n = names.n;
    }
    archai_h5_release(&group);
    archai_strings_free(&names);
    archai_results_free(&head);
    archai_results_close(x);
    return rc;
}
