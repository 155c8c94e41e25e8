"""Writes `tasks.json`: reference numbers of tags and numbers that `src/metrics` is tested against.

Two made-up models, one of tags and one of a number, on the same examples of 40 tracks, with what scikit-learn and
statsmodels say of them.

Made with Python 3, scikit-learn 1.9.1, statsmodels 0.15.0, numpy 2.4.6:
    python3 -m venv venv && venv/bin/pip install scikit-learn statsmodels
    venv/bin/python tests/golden/make_tasks.py
"""

import json
from pathlib import Path

import numpy as np
import statsmodels.api as sm
from sklearn import metrics

N_TRACKS = 40
# The shares of tracks with each tag: the fourth is on no track and the fifth on all.
SHARES = [0.5, 0.2, 0.1, 0.0, 1.0]


def cluster_variance(values, tracks):
    """statsmodels' cluster-robust variance of a mean, its own small-sample factor replaced by T / (T - 1)."""
    fit = sm.OLS(values, np.ones(len(values)))
    fit = fit.fit(cov_type="cluster", cov_kwds={"groups": tracks, "use_correction": False})
    n = len(set(tracks.tolist()))
    return float(fit.cov_params()[0, 0] * n / (n - 1))


def jackknife(score, tracks, *arrays):
    """The variance of a score by leaving out one track at a time."""
    n = tracks.max() + 1
    left = np.array([score(*(array[tracks != t] for array in arrays)) for t in range(n)])
    return float((n - 1) / n * ((left - left.mean()) ** 2).sum())


def both(score):
    """The mean over the tags that some examples have and others do not."""

    def of(actual, p):
        kept = (actual.min(0) == 0) & (actual.max(0) == 1)
        return float(score(actual[:, kept], p[:, kept], average="macro"))

    return of


roc_auc, average_precision = both(metrics.roc_auc_score), both(metrics.average_precision_score)


def pooled(values, tracks):
    return np.stack([values[tracks == t].mean(0) for t in range(N_TRACKS)])


def tags(rng, tracks):
    of_track = (rng.random((N_TRACKS, len(SHARES))) < SHARES).astype(int)
    actual = of_track[tracks]
    hard = rng.normal(0, 1.0, (N_TRACKS, len(SHARES)))
    logits = hard[tracks] + rng.normal(0, 1.0, actual.shape) + 1.6 * actual - 0.8
    # Two decimals, so that there are ties, and two certain mistakes.
    p = np.round(1 / (1 + np.exp(-logits)), 2)
    p[0, 0], p[1, 1] = 1 - actual[0, 0], 1 - actual[1, 1]
    p = p.astype(np.float32)
    exact = p.astype(np.float64)
    clipped = np.clip(exact, np.finfo(np.float32).eps, 1 - np.finfo(np.float32).eps)
    losses = -np.log(np.where(actual == 1, clipped, 1 - clipped)).mean(1)
    each = []
    for tag in range(len(SHARES)):
        if 0 < actual[:, tag].sum() < len(actual):
            each.append(
                [
                    int(actual[:, tag].sum()),
                    float(metrics.roc_auc_score(actual[:, tag], p[:, tag])),
                    float(metrics.average_precision_score(actual[:, tag], p[:, tag])),
                ]
            )
        else:
            each.append([int(actual[:, tag].sum()), None, None])
    by_tag = [
        metrics.log_loss(actual[:, tag], clipped[:, tag], labels=[0, 1]) for tag in range(len(SHARES))
    ]
    return {
        "actual": actual.ravel().tolist(),
        "probabilities": [round(float(x), 2) for x in p.ravel()],
        "each": each,
        "roc_auc": roc_auc(actual, p),
        "roc_auc_jackknife": jackknife(roc_auc, tracks, actual, p),
        "average_precision": average_precision(actual, p),
        "average_precision_jackknife": jackknife(average_precision, tracks, actual, p),
        "log_loss": float(np.mean(by_tag)),
        "log_loss_variance": cluster_variance(losses, tracks),
        "roc_auc_by_track": roc_auc(of_track, pooled(exact, tracks).astype(np.float32)),
        "average_precision_by_track": average_precision(of_track, pooled(exact, tracks).astype(np.float32)),
    }


def numbers(rng, tracks):
    of_track = np.round(rng.normal(120, 25, N_TRACKS), 1)
    # Segments have numbers of their own, near that of their track.
    actual = np.round(of_track[tracks] + rng.normal(0, 3, len(tracks)), 1)
    off = rng.normal(0, 10, N_TRACKS)[tracks] + rng.normal(0, 8, len(tracks))
    predicted = np.round(0.8 * actual + 24 + off, 2)
    actual, predicted = actual.astype(np.float32), predicted.astype(np.float32)
    a, p = actual.astype(np.float64), predicted.astype(np.float64)
    track_a, track_p = (pooled(x, tracks).astype(np.float32).astype(np.float64) for x in (a, p))
    return {
        "actual": [round(float(x), 1) for x in actual],
        "predicted": [round(float(x), 2) for x in predicted],
        "r2": float(metrics.r2_score(a, p)),
        "r2_jackknife": jackknife(metrics.r2_score, tracks, a, p),
        "mae": float(metrics.mean_absolute_error(a, p)),
        "mae_variance": cluster_variance(np.abs(a - p), tracks),
        "mse": float(metrics.mean_squared_error(a, p)),
        "mse_variance": cluster_variance((a - p) ** 2, tracks),
        "r2_by_track": float(metrics.r2_score(track_a, track_p)),
        "mae_by_track": float(metrics.mean_absolute_error(track_a, track_p)),
        "mse_by_track": float(metrics.mean_squared_error(track_a, track_p)),
        # Of equal numbers: right, and wrong.
        "r2_constant": [metrics.r2_score([2.5] * 3, [2.5] * 3), metrics.r2_score([2.5] * 3, [2.5, 2.5, 3])],
    }


rng = np.random.default_rng(7)
sizes = rng.integers(2, 9, N_TRACKS)
tracks = np.repeat(np.arange(N_TRACKS), sizes)
golden = {"tracks": tracks.tolist(), "tags": tags(rng, tracks), "number": numbers(rng, tracks)}
Path(__file__).with_name("tasks.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
