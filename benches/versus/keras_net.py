"""A spec's net in Keras, compiled with the spec's optimizer."""

import keras

from shared import N_CLASSES, SHAPE, reverses_time


@keras.saving.register_keras_serializable("versus")
class TimeReversal(keras.layers.Layer):
    """Reverses each training example in time with probability 0.5."""

    def __init__(self):
        super().__init__()
        self.seeds = keras.random.SeedGenerator()

    def call(self, inputs, training=False):
        if not training:
            return inputs
        n = keras.ops.shape(inputs)[0]
        reversed_ = keras.random.uniform((n, 1, 1, 1), seed=self.seeds) < 0.5
        return keras.ops.where(reversed_, keras.ops.flip(inputs, axis=1), inputs)


def build(spec):
    """The net of a spec, whose `[training]` it is compiled with."""
    net = keras.Sequential([keras.Input((*SHAPE, 1))])
    if reverses_time(spec):
        net.add(TimeReversal())
    for block in spec["model"].get("cnn", {}).get("blocks", []):
        add_block(net, block)
    net.add(keras.layers.Flatten())
    for layer in hidden_layers(spec):
        add_dense(net, layer)
    net.add(keras.layers.Dense(N_CLASSES))
    adam = spec["training"]["optimizer"]["adam"]
    net.compile(
        optimizer=keras.optimizers.Adam(
            learning_rate=adam["learning_rate"],
            beta_1=adam.get("beta_1", 0.9),
            beta_2=adam.get("beta_2", 0.999),
            epsilon=adam.get("epsilon", 1e-7),
        ),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile="auto",
    )
    return net


def hidden_layers(spec):
    """The tables of a spec's dense layers, all but the last."""
    model = spec["model"]
    return model["dense"]["layers"] if "dense" in model else model["cnn"]["dense"]


def add_block(net, block):
    """Convolution, ReLU, batch normalisation, max-pooling, dropout."""
    net.add(keras.layers.Conv2D(block["filters"], block["kernel"], activation="relu"))
    if block.get("batch_norm", False):
        net.add(keras.layers.BatchNormalization(momentum=0.99, epsilon=1e-3))
    stride = block.get("stride", [2, 2])
    net.add(keras.layers.MaxPooling2D(block["pool"], strides=stride, padding="same"))
    if block.get("dropout", 0.0) > 0.0:
        net.add(keras.layers.Dropout(block["dropout"]))


def add_dense(net, layer):
    """A dense layer with ReLU, its penalty and its dropout."""
    l2 = layer.get("l2", 0.0)
    penalty = keras.regularizers.L2(l2) if l2 > 0.0 else None
    net.add(keras.layers.Dense(layer["units"], activation="relu", kernel_regularizer=penalty))
    if layer.get("dropout", 0.0) > 0.0:
        net.add(keras.layers.Dropout(layer["dropout"]))
