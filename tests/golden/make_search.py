"""Writes search.json: the best losses that Optuna finds on test functions in 60 trials, over 20 studies.

    pip install optuna==5.0.0 && python make_search.py

The functions and their ranges are those of src/search/golden.rs. Trials run one after the other.
"""

import json
import math
import pathlib

import optuna

N_STUDIES, N_TRIALS = 20, 60


def reals(trial, low, high, n):
    return [trial.suggest_float(f"x{i}", low, high) for i in range(n)]


def sphere(trial):
    return sum((x - 1.0) ** 2 for x in reals(trial, -5, 5, 3))


def rosenbrock(trial):
    x, y = reals(trial, -2.048, 2.048, 2)
    return (1 - x) ** 2 + 100 * (y - x * x) ** 2


def branin(trial):
    x = trial.suggest_float("x0", -5, 10)
    y = trial.suggest_float("x1", 0, 15)
    a = y - 5.1 / (4 * math.pi**2) * x * x + 5 / math.pi * x - 6
    return a * a + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


ALPHA = [1.0, 1.2, 3.0, 3.2]
A = [
    [10, 3, 17, 3.5, 1.7, 8],
    [0.05, 10, 17, 0.1, 8, 14],
    [3, 3.5, 1.7, 10, 17, 8],
    [17, 8, 0.05, 10, 0.1, 14],
]
P = [
    [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
    [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
    [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
    [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
]


def hartmann6(trial):
    x = reals(trial, 0, 1, 6)
    inner = [sum(a * (v - p) ** 2 for a, v, p in zip(A[i], x, P[i])) for i in range(4)]
    return -sum(alpha * math.exp(-s) for alpha, s in zip(ALPHA, inner))


def ackley(trial):
    x = reals(trial, -32.768, 32.768, 3)
    square = sum(v * v for v in x) / 3
    wave = sum(math.cos(2 * math.pi * v) for v in x) / 3
    return -20 * math.exp(-0.2 * math.sqrt(square)) - math.exp(wave) + 20 + math.e


def mixed(trial):
    rate = trial.suggest_float("rate", 1e-5, 1e-1, log=True)
    units = trial.suggest_int("units", 16, 128)
    kind = trial.suggest_categorical("kind", ["adam", "sgd", "rmsprop"])
    loss = (math.log10(rate) + 3.4) ** 2 + ((units - 90) / 40) ** 2
    if kind == "sgd":
        momentum = trial.suggest_float("momentum", 0.0, 1.0)
        return loss + 4 * (momentum - 0.8) ** 2
    return loss + {"adam": 0.1, "rmsprop": 0.5}[kind]


def best(function, sampler):
    study = optuna.create_study(sampler=sampler)
    study.optimize(function, n_trials=N_TRIALS)
    return study.best_value


if __name__ == "__main__":
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    samplers = {"tpe": optuna.samplers.TPESampler, "random": optuna.samplers.RandomSampler}
    found = {
        function.__name__: {
            name: [best(function, sampler(seed=seed)) for seed in range(N_STUDIES)]
            for name, sampler in samplers.items()
        }
        for function in [sphere, rosenbrock, branin, hartmann6, ackley, mixed]
    }
    out = {"source": f"optuna {optuna.__version__}", "n_trials": N_TRIALS, "best": found}
    path = pathlib.Path(__file__).with_name("search.json")
    path.write_text(json.dumps(out, indent=1) + "\n")
