/* shim/train/train.cpp - the training loop. */
#include "shim/stream.hpp"
#include "shim/train/schedule.hpp"
#include "shim/train/train.hpp"

#include <chrono>
#include <cmath>
extern "C" {
#include "io/dataset/loss.h"
}

namespace
{

/* What one training needs at every step. */
struct loop {
    shim_training &t;
    const shim::resident &data;
    shim::batches per_epoch;
    int64_t steps; /* of the whole training */
    shim::schedule rates;
};

/* Rounded up, but for what arithmetic adds to 0.1 * 30. */
int64_t round_up(double x)
{
    return std::max<int64_t>(1, std::llround(std::ceil(x * (1 - 1e-9))));
}

loop make_loop(shim_training &t, const shim::resident &data)
{
    const shim_train_settings &s = t.settings;
    const shim::batches batches{data.splits[ARCHAI_SPLIT_TRAIN].n, s.recipe.batch_size};
    const auto per_epoch = static_cast<double>(batches.count());
    const double planned = s.schedule_epochs > 0 ? s.schedule_epochs : s.epochs;

    return {t, data, batches, round_up(s.epochs * per_epoch),
            shim::schedule(s.recipe, per_epoch, round_up(planned * per_epoch))};
}

/* Returns the loss. */
torch::Tensor train_step(const loop &l, const torch::Tensor &index, int64_t epoch, int64_t step)
{
    shim_training &t = l.t;
    const archai_train_settings &s = t.recipe;
    const shim::augmented batch = shim::train_batch(l.data, t.settings, index, epoch, step);

    t.optimizer->zero_grad();
    const auto loss =
        shim::train_loss(l.data, s, shim::forward(t.model, t.arithmetic, batch.images), batch);
    (t.scaler ? t.scaler->scaled(loss) : loss).backward();
    if (t.scaler && !t.scaler->unscale(t.optimizer->gradients()))
        return loss.detach();
    if (s.clip_grad_norm > 0)
        t.optimizer->clip(s.clip_grad_norm);
    t.optimizer->step(l.rates.at(epoch * l.per_epoch.count() + step));
    if (t.average)
        t.average->update();
    return loss.detach();
}

/* One pass over the training data, or what is left of the training; sets the mean loss and the
 * rate. */
void train_epoch(const loop &l, const torch::Tensor &order, int64_t epoch, shim_epoch &e)
{
    const int64_t before = epoch * l.per_epoch.count();
    const int64_t steps = std::min(l.per_epoch.count(), l.steps - before);
    shim::begin_pass(l.data, ARCHAI_SPLIT_TRAIN,
                     order.narrow(0, 0, std::min(l.per_epoch.n, steps * l.per_epoch.size)),
                     l.per_epoch.size);
    auto total = torch::zeros({}, torch::TensorOptions().device(l.t.model.device->rep));
    int64_t seen = 0;

    /* An epoch draws the same numbers whether or not training was interrupted before it. */
    torch::manual_seed(archai_rng_derive(l.t.settings.seed, static_cast<uint64_t>(epoch)));
    l.t.model.root->train();
    for (int64_t i = 0; i < steps; i++) {
        const auto index = l.per_epoch.slice(order, i);

        total.add_(train_step(l, index, epoch, i), index.size(0));
        seen += index.size(0);
    }
    e.train_loss = total.item<double>() / static_cast<double>(seen);
    e.learning_rate = l.rates.at(before + steps - 1);
}

/* Of examples that are not in memory: which passes will follow, and what share of the training was waiting. */
class reading_ahead
{
  public:
    explicit reading_ahead(const loop &of) : l(of), before(waited())
    {
    }
    void validation()
    {
        shim::expect_pass(l.data, ARCHAI_SPLIT_VAL,
                          torch::arange(l.data.splits[ARCHAI_SPLIT_VAL].n, torch::kInt64),
                          l.per_epoch.size);
        before = waited();
    }
    void count(double seconds)
    {
        lost += waited() - before;
        spent += seconds;
    }
    torch::Tensor next(shim::shuffler &orders) const
    {
        const auto order = orders.next(l.t.model.device->rep);

        shim::expect_pass(l.data, ARCHAI_SPLIT_TRAIN,
                          order.narrow(0, 0, std::min(l.per_epoch.n, l.per_epoch.count() * l.per_epoch.size)),
                          l.per_epoch.size);
        return order;
    }
    double share() const
    {
        return l.data.elsewhere == nullptr ? std::nan("") : spent > 0 ? lost / spent : 0;
    }

