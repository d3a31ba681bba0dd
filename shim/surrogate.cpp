/* shim/surrogate.cpp - does the jobs of core/search/surrogate.h: rows are kept, cleaned, encoded as columns and
 * given to the model that the job names.
 *
 * Columns: numbers stay as they are, NaN and infinity become replace_nan_value. A choice of up to 64 values
 * becomes a column of 0 and 1 for each value that occurs, since the numbers of a choice have no order. Then
 * every column is standardised over the rows (Archai's z-score, with the population's deviation). A constant
 * column tells nothing: a query with another value is at most one deviation off, whatever its unit. A target
 * that was not measured takes no part in the fit; one that was never measured is predicted as 0 with
 * variance 0.
 */
#include "shim/surrogate.hpp"

#include <algorithm>
#include <cmath>

namespace
{

constexpr size_t max_values = 64; /* of a choice; with more it counts as a number */

struct column {
    double mean = 0, scale = 1;
    bool known = false;    /* some row has a value */
    bool constant = false; /* all have the same */
};

const struct {
    const char *name;
    std::unique_ptr<shim::surrogate_model> (*make)();
} models[] = {
#define X(name) {#name, shim::make_##name},
    ARCHAI_SURROGATE_LIST(X)
#undef X
};

/* Which features become several columns. */
struct layout {
    std::vector<std::vector<float>> values; /* [features]; ascending; empty: a number, one column */
    int64_t width = 0;
};

} // namespace

struct shim_surrogate {
    std::string kinds, model_name;
    int64_t features = 0, targets = 0;
    std::vector<float> x, y; /* all rows */
    layout columns;          /* of the last fit */
    std::unique_ptr<shim::surrogate_model> model;

    int64_t rows() const
    {
        return features > 0 ? static_cast<int64_t>(x.size()) / features : 0;
    }
};

namespace
{

void collect_values(layout &l, const std::vector<float> &x, const std::string &kinds, int64_t features)
{
    for (size_t i = 0; i < x.size(); i++) {
        const size_t f = i % static_cast<size_t>(features);
        auto &v = l.values[f];

        if (kinds.empty() || kinds[f] != 'c' || v.size() > max_values)
            continue;
        const auto at = std::lower_bound(v.begin(), v.end(), x[i]);

        if (at == v.end() || *at != x[i])
            v.insert(at, x[i]);
    }
}

layout make_layout(const std::vector<float> &rows, const std::vector<float> &queries,
                   const std::string &kinds, int64_t features)
{
    layout l;

    l.values.resize(static_cast<size_t>(features));
    collect_values(l, rows, kinds, features);
    collect_values(l, queries, kinds, features);
    for (auto &v : l.values) {
        if (v.size() > max_values || v.size() < 3) /* one column does for two values */
            v.clear();
        l.width += v.empty() ? 1 : static_cast<int64_t>(v.size());
    }
    return l;
}

std::vector<float> expand(const layout &l, const std::vector<float> &x)
{
    std::vector<float> out;

    out.reserve(x.size() / l.values.size() * static_cast<size_t>(l.width));
    for (size_t i = 0; i < x.size(); i++) {
        const auto &v = l.values[i % l.values.size()];

        if (v.empty())
            out.push_back(x[i]);
        for (const float value : v)
            out.push_back(value == x[i] ? 1.0f : 0.0f);
    }
    return out;
}

/* Population mean and deviation of each column over its finite values. */
std::vector<column> measure(const std::vector<float> &at, int64_t width)
{
    const size_t w = static_cast<size_t>(width);
    std::vector<column> out(w);

    for (size_t k = 0; k < w; k++) {
        double sum = 0, squares = 0, n = 0;

        for (size_t i = k; i < at.size(); i += w)
            if (std::isfinite(at[i])) {
                sum += at[i];
                n++;
            }
        if (n == 0)
            continue;
        out[k].known = true;
        out[k].mean = sum / n;
        for (size_t i = k; i < at.size(); i += w)
            if (std::isfinite(at[i]))
                squares += (at[i] - out[k].mean) * (at[i] - out[k].mean);
        const double deviation = std::sqrt(squares / n);

        out[k].constant = !(deviation > 1e-9 * std::fabs(out[k].mean) && deviation > 0);
        out[k].scale = out[k].constant ? 1 : deviation + 1e-7 * deviation;
    }
    return out;
}

/* From element `first` on. */
void replace_nan(std::vector<float> &x, size_t first, double replacement)
{
    for (size_t i = first; i < x.size(); i++)
        x[i] = std::isfinite(x[i]) ? x[i] : static_cast<float>(replacement);
}

void standardise(std::vector<float> &at, const std::vector<column> &columns)
{
    for (size_t i = 0; i < at.size(); i++) {
        const column &c = columns[i % columns.size()];
        const double z = std::isfinite(at[i]) ? (at[i] - c.mean) / c.scale : 0;

        at[i] = static_cast<float>(c.constant ? std::min(std::max(z, -1.0), 1.0) : z);
    }
}

/* Add the rows of the job to those of earlier ones. */
int add_rows(shim_surrogate &s, const archai_surrogate_job &j, archai_err *err)
{
    if (j.held == 0) { /* from the beginning */
        s.x.clear();
        s.y.clear();
        s.features = j.n_features;
        s.targets = j.n_targets;
        s.kinds = j.kinds != nullptr ? j.kinds : "";
    }
    if (j.held != s.rows() || j.n_features != s.features || j.n_targets != s.targets)
        return archai_fail(err, ARCHAI_EINTERNAL,
                           "a job that continues from %lld rows, where %lld are known",
                           static_cast<long long>(j.held), static_cast<long long>(s.rows()));
    s.x.insert(s.x.end(), j.x, j.x + j.n_x);
    s.y.insert(s.y.end(), j.y, j.y + j.n_y);
    replace_nan(s.x, s.x.size() - j.n_x, j.settings.replace_nan_value);
    return ARCHAI_OK;
}

/* *warm: there is a fit to continue from. */
int choose_model(shim_surrogate &s, const archai_surrogate_job &j, const layout &l, bool *warm,
                 archai_err *err)
{
    *warm = j.warm && s.model && s.model_name == j.settings.model &&
            l.values == s.columns.values;
    s.columns = l;
    if (*warm)
        return ARCHAI_OK;
    for (const auto &m : models)
        if (std::strcmp(m.name, j.settings.model) == 0) {
            s.model = m.make();
            s.model_name = m.name;
            return ARCHAI_OK;
        }
    return archai_fail(err, ARCHAI_ENOTFOUND, "no surrogate '%s'", j.settings.model);
}

/* Back to the units of the targets. */
void unstandardise(const std::vector<float> &mean, const std::vector<float> &var,
                   const std::vector<column> &targets, float *mean_out, float *var_out)
{
    constexpr double most = 3e38; /* that a float holds */

    for (size_t i = 0; i < mean.size(); i++) {
        const column &c = targets[i % targets.size()];
        const double m = c.known ? mean[i] * c.scale + c.mean : 0;
        const double v = c.known ? var[i] * c.scale * c.scale : 0;

        mean_out[i] = static_cast<float>(std::min(std::max(m, -most), most));
        var_out[i] = static_cast<float>(std::min(v, most));
    }
}

} // namespace

