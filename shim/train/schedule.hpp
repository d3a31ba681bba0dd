/* shim/train/schedule.hpp - the learning rate of each step. */
#pragma once
#include <cstdint>
extern "C" {
#include "core/config/train.h"
}

namespace shim
{

/* As torch.optim.lr_scheduler defines them, stepped after each optimizer step, over all steps
 * of a training; `settings` is borrowed.
 *
 * Warm-up: LinearLR(start_factor=0.01), before the schedule (SequentialLR) where that depends
 * on the number of steps, on top of it (ChainedScheduler) where it counts from the first.
 * one_cycle: OneCycleLR without momentum. */
class schedule
{
  public:
    schedule(const archai_train_settings &settings, double per_epoch, int64_t steps);
    double at(int64_t step) const; /* from 0 */

  private:
    const archai_train_settings &s;
    double per_epoch;
    int64_t steps, warmup;

    int64_t span(double length) const;
    double falls(int64_t step) const;
    double one_cycle(int64_t step) const;
};

} // namespace shim