  private:
    const loop &l;
    double before, lost = 0, spent = 0;

    double waited() const
    {
        return l.data.elsewhere != nullptr ? l.data.elsewhere->waited() : 0;
    }
};

double seconds_now()
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

int check_finite(const char *name, double v, archai_err *err)
{
    return std::isfinite(v) ? ARCHAI_OK
                            : archai_fail(err, ARCHAI_ETORCH, "%s is %s", name,
                                          std::isnan(v) ? "NaN" : "infinite");
}

int check_finite(const char *name, double v, int64_t epoch, archai_err *err)
{
    if (std::isfinite(v))
        return ARCHAI_OK;
    return archai_fail(err, ARCHAI_ETORCH, "%s is %s after epoch %lld", name,
                       std::isnan(v) ? "NaN" : "infinite", static_cast<long long>(epoch));
}

int check_epoch(const shim_epoch &e, const shim::resident &data, archai_err *err)
{
    const struct {
        const char *name, *measure;
        double value;
    } all[] = {
        {"train_loss", "loss", e.train_loss},
        {"val_loss", "loss", e.val_loss},
        {"val_accuracy", "accuracy", e.val_accuracy},
        {"val_miou", "miou", e.val_miou},
        {"val_rmse", "rmse", e.val_rmse},
    };

    for (const auto &one : all)
        if (archai_targets_have(data.targets, data.classes, one.measure))
            ARCHAI_TRY(check_finite(one.name, one.value, e.epoch, err));
    return ARCHAI_OK;
}

int validate(const loop &l, shim_epoch &e, archai_err *err)
{
    shim_model &m = l.t.model;
    shim::snapshot live;

    if (l.t.average) {
        live = shim::take(m);
        shim::put(m, l.t.average->at);
    }
    const shim::scores val =
        shim::measure(m, l.data, l.data.splits[ARCHAI_SPLIT_VAL], l.t.recipe);

    shim::put(m, live);
    e.val_loss = val.loss;
    e.val_accuracy = val.accuracy;
    e.val_top5 = val.top5;
    e.val_miou = val.miou;
    e.val_mae = val.mae;
    e.val_rmse = val.rmse;
    e.val_perplexity = val.perplexity;
    return check_epoch(e, l.data, err);
}

/* Keeps the best epoch, if that is asked for; does training end with this one? */
void judge(shim_training &t, shim_epoch &e)
{
    const archai_train_settings &s = t.settings.recipe;

    e.ends = e.epoch == e.epochs;
    if (s.keep != ARCHAI_KEEP_BEST && s.patience == 0)
        return;
    if (!t.best.has_value() || e.val_loss < t.best->epoch.val_loss) {
        t.best = shim::best_epoch{e, {}};
        if (s.keep == ARCHAI_KEEP_BEST)
            t.best->weights = t.average ? shim::clone(t.average->at) : shim::take(t.model);
    }
    if (s.patience > 0 && e.epoch - t.best->epoch.epoch >= s.patience)
        e.ends = true;
}

/* The weights that count, into the model. */
void settle(shim_training &t, const shim_epoch &last, shim_train_result &out)
{
    out.kept = last;
    if (t.best.has_value() && !t.best->weights.empty()) {
        out.kept = t.best->epoch;
        shim::put(t.model, t.best->weights);
    } else if (t.average) {
        shim::put(t.model, t.average->at);
    }
}

void set_test(shim_train_result &r, const shim::scores &test)
{
    r.test_loss = test.loss;
    r.test_accuracy = test.accuracy;
    r.test_top5 = test.top5;
    r.test_miou = test.miou;
    r.test_mae = test.mae;
    r.test_rmse = test.rmse;
    r.test_perplexity = test.perplexity;
}

int train(shim_model &m, const archai_dataset_header *header, const shim_train_settings &s,
          shim_train_result *out, archai_err *err)
{
    const shim::resident &data = shim::reside(*m.device, header);
    const int64_t n = data.splits[ARCHAI_SPLIT_TRAIN].n;
    shim_train_result result{};

    if (n == 0 || data.splits[ARCHAI_SPLIT_VAL].n == 0)
        return archai_fail(err, ARCHAI_EINVAL, "the data set has no %s images",
                           n == 0 ? "training" : "validation");
    shim_training t(m, s);

    ARCHAI_TRY(archai_loss_choose(s.recipe.loss, data.targets, &t.recipe.loss, err));
    ARCHAI_TRY(shim::choose_arithmetic(m, s.recipe, &t.arithmetic, err));
    if (t.arithmetic.type == torch::kHalf)
        t.scaler.emplace();
    const loop l = make_loop(t, data);
    shim::shuffler orders(n, s.seed);
    reading_ahead ahead(l);
    shim_epoch e{};

    if (s.first_epoch > 0)
        ARCHAI_TRY(shim::restore_training(t, err));
    for (int64_t epoch = 0; epoch < s.first_epoch; epoch++)
        orders.skip();
    auto order = orders.next(m.device->rep);
    for (int64_t epoch = s.first_epoch; !e.ends; epoch++) {
        const double begun = seconds_now();

        e.epoch = epoch + 1;
        e.epochs = shim_train_epochs(s.epochs);
        ahead.validation();
        train_epoch(l, order, epoch, e);
        ahead.count(seconds_now() - begun);
        t.train_seconds += seconds_now() - begun;
        if (epoch + 1 < e.epochs)
            order = ahead.next(orders);
        ARCHAI_TRY(validate(l, e, err));
        judge(t, e);
        if (s.on_epoch != nullptr && !s.on_epoch(s.payload, &e, &t))
            return archai_fail(err, ARCHAI_EINTR, "stopped after epoch %lld of %lld",
                               static_cast<long long>(e.epoch),
                               static_cast<long long>(e.epochs));
    }
    result.epochs = e.epoch;
    result.train_seconds = t.train_seconds;
    (void)std::snprintf(result.arithmetic, sizeof result.arithmetic, "%s",
                        t.arithmetic.text().c_str());
    result.data_wait = ahead.share();
    settle(t, e, result);
    set_test(result, t.recipe.test == ARCHAI_TEST_ALL
                         ? shim::measure(m, data, data.splits[ARCHAI_SPLIT_TEST], t.recipe)
                         : shim::scores());
    *out = result;
    return ARCHAI_OK;
}

} // namespace

