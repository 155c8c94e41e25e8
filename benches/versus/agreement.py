"""Whether Keras, trained from scratch on the very splits of our runs, scores as our runs did.

    python benches/versus/agreement.py FEATURES.npy SEGMENTS.csv reports/runs/cnn-2.gtzan.seed-*

FEATURES holds the report's MFCCs by librosa, float32 [n, 130, 13]; SEGMENTS has the columns row, track,
segment and genre. Net, batch size, epochs and optimizer are those of each run's record, its members
those of its `split.csv`. Weights of the last epoch are scored, as the report did.
"""

import argparse
import csv
import json
import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import keras
import numpy
import scipy.stats
import tensorflow

import keras_net


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("features", type=pathlib.Path)
    parser.add_argument("segments", type=pathlib.Path)
    parser.add_argument("runs", type=pathlib.Path, nargs="+", help="folders of records")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    tensorflow.config.threading.set_intra_op_parallelism_threads(options.threads)
    tensorflow.config.threading.set_inter_op_parallelism_threads(options.threads)

    features = numpy.load(options.features)
    rows, labels = read_segments(options.segments)
    records = [(run, json.loads((run / "record.json").read_text())) for run in options.runs]
    records.sort(key=lambda pair: pair[1]["seed"])
    print(f"Keras {keras.__version__}, TensorFlow {tensorflow.__version__}\n")
    print("| seed | train / valid / test | ours | Keras | Keras - ours |")
    print("|---:|---:|---:|---:|---:|")
    ours, theirs = [], []
    for run, record in records:
        sets = read_split(run / "split.csv", rows)
        ours.append(record["test"]["accuracy"])
        theirs.append(train_and_score(record, features, labels, sets))
        sizes = " / ".join(str(len(sets[name])) for name in ("train", "valid", "test"))
        print(
            f"| {record['seed']} | {sizes} | {ours[-1]:.4f} | {theirs[-1]:.4f} "
            f"| {theirs[-1] - ours[-1]:+.4f} |",
            flush=True,
        )
    ours, theirs = numpy.array(ours), numpy.array(theirs)
    print()
    for name, values in [("ours", ours), ("Keras", theirs), ("Keras - ours, paired", theirs - ours)]:
        mean, half = interval(values)
        print(f"{name}: {mean:.4f}, 95 % [{mean - half:.4f}, {mean + half:.4f}]")


def read_segments(path):
    """The row of every (track, segment), and the class of every row, alphabetical."""
    with path.open(newline="") as file:
        table = list(csv.DictReader(file))
    genres = sorted({line["genre"] for line in table})
    rows = {(line["track"], line["segment"]): int(line["row"]) for line in table}
    labels = numpy.empty(len(table), numpy.int64)
    for line in table:
        labels[int(line["row"])] = genres.index(line["genre"])
    return rows, labels


def read_split(path, rows):
    """The rows of every set of a run; a member that the features lack is an error."""
    sets = {"train": [], "valid": [], "test": []}
    with path.open(newline="") as file:
        for line in csv.DictReader(file):
            sets[line["set"]].append(rows[line["track"], line["segment"]])
    return sets


def train_and_score(record, features, labels, sets):
    """Test accuracy of a net that was trained from scratch."""
    keras.utils.set_random_seed(record["seed"])
    net = keras_net.build(record["spec"])
    training = record["spec"]["training"]
    net.fit(
        features[sets["train"]],
        labels[sets["train"]],
        validation_data=(features[sets["valid"]], labels[sets["valid"]]),
        batch_size=training["batch_size"],
        epochs=training["epochs"],
        verbose=0,
    )
    logits = net.predict(features[sets["test"]], verbose=0)
    accuracy = (logits.argmax(axis=1) == labels[sets["test"]]).mean()
    keras.backend.clear_session()
    return float(accuracy)


def interval(values):
    """Mean and half width of its 95 % t-interval; NaN for a single value."""
    if len(values) < 2:
        return values.mean(), float("nan")
    error = values.std(ddof=1) / numpy.sqrt(len(values))
    return values.mean(), scipy.stats.t.ppf(0.975, len(values) - 1) * error


if __name__ == "__main__":
    main()
