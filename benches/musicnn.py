"""Converts a net of the PyPI package musicnn (ISC license) to ONNX, for [features.onnx].

    python -m venv env && env/bin/pip install numpy==2.4.6 onnx==1.23.2
    env/bin/pip download --no-deps musicnn==0.1.0 && unzip musicnn-0.1.0-py3-none-any.whl 'musicnn/*'
    env/bin/python benches/musicnn.py musicnn/MTT_musicnn nets/musicnn.onnx

The nets are MTT_musicnn (trained on MagnaTagATune) and MSD_musicnn (Million Song Dataset). Neither TensorFlow nor musicnn is
needed: the checkpoint is read here. The outputs are `penultimate` (200 numbers) and `taggram` (50 probabilities).

The net was trained on log10(1 + 10000 power) of 96 mel bands; encore gives it dB, which the first nodes turn back into power.

    [features.onnx]
    file = "nets/musicnn.onnx"
    output = "penultimate"
    input.log_mel = { sample_rate = 16000, n_fft = 512, hop_length = 256, n_mels = 96, top_db = "none" }
"""

import pathlib
import struct
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FRAMES, BANDS, EPSILON = 187, 96, 1e-3


def varint(data, at):
    value, shift = 0, 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def fields(data):
    """The fields of a protocol buffer: number and value."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        elif key & 7 == 2:
            length, at = varint(data, at)
            value, at = data[at : at + length], at + length
        else:
            size = {1: 8, 5: 4}[key & 7]
            value, at = data[at : at + size], at + size
        yield key >> 3, value


def block(data, offset, size):
    """Keys and values of a block of a table, whose keys share prefixes."""
    if data[offset + size] != 0:
        raise SystemExit("compressed blocks are not supported")
    data = data[offset : offset + size]
    end = size - 4 - 4 * struct.unpack("<I", data[-4:])[0]
    at, key = 0, b""
    while at < end:
        shared, at = varint(data, at)
        own, at = varint(data, at)
        length, at = varint(data, at)
        key, at = key[:shared] + data[at : at + own], at + own
        yield key, data[at : at + length]
        at += length


def handle(data):
    offset, at = varint(data, 0)
    return offset, varint(data, at)[0]


def checkpoint(folder):
    """The tensors of a TensorFlow checkpoint, by name: `.index` is a table of where they are in `.data-00000-of-00001`."""
    index, numbers = ((folder / name).read_bytes() for name in (".index", ".data-00000-of-00001"))
    _, at = varint(index, len(index) - 48)
    _, at = varint(index, at)
    tensors = {}
    for _, place in block(index, *handle(index[at:])):
        for name, entry in block(index, *handle(place)):
            found = {1: 0, 4: 0, 5: 0, 2: b"", **dict(fields(entry))}
            if name and found[1] == 1:  # float
                shape = [dict(fields(size)).get(1, 0) for number, size in fields(found[2]) if number == 2]
                raw = numbers[found[4] : found[4] + found[5]]
                tensors[name.decode()] = np.frombuffer(raw, "<f4").reshape(shape)
    return tensors


class Net:
    def __init__(self, tensors):
        # What belongs to the optimizer is not needed.
        self.tensors = {name: value for name, value in tensors.items() if "Adam" not in name and "_power" not in name}
        self.nodes, self.weights, self.used = [], [], set()

    def constant(self, value, kind=np.float32):
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value, dtype=kind), name))
        return name

    def ints(self, *values):
        return self.constant(values, np.int64)

    def op(self, kind, *inputs, output=None, **attributes):
        output = output or f"x{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def tensor(self, name):
        self.used.add(name)
        return self.tensors[name]

    def layer(self, kind, number):
        return kind if number == 0 else f"{kind}_{number}"

    def norm(self, x, number):
        names = ["gamma", "beta", "moving_mean", "moving_variance"]
        name = self.layer("batch_normalization", number)
        weights = [self.constant(self.tensor(f"{name}/{part}")) for part in names]
        return self.op("BatchNormalization", x, *weights, epsilon=EPSILON)

    def conv(self, x, number, pads):
        """Convolution, ReLU and batch normalization of [1, channels, frames, bands]."""
        name = self.layer("conv2d", number)
        kernel = self.tensor(f"{name}/kernel").transpose(3, 2, 0, 1)
        x = self.op("Conv", x, self.constant(kernel), self.constant(self.tensor(f"{name}/bias")), pads=pads)
        return self.norm(self.op("Relu", x), number + 1)

    def dense(self, x, number, output=None):
        name = self.layer("dense", number)
        weights = [self.constant(self.tensor(f"{name}/{part}")) for part in ("kernel", "bias")]
        return self.op("Gemm", x, *weights, output=output)


def musicnn(tensors):
    net = Net(tensors)
    # dB -> power -> log10(1 + 10000 power).
    x = net.op("Exp", net.op("Mul", "log_mel", net.constant(np.log(10) / 10)))
    x = net.op("Add", net.op("Mul", x, net.constant(10_000.0)), net.constant(1.0))
    x = net.op("Mul", net.op("Log", x), net.constant(1 / np.log(10)))
    x = net.norm(net.op("Unsqueeze", x, net.ints(1)), 0)
    # Five kinds of filters, each with its largest output over the bands: [1, filters, frames, 1].
    fronts = []
    for number, (frames, padded) in enumerate([(7, (3, 3)), (7, (3, 3)), (128, (63, 64)), (64, (31, 32)), (32, (15, 16))]):
        front = net.conv(x, number, [padded[0], 0, padded[1], 0])
        fronts.append(net.op("ReduceMax", front, axes=[3], keepdims=1))
    # [1, 1, frames, features], as the next layers see it.
    x = net.op("Transpose", net.op("Concat", *fronts, axis=1), perm=[0, 3, 2, 1])
    every = [x]
    for number in (5, 6, 7):
        y = net.op("Transpose", net.conv(x, number, [3, 0, 3, 0]), perm=[0, 3, 2, 1])
        x = y if number == 5 else net.op("Add", y, x)
        every.append(x)
    x = net.op("Concat", *every, axis=3)
    # Largest and mean over the frames, interleaved by feature as TensorFlow's concatenation of the last axis leaves them.
    pooled = [net.op(kind, x, axes=[1, 2], keepdims=0) for kind in ("ReduceMax", "ReduceMean")]
    pooled = [net.op("Unsqueeze", pool, net.ints(2)) for pool in pooled]
    x = net.op("Flatten", net.op("Concat", *pooled, axis=2))
    x = net.op("Relu", net.dense(net.norm(x, 9), 0))
    name = net.layer("batch_normalization", 10)
    weights = [net.constant(net.tensor(f"{name}/{part}")) for part in ("gamma", "beta", "moving_mean", "moving_variance")]
    net.op("BatchNormalization", x, *weights, output="penultimate", epsilon=EPSILON)
    net.op("Sigmoid", net.dense("penultimate", 1), output="taggram")
    left = set(net.tensors) - net.used
    if left:
        raise SystemExit(f"unused tensors: {sorted(left)}")
    value = helper.make_tensor_value_info
    outputs = [value("taggram", TensorProto.FLOAT, [1, 50]), value("penultimate", TensorProto.FLOAT, [1, 200])]
    inputs = [value("log_mel", TensorProto.FLOAT, [1, FRAMES, BANDS])]
    graph = helper.make_graph(net.nodes, "musicnn", inputs, outputs, net.weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.checker.check_model(model, full_check=True)
    return model


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    onnx.save(musicnn(checkpoint(pathlib.Path(sys.argv[1]))), sys.argv[2])
