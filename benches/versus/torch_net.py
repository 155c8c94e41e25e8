"""A spec's net in PyTorch, with Keras's start, padding and constants."""

import torch
from torch import nn

from shared import N_CLASSES, SHAPE


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


class Net(nn.Module):
    """Logits of a spec's net, and the penalty of its layers."""

    def __init__(self, spec):
        super().__init__()
        layers, width = self.convolutions(spec)
        layers.append(nn.Flatten())
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
    def convolutions(spec):
        """The layers of all blocks, and how many numbers leave the last."""
        layers, sides, channels = [], list(SHAPE), 1
        for block in spec["model"].get("cnn", {}).get("blocks", []):
            filters, stride = block["filters"], block.get("stride", [2, 2])
            layers += [nn.Conv2d(channels, filters, tuple(block["kernel"])), nn.ReLU()]
            sides = [side - length + 1 for side, length in zip(sides, block["kernel"])]
            if block.get("batch_norm", False):
                layers.append(nn.BatchNorm2d(filters, eps=1e-3, momentum=0.01))
            layers.append(SameMaxPool(block["pool"], stride, sides))
            sides = [-(-side // step) for side, step in zip(sides, stride)]
            if block.get("dropout", 0.0) > 0.0:
                layers.append(nn.Dropout(block["dropout"]))
            channels = filters
        return layers, sides[0] * sides[1] * channels

    @staticmethod
    def dense_layers(spec):
        """The tables of a spec's dense layers, all but the last."""
        model = spec["model"]
        return model["dense"]["layers"] if "dense" in model else model["cnn"]["dense"]

    def forward(self, inputs):
        return self.layers(inputs)

    def penalty(self):
        """What L2 adds to the loss."""
        return sum(factor * weight.square().sum() for factor, weight in self.penalised)


def optimizer(net, spec, fused):
    """The spec's Adam; `fused` is PyTorch's single kernel for all weights."""
    adam = spec["training"]["optimizer"]["adam"]
    return torch.optim.Adam(
        net.parameters(),
        lr=adam["learning_rate"],
        betas=(adam.get("beta_1", 0.9), adam.get("beta_2", 0.999)),
        eps=adam.get("epsilon", 1e-7),
        fused=True if fused else None,
    )
