"""Prints the reference numbers that `src/metrics` is tested against.

Made with Python 3, scipy 1.17.1, scikit-learn 1.9.1, statsmodels 0.15.0, numpy 2.4.6:
    python3 -m venv venv && venv/bin/pip install scipy scikit-learn statsmodels
    venv/bin/python tests/golden/make_metrics.py
"""

import numpy as np
from scipy import stats
from sklearn import metrics
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
    metrics.f1_score(ACTUAL, predicted, labels=LABELS, average="macro", zero_division=0),
)
show("log_loss float32", repr(metrics.log_loss(ACTUAL, PROBABILITIES, labels=LABELS)))
for k in (1, 2, 3):
    show(f"top_{k}", metrics.top_k_accuracy_score(ACTUAL, PROBABILITIES, k=k, labels=LABELS))

for right, n in [(8, 10), (0, 20), (20, 20), (838, 1000)]:
    show(f"wilson {right}/{n}", proportion_confint(right, n, alpha=0.05, method="wilson"))

for probability, freedom in [(0.975, 2), (0.975, 4.7), (0.975, 1000)]:
    show(f"t {probability} df {freedom}", stats.t.ppf(probability, freedom))


def mean_over_seeds(accuracies, n_test):
    """Welch's interval for a sum of two independent mean-like parts, written out with scipy."""
    accuracies = np.array(accuracies)
    k, mean = len(accuracies), accuracies.mean()
    seeds = accuracies.var(ddof=1) / k
    items = mean * (1 - mean) / n_test
    freedom = (seeds + items) ** 2 / (seeds**2 / (k - 1) + items**2 / (n_test - 1))
    low, high = stats.t.interval(0.95, freedom, loc=mean, scale=np.sqrt(seeds + items))
    return float(mean), float(low), float(high), float(freedom)


show("seeds 3, n 300", mean_over_seeds([0.81, 0.84, 0.85], 300))
show("seeds 5, n 2573", mean_over_seeds([0.52, 0.53, 0.515, 0.528, 0.534], 2573))
