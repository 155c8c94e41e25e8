"""Measures training against PyTorch and Keras: one session, the contestants alternating.

    benches/versus/setup.sh
    target/versus-venv/bin/python benches/versus/run.py --rounds 5

Every figure is the median over all counted epochs of all rounds. A contestant is a process of its own
each time, with one epoch for warming up; in every round all of them run one after the other, so that
a drift of the machine hits them alike. Before the rounds, PyTorch's two forms of Adam are tried in
both layouts, and the faster is kept. Prints a Markdown table, then which floors are held.
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile

import numpy

import shared

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
NETS = ["dnn", "cnn-1", "cnn-2", "cnn-3"]
OURS, TORCH, TORCH_LAST, KERAS = "ours", "PyTorch", "PyTorch, channels last", "Keras"
CONTESTANTS = [OURS, TORCH, TORCH_LAST, KERAS]

# (net, batch size; None for any) -> how many times a contestant's speed ours must at least be
FLOORS = {
    ("cnn-2", 64): {TORCH: 2.2, TORCH_LAST: 1.3, KERAS: 2.2},
    ("dnn", None): {TORCH: 1.2, TORCH_LAST: 1.2, KERAS: 1.2},
}
MEMORY_FLOOR = 1 / 5  # of the peak of PyTorch's leaner layout


def main():
    options = arguments()
    CONTESTANTS[:] = [contestant for contestant in CONTESTANTS if contestant not in options.without]
    binary = build()
    with tempfile.TemporaryDirectory() as folder:
        session = Session(options, binary, pathlib.Path(folder))
        cells = [
            (net, batch_size, n_threads)
            for net in options.nets
            for batch_size in options.batches
            for n_threads in options.threads
        ]
        results = [measure(session, cell, options.rounds) for cell in cells]
    print_machine(session, options)
    print_table(results)
    print_floors(results)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nets", nargs="+", default=NETS, help="specs of experiments/")
    parser.add_argument("--batches", nargs="+", type=int, default=[32, 64])
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--without", nargs="+", default=[], choices=[TORCH, KERAS], help="who does not take part")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=3, help="counted epochs of a process")
    parser.add_argument("--samples", type=int, default=2048, help="examples of an epoch")
    parser.add_argument("--torch-python", default=sys.executable, help="a Python with PyTorch")
    parser.add_argument("--keras-python", default=sys.executable, help="a Python with Keras")
    parser.add_argument("--json", type=pathlib.Path, help="where all that was measured goes")
    return parser.parse_args()


def build():
    """Builds the Rust side; the path of its program."""
    command = ["cargo", "bench", "--bench", "versus", "--no-run", "--message-format=json"]
    output = subprocess.run(command, cwd=PROJECT, check=True, stdout=subprocess.PIPE, text=True)
    messages = [json.loads(line) for line in output.stdout.splitlines() if line.startswith("{")]
    for message in messages:
        if message.get("executable") and message["target"]["name"] == "versus":
            return message["executable"]
    raise RuntimeError("cargo names no program for the bench `versus`")


def write_arrays(folder, net, n_samples):
    """X float32 [n, frames, coefficients] in the range of MFCCs or decibels, y int64 [n]; the folder."""
    frames, width = shared.shape(shared.read_spec(net))
    folder = folder / f"{frames}x{width}"
    if not folder.exists():
        folder.mkdir()
        rng = numpy.random.default_rng(1)
        inputs = rng.normal(0.0, 30.0, (n_samples, frames, width)).astype(numpy.float32)
        inputs[:, :, 0] -= 150.0
        numpy.save(folder / "X.npy", inputs)
        numpy.save(folder / "y.npy", rng.integers(0, 10, n_samples, dtype=numpy.int64))
    return folder


class Session:
    """Starts contestants; knows which Adam PyTorch is faster with."""

    def __init__(self, options, binary, folder):
        self.options, self.folder = options, folder
        torch = [options.torch_python, str(HERE / "torch_train.py")]
        keras = [options.keras_python, str(HERE / "keras_train.py")]
        self.programs = {OURS: [binary, "train"], TORCH: torch, TORCH_LAST: torch, KERAS: keras}
        self.versions = {}

    def run(self, contestant, cell, fused=False):
        """What one process measured."""
        net, batch_size, n_threads = cell
        numbers = [batch_size, n_threads, self.options.epochs]
        folder = write_arrays(self.folder, net, self.options.samples)
        command = [*self.programs[contestant], net, str(folder), *map(str, numbers)]
        if contestant == TORCH_LAST:
            command.append("--channels-last")
        if fused:
            command.append("--fused")
        environment = os.environ | {"OMP_NUM_THREADS": str(n_threads)}
        output = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True)
        lines = [line for line in output.stdout.splitlines() if line.startswith("RESULT ")]
        if output.returncode != 0 or not lines:
            raise RuntimeError(f"{' '.join(command)} failed:\n{output.stderr[-2000:]}")
        result = json.loads(lines[-1].removeprefix("RESULT "))
        self.versions[contestant] = result["version"]
        return result


def measure(session, cell, n_rounds):
    """All contestants on one net, batch size and number of threads."""
    is_fused = {contestant: is_fused_faster(session, contestant, cell) for contestant in CONTESTANTS}
    runs = {contestant: [] for contestant in CONTESTANTS}
    for idx in range(n_rounds):
        # Another one begins each round.
        first = idx % len(CONTESTANTS)
        for contestant in CONTESTANTS[first:] + CONTESTANTS[:first]:
            print(f"{cell}, round {idx + 1} of {n_rounds}: {contestant}", file=sys.stderr)
            runs[contestant].append(session.run(contestant, cell, is_fused[contestant]))
    scores = {contestant: summary(runs[contestant]) for contestant in CONTESTANTS}
    for contestant in CONTESTANTS:
        scores[contestant]["fused"] = is_fused[contestant]
    return {"cell": cell, "scores": scores}


def is_fused_faster(session, contestant, cell):
    """Whether PyTorch trains faster with its fused Adam; false for the others, who have no such."""
    if contestant not in (TORCH, TORCH_LAST):
        return False
    print(f"{cell}: which Adam for {contestant}", file=sys.stderr)
    default, fused = (summary([session.run(contestant, cell, fused)]) for fused in (False, True))
    return fused["rate"] > default["rate"]


def summary(runs):
    """The figures of one contestant over its runs."""
    rates = [run["n_samples"] / seconds for run in runs for seconds in run["epochs_s"]]
    per_cpu = [run["n_samples"] * len(run["epochs_s"]) / run["cpu_s"] for run in runs]
    return {
        "rate": statistics.median(rates),
        "rate_min": min(rates),
        "rate_max": max(rates),
        "per_cpu_s": statistics.median(per_cpu),
        "peak_mib": statistics.median(run["peak_mib"] for run in runs),
        "idle_mib": statistics.median(run["idle_mib"] for run in runs),
        "loss": runs[-1]["loss"],
    }


def print_machine(session, options):
    cpu = platform.processor() or platform.machine()
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.split(":")[1].strip()
            break
    versions = "; ".join(sorted(set(session.versions.values())))
    print(
        f"{os.cpu_count()} cores, {cpu}. {versions}. {options.rounds} rounds of {options.epochs} "
        f"epochs of {options.samples} examples, after one epoch for warming up. Peak is VmHWM of "
        "the process, in brackets what it had before it read the examples.\n"
    )


def print_table(results):
    names = "".join(f" {contestant} |" for contestant in CONTESTANTS)
    print(f"| net | batch | threads | |{names}")
    print("|---|---:|---:|---|" + "---:|" * len(CONTESTANTS))
    for result in results:
        scores = [result["scores"][contestant] for contestant in CONTESTANTS]
        ours = scores[0]
        rows = {
            "samples/s": [f"{s['rate']:,.0f}" + (" (fused)" if s["fused"] else "") for s in scores],
            "ours in multiples": [f"{ours['rate'] / s['rate']:.2f}" for s in scores],
            "samples/CPU-s": [f"{s['per_cpu_s']:,.0f}" for s in scores],
            "peak, MiB": [f"{s['peak_mib']:.0f} ({s['idle_mib']:.0f})" for s in scores],
            "ours as a share": [f"{ours['peak_mib'] / s['peak_mib']:.2f}" for s in scores],
        }
        head = "| {} | {} | {} |".format(*result["cell"])
        for name, values in rows.items():
            print(f"{head} {name} |" + "".join(f" {value} |" for value in values))
            head = "| | | |"
    print("\n(fused): PyTorch's fused Adam was the faster there.\n")


def print_floors(results):
    print("| floor | wanted | measured | |\n|---|---:|---:|---|")
    for result in results:
        net, batch_size, n_threads = result["cell"]
        where = f"{net}, batch {batch_size}, {n_threads} thread{'s' if n_threads > 1 else ''}"
        scores = result["scores"]
        wanted = FLOORS.get((net, batch_size), FLOORS.get((net, None), {}))
        for contestant, floor in wanted.items():
            ratio = scores[OURS]["rate"] / scores[contestant]["rate"]
            verdict = "pass" if ratio >= floor else "FAIL"
            print(f"| {where}: speed of {contestant} | {floor:.1f} | {ratio:.2f} | {verdict} |")
        leaner = min(scores[TORCH]["peak_mib"], scores[TORCH_LAST]["peak_mib"])
        share = scores[OURS]["peak_mib"] / leaner
        verdict = "pass" if share < MEMORY_FLOOR else "FAIL"
        print(f"| {where}: peak of PyTorch | < {MEMORY_FLOOR:.2f} | {share:.2f} | {verdict} |")


if __name__ == "__main__":
    main()
