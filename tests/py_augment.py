#!/usr/bin/python3
"""Are augmented batches those of torchvision, picture by picture, for the same draws?
usage: py_augment.py BATCHES PICTURES SEED EPOCH [masks]

Every draw is made here as shim/augment/ makes it: torch.rand in double precision by a generator with the batch's seed.
What is done with it, torchvision does."""
import json
import math
import struct
import sys

import numpy as np
import torch
import torchvision.transforms.autoaugment as autoaugment
import torchvision.transforms.functional as F
from torchvision.transforms.functional import InterpolationMode


def load(path):
    kinds = {"F64": np.float64, "F32": np.float32, "I64": np.int64, "U8": np.uint8}
    raw = open(path, "rb").read()
    size = struct.unpack("<Q", raw[:8])[0]
    out = {}
    for name, e in json.loads(raw[8 : 8 + size]).items():
        begin, end = e["data_offsets"]
        out[name] = np.frombuffer(raw[8 + size + begin : 8 + size + end], kinds[e["dtype"]]).reshape(e["shape"]).copy()
    return out


def derive(seed, number):
    """archai_rng_derive"""
    mask = (1 << 64) - 1
    z = (seed + 0x9E3779B97F4A7C15 * (number + 1)) & mask
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
    return (z ^ (z >> 31)) >> 1


class Draws:
    def __init__(self, seed):
        self.g = torch.Generator().manual_seed(seed)

    def uniform(self, *shape):
        return torch.rand(shape, generator=self.g, dtype=torch.float64)

    def below(self, n):
        return int(self.uniform(1).item() * n)

    def beta(self, alpha):
        return torch._sample_dirichlet(torch.full((2,), alpha, dtype=torch.float64), self.g)[0].item()


def crop(x, d, padding):
    by = (d.uniform(2, len(x)) * (2 * padding + 1)).long()
    return torch.stack([F.crop(F.pad(p, [padding] * 4), int(top), int(left), p.shape[1], p.shape[2])
                        for p, top, left in zip(x, by[0], by[1])])


def flip(x, d, p=0.5, how=F.hflip):
    return torch.stack([how(one) if u < p else one for one, u in zip(x, d.uniform(len(x)))])


def resized_crop(x, d, low=0.08, high=1.0):
    """RandomResizedCrop.get_params, with the draws from outside"""
    u = d.uniform(len(x), 10, 4)
    height, width = x.shape[-2:]
    out = []
    for picture, tries in zip(x, u):
        part = None
        for a, r, t, l in tries.tolist():
            area = height * width * (low + (high - low) * a)
            aspect = math.exp(math.log(3 / 4) + (math.log(4 / 3) - math.log(3 / 4)) * r)
            w, h = int(round(math.sqrt(area * aspect))), int(round(math.sqrt(area / aspect)))
            if 0 < w <= width and 0 < h <= height:
                part = int(t * (height - h + 1)), int(l * (width - w + 1)), h, w
                break
        if part is None:
            part = 0, 0, height, width # of a square picture
        out.append(F.resized_crop(picture, *part, [height, width], InterpolationMode.BILINEAR))
    return torch.stack(out)


def color_jitter(x, d, *spreads):
    spreads = list(spreads) + [0] * (4 - len(spreads))
    order, u = d.uniform(4).argsort().tolist(), d.uniform(4, len(x))
    does = [F.adjust_brightness, F.adjust_contrast, F.adjust_saturation, F.adjust_hue]
    for k in order:
        s = spreads[k]
        low, high = (-s, s) if k == 3 else (max(0.0, 1 - s), 1 + s)
        if s:
            x = torch.stack([does[k](p, low + (high - low) * v) for p, v in zip(x, u[k].tolist())])
    return x


def randaugment(x, d, ops=2, magnitude=9):
    space = autoaugment.RandAugment()._augmentation_space(31, tuple(x.shape[-2:]))
    for _ in range(int(ops)):
        which, minus = (d.uniform(len(x)) * len(space)).long().tolist(), (d.uniform(len(x)) * 2).long().tolist()
        out = []
        for picture, k, sign in zip(x, which, minus):
            name = list(space)[k]
            magnitudes, signed = space[name]
            m = magnitudes[int(magnitude)].item() if magnitudes.ndim else 0.0
            if signed and sign:
                m = -m
            if name == "Solarize":
                m /= 255
            if name in ("Posterize", "Equalize"): # for bytes alone
                picture = (picture * 255).round().to(torch.uint8)
            picture = autoaugment._apply_op(picture, name, m, InterpolationMode.NEAREST, None)
            out.append(picture.float() / 255 if picture.dtype == torch.uint8 else picture)
        x = torch.stack(out)
    return x


