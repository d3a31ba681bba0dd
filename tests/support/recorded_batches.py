"""The batches that a candidate was trained on, made again in Python from what is recorded: the run's seed, the candidate's id,
the training pictures (/split/train of results.h5 says which), [train] batch_size, [data] augment, and the means and
deviations in the attribute `data` of results.h5. The rule stands in io/dataset/README.md; nothing of archai-run is asked."""
import pathlib
import random
import sys

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from py_augment import Draws, augmented, derive


def training_seed(run_seed, candidate):
    return derive(derive(run_seed, candidate), 1)


class Batches:
    """images: uint8 or float32 [N,C,H,W], or tokens; labels [N, ...]; normalize: None, or means and deviations."""

    def __init__(self, images, labels, run_seed, candidate, batch_size, normalize=None, augment="none"):
        self.images, self.labels, self.augment, self.size = images, labels, augment, batch_size
        self.seed = training_seed(run_seed, candidate)
        self.generator, self.order, self.epoch = random.Random(self.seed), list(range(len(images))), 0
        self.statistics = None if normalize is None else [torch.tensor(v, dtype=torch.float64).float().view(1, -1, 1, 1) for v in normalize]

    def normalised(self, x):
        return x if self.statistics is None else x.sub(self.statistics[0]).div_(self.statistics[1])

    def next_epoch(self):
        """(images, labels, index, share) of each step. Each epoch shuffles the order of the one before."""
        self.generator.shuffle(self.order)
        of_epoch = derive(self.seed, self.epoch)
        self.epoch += 1
        steps = [self.order[i : i + self.size] for i in range(0, len(self.order), self.size)]
        if len(steps) > 1 and len(steps[-1]) == 1:
            steps.pop() # batch norm cannot train on one example
        for step, index in enumerate(steps):
            index = torch.tensor(index)
            x, share = self.images[index], 1.0
            if x.dtype == torch.uint8:
                x = x.float().div_(255)
            if x.is_floating_point():
                x, share = augmented(x, self.augment, Draws(derive(of_epoch, step + 1)), self.normalised)
            yield x, self.labels[index].long(), index, share