extern "C" {

int shim_surrogate_open(shim_surrogate **out, archai_err *err) noexcept
{
    return shim::guard(err, __func__, [&]() -> int {
        *out = new shim_surrogate;
        return ARCHAI_OK;
    });
}

void shim_surrogate_close(shim_surrogate *s) noexcept
{
    delete s;
}

int shim_surrogate_serve(shim_surrogate *s, const struct archai_surrogate_job *job, float *mean,
                         float *var, archai_err *err) noexcept
{
    return shim::guard(err, __func__, [&]() -> int {
        const torch::NoGradGuard no_grad;

        ARCHAI_TRY(archai_surrogate_job_check(job, err));
        ARCHAI_TRY(add_rows(*s, *job, err));
        const int64_t n = s->rows(), n_queries = static_cast<int64_t>(job->n_queries) / s->features;
        std::vector<float> queries(job->queries, job->queries + job->n_queries), m, v;
        bool warm;

        if (n == 0)
            return archai_fail(err, ARCHAI_EINVAL, "there are no rows for the surrogate to learn from");
        replace_nan(queries, 0, job->settings.replace_nan_value);
        ARCHAI_TRY(choose_model(*s, *job, make_layout(s->x, queries, s->kinds, s->features), &warm, err));
        shim::sample data;
        archai_rng rng;

        data.n = n;
        data.features = s->columns.width;
        data.targets = s->targets;
        data.x = expand(s->columns, s->x);
        data.y = s->y;
        queries = expand(s->columns, queries);
        for (const float y : data.y)
            data.mask.push_back(std::isfinite(y) ? 1.0f : 0.0f);
        const auto x_columns = measure(data.x, data.features);
        const auto y_columns = measure(data.y, data.targets);

        standardise(data.x, x_columns);
        standardise(data.y, y_columns);
        standardise(queries, x_columns);
        archai_rng_seed(&rng, job->seed);
        s->model->fit(data, job->settings, warm, rng);
        s->model->predict(queries, n_queries, m, v);
        for (size_t i = 0; i < m.size(); i++)
            if (!std::isfinite(m[i]) || !std::isfinite(v[i])) {
                s->model.reset();
                return archai_fail(err, ARCHAI_ETORCH, "the surrogate's fit diverged; a smaller lr "
                                                       "may help");
            }
        unstandardise(m, v, y_columns, mean, var);
        return ARCHAI_OK;
    });
}

} // extern "C"
