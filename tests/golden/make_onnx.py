"""Writes three small nets, onnx_*.onnx, what onnxruntime computes with them, onnx.json, and nets that encore must refuse, onnx_refused.json.

    python make_onnx.py        # numpy 2.4, onnx 1.23, onnxruntime 1.32

Weights and inputs follow a formula, so that the files are the same each time, and both sides compute the inputs.
"""

import json
import math
import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

HERE = pathlib.Path(__file__).parent


def values(index, shape, scale=1.0):
    """Number i of array `index`: sin(0.7 i + 1.3 index) times the scale."""
    n = math.prod(shape)
    return (np.sin(0.7 * np.arange(n) + 1.3 * index) * scale).astype(np.float32).reshape(shape)


class Graph:
    """Collects nodes, and makes the weights when they are first named."""

    def __init__(self):
        self.nodes, self.weights = [], []

    def weight(self, shape, scale=None, positive=False):
        if scale is None:
            scale = 1.0 / math.sqrt(math.prod(shape[1:]) or 1)
        value = values(len(self.weights) + 1, shape, scale)
        return self.constant(np.abs(value) + 0.5 if positive else value)

    def constant(self, value):
        name = f"w{len(self.weights)}"
        self.weights.append(onnx.numpy_helper.from_array(np.asarray(value), name))
        return name

    def op(self, kind, *inputs, output=None, **attributes):
        output = output or f"x{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def norm(self, x, channels):
        gamma, beta = self.weight((channels,), 0.5, True), self.weight((channels,), 0.5)
        mean, variance = self.weight((channels,), 0.5), self.weight((channels,), 0.5, True)
        return self.op("BatchNormalization", x, gamma, beta, mean, variance)

    def save(self, name, given, outputs):
        tensor = helper.make_tensor_value_info
        graph = helper.make_graph(
            self.nodes,
            name,
            [tensor(given[0], TensorProto.FLOAT, given[1])],
            [tensor(output, TensorProto.FLOAT, shape) for output, shape in outputs],
            self.weights,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        model.ir_version = 8
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, HERE / f"{name}.onnx")


def waveform():
    """1-D convolutions over windows of 4000 samples."""
    g = Graph()
    x = g.op("Unsqueeze", "waveform", g.constant(np.array([1], dtype=np.int64)))
    x = g.op("Conv", x, g.weight((8, 1, 64)), g.weight((8,), 0.1), strides=[16])
    x = g.op("Relu", x)
    x = g.op("Conv", x, g.weight((12, 8, 8)), g.weight((12,), 0.1), strides=[4], pads=[3, 4])
    x = g.op("LeakyRelu", g.norm(x, 12), alpha=0.1)
    x = g.op("GlobalAveragePool", x)
    g.op("Flatten", x, output="embedding")
    g.save("onnx_waveform", ("waveform", ["batch", 4000]), [("embedding", ["batch", 12])])


