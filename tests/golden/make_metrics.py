"""Prints the reference numbers that `src/metrics` is tested against, and writes `metrics.json`.

`metrics.json` is two made-up models on the same 200 examples of 40 tracks, with what scikit-learn, statsmodels and
scipy say of them.

Made with Python 3, scipy 1.17.1, scikit-learn 1.9.1, statsmodels 0.15.0, numpy 2.4.6:
    python3 -m venv venv && venv/bin/pip install scipy scikit-learn statsmodels
    venv/bin/python tests/golden/make_metrics.py
"""

import json
from pathlib import Path

import numpy as np
import statsmodels.api as sm
from scipy import stats
from sklearn import metrics
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

ACTUAL = [0, 0, 0, 1, 1, 1, 2, 2, 2, 2]
# Class 3 is never seen nor predicted; rows 2 and 8 hold exact zeros, the latter a one, so clipping matters.
PROBABILITIES = np.array(
    [
        [0.70, 0.20, 0.05, 0.05],
        [0.40, 0.30, 0.20, 0.10],
        [0.00, 0.97, 0.02, 0.01],
        [0.25, 0.50, 0.15, 0.10],
        [0.10, 0.35, 0.45, 0.10],
        [0.30, 0.60, 0.05, 0.05],
        [0.05, 0.15, 0.75, 0.05],
        [0.50, 0.10, 0.30, 0.10],
        [0.00, 0.00, 1.00, 0.00],
        [0.20, 0.25, 0.45, 0.10],
    ],
    dtype=np.float32,
)
LABELS = [0, 1, 2, 3]


def show(name, value):
    print(f"{name:28} {value}")


predicted = PROBABILITIES.argmax(axis=1)
show("predicted", predicted.tolist())
show("confusion", metrics.confusion_matrix(ACTUAL, predicted, labels=LABELS).tolist())
show("accuracy", metrics.accuracy_score(ACTUAL, predicted))
for name, values in zip(
    ["precision", "recall", "f1", "support"],
    metrics.precision_recall_fscore_support(ACTUAL, predicted, labels=LABELS, zero_division=0),
):
    show(name, [float(value) for value in values])
show(
    "macro_f1",
    metrics.f1_score(ACTUAL, predicted, average="macro", zero_division=0),
)
show("log_loss float32", repr(metrics.log_loss(ACTUAL, PROBABILITIES, labels=LABELS)))
for k in (1, 2, 3):
    show(f"top_{k}", metrics.top_k_accuracy_score(ACTUAL, PROBABILITIES, k=k, labels=LABELS))

for right, n in [(8, 10), (0, 20), (20, 20), (838, 1000)]:
    show(f"wilson {right}/{n}", proportion_confint(right, n, alpha=0.05, method="wilson"))

for probability, freedom in [(0.975, 2), (0.975, 4.7), (0.975, 1000)]:
    show(f"t {probability} df {freedom}", stats.t.ppf(probability, freedom))


def one_sample(name, values):
    """Student's t of a mean against 0: what is left of an estimate that has tracks only, or seeds only."""
    test = stats.ttest_1samp(values, 0)
    interval = test.confidence_interval(0.95)
    show(name, (float(interval.low), float(interval.high), float(test.pvalue)))


one_sample("seeds only", [0.02, 0.03, 0.01, 0.05])
one_sample("tracks only", [1, 0, 0, 1, 0, -1, 0, 1, 1, 0, 0, 1])
welch = stats.ttest_ind([0.62, 0.66, 0.65], [0.60, 0.59, 0.62, 0.61], equal_var=False)
interval = welch.confidence_interval(0.95)
show("seeds only, Welch", (float(interval.low), float(interval.high), float(welch.pvalue)))


def made_up_models(n_tracks=40, n_classes=4, n_models=2):
    """Tracks of 2 to 8 segments, some of them hard for everybody; class 3 is rare. Four decimals, as float32."""
    rng = np.random.default_rng(20)
    sizes = rng.integers(2, 9, n_tracks)
    sizes[-1] = 200 - sizes[:-1].sum()
    tracks = np.repeat(np.arange(n_tracks), sizes)
    of_track = rng.choice(n_classes, n_tracks, p=[0.4, 0.3, 0.2, 0.1])
    actual = of_track[tracks]
    hard = rng.normal(0, 1.2, (n_tracks, n_classes))
    models = []
    for model in range(n_models):
        logits = hard[tracks] + rng.normal(0, 0.8, (len(tracks), n_classes))
        logits[np.arange(len(tracks)), actual] += 1.2 + 0.4 * model
        p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        p = np.round(p, 4)
        p[np.arange(len(p)), p.argmax(1)] += 1 - p.sum(1)
        models.append(np.round(p, 4).astype(np.float32))
    return tracks, actual, models


def cluster_variance(values, tracks):
    """statsmodels' cluster-robust variance of a mean, its own small-sample factor replaced by T / (T - 1)."""
    fit = sm.OLS(values, np.ones(len(values)))
    fit = fit.fit(cov_type="cluster", cov_kwds={"groups": tracks, "use_correction": False})
    n = len(set(tracks.tolist()))
    return float(fit.cov_params()[0, 0] * n / (n - 1))


