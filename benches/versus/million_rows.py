"""Has a logistic regression run on a made-up table of millions of rows, and says how much memory it took.

    python benches/versus/million_rows.py [--rows N] [--folder FOLDER] [--versus]

Makes `FOLDER` (target/million-rows) a project of its own: a CSV file of N rows (5,000,000), twelve columns of
different scales and eight classes, always the same; its manifest; a spec. Then runs `encore data import` and
`encore run` (target/release/encore) and watches the resident memory of all their processes, summed, ten times a
second. With --versus scikit-learn is fitted on the same rows and split.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import time

import numpy as np

N_CLASSES = 8
COLUMNS = [f"x{i}" for i in range(12)]
ENCORE = pathlib.Path("target/release/encore").absolute()

MANIFEST = """title = "Made-up rows"
licence = "none needed"
citation = "benches/versus/million_rows.py"
how_to_get = "benches/versus/million_rows.py makes it"
[table]
id = ["id"]
n_rows = {n}
[table.label]
column = "class"
[table.columns]
{columns}
"""

SPEC = """title = "Logistic regression on millions of rows"
question = "How much memory does it take?"
dataset = "rows"
seeds = [1]
[features.table]
columns = [{columns}]
[split.random]
by = "track"
stratify = true
test = 0.25
valid = 0.0
[model.logistic]
penalty = "l2"
standardize = true
max_iterations = 1000
"""


def make(path, n):
    """Writes the table: every class is a cloud of its own around its mean."""
    rng = np.random.default_rng(7)
    mean = rng.normal(size=(N_CLASSES, len(COLUMNS))) * 0.6
    scale = 10.0 ** rng.uniform(-1, 2, size=len(COLUMNS))
    shift = rng.normal(size=len(COLUMNS)) * scale
    with open(path, "w") as file:
        file.write(",".join(["id", "class", *COLUMNS]) + "\n")
        for start in range(0, n, 100_000):
            m = min(100_000, n - start)
            label = rng.integers(0, N_CLASSES, size=m)
            rows = (mean[label] + rng.normal(size=(m, len(COLUMNS)))) * scale + shift
            for i in range(m):
                cells = ",".join(f"{x:.6g}" for x in rows[i])
                file.write(f"t{start + i:07d},g{label[i]},{cells}\n")


def family(pid):
    """A process and all that it started."""
    yield pid
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            for child in open(f"/proc/{pid}/task/{task}/children").read().split():
                yield from family(int(child))
    except OSError:
        return  # It has just ended.


def resident_mib(pid):
    total = 0
    for process in family(pid):
        try:
            pages = int(open(f"/proc/{process}/statm").read().split()[1])
        except (OSError, IndexError):
            continue
        total += pages * os.sysconf("SC_PAGE_SIZE")
    return total / 2**20


def watched(folder, *arguments):
    start, peak = time.time(), 0.0
    process = subprocess.Popen([ENCORE, *arguments], cwd=folder)
    while process.poll() is None:
        peak = max(peak, resident_mib(process.pid))
        time.sleep(0.1)
    if process.returncode != 0:
        raise SystemExit(f"encore {' '.join(arguments)} ended with {process.returncode}")
    print(f"encore {' '.join(arguments)}: {time.time() - start:.0f} s, peak {peak:.0f} MiB")


def versus(folder, n):
    """scikit-learn on the same rows, split and penalty."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    x, y = np.empty((n, len(COLUMNS))), np.empty(n, int)
    with open(folder / "rows.csv") as file:
        next(file)
        for i, line in enumerate(file):
            cells = line.rstrip("\n").split(",")
            x[i], y[i] = cells[2:], int(cells[1][1:])
    test = np.zeros(n, bool)
    (run,) = (folder / "reports/runs").glob("rows.*")
    with open(run / "split.csv") as file:
        for line in file:
            if line.rstrip("\n").endswith(",test"):
                test[int(line[1:8])] = True
    start = time.time()
    scaler = StandardScaler().fit(x[~test])
    model = LogisticRegression(C=1.0, max_iter=1000, tol=1e-4)
    model.fit(scaler.transform(x[~test]), y[~test])
    accuracy = model.score(scaler.transform(x[test]), y[test])
    print(f"scikit-learn: accuracy {accuracy:.6f}, {time.time() - start:.0f} s")
    ours = json.loads((run / "record.json").read_text())["test"]["accuracy"]
    print(f"ours: accuracy {ours:.6f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("target/million-rows"))
    parser.add_argument("--versus", action="store_true")
    arguments = parser.parse_args()
    folder = arguments.folder
    if not (folder / "rows.csv").exists() and folder.exists():
        raise SystemExit(f"{folder} is there and holds no rows.csv: name another --folder")
    shutil.rmtree(folder, ignore_errors=True)
    for inner in ["datasets", "experiments"]:
        (folder / inner).mkdir(parents=True)
    make(folder / "rows.csv", arguments.rows)
    columns = "\n".join(f'{name} = "{name}"' for name in COLUMNS)
    (folder / "datasets/rows.toml").write_text(MANIFEST.format(n=arguments.rows, columns=columns))
    columns = ", ".join(f'"{name}"' for name in COLUMNS)
    (folder / "experiments/rows.toml").write_text(SPEC.format(columns=columns))
    watched(folder, "data", "import", "rows", "rows.csv")
    watched(folder, "run", "rows")
    if arguments.versus:
        versus(folder, arguments.rows)


main()
