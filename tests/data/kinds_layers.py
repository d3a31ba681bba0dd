"""Layers and operations that PyTorch 1.13 and torchvision 0.14 lack, from their definitions; for make_kinds.py."""
import math

import torch
from torch import nn
from torch.nn import functional as F


class RMSNorm(nn.Module):
    def __init__(self, normalized_shape, eps=None, elementwise_affine=True):
        super().__init__()
        self.normalized_shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        if elementwise_affine:
            self.weight = nn.Parameter(torch.ones(self.normalized_shape))

    def forward(self, x):
        dims = tuple(range(-len(self.normalized_shape), 0))
        y = x / torch.sqrt((x ** 2).mean(dims, keepdim=True) + (torch.finfo(x.dtype).eps if self.eps is None else self.eps))
        return y * self.weight if self.elementwise_affine else y

    def extra_repr(self):
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class LayerNorm(nn.LayerNorm):
    """With PyTorch 2.1's `bias`."""

    def __init__(self, *args, bias=True, **kwargs):
        super().__init__(*args, **kwargs)
        if not bias:
            self.bias = None


class Conv1D(nn.Module):
    """Hugging Face's pytorch_utils.Conv1D."""

    def __init__(self, nf, nx):
        super().__init__()
        self.nf = nf
        w = torch.empty(nx, nf)
        nn.init.normal_(w, std=0.02)
        self.weight, self.bias = nn.Parameter(w), nn.Parameter(torch.zeros(nf))

    def forward(self, x):
        return torch.addmm(self.bias, x.view(-1, x.size(-1)), self.weight).view(x.size()[:-1] + (self.nf,))


class LearnedPositions(nn.Embedding):
    """What Hugging Face's GPT-2 does with an Embedding, as which it is printed."""
    first = 0

    def forward(self, x):
        return super().forward(torch.arange(self.first, self.first + x.shape[1]).expand(x.shape))

    def _get_name(self):
        return "Embedding"


class OPTLearnedPositionalEmbedding(LearnedPositions):
    """Hugging Face's, where nothing is masked; its two first rows are counted here."""
    first = 2

    def _get_name(self):
        return type(self).__name__


class NewGELUActivation(nn.Module):
    def forward(self, x):
        return 0.5 * x * (1.0 + torch.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * torch.pow(x, 3.0))))


class QuickGELUActivation(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


class Zero(nn.Module):
    """NAS-Bench-201's; with other channels out, of the pixels that the stride leaves."""

    def __init__(self, C_in, C_out, stride=1):
        super().__init__()
        self.C_in, self.C_out, self.stride = C_in, C_out, stride

    def forward(self, x):
        x = x[:, :, ::self.stride, ::self.stride]
        return x.mul(0.0) if self.C_in == self.C_out else x.mul(0.0)[:, :1].expand(-1, self.C_out, -1, -1)

    def extra_repr(self):
        return f"C_in={self.C_in}, C_out={self.C_out}, stride={self.stride}"


class MultiheadAttention(nn.MultiheadAttention):
    def __init__(self, is_causal=False, **kwargs):
        super().__init__(batch_first=True, **kwargs)
        self.is_causal = is_causal

    def forward(self, q, k=None, v=None):
        k = q if k is None else k
        v = k if v is None else v
        mask = torch.ones(q.size(1), k.size(1), dtype=torch.bool).triu(1) if self.is_causal else None
        return super().forward(q, k, v, need_weights=False, attn_mask=mask)[0]


def attention(q, k, v, num_heads=None, is_causal=False, dropout_p=0.0, scale=None, training=False):
    def split(x):
        return x if num_heads is None else x.unflatten(-1, (num_heads, x.size(-1) // num_heads)).transpose(1, 2)
    q, k, v = split(q), split(k), split(v)
    scores = q @ k.transpose(-2, -1) * (1 / math.sqrt(q.size(-1)) if scale is None else scale)
    if is_causal:
        scores = scores.masked_fill(torch.ones(q.size(-2), k.size(-2), dtype=torch.bool).triu(1), -math.inf)
    y = F.dropout(torch.softmax(scores, -1), dropout_p, training) @ v
    return y if num_heads is None else y.transpose(1, 2).flatten(2)


def rotary(x, num_heads, rotary_dim, base=10000):
    """As Hugging Face's CodeGen: sin and cos of each angle twice, neighbours exchanged."""
    h = x.unflatten(-1, (num_heads, x.size(-1) // num_heads))
    turn, rest = h[..., :rotary_dim], h[..., rotary_dim:]
    angle = torch.einsum("i,j->ij", torch.arange(x.size(1)).float(), 1.0 / (base ** (torch.arange(0, rotary_dim, 2) / rotary_dim)))
    sin, cos = (torch.repeat_interleave(f(angle)[None, :, None, :], 2, 3) for f in (torch.sin, torch.cos))
    every_two = torch.stack((-turn[..., 1::2], turn[..., ::2]), dim=-1).flatten(-2)
    return torch.cat([turn * cos + every_two * sin, rest], -1).flatten(2)
