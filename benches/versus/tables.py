"""Fits scikit-learn's twin of runs on a table, on the same rows and the same split, and compares their answers.

    python benches/versus/tables.py TABLE.csv reports/runs/tables.songs-30k-knn-artists.*.seed-1.*

Knows runs of knn, svm, gradient_boosting and forest on spotify-songs-30k. Boosting is given the rounds that our run kept.
Wants `pip install scikit-learn` (1.9.1).
"""

import csv
import json
import sys
import time
from pathlib import Path

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC


def twin(record, settings):
    name = record["model"]["name"]
    if name == "knn":
        metric = {key: settings[key] for key in ("n_neighbors", "weights", "metric")}
        return KNeighborsClassifier(**metric)
    if name == "svm":
        return SVC(C=settings["c"], kernel=settings["kernel"], gamma=settings.get("gamma") or "scale")
    if name == "forest":
        return RandomForestClassifier(settings["n_trees"], max_depth=settings.get("max_depth"), random_state=1, n_jobs=2)
    if name == "gradient_boosting":
        same = ("learning_rate", "max_leaf_nodes", "min_samples_leaf", "l2_regularization", "max_bins")
        return HistGradientBoostingClassifier(
            max_iter=record["model"]["kept_epoch"],
            max_depth=settings.get("max_depth"),
            early_stopping=False,
            **{key: settings[key] for key in same},
        )
    sys.exit(f"{name} has no twin here")


def design(table, columns, preprocess, train):
    """Numbers as `[features.table]` and `[preprocess]` make them, scaled by the train rows."""
    x = np.array([[float(row[column]) for column in columns] for row in table], dtype=np.float32).astype(float)
    levels = (preprocess or {}).get("one_hot") or {}
    numbers = np.array([column not in levels for column in columns])
    parts = [x[:, numbers]]
    if (preprocess or {}).get("standardize"):
        parts[0] = (parts[0] - parts[0][train].mean(0)) / parts[0][train].std(0)
    for column, n_levels in levels.items():
        parts.append(np.eye(n_levels)[x[:, columns.index(column)].astype(int)])
    return np.hstack(parts)


def compare(table, places, label, folder):
    record = json.loads((folder / "record.json").read_text())
    spec = record["spec"]
    sets = {"train": [], "valid": [], "test": []}
    for row in csv.DictReader((folder / "split.csv").open(newline="")):
        sets[row["set"]].append(places[row["track"]])
    x = design(table, spec["features"]["table"]["columns"], spec.get("preprocess"), sets["train"])
    y = np.array([row[label] for row in table])
    model = twin(record, spec["model"][record["model"]["name"]])
    start = time.time()
    model.fit(x[sets["train"]], y[sets["train"]])
    seconds = time.time() - start
    theirs = model.predict(x[sets["test"]])
    ours = {row["track"]: row["predicted"] for row in csv.DictReader((folder / "predictions.csv").open(newline=""))}
    names = {place: name for name, place in places.items()}
    agree = np.mean([ours[names[place]] == answer for place, answer in zip(sets["test"], theirs)])
    accuracy = np.mean(theirs == y[sets["test"]])
    print(
        f"{folder.name}: accuracy {record['test']['accuracy']:.4f}, scikit-learn {accuracy:.4f}, same answers "
        f"{agree:.4f}; fit {record['timings']['fit_s']:.1f} s, scikit-learn {seconds:.1f} s"
    )


def main():
    label, name = "playlist_genre", "track_id"
    table = list(csv.DictReader(open(sys.argv[1], newline="", encoding="utf8")))
    places, seen = {}, {}
    for place, row in enumerate(table):
        # A name that comes again gets a number.
        seen[row[name]] = n = seen.get(row[name], 0) + 1
        places[row[name] if n == 1 else f"{row[name]} #{n}"] = place
    for folder in sys.argv[2:]:
        compare(table, places, label, Path(folder))


main()
