#include "runner/inspect/json.h"

#include <math.h>

#include "core/base/alloc.h"

json_t *inspect_json_number(double v)
{
    return isfinite(v) ? json_real(v) : json_null();
}

json_t *inspect_json_whole(double v)
{
    return v == floor(v) && fabs(v) < 0x1p53 ? json_integer((json_int_t)v) : inspect_json_number(v);
}

json_t *inspect_json_text(const char *s)
{
    json_t *value = json_string(s != NULL ? s : "");

    return value != NULL ? value : json_string("?");
}

json_t *inspect_json_param(const archai_results_param *p, size_t row)
{
    return inspect_param_absent(p, row) ? json_null()
           : p->texts != NULL           ? inspect_json_text(p->texts[row])
                                        : inspect_json_whole(p->numbers[row]);
}

void inspect_json_print(json_t *value)
{
    (void)json_dumpf(archai_there(value), stdout, JSON_INDENT(1));
    (void)putchar('\n');
    json_decref(value);
}