def macro_f1(actual, predicted, labels):
    return metrics.f1_score(actual, predicted, labels=labels, average="macro", zero_division=0)


def jackknife_variance(actual, predicted, tracks, labels):
    n = tracks.max() + 1
    left = np.array([macro_f1(actual[tracks != t], predicted[tracks != t], labels) for t in range(n)])
    return float((n - 1) / n * ((left - left.mean()) ** 2).sum())


def area(score, actual, p):
    """One class against the rest, averaged over the classes."""
    return float(score(np.eye(p.shape[1])[actual], p, average="macro"))


def jackknife_of_area(score, actual, p, tracks):
    n = tracks.max() + 1
    left = np.array([area(score, actual[tracks != t], p[tracks != t]) for t in range(n)])
    return float((n - 1) / n * ((left - left.mean()) ** 2).sum())


def calibration_error(actual, probabilities, n_bins=15):
    """Guo et al. 2017, equation 3, bins with their lower ends."""
    confidence = probabilities.max(1).astype(np.float64)
    right = probabilities.argmax(1) == actual
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    gaps = [abs(right[bins == b].mean() - confidence[bins == b].mean()) * (bins == b).mean() for b in set(bins)]
    return float(sum(gaps))


def golden():
    tracks, actual, models = made_up_models()
    labels = list(range(4))
    n_tracks = int(tracks.max()) + 1
    out = {"tracks": tracks.tolist(), "actual": actual.tolist(), "models": []}
    rights, votes_right = [], []
    for p in models:
        predicted = p.argmax(1)
        exact = np.round(p.astype(np.float64), 4)  # sums to 1 in float64 too
        right = (predicted == actual).astype(float)
        rights.append(right)
        losses = -np.log(np.clip(p.astype(np.float64), np.finfo(np.float32).eps, 1 - np.finfo(np.float32).eps))
        losses = losses[np.arange(len(p)), actual]
        pooled = np.stack([np.log(p[tracks == t].astype(np.float64)).mean(0) for t in range(n_tracks)])
        of_track = np.array([actual[tracks == t][0] for t in range(n_tracks)])
        votes_right.append(pooled.argmax(1) == of_track)
        classes = metrics.precision_recall_fscore_support(actual, predicted, labels=labels, zero_division=0)
        out["models"].append(
            {
                "probabilities": [round(float(x), 4) for x in p.ravel()],
                "accuracy": metrics.accuracy_score(actual, predicted),
                "accuracy_variance": cluster_variance(right, tracks),
                "macro_f1": macro_f1(actual, predicted, labels),
                "macro_f1_variance": jackknife_variance(actual, predicted, tracks, labels),
                "classes": [[float(x) for x in column] for column in classes],
                "log_loss": metrics.log_loss(actual, exact, labels=labels),
                "log_loss_variance": cluster_variance(losses, tracks),
                "top_2": metrics.top_k_accuracy_score(actual, p, k=2, labels=labels),
                "brier": metrics.brier_score_loss(actual, exact, labels=labels, scale_by_half=False),
                "calibration_error": calibration_error(actual, p),
                "track_votes_accuracy": float(votes_right[-1].mean()),
                "roc_auc": area(metrics.roc_auc_score, actual, p),
                "roc_auc_jackknife": jackknife_of_area(metrics.roc_auc_score, actual, p, tracks),
                "average_precision": area(metrics.average_precision_score, actual, p),
                "average_precision_jackknife": jackknife_of_area(
                    metrics.average_precision_score, actual, p, tracks
                ),
            }
        )
    difference = rights[1] - rights[0]
    out["difference"] = float(difference.mean())
    out["difference_variance"] = cluster_variance(difference, tracks)
    a, b = votes_right
    table = [[(a & b).sum(), (a & ~b).sum()], [(~a & b).sum(), (~a & ~b).sum()]]
    out["mcnemar"] = [int(table[0][1]), int(table[1][0]), float(mcnemar(table, exact=True).pvalue)]

    def ratio(sums, sizes, axis=-1):
        return sums.sum(axis=axis) / sizes.sum(axis=axis)

    sums = np.bincount(tracks, weights=difference)
    sizes = np.bincount(tracks).astype(float)
    interval = stats.bootstrap(
        (sums, sizes), ratio, paired=True, vectorized=True, n_resamples=200_000, batch=10_000,
        method="percentile", rng=np.random.default_rng(1),
    ).confidence_interval
    out["bootstrap"] = [float(interval.low), float(interval.high)]
    out["holm"] = []
    for p_values in ([0.01, 0.04, 0.03, 0.005], [0.5, 0.02, 0.9], [0.2]):
        out["holm"].append([p_values, multipletests(p_values, method="holm")[1].tolist()])
    out["mcnemar_counts"] = []
    for first, second in [(10, 2), (0, 5), (7, 7), (0, 0), (120, 85)]:
        p = mcnemar([[0, first], [second, 0]], exact=True).pvalue if first + second else 1.0
        out["mcnemar_counts"].append([first, second, float(p)])
    return out


Path(__file__).with_name("metrics.json").write_text(json.dumps(golden(), separators=(",", ":")) + "\n")
