"""scikit-learn's random forest, for [model.command]."""

import json, os
from pathlib import Path

import joblib
import numpy as np
from sklearn.ensemble import RandomForestClassifier

folder = Path(os.environ["ENCORE_JOB"])
job = json.loads((folder / "job.json").read_text())


def load(name):
    return np.load(folder / f"{name}.npy")


if job["task"] == "fit":
    forest = RandomForestClassifier(
        random_state=job["seed"], n_jobs=job["n_threads"], **job["settings"]
    )
    x, y = load("train"), load("train_labels")
    forest.fit(x.reshape(len(x), -1), y)
    joblib.dump(forest, folder / "model/forest.joblib")
else:
    forest = joblib.load(folder / "model/forest.joblib")


def predict(x):
    # A class without a training example has no column in scikit-learn.
    probabilities = np.zeros((len(x), len(job["classes"])))
    if len(x):
        probabilities[:, forest.classes_] = forest.predict_proba(x.reshape(len(x), -1))
    return probabilities


np.save(folder / "probabilities.npy", predict(load("test")))
if job["task"] == "fit":
    np.save(folder / "valid_probabilities.npy", predict(load("valid")))
