#!/usr/bin/env python3
"""One peer on one split, in a process of its own: peer.py SYSTEM FOLDER TARGET TASK BUDGET writes FOLDER/SYSTEM.csv and prints JSON.

SYSTEM: lightgbm, catboost (both at their defaults), flaml, ag_medium, ag_best. Two cores for each. The columns of the file are the class labels, or `value`.
"""

import json
import os
import pathlib
import sys
import tempfile
import time

import numpy as np
import pandas as pd

CORES = 2
METRIC = {"binary": "roc_auc", "multiclass": "log_loss", "regression": "rmse"}


def is_text(column):
    return not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)


def as_categories(train, test):
    """Text columns as categories that both tables share."""
    for column in train.columns:
        if is_text(train[column]):
            values = pd.CategoricalDtype(sorted(set(train[column].dropna().astype(str)) | set(test[column].dropna().astype(str))))
            train[column], test[column] = (part[column].astype(str).where(part[column].notna()).astype(values) for part in (train, test))
    return train, test


def lightgbm(task, train, y, test, _budget):
    import lightgbm

    train, test = as_categories(train, test)
    model = (lightgbm.LGBMRegressor if task == "regression" else lightgbm.LGBMClassifier)(n_jobs=CORES, verbose=-1)
    model.fit(train, y)
    return model, test


def catboost(task, train, y, test, _budget):
    import catboost

    texts = [column for column in train.columns if is_text(train[column])]
    for part in (train, test):
        part[texts] = part[texts].astype(object).where(part[texts].notna(), "missing").astype(str)
    kind = catboost.CatBoostRegressor if task == "regression" else catboost.CatBoostClassifier
    model = kind(thread_count=CORES, verbose=False, allow_writing_files=False, cat_features=texts)
    model.fit(train, y)
    return model, test


def flaml(task, train, y, test, budget):
    import flaml

    model = flaml.AutoML()
    model.fit(train, y, task="regression" if task == "regression" else "classification", metric=METRIC[task], time_budget=budget, n_jobs=CORES, verbose=0)
    return model, test


def autogluon(preset):
    def fit(task, train, y, test, budget):
        from autogluon.tabular import TabularPredictor

        metric = "root_mean_squared_error" if task == "regression" else METRIC[task]
        model = TabularPredictor("_target", problem_type=task, eval_metric=metric, path=tempfile.mkdtemp(), verbosity=0)
        model.fit(train.assign(_target=y), presets=preset, time_limit=budget, num_cpus=CORES)
        return model, test

    return fit


SYSTEMS = {"lightgbm": lightgbm, "catboost": catboost, "flaml": flaml, "ag_medium": autogluon("medium_quality"), "ag_best": autogluon("best_quality")}


def main():
    system, folder, target, task, budget = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3], sys.argv[4], float(sys.argv[5])
    os.environ["OMP_NUM_THREADS"] = str(CORES)
    train, test = pd.read_csv(folder / "train.csv", low_memory=False), pd.read_csv(folder / "test.csv", low_memory=False)
    y = train.pop(target)
    if task != "regression":
        y = y.astype(str)
    start = time.time()
    model, test = SYSTEMS[system](task, train, y, test, budget)
    fitted = time.time()
    if task == "regression":
        out = pd.DataFrame({"value": np.asarray(model.predict(test)).ravel()})
    else:
        shares = model.predict_proba(test)
        out = pd.DataFrame(np.asarray(shares), columns=list(shares.columns if hasattr(shares, "columns") else model.classes_))
    done = time.time()
    out.to_csv(folder / f"{system}.csv", index=False)
    print(json.dumps({"fit": round(fitted - start, 3), "predict": round(done - fitted, 3)}))


if __name__ == "__main__":
    main()
