/* The models that the page shows, column by column: those that something on it names, and of the others as many
 * as there is room for, at equal distances. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "runner/inspect/report/report.h"

/* A page of some 100,000 models must open on a telephone, too. */
enum { MODELS_MAX = 4000, CELLS_MAX = 200000, TEXT_MAX = 300, METRICS_MAX = 64, SAMPLE = 256 };
static const double text_bytes_max = 3e6;

typedef struct columns {
    report *p;
    size_t *rows; /* owned; shown, in order of id */
    size_t n;
    size_t *place; /* owned; [r->n]: front:K, 0: not on the front */
    json_t *out;
} columns;

static json_t *short_text(const char *s)
{
    size_t n = TEXT_MAX - 3;
    char *cut;
    json_t *value;

    if (s == NULL || strlen(s) <= TEXT_MAX)
        return inspect_json_text(s);
    while (n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80) /* not in the middle of a character */
        n--;
    cut = archai_printf("%.*s...", (int)n, s);
    value = inspect_json_text(cut);
    free(cut);
    return value;
}

/* How many bytes of text a row brings, on average. */
static double text_bytes(const report *p)
{
    const archai_results *r = &p->t->r;
    const size_t stride = r->n / SAMPLE + 1;
    double bytes = 0;
    size_t n = 0;

    for (size_t i = 0; i < r->n; i += stride, n++) {
        bytes += 2 * (double)strlen(r->rows[i].model.archid);
        for (size_t k = 0; k < p->t->n_params; k++)
            if (p->t->differs[k] && p->t->params[k].texts != NULL && p->t->params[k].texts[i] != NULL)
                bytes += fmin(TEXT_MAX, (double)strlen(p->t->params[k].texts[i]));
    }
    return n > 0 ? bytes / (double)n : 0;
}

static void choose(columns *c, size_t width)
{
    const archai_results *r = &c->p->t->r;
    const double bytes = text_bytes(c->p);
    size_t room = CELLS_MAX / width, named = 0, others = 0, seen[2] = {0};

    room = room < MODELS_MAX ? room : MODELS_MAX;
    if ((double)room * bytes > text_bytes_max)
        room = (size_t)(text_bytes_max / bytes);
    for (size_t i = 0; i < r->n; i++)
        named += c->p->is_named[i];
    others = room > named ? room - named : room / 2;
    named = named < room ? named : room; /* a front larger than that: at equal distances, too */
    c->rows = archai_calloc(named + others + 2, sizeof *c->rows);
    for (size_t i = 0; i < r->n; i++)
        seen[c->p->is_named[i]]++;
    for (size_t i = 0, at[2] = {0}; i < r->n; i++) {
        const int is_named = c->p->is_named[i];
        const size_t most = is_named ? named : others, of = seen[is_named], k = at[is_named]++;

        if (most >= of || (k + 1) * most / of > k * most / of)
            c->rows[c->n++] = i;
    }
}

static json_t *add(columns *c, const char *name)
{
    json_t *list = archai_there(json_array());

    (void)json_object_set_new(c->out, name, list);
    return list;
}

static void put_own(columns *c)
{
    const inspect *t = c->p->t;
    json_t *id = add(c, "id"), *archid = add(c, "archid"), *short_ = add(c, "short"), *status = add(c, "status");
    json_t *budget = add(c, "budget"), *seconds = add(c, "seconds"), *started = add(c, "started");
    json_t *rank = add(c, "rank"), *evaluation = add(c, "evaluation"), *stands = add(c, "stands");
    json_t *front = add(c, "front"), *error = add(c, "error"), *operator_ = add(c, "operator");
    char *standing = archai_calloc(t->r.n, 1);

    for (size_t i = 0; i < c->p->f->n_standing; i++)
        standing[c->p->f->standing[i]] = 1;
    for (size_t i = 0; i < c->n; i++) {
        const archai_trial *e = &t->r.rows[c->rows[i]];
        char *name = inspect_short(t, c->rows[i]);

        (void)json_array_append_new(id, json_integer(e->id));
        (void)json_array_append_new(archid, inspect_json_text(e->model.archid));
        (void)json_array_append_new(short_, inspect_json_text(name));
        (void)json_array_append_new(status, json_string(archai_status_name(e->status)));
        (void)json_array_append_new(budget, inspect_json_whole(e->budget));
        (void)json_array_append_new(seconds, inspect_json_number(e->seconds));
        (void)json_array_append_new(started,
                                    inspect_json_number(e->started > 0 ? e->started - c->p->f->began : (double)NAN));
        (void)json_array_append_new(rank, json_integer(e->rank));
        (void)json_array_append_new(evaluation, json_integer(c->p->f->evaluation[c->rows[i]]));
        (void)json_array_append_new(stands, json_integer(standing[c->rows[i]]));
        (void)json_array_append_new(front, json_integer((json_int_t)c->place[c->rows[i]]));
        (void)json_array_append_new(error, short_text(e->error));
        (void)json_array_append_new(operator_, short_text(e->operator_));
        free(name);
    }
    free(standing);
}

