"""Models of torchvision, as configs/spaces/torchvision has them: the same names, shapes, counts and outputs.

Their weights are random. With ARCHAI_TORCHVISION=PATTERN only those models whose names contain PATTERN."""
import glob
import os
import sys

try:
    import torch
    import torchvision
except ImportError as e:
    print(f"skipped: {e} (Debian: python3-torchvision)")
    sys.exit(77)
from torch_model import SPACES, compare, randomize, space

FILES = {  # of what is an architecture of a larger space
    "resnet18": "resnet.yaml", "resnet50": "resnet.yaml", "mobilenet_v3_small": "mobilenet.yaml", "efficientnet_b0": "efficientnet.yaml",
    "convnext_tiny": "convnext.yaml", "vit_b_16": "vit.yaml",
}
ARGUMENTS = {"googlenet": {"aux_logits": False, "init_weights": False}}
torch.manual_seed(1)
x = torch.rand(2, 3, 224, 224)
pattern = os.environ.get("ARCHAI_TORCHVISION", "")
tried = 0
for path in sorted(glob.glob(f"{SPACES}/torchvision/*.json") + glob.glob(f"{SPACES}/torchvision/*.yaml")):
    name, kind = os.path.splitext(os.path.basename(path))
    if pattern not in name:
        continue
    model = randomize(getattr(torchvision.models, name)(weights=None, **ARGUMENTS.get(name, {})))
    config = space(FILES[name] if kind == ".json" else path)
    count, error = compare(config, path if kind == ".json" else {}, model, x)
    print(f"{name}: {count} parameters, outputs differ by {error:.1e}")
    tried += 1
assert tried > 0 and (pattern or tried >= 10)
