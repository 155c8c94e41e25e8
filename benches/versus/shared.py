"""What all contestants share: specs, arrays, and how an epoch's time and memory are taken."""

import argparse
import json
import pathlib
import time
import tomllib

import numpy

PROJECT = pathlib.Path(__file__).resolve().parents[2]
N_CLASSES = 10


def shape(spec):
    """Frames and coefficients of an example of three seconds."""
    features = spec["features"]
    return (130, features["log_mel"].get("n_mels", 128)) if "log_mel" in features else (130, 13)


def read_spec(net):
    """The tables of `experiments/NET.toml`."""
    return tomllib.loads((PROJECT / "experiments" / f"{net}.toml").read_text())


def reverses_time(spec):
    """Whether a training example is reversed in time with probability 0.5; nothing else is changed here."""
    return spec["training"].get("augment", []) == ["time_reversal"]


def read_arrays(folder):
    """X float32 [n, frames, coefficients] and y int64 [n], as the driver wrote them."""
    folder = pathlib.Path(folder)
    return numpy.load(folder / "X.npy"), numpy.load(folder / "y.npy")


def memory_mib(field):
    """A size of this process as Linux tells it: VmHWM is its peak, VmRSS what it has now."""
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"/proc/self/status has no {field}")


def arguments(description):
    """The arguments of a contestant, the same for all of them."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("net", help="a spec of experiments/, e.g. cnn-2")
    parser.add_argument("folder", help="where X.npy and y.npy are")
    parser.add_argument("batch_size", type=int)
    parser.add_argument("n_threads", type=int)
    parser.add_argument("n_epochs", type=int, help="counted epochs, after one for warming up")
    return parser


class Stopwatch:
    """Times epochs from end to end, so that nothing between two of them is lost."""

    def __init__(self):
        self.idle_mib = memory_mib("VmRSS")
        self.wall_s, self.cpu_s = [], []

    def epoch_ended(self):
        """To be called after every epoch, the one for warming up included."""
        self.wall_s.append(time.perf_counter())
        self.cpu_s.append(time.process_time())

    def report(self, version, n_samples, loss):
        """Prints the line that the driver reads."""
        result = {
            "version": version,
            "epochs_s": numpy.diff(self.wall_s).tolist(),
            "cpu_s": self.cpu_s[-1] - self.cpu_s[0],
            "n_samples": n_samples,
            "loss": float(loss),
            "idle_mib": self.idle_mib,
            "peak_mib": memory_mib("VmHWM"),
        }
        print("RESULT " + json.dumps(result), flush=True)
