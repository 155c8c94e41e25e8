"""Trains a spec's net in Keras, by `Model.fit`, and reports its speed: see run.py."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import keras
import tensorflow

import keras_net
import shared


class Timer(keras.callbacks.Callback):
    """Tells the stopwatch of every epoch."""

    def __init__(self, stopwatch):
        super().__init__()
        self.stopwatch = stopwatch

    def on_epoch_end(self, epoch, logs=None):
        self.stopwatch.epoch_ended()


def main():
    options = shared.arguments(__doc__).parse_args()
    tensorflow.config.threading.set_intra_op_parallelism_threads(options.n_threads)
    tensorflow.config.threading.set_inter_op_parallelism_threads(options.n_threads)
    keras.utils.set_random_seed(1)
    stopwatch = shared.Stopwatch()
    inputs, labels = shared.read_arrays(options.folder)
    net = keras_net.build(shared.read_spec(options.net))
    history = net.fit(
        inputs,
        labels,
        batch_size=options.batch_size,
        epochs=options.n_epochs + 1,
        callbacks=[Timer(stopwatch)],
        verbose=0,
    )
    jit = "compiled by XLA" if net.jit_compile else "not compiled by XLA"
    version = f"Keras {keras.__version__}, TensorFlow {tensorflow.__version__}, {jit}"
    stopwatch.report(version, len(labels), history.history["loss"][-1])


if __name__ == "__main__":
    main()
