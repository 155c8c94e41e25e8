"""Whether Keras or PyTorch, trained from scratch on the very splits of our runs, scores as our runs did.

    python benches/versus/agreement.py FEATURES.npy SEGMENTS.csv reports/runs/cnn-2.gtzan.seed-*
    python benches/versus/agreement.py --with torch FEATURES.npy TRACKS.csv reports/runs/cnn-4.seg0.seed-*

FEATURES holds what our runs saw, [n, frames, coefficients], e.g. the report's MFCCs by librosa; `--transpose` swaps
the axes. SEGMENTS has the columns row, track and genre, and segment if a track has several. Net, batch size, epochs,
optimizer and schedule are those of each run's record, its members those of its `split.csv`. Weights of the last epoch
are scored, as the report did. Augmentation and mixup are not known here: runs that have them are refused.
"""

import argparse
import csv
import json
import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import numpy
import scipy.stats


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("features", type=pathlib.Path)
    parser.add_argument("segments", type=pathlib.Path)
    parser.add_argument("runs", type=pathlib.Path, nargs="+", help="folders of records")
    parser.add_argument("--with", dest="other", choices=["keras", "torch"], default="keras")
    parser.add_argument("--transpose", action="store_true", help="features are [n, coefficients, frames]")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    name, train_and_score = (keras_side if options.other == "keras" else torch_side)(options.threads)
    features = numpy.load(options.features).astype(numpy.float32)
    if options.transpose:
        features = numpy.ascontiguousarray(features.swapaxes(1, 2))
    rows, labels = read_segments(options.segments)
    records = [(run, json.loads((run / "record.json").read_text())) for run in options.runs]
    records.sort(key=lambda pair: pair[1]["seed"])
    short = name.split()[0]
    print(f"{name}\n")
    print(f"| seed | train / valid / test | ours | {short} | {short} - ours |")
    print("|---:|---:|---:|---:|---:|")
    ours, theirs = [], []
    for run, record in records:
        training = record["spec"]["training"]
        if training.get("mixup") or training.get("augment"):
            raise SystemExit(f"{run} has mixup or augmentation; run the spec with --set training.mixup=0 and no augment")
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
    for name, values in [("ours", ours), (short, theirs), (f"{short} - ours, paired", theirs - ours)]:
        mean, half = interval(values)
        print(f"{name}: {mean:.4f}, 95 % [{mean - half:.4f}, {mean + half:.4f}]")


def read_segments(path):
    """The row of every (track, segment), and the class of every row, alphabetical."""
    with path.open(newline="") as file:
        table = list(csv.DictReader(file))
    genres = sorted({line["genre"] for line in table})
    rows = {(line["track"], line.get("segment", "0")): int(line["row"]) for line in table}
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


def keras_side(n_threads):
    """Its name, and the test accuracy of a net that Keras trained from scratch."""
    import keras
    import tensorflow

    import keras_net

    tensorflow.config.threading.set_intra_op_parallelism_threads(n_threads)
    tensorflow.config.threading.set_inter_op_parallelism_threads(n_threads)

    def train_and_score(record, features, labels, sets):
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

    return f"Keras {keras.__version__}, TensorFlow {tensorflow.__version__}", train_and_score


def torch_side(n_threads):
    """Its name, and the test accuracy of a net that PyTorch trained from scratch, with the spec's schedule."""
    import torch

    import torch_net

    torch.set_num_threads(n_threads)

    def train_and_score(record, features, labels, sets):
        torch.manual_seed(record["seed"])
        spec, training = record["spec"], record["spec"]["training"]
        net = torch_net.Net(spec, features.shape[1:])
        optimizer = torch_net.optimizer(net, spec, False)
        inputs, targets = torch.from_numpy(features).unsqueeze(1), torch.from_numpy(labels)
        train = torch.tensor(sets["train"])
        n_steps = -(-len(train) // training["batch_size"])
        for epoch in range(training["epochs"]):
            rows_of_steps = train[torch.randperm(len(train))].split(training["batch_size"])
            for step, rows in enumerate(rows_of_steps):
                factor = torch_net.schedule(training, epoch * n_steps + step, n_steps)
                for group in optimizer.param_groups:
                    group["lr"] = torch_net.learning_rate(spec) * factor
                optimizer.zero_grad()
                loss = torch.nn.functional.cross_entropy(net(inputs[rows]), targets[rows]) + net.penalty()
                loss.backward()
                optimizer.step()
        net.eval()
        with torch.no_grad():
            logits = net(inputs[sets["test"]])
        return float((logits.argmax(1) == targets[sets["test"]]).float().mean())

    return f"PyTorch {torch.__version__}", train_and_score


def interval(values):
    """Mean and half width of its 95 % t-interval; NaN for a single value."""
    if len(values) < 2:
        return values.mean(), float("nan")
    error = values.std(ddof=1) / numpy.sqrt(len(values))
    return values.mean(), scipy.stats.t.ppf(0.975, len(values) - 1) * error


if __name__ == "__main__":
    main()