static void put_objectives(columns *c)
{
    const archai_results *r = &c->p->t->r;
    json_t *all = json_object();

    (void)json_object_set_new(c->out, "objectives", all);
    for (size_t k = 0; k < r->n_objectives; k++) {
        json_t *list = json_array();

        for (size_t i = 0; i < c->n; i++)
            (void)json_array_append_new(list, inspect_json_whole(r->values[c->rows[i] * r->n_objectives + k]));
        (void)json_object_set_new(all, r->objectives[k].name, list);
    }
}

static void put_params(columns *c)
{
    const inspect *t = c->p->t;
    json_t *all = json_object();

    (void)json_object_set_new(c->out, "params", all);
    for (size_t k = 0; k < t->n_params; k++) {
        const archai_results_param *p = &t->params[k];
        json_t *list;

        if (!t->differs[k])
            continue;
        list = json_array();
        for (size_t i = 0; i < c->n; i++)
            (void)json_array_append_new(list, p->texts != NULL && !inspect_param_absent(p, c->rows[i])
                                                  ? short_text(p->texts[c->rows[i]])
                                                  : inspect_json_param(p, c->rows[i]));
        (void)json_object_set_new(all, p->name, list);
    }
}

/* Measures that are no objectives; names in the order of the first row that has them. */
static size_t metric_names(const archai_results *r, const char *names[METRICS_MAX])
{
    const size_t stride = r->n / SAMPLE + 1;
    size_t n = 0;

    for (size_t i = 0; i < r->n; i += stride)
        for (size_t k = 0; k < r->rows[i].n_measures; k++) {
            const char *name = r->rows[i].measures[k].name;
            bool known = n == METRICS_MAX;

            for (size_t j = 0; !known && j < n; j++)
                known = strcmp(names[j], name) == 0;
            for (size_t j = 0; !known && j < r->n_objectives; j++)
                known = strcmp(r->objectives[j].name, name) == 0;
            if (!known)
                names[n++] = name;
        }
    return n;
}

static void put_metrics(columns *c, const char *const *names, size_t n)
{
    const archai_results *r = &c->p->t->r;
    json_t *all = json_object();

    (void)json_object_set_new(c->out, "metrics", all);
    for (size_t k = 0; k < n; k++) {
        json_t *list = json_array();

        for (size_t i = 0; i < c->n; i++) {
            const archai_trial *e = &r->rows[c->rows[i]];

            (void)json_array_append_new(list,
                                        inspect_json_whole(archai_measure_get(e->measures, e->n_measures, names[k])));
        }
        (void)json_object_set_new(all, names[k], list);
    }
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Whose weights results.h5 has. */
static int put_weights(columns *c, archai_err *err)
{
    const archai_results *r = &c->p->t->r;
    json_t *list = add(c, "weights");
    archai_strings names = {NULL, 0};

    ARCHAI_TRY(archai_results_models(c->p->t->path, &names, err));
    if (names.n > 1)
        qsort(names.at, names.n, sizeof *names.at, compare_names);
    for (size_t i = 0; i < c->n; i++) {
        const char *archid = r->rows[c->rows[i]].model.archid;
        const bool kept = names.n > 0 && bsearch(&archid, names.at, names.n, sizeof *names.at, compare_names) != NULL;

        (void)json_array_append_new(list, json_integer(kept));
    }
    archai_strings_free(&names);
    return ARCHAI_OK;
}

int report_models(report *p, archai_err *err)
{
    const archai_results *r = &p->t->r;
    const char *metrics[METRICS_MAX];
    const size_t n_metrics = metric_names(r, metrics);
    columns c = {.p = p, .out = archai_there(json_object()), .place = archai_calloc(r->n, sizeof *c.place)};
    size_t width = 14 + r->n_objectives + n_metrics;
    int rc;

    for (size_t k = 0; k < p->t->n_params; k++)
        width += p->t->differs[k];
    for (size_t i = 0; i < p->f->n_front; i++)
        c.place[p->f->front[i]] = i + 1;
    choose(&c, width);
    put_own(&c);
    rc = put_weights(&c, err);
    put_objectives(&c);
    put_params(&c);
    put_metrics(&c, metrics, n_metrics);
    (void)json_object_set_new(p->out, "models", c.out);
    free(c.rows);
    free(c.place);
    return rc;
}