shim_training::shim_training(shim_model &m, const shim_train_settings &s)
    : model(m), settings(s), recipe(s.recipe),
      optimizer(shim::make_optimizer(*m.root, s.recipe)), train_seconds(s.train_seconds)
{
    if (s.recipe.ema > 0)
        average.emplace(m, s.recipe.ema);
}

extern "C" int64_t shim_train_epochs(double epochs) noexcept
{
    return round_up(epochs);
}

extern "C" int shim_model_test(shim_model *m, const archai_dataset_header *data,
                               const archai_train_settings *recipe, shim_train_result *out,
                               archai_err *err) noexcept
{
    return shim::guard(err, __func__, [&]() -> int {
        const shim::resident &resident = shim::reside(*m->device, data);
        archai_train_settings s = *recipe;

        if (resident.splits[ARCHAI_SPLIT_TEST].n == 0)
            return archai_fail(err, ARCHAI_EINVAL, "the data have no test split");
        ARCHAI_TRY(archai_loss_choose(recipe->loss, resident.targets, &s.loss, err));
        const shim::scores test =
            shim::measure(*m, resident, resident.splits[ARCHAI_SPLIT_TEST], s);

        ARCHAI_TRY(check_finite("test_loss", test.loss, err));
        set_test(*out, test);
        return ARCHAI_OK;
    });
}

extern "C" int shim_model_train(shim_model *m, const archai_dataset_header *data,
                                const shim_train_settings *settings, shim_train_result *out,
                                archai_err *err) noexcept
{
    return shim::guard(err, __func__, [&]() -> int {
        const shim_train_settings &s = *settings;

        if (!(s.epochs > 0 && s.epochs <= double{SHIM_MAX_EPOCHS}) || s.recipe.batch_size < 1 ||
            (s.schedule_epochs != 0 && s.schedule_epochs < s.epochs) || s.first_epoch < 0 ||
            s.first_epoch >= shim_train_epochs(s.epochs))
            return archai_fail(err, ARCHAI_EINVAL,
                               "%g epochs (of %g) after %lld in batches of %lld", s.epochs,
                               s.schedule_epochs, static_cast<long long>(s.first_epoch),
                               static_cast<long long>(s.recipe.batch_size));
        return train(*m, data, s, out, err);
    });
}