def log_mel():
    """2-D convolutions over any number of frames of 32 bands, bands first; two outputs."""
    g = Graph()
    x = g.norm("log_mel", 1)
    x = g.op("Conv", x, g.weight((6, 1, 3, 3)), g.weight((6,), 0.1), pads=[1, 1, 1, 1])
    x = g.op("Relu", g.norm(x, 6))
    x = g.op("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    # Depthwise, then 1 x 1.
    x = g.op("Conv", x, g.weight((6, 1, 3, 3)), pads=[1, 1, 1, 1], group=6)
    x = g.op("Conv", x, g.weight((10, 6, 1, 1)), g.weight((10,), 0.1))
    x = g.op("HardSwish", x)
    x = g.op("AveragePool", x, kernel_shape=[4, 2], strides=[4, 2])
    x = g.op("ReduceMean", x, axes=[2, 3], keepdims=0)
    x = g.op("Gemm", x, g.weight((16, 10)), g.weight((16,), 0.1), transB=1)
    g.op("Tanh", x, output="embedding")
    g.op("Softmax", g.op("Gemm", "embedding", g.weight((16, 5), 3.0), g.weight((5,), 0.1)), output="tags")
    outputs = [("tags", ["batch", 5]), ("embedding", ["batch", 16])]
    g.save("onnx_log_mel", ("log_mel", ["batch", 1, 32, "frames"]), outputs)


def attention():
    """A GRU in both directions, attention over its frames and layer normalization, over windows of 40 frames of 24 bands."""
    g = Graph()
    x = g.op("Mul", "log_mel", g.constant(np.float32(0.02)))
    x = g.op("Transpose", x, perm=[1, 0, 2])
    gru = [g.weight((2, 18, 24), 0.3), g.weight((2, 18, 6), 0.3), g.weight((2, 36), 0.1)]
    x = g.op("GRU", x, *gru, hidden_size=6, direction="bidirectional", linear_before_reset=1)
    x = g.op("Transpose", x, perm=[2, 0, 1, 3])
    x = g.op("Reshape", x, g.constant(np.array([1, 40, 12], dtype=np.int64)))
    query, key, value = (g.op("MatMul", x, g.weight((12, 12))) for _ in range(3))
    scores = g.op("MatMul", query, g.op("Transpose", key, perm=[0, 2, 1]))
    scores = g.op("Softmax", g.op("Mul", scores, g.constant(np.float32(12**-0.5))), axis=-1)
    x = g.op("Add", x, g.op("MatMul", scores, value))
    x = g.op("LayerNormalization", x, g.weight((12,), 0.5, True), g.weight((12,), 0.5), axis=-1)
    x = g.op("ReduceMean", x, axes=[1], keepdims=0)
    x = g.op("MatMul", x, g.weight((12, 8)))
    g.op("Mul", x, g.op("Sigmoid", x), output="embedding")
    g.save("onnx_attention", ("log_mel", [1, 40, 24]), [("embedding", [1, 8])])


def refused():
    """Nets of one or two operators, as hexadecimal text."""
    tensor, node, nets = helper.make_tensor_value_info, helper.make_node, {}

    def add(name, nodes, given=((1, 4000),), output=None, kind=TensorProto.FLOAT, weights=(), out=TensorProto.FLOAT):
        inputs = [tensor(f"in{i}", kind, shape) for i, shape in enumerate(given)]
        graph = helper.make_graph(nodes, name, inputs, [tensor("out", out, output)], list(weights))
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        model.ir_version = 8
        nets[name] = model

    ints = lambda name, *numbers: onnx.numpy_helper.from_array(np.array(numbers, dtype=np.int64), name)
    add("unknown", [node("Mystery", ["in0"], ["x"]), node("Riddle", ["x"], ["out"])])
    add("domain", [node("Gelu", ["in0"], ["out"], domain="com.microsoft")])
    branch = helper.make_graph([node("Mystery", ["in0"], ["y"])], "branch", [], [tensor("y", TensorProto.FLOAT, None)])
    yes = onnx.numpy_helper.from_array(np.array(True), "yes")
    add("inner", [node("If", ["yes"], ["out"], then_branch=branch, else_branch=branch)], weights=[yes])
    add("random", [node("RandomNormalLike", ["in0"], ["out"])])
    add("two_inputs", [node("Add", ["in0", "in1"], ["out"])], given=((1, 4000), (1, 4000)))
    add("no_input", [node("Identity", ["w"], ["out"])], given=(), weights=[onnx.numpy_helper.from_array(np.ones(3, np.float32), "w")])
    add("double", [node("Neg", ["in0"], ["out"])], kind=TensorProto.DOUBLE, out=TensorProto.DOUBLE)
    add("integers", [node("ArgMax", ["in0"], ["out"], axis=1)], out=TensorProto.INT64)
    add("batch", [node("Neg", ["in0"], ["out"])], given=((4, 4000),))
    add("no_shape", [node("Neg", ["in0"], ["out"])], given=(None,))
    add("wide", [node("Tile", ["in0", "n"], ["out"])], weights=[ints("n", 1, 100)])
    add("enormous", [node("Tile", ["in0", "n"], ["x"]), node("ReduceMean", ["x"], ["out"], axes=[1])], weights=[ints("n", 1, 10_000_000)])
    add("changing", [node("NonZero", ["in0"], ["x"]), node("Cast", ["x"], ["out"], to=TensorProto.FLOAT)])
    add("not_finite", [node("Log", ["in0"], ["x"]), node("ReduceMean", ["x"], ["out"], axes=[1])])
    outside = onnx.numpy_helper.from_array(np.ones(4000, np.float32), "weight")
    onnx.external_data_helper.set_external_data(outside, location="weights.bin")
    outside.ClearField("raw_data")
    add("external", [node("Add", ["in0", "weight"], ["out"])], weights=[outside])
    short = onnx.numpy_helper.from_array(np.ones(4, np.float32), "weight")
    short.dims[0] = 4000
    add("short", [node("Add", ["in0", "weight"], ["out"])], weights=[short])
    lines = ",\n".join(f'"{name}": "{model.SerializeToString().hex()}"' for name, model in nets.items())
    (HERE / "onnx_refused.json").write_text(f"{{\n{lines}\n}}\n")


def case(name, shape, output, scale):
    session = onnxruntime.InferenceSession(HERE / f"{name}.onnx", providers=["CPUExecutionProvider"])
    given = session.get_inputs()[0].name
    wanted = session.run([output], {given: values(3, shape, scale)})[0].ravel()
    assert np.isfinite(wanted).all() and wanted.std() > 0.01, (name, wanted)
    return {"net": name, "shape": shape, "output": output, "scale": scale, "wanted": [float(x) for x in wanted]}


waveform()
log_mel()
attention()
refused()
cases = [
    case("onnx_waveform", [1, 4000], "embedding", 0.5),
    case("onnx_log_mel", [1, 1, 32, 63], "embedding", 40.0),
    case("onnx_log_mel", [1, 1, 32, 130], "tags", 40.0),
    case("onnx_attention", [1, 40, 24], "embedding", 40.0),
]
lines = ",\n".join(json.dumps(case) for case in cases)
(HERE / "onnx.json").write_text(f"[\n{lines}\n]\n")
