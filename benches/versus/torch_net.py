"""A spec's net in PyTorch, with Keras's start, padding and constants."""

import math

import torch
from torch import nn

from shared import N_CLASSES, shape


class SameMaxPool(nn.Module):
    """Max-pooling with Keras's padding 'same': the odd row and column come last.

    Half of the padding stands on both sides, and `ceil_mode` adds the odd rest at the end, which
    is what Keras does and costs no copy of the input.
    """

    def __init__(self, size, stride, sides):
        super().__init__()
        wanted = [
            max((-(-side // step) - 1) * step + length - side, 0)
            for side, step, length in zip(sides, stride, size)
        ]
        padding = [total // 2 for total in wanted]
        self.pool = nn.MaxPool2d(tuple(size), tuple(stride), tuple(padding), ceil_mode=True)

    def forward(self, inputs):
        return self.pool(inputs)


class Bands(nn.Module):
    """Standardizes each coefficient of [n, 1, frames, coefficients] over the batch and all frames."""

    def __init__(self, n_bands):
        super().__init__()
        self.norm = nn.BatchNorm1d(n_bands, eps=1e-3, momentum=0.01, affine=False)

    def forward(self, inputs):
        return self.norm(inputs.squeeze(1).transpose(1, 2)).transpose(1, 2).unsqueeze(1)


class Fold(nn.Module):
    """Makes channels of the coefficients: [n, channels, frames, coefficients] to [n, channels * coefficients, frames, 1]."""

    def forward(self, inputs):
        n, channels, frames, width = inputs.shape
        return inputs.permute(0, 1, 3, 2).reshape(n, channels * width, frames, 1)


class MeanMax(nn.Module):
    """Each channel's mean and largest value over time."""

    def forward(self, inputs):
        rows = inputs.flatten(2)
        return torch.cat([rows.mean(2), rows.amax(2)], 1)


class Net(nn.Module):
    """Logits of a spec's net, and the penalty of its layers."""

    def __init__(self, spec, sides=None):
        super().__init__()
        layers, width = self.convolutions(spec, sides or shape(spec))
        self.penalised = []
        for layer in self.dense_layers(spec):
            dense = nn.Linear(width, layer["units"])
            layers += [dense, nn.ReLU()]
            if layer.get("l2", 0.0) > 0.0:
                self.penalised.append((layer["l2"], dense.weight))
            if layer.get("dropout", 0.0) > 0.0:
                layers.append(nn.Dropout(layer["dropout"]))
            width = layer["units"]
        layers.append(nn.Linear(width, N_CLASSES))
        self.layers = nn.Sequential(*layers)
        for layer in self.layers:
            if isinstance(layer, (nn.Conv2d, nn.Linear)):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)

    @staticmethod
    def convolutions(spec, sides):
        """The layers of all blocks and of the head, and how many numbers leave the last."""
        cnn, sides, channels = spec["model"].get("cnn", {}), list(sides), 1
        layers = [Bands(sides[1])] if cnn.get("input_norm") == "bands" else []
        for block in cnn.get("blocks", []):
            filters, kernel = block["filters"], block["kernel"]
            if block.get("fold", False):
                layers.append(Fold())
                sides, channels = [sides[0], 1], channels * sides[1]
            padded = block.get("padding", "valid") == "same"
            layers.append(nn.Conv2d(channels, filters, tuple(kernel), padding="same" if padded else 0))
            sides = sides if padded else [side - length + 1 for side, length in zip(sides, kernel)]
            norm, keep = block.get("batch_norm", False), block.get("batch_norm_momentum", 0.99)
            norms = [nn.BatchNorm2d(filters, eps=block.get("batch_norm_epsilon", 1e-3), momentum=1 - keep)] if norm else []
            layers += [*norms, nn.ReLU()] if norm == "before_activation" else [nn.ReLU(), *norms]
            if "pool" in block:
                stride = block.get("stride", [2, 2])
                layers.append(SameMaxPool(block["pool"], stride, sides))
                sides = [-(-side // step) for side, step in zip(sides, stride)]
            if block.get("dropout", 0.0) > 0.0:
                layers.append(nn.Dropout(block["dropout"]))
            channels = filters
        if (head := cnn.get("head")) is None:
            return [*layers, nn.Flatten()], sides[0] * sides[1] * channels
        if head["pool"] != "mean_max":
            raise ValueError(f"a head of {head['pool']} is not built here")
        folds = [Fold()] if sides[1] > 1 else []
        return [*layers, *folds, MeanMax(), nn.Dropout(head.get("dropout", 0.0))], 2 * sides[1] * channels

    @staticmethod
    def dense_layers(spec):
        """The tables of a spec's dense layers, all but the last."""
        model = spec["model"]
        return model["dense"]["layers"] if "dense" in model else model["cnn"].get("dense", [])

    def forward(self, inputs):
        return self.layers(inputs)

    def penalty(self):
        """What L2 adds to the loss."""
        return sum(factor * weight.square().sum() for factor, weight in self.penalised)


def learning_rate(spec):
    """The optimizer's step size."""
    ((_, settings),) = spec["training"]["optimizer"].items()
    return settings["learning_rate"]


def schedule(training, step, n_steps):
    """The factor of the learning rate at a step, counted from 0 over all epochs of `n_steps`."""
    cosine = training.get("schedule", {}).get("cosine")
    if cosine is None:
        return 1.0
    warm, total = cosine.get("warmup_epochs", 0) * n_steps, training["epochs"] * n_steps
    if step < warm:
        return (step + 1) / warm
    least = cosine.get("min_factor", 0.0)
    done = (step - warm) / max(total - warm - 1, 1)
    return least + (1.0 - least) * (1.0 + math.cos(math.pi * done)) / 2.0


def optimizer(net, spec, fused):
    """The spec's Adam or AdamW; `fused` is PyTorch's single kernel for all weights."""
    ((name, settings),) = spec["training"]["optimizer"].items()
    keywords = {
        "lr": settings["learning_rate"],
        "betas": (settings.get("beta_1", 0.9), settings.get("beta_2", 0.999)),
        "eps": settings.get("epsilon", 1e-7),
        "fused": True if fused else None,
    }
    if name == "adam":
        return torch.optim.Adam(net.parameters(), **keywords)
    decay = settings.get("weight_decay", 0.004)
    spares = spec["training"].get("decay_only_kernels", False)
    groups = [
        {"params": [w for w in net.parameters() if w.ndim > 1], "weight_decay": decay},
        {"params": [w for w in net.parameters() if w.ndim <= 1], "weight_decay": 0.0 if spares else decay},
    ]
    return torch.optim.AdamW(groups, **keywords)
