"""prune.json: what Optuna's MedianPruner and Ray Tune's ASHAScheduler answer to reports of candidates that run at the same time.

usage: python3 make_prune.py > prune.json    (made with optuna 5.0.0 and ray 2.60.0, pip install optuna "ray[tune]")

A case has a rule, its settings, the direction, and events: ["report", id, step, value (null: NaN), answer], or
["end", id, was it complete]. A candidate that was told to end sometimes reports once more before it does, as over a network.
"""
import json
import math
import random
import types

import optuna
from ray.tune.schedulers.async_hyperband import _Bracket

optuna.logging.set_verbosity(optuna.logging.ERROR)


class Median:
    def __init__(self, direction, settings):
        pruner = optuna.pruners.MedianPruner(**settings)
        self.study, self.trials = optuna.create_study(direction=direction, pruner=pruner), {}

    def report(self, id, step, value):
        if id not in self.trials:
            self.trials[id] = self.study.ask()
        self.trials[id].report(value, step)
        return self.trials[id].should_prune()

    def end(self, id, complete):
        state = optuna.trial.TrialState.COMPLETE if complete else optuna.trial.TrialState.PRUNED
        self.study.tell(self.trials[id], 0.0 if complete else None, state=state)


class Asha:
    def __init__(self, direction, settings):
        self.sign = 1 if direction == "maximize" else -1
        self.bracket = _Bracket(settings["grace_period"], 1e6, settings["reduction_factor"], 0)

    def report(self, id, step, value):
        return self.bracket.on_result(types.SimpleNamespace(trial_id=str(id)), step, self.sign * value) == "STOP"

    def end(self, id, complete):
        pass


def case(rule, kind, direction, settings, r, n=30, slots=4, epochs=12, nan=0.0, stride=1, digits=4):
    peer, events = kind(direction, settings), []
    running, started = {}, 0
    while running or started < n:
        while len(running) < slots and started < n:
            running[started] = [0, r.gauss(0, 1), False]
            started += 1
        id = r.choice(list(running))
        state = running[id]
        state[0] += r.randint(1, stride)
        value = state[1] * (1 - math.exp(-state[0] / 4)) + r.gauss(0, 0.1)
        value = math.nan if r.random() < nan else round(value * (1 if direction == "maximize" else -1), digits)
        was_told, answer = state[2], bool(peer.report(id, state[0], value))
        events.append(["report", id, state[0], None if math.isnan(value) else value, int(answer and not was_told)])
        state[2] = was_told or answer
        if state[0] >= epochs or (state[2] and r.random() < 0.7):
            complete = not state[2]
            peer.end(id, complete)
            events.append(["end", id, int(complete)])
            del running[id]
    return {"rule": rule, "direction": direction, "settings": settings, "events": events}


def main():
    r = random.Random(7)
    cases = []
    for direction in ("maximize", "minimize"):
        for startup, warmup, interval in ((5, 0, 1), (0, 0, 1), (1, 4, 1), (5, 2, 3), (3, 1, 4)):
            settings = {"n_startup_trials": startup, "n_warmup_steps": warmup, "interval_steps": interval}
            cases.append(case("median", Median, direction, settings, r))
            cases.append(case("median", Median, direction, settings, r, stride=3, nan=0.2, digits=1))
        for grace, factor in ((1, 4), (1, 2), (2, 3), (3, 1.5)):
            settings = {"grace_period": grace, "reduction_factor": factor}
            cases.append(case("asha", Asha, direction, settings, r, epochs=20))
            cases.append(case("asha", Asha, direction, settings, r, epochs=20, stride=4, digits=1))
    print(json.dumps(cases))


if __name__ == "__main__":
    main()