def cutout(x, d, side):
    """As in the authors' code: github.com/uoguelph-mlrg/Cutout, for an even side"""
    u = d.uniform(2, len(x))
    height, width = x.shape[-2:]
    out = x.clone()
    for picture, v, w in zip(out, u[0].tolist(), u[1].tolist()):
        y, z = int(v * height), int(w * width)
        picture[:, max(y - side // 2, 0) : y + side - side // 2, max(z - side // 2, 0) : z + side - side // 2] = 0
    return out


def erasing(x, d, p=0.5, low=0.02, high=0.33):
    """RandomErasing.get_params, with the draws from outside"""
    whether, u = d.uniform(len(x)), d.uniform(len(x), 10, 4)
    height, width = x.shape[-2:]
    out = []
    for picture, chosen, tries in zip(x, whether, u):
        for a, r, t, l in tries.tolist() if chosen < p else []:
            area = height * width * (low + (high - low) * a)
            aspect = math.exp(math.log(0.3) + (math.log(3.3) - math.log(0.3)) * r)
            h, w = int(round(math.sqrt(area * aspect))), int(round(math.sqrt(area / aspect)))
            if h < height and w < width:
                picture = F.erase(picture, int(t * (height - h + 1)), int(l * (width - w + 1)), h, w, torch.zeros(1, 1, 1))
                break
        out.append(picture)
    return torch.stack(out)


def mixup(x, d, alpha=0.2):
    """RandomMixup of torchvision's references/classification/transforms.py"""
    share = d.beta(alpha)
    return x.roll(1, 0).mul(1.0 - share).add_(x.mul(share)), share


def cutmix(x, d, alpha=1.0):
    """RandomCutmix of the same file"""
    height, width = x.shape[-2:]
    share = d.beta(alpha)
    r = 0.5 * math.sqrt(1.0 - share)
    r_x, r_y = d.below(width), d.below(height)
    half_w, half_h = int(r * width), int(r * height)
    x1, y1 = max(r_x - half_w, 0), max(r_y - half_h, 0)
    x2, y2 = min(r_x + half_w, width), min(r_y + half_h, height)
    out = x.clone()
    out[:, :, y1:y2, x1:x2] = x.roll(1, 0)[:, :, y1:y2, x1:x2]
    return out, 1 - (x2 - x1) * (y2 - y1) / (width * height)


FIRST = {"crop": crop, "flip": flip, "vertical_flip": lambda x, d, p=0.5: flip(x, d, p, F.vflip), "resized_crop": resized_crop,
         "color_jitter": color_jitter, "randaugment": randaugment}
SECOND = {"cutout": cutout, "erasing": erasing}
THIRD = {"mixup": mixup, "cutmix": cutmix}


def steps_of(text):
    steps = [] if text == "none" else [step.split() for step in text.split(",")]
    return [(name, [float(v) if "." in v else int(v) for v in args]) for name, *args in steps]


def augmented(x, text, d, normalised=lambda x: x):
    """The batch and each picture's share in its mixture. Of pictures from 0 to 1."""
    steps = steps_of(text)
    for name, args in steps:
        if name in FIRST:
            x = FIRST[name](x, d, *args)
    x = normalised(x)
    for name, args in steps:
        if name in SECOND:
            x = SECOND[name](x, d, *args)
    mixing = [s for s in steps if s[0] in THIRD]
    if not mixing:
        return x, 1.0
    name, args = mixing[d.below(len(mixing)) if len(mixing) > 1 else 0]
    return THIRD[name](x, d, *args)


def with_masks(x, masks, text, d, ignore):
    """Pictures and their masks: what moves pixels moves both (a mask as one more channel, less `ignore`, so that pixels from
    outside, which are 0, become it); what changes colours or covers pixels leaves masks alone."""
    c = x.shape[1]
    x = torch.cat([x, masks.unsqueeze(1).float() - ignore], 1)
    for stage in (FIRST, SECOND):
        for name, args in steps_of(text):
            if name in ("crop", "flip", "vertical_flip"):
                x = stage[name](x, d, *args) if name in stage else x
            elif name in stage:
                x = torch.cat([stage[name](x[:, :c], d, *args), x[:, c:]], 1)
    return x[:, :c], (x[:, c] + ignore).long()


def check_masks(batches, pictures, seed, epoch):
    """Batches of pictures with masks: c = 255 - channel 0 modulo 5 is the class of a pixel."""
    bad = 0
    for name in batches:
        if not name.endswith("/masks"):
            continue
        text = name[: -len("/masks")]
        index = batches[text + "/index"]
        x = torch.from_numpy(pictures[index]).float().div_(255)
        masks = torch.from_numpy((255 - pictures[index][:, 0]) % 5)
        want, want_masks = with_masks(x, masks, text, Draws(derive(derive(seed, epoch), 1)), 255)
        off = np.abs(batches[text + "/images"] - want.numpy()).max()
        same = np.array_equal(batches[name], want_masks.numpy())
        print(f"{text}, masks: {'the same' if same else 'DIFFER'}, pictures {off:.1e}")
        bad += int(not same or off > 2e-6)
    return bad


def main():
    torch.set_num_threads(1)
    if sys.argv[5:] == ["masks"]:
        return check_masks(load(sys.argv[1]), load(sys.argv[2])["train/images"], int(sys.argv[3]), int(sys.argv[4]))
    batches, pictures = load(sys.argv[1]), load(sys.argv[2])["train/images"]
    seed, epoch = int(sys.argv[3]), int(sys.argv[4])
    bad = 0
    for name in batches:
        if not name.endswith("/images"):
            continue
        text = name[: -len("/images")]
        index = batches[text + "/index"]
        assert sorted(index) == list(range(len(pictures))), index
        x = torch.from_numpy(pictures[index]).float().div_(255)
        want, share = augmented(x, text, Draws(derive(derive(seed, epoch), 1)))
        off = np.abs(batches[name] - want.numpy())
        # a place that lies between two pixels may fall to either
        far = (off > 2e-6).mean()
        allowed = 0.002 if "randaugment" in text else 0
        ok = far <= allowed and abs(batches[text + "/share"][0] - share) < 1e-12
        if text != "none" and np.allclose(batches[name], x.numpy()):
            ok = False # nothing was done
        print(f"{text}: {'the same' if ok else 'DIFFERS'}, largest difference {off.max():.1e}, {far:.2%} of the values")
        bad += not ok
    return bad


if __name__ == "__main__":
    sys.exit(main())
