"""Writes `tables.json`: what scikit-learn's models for tables say of a small made-up table, for `src/model/golden.rs`.

Made with Python 3, scikit-learn 1.9.1, numpy 2.4.6:
    python3 -m venv venv && venv/bin/pip install scikit-learn
    venv/bin/python tests/golden/make_tables.py
"""

import json
from pathlib import Path

import numpy as np
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import mean_squared_error
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

# 449 is prime: whether a place between values is a whole number must not hang on rounding.
N_TRAIN, N_TEST = 449, 61
rng = np.random.default_rng(7)
y = rng.permutation(np.arange(N_TRAIN + N_TEST) % 3)
centres = np.array([[0, 0, 0, 1], [1.5, 0, -1, 1], [0, 1.5, 1, 1]])
x = centres[y] + rng.normal(size=(len(y), 4))
x[:, 3] = rng.integers(0, 5, len(y))
# Every number is a whole one over 1024, so that f32 holds it.
x = np.round(x * 1024) / 1024
train, test = slice(0, N_TRAIN), slice(N_TRAIN, None)
two = y[train] < 2
# Three tags and a number of the same rows, drawn apart, so that what is above stays.
rng = np.random.default_rng(8)
tags = (x[:, [0, 1, 2]] + x[:, [1, 2, 3]] * [[1, -1, 0.5]] + rng.normal(size=(len(y), 3)) > [[0.5, 0, 2.5]]).astype(int)
number = np.round((3 * x[:, 0] + x[:, 1] * x[:, 2] + 100 + rng.normal(size=len(y))) * 1024) / 1024


def probabilities(model):
    return np.round(model.fit(x[train], y[train]).predict_proba(x[test]), 12).tolist()


def binary(model):
    return np.round(model.fit(x[train][two], y[train][two]).predict_proba(x[test])[:, 1], 12).tolist()


def of_tags(model):
    return np.round(model.fit(x[train], tags[train]).predict_proba(x[test]), 12).tolist()


def of_each_tag(make):
    fitted = [make().fit(x[train], tags[train, tag]) for tag in range(3)]
    return np.round(np.transpose([model.predict_proba(x[test])[:, 1] for model in fitted]), 12).tolist()


def numbers(model):
    return np.round(model.fit(x[train], number[train]).predict(x[test]), 12).tolist()


def forest_of_tags(seed):
    model = RandomForestClassifier(200, min_samples_leaf=3, random_state=seed).fit(x[train], tags[train])
    rates = np.transpose([rows[:, 1] for rows in model.predict_proba(x[test])])
    return mean_squared_error(tags[test], rates)


def forest_of_numbers(seed):
    model = RandomForestRegressor(200, min_samples_leaf=3, random_state=seed).fit(x[train], number[train])
    return mean_squared_error(number[test], model.predict(x[test]))


def machine(**settings):
    model = SVC(decision_function_shape="ovo", tol=1e-6, **settings).fit(x[train], y[train])
    return {
        "decision": np.round(model.decision_function(x[test]), 9).tolist(),
        "predicted": model.predict(x[test]).tolist(),
        "n_support": model.n_support_.tolist(),
    }


# Leaves are large, so that no two splits of one are equally good: among those, rounding decides.
boosting = {"early_stopping": False, "max_iter": 20, "min_samples_leaf": 20}
answers = {
    "x": (x * 1024).astype(int).tolist(),
    "y": y.tolist(),
    "n_train": N_TRAIN,
    "knn_uniform": probabilities(KNeighborsClassifier(7, algorithm="brute")),
    "knn_distance": probabilities(KNeighborsClassifier(7, weights="distance", algorithm="brute")),
    "knn_manhattan": probabilities(KNeighborsClassifier(7, metric="manhattan", algorithm="brute")),
    "boosting": probabilities(HistGradientBoostingClassifier(**boosting)),
    "boosting_few_bins": probabilities(
        HistGradientBoostingClassifier(max_bins=16, max_leaf_nodes=5, max_depth=3, l2_regularization=1.0, **boosting)
    ),
    "boosting_two_classes": binary(HistGradientBoostingClassifier(learning_rate=0.3, **boosting)),
    "svm_rbf": machine(C=2.0),
    "svm_linear": machine(kernel="linear", C=0.5),
    "tags": tags.tolist(),
    "number": (number * 1024).astype(int).tolist(),
    "logistic_tags": of_tags(OneVsRestClassifier(LogisticRegression(C=0.5, tol=1e-10, max_iter=10_000))),
    "knn_tags": np.round(
        np.transpose([rows[:, 1] for rows in KNeighborsClassifier(7, weights="distance", algorithm="brute")
                      .fit(x[train], tags[train]).predict_proba(x[test])]), 12).tolist(),
    "boosting_tags": of_each_tag(lambda: HistGradientBoostingClassifier(**boosting)),
    "linear": numbers(LinearRegression()),
    "linear_ridge": numbers(Ridge(alpha=20.0)),
    "linear_ridge_standardized": numbers(make_pipeline(StandardScaler(), Ridge(alpha=20.0))),
    "knn_number": numbers(KNeighborsRegressor(7, weights="distance", algorithm="brute")),
    "boosting_number": numbers(HistGradientBoostingRegressor(**boosting)),
    # Mean squared errors of forests with ten seeds.
    "forest_tags": [forest_of_tags(seed) for seed in range(10)],
    "forest_number": [forest_of_numbers(seed) for seed in range(10)],
}
Path(__file__).with_name("tables.json").write_text(json.dumps(answers, separators=(",", ":")) + "\n")
