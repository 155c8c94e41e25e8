"""Writes layers.json: what PyTorch computes for small nets that together have every layer: outputs, loss and gradients.

    python make_layers.py        # numpy 2.4, torch 2.15

The nets are listed as specs for encore, and layer by layer for torch. Parameters and examples follow a formula that both sides compute.
"""

import json
import math
import pathlib

import numpy as np
import torch
import torch.nn.functional as F

N, FRAMES, BANDS, CLASSES = 4, 9, 6, 3


def values(index, shape):
    """Number i of array `index`: sin(0.7 i + 1.3 index) / 2."""
    n = math.prod(shape)
    return torch.tensor([math.sin(0.7 * i + 1.3 * index) / 2 for i in range(n)], dtype=torch.float64).reshape(shape)


def same(n, span, stride):
    """Padding for ceil(n / stride) windows; an odd one goes to the end."""
    total = max((math.ceil(n / stride) - 1) * stride + span - n, 0)
    return total // 2, total - total // 2


class Net:
    """Applies layers to [n, channels, frames, bands] and makes their parameters, in Keras's layout, when they are first met."""

    def __init__(self):
        self.parameters = []

    def parameter(self, shape, positive=False):
        value = values(len(self.parameters) + 1, shape)
        value = value.abs() + 0.5 if positive else value
        self.parameters.append(value.requires_grad_())
        return self.parameters[-1]

    def conv(self, x, filters, kernel, stride=(1, 1), dilation=(1, 1), padded=False, depthwise=False):
        channels = x.shape[1]
        shape = (*kernel, channels, 1) if depthwise else (*kernel, channels, filters)
        w, b = self.parameter(shape), self.parameter((channels if depthwise else filters,))
        w = w.permute(2, 3, 0, 1) if depthwise else w.permute(3, 2, 0, 1)
        if padded:
            spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilation)]
            rows, columns = (same(n, span, s) for n, span, s in zip(x.shape[2:], spans, stride))
            x = F.pad(x, (*columns, *rows))
        return F.conv2d(x, w, b, stride, 0, dilation, channels if depthwise else 1)

    def norm(self, x, epsilon=1e-3):
        c = x.shape[1]
        gamma, beta = self.parameter((c,), positive=True), self.parameter((c,))
        return F.batch_norm(x, None, None, gamma, beta, True, 0.0, epsilon)

    def bands(self, x):
        n, c, frames, bands = x.shape
        rows = x.permute(0, 3, 1, 2).reshape(n, bands * c, frames)
        rows = F.batch_norm(rows, None, None, None, None, True, 0.0, 1e-3)
        return rows.reshape(n, bands, c, frames).permute(0, 2, 3, 1)

    def fold(self, x):
        n, c, frames, bands = x.shape
        return x.permute(0, 3, 1, 2).reshape(n, bands * c, frames, 1)

    def pool(self, x, size, stride, mean=False):
        rows, columns = (same(n, k, s) for n, k, s in zip(x.shape[2:], size, stride))
        if not mean:
            return F.max_pool2d(F.pad(x, (*columns, *rows), value=-math.inf), size, stride)
        total, ones = (F.avg_pool2d(F.pad(y, (*columns, *rows)), size, stride) for y in (x, torch.ones_like(x)))
        return total / ones

    def dense(self, x, units):
        w, b = self.parameter((x.shape[1], units)), self.parameter((units,))
        return x @ w + b

    def attention(self, x):
        rows = x.flatten(2)
        w = self.parameter((x.shape[1], 1))
        shares = torch.softmax((rows * w.reshape(1, -1, 1)).sum(1, keepdim=True), 2)
        return (rows * shares).sum(2)


def modern(net, x):
    x = net.pool(F.relu(net.norm(net.conv(net.bands(x), 5, (3, 3), padded=True))), (2, 2), (2, 2))
    x = F.gelu(net.conv(net.fold(x), 7, (3, 1), padded=True)).flatten(2)
    return torch.cat([x.mean(2), x.amax(2)], 1)


def residual(net, x):
    path = F.silu(net.norm(net.conv(x, 6, (3, 3), (2, 1), padded=True), 0.01))
    path = net.norm(net.conv(path, 6, (3, 3), padded=True), 0.01)
    x = F.silu(path + net.norm(net.conv(x, 6, (1, 1), (2, 1), padded=True), 0.01))
    x = net.pool(x, (3, 2), (2, 2), mean=True)
    x = F.relu(net.conv(x, 6, (3, 2), dilation=(2, 1), padded=True) + x)
    return net.attention(x)


def separable(net, x):
    x = net.norm(F.relu(net.conv(x, 4, (2, 3), (1, 2))))
    x = F.relu(net.conv(x, None, (3, 2), (2, 1), padded=True, depthwise=True))
    x = net.conv(x, 9, (1, 1))
    return F.relu(net.dense(net.fold(x).flatten(2).mean(2), 4))


def over_time(net, x):
    return F.relu(net.conv(net.fold(x), 5, (3, 1), dilation=(2, 1))).flatten(2).amax(2)


BEFORE = 'padding = "same", batch_norm = "before_activation"'
CASES = [
    (modern, 'input_norm = "bands"\nblocks = [\n'
     f'  {{ filters = 5, kernel = [3, 3], {BEFORE}, pool = [2, 2] }},\n'
     '  { fold = true, filters = 7, kernel = [3, 1], padding = "same", activation = "gelu" },\n'
     ']\nhead.pool = "mean_max"\n'),
    (residual, 'blocks = [\n'
     f'  {{ filters = 6, kernel = [3, 3], {BEFORE}, convolutions = 2, residual = true, conv_stride = [2, 1], activation = "silu", '
     'batch_norm_epsilon = 0.01, pool = [3, 2], stride = [2, 2], pool_by = "mean" },\n'
     '  { filters = 6, kernel = [3, 2], padding = "same", residual = true, dilation = [2, 1] },\n'
     ']\nhead = { pool = "attention", over = "all" }\n'),
    (separable, 'blocks = [\n'
     '  { filters = 4, kernel = [2, 3], conv_stride = [1, 2], batch_norm = true },\n'
     '  { depthwise = true, kernel = [3, 2], padding = "same", conv_stride = [2, 1] },\n'
     '  { filters = 9, kernel = [1, 1], activation = "none" },\n'
     ']\nhead.pool = "mean"\ndense = [{ units = 4 }]\n'),
    (over_time, 'blocks = [{ fold = true, filters = 5, kernel = [3, 1], dilation = [2, 1] }]\nhead.pool = "max"\n'),
]

cases = []
for build, spec in CASES:
    net = Net()
    x = values(0, (N, FRAMES, BANDS)) * 4
    outputs = net.dense(build(net, x.unsqueeze(1)), CLASSES)
    loss = F.cross_entropy(outputs, torch.arange(N) % CLASSES)
    loss.backward()
    flat = lambda t: [float(f"{v:.9g}") for v in t.detach().flatten().tolist()]
    gradients = [flat(p.grad) for p in net.parameters]
    cases.append({"spec": spec, "loss": loss.item(), "gradients": gradients})
    print(build.__name__, [list(p.shape) for p in net.parameters], loss.item())
path = pathlib.Path(__file__).with_name("layers.json")
path.write_text(json.dumps({"shape": [FRAMES, BANDS], "n": N, "n_classes": CLASSES, "cases": cases}) + "\n")
