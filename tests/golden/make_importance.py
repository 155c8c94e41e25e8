"""Writes importance.json: trials of some studies, and what Optuna says of the importance of their parameters.

    pip install optuna==5.0.0 scikit-learn==1.9 && python make_importance.py

Each number is the mean over 10 seeds of Optuna's forest, whose shares differ by up to 0.04 between seeds.
"""

import json
import math
import pathlib

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

SPACES = {
    "rates": {"rate": ("log", 1e-5, 1e-1), "decay": ("log", 1e-6, 1e-2)},
    "linear": {f"x{i}": ("linear", 0.0, 1.0) for i in range(5)},
    "mixed": {
        "rate": ("log", 1e-4, 1e-1),
        "units": ("int", 16, 128),
        "kind": ("any", "adam", "sgd", "rmsprop"),
        "dropout": ("linear", 0.0, 0.6),
    },
    "choices": {"kind": ("any", *"abcdef"), "size": ("any", 2, 3, 5, 10), "x": ("linear", -1.0, 1.0)},
    "tuned": {"rate": ("log", 1e-5, 1e-1), "units": ("int", 1, 64), "kind": ("any", "a", "b")},
}
N_TRIALS = {"rates": 60, "linear": 150, "mixed": 200, "choices": 100, "tuned": 80}


def loss(name, p):
    lg = math.log10(p["rate"]) if "rate" in p else 0.0
    if name == "rates":
        return (lg + 3) ** 2 + 0.2 * (math.log10(p["decay"]) + 4) ** 2
    if name == "linear":
        return 3 * p["x0"] + 2 * p["x1"] ** 2 + math.sin(6 * p["x2"]) * p["x3"] + 0.1 * p["x4"]
    if name == "mixed":
        kinds = {"adam": 0.0, "sgd": 0.8, "rmsprop": 0.3}
        return (lg + 2.5) ** 2 + ((p["units"] - 90) / 60) ** 2 + kinds[p["kind"]] + p["dropout"]
    if name == "choices":
        return "abcdef".index(p["kind"]) / 2 + (p["size"] == 3) + p["x"] ** 2
    return abs(lg + 3) + abs(p["units"] - 20) / 20 + (p["kind"] == "b") * 0.4


def suggest(trial, key, kind, *values):
    if kind == "any":
        return trial.suggest_categorical(key, list(values))
    if kind == "int":
        return trial.suggest_int(key, *values)
    return trial.suggest_float(key, *values, log=kind == "log")


def distribution(kind, *values):
    if kind == "any":
        return CategoricalDistribution(list(values))
    if kind == "int":
        return IntDistribution(*values)
    return FloatDistribution(*values, log=kind == "log")


def importance(space, trials):
    study = optuna.create_study()
    of = {key: distribution(*it) for key, it in space.items()}
    for params, value in trials:
        study.add_trial(optuna.trial.create_trial(params=params, distributions=of, value=value))
    sums = dict.fromkeys(space, 0.0)
    for seed in range(10):
        evaluator = optuna.importance.FanovaImportanceEvaluator(seed=seed)
        for key, share in optuna.importance.get_param_importances(study, evaluator=evaluator).items():
            sums[key] += float(share) / 10
    return list(sums.values())


if __name__ == "__main__":
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    studies = []
    for name, space in SPACES.items():
        sampler = optuna.samplers.TPESampler if name == "tuned" else optuna.samplers.RandomSampler
        study = optuna.create_study(sampler=sampler(seed=1))
        function = lambda trial: loss(name, {key: suggest(trial, key, *it) for key, it in space.items()})
        study.optimize(function, n_trials=N_TRIALS[name])
        trials = [(trial.params, trial.value) for trial in study.trials]
        studies.append({
            "name": name,
            "space": [[key, *it] for key, it in space.items()],
            "trials": [[*params.values(), value] for params, value in trials],
            "importance": importance(space, trials),
        })
    path = pathlib.Path(__file__).with_name("importance.json")
    path.write_text(json.dumps({"source": f"optuna {optuna.__version__}", "studies": studies}) + "\n")
