#!/usr/bin/env python3
"""Our gradient boosting against the LightGBM Python package: the same parameters, rows and folds, on ten public tables.

    benchmarks/setup && benchmarks/.venv/bin/python benchmarks/quality/gradient_boosting_parity.py

Each table is cut into five folds here; `everlearn fit` and `predict` see files of the training and test rows. LightGBM sees the same
rows with text columns as categories. The standard error is that of the mean difference over folds; "equal" is a difference within two.
It knows nothing of the noise in where bins are cut, which the folds share: LightGBM counts a bin for zero among its 255, we do not.
"""
import argparse
import math
import pathlib
import subprocess
import sys
import tempfile

import lightgbm
import numpy as np
import pandas as pd
from sklearn.metrics import log_loss, root_mean_squared_error
from sklearn.model_selection import KFold, StratifiedKFold

ROOT = pathlib.Path(__file__).resolve().parents[2]
TABLES = {  # name: target
    "adult": "income", "bank_marketing": "y", "credit_default_tw": "default.payment.next.month", "telco_churn": "Churn",
    "spambase": "class", "letter": "class", "california_housing": "median_house_value", "diamonds": "price",
    "bike_hour": "count", "kin8nm": "y",
}
REGRESSION = {"california_housing", "diamonds", "bike_hour", "kin8nm"}
FOLDS, SEED = 5, 0
ROUNDS = 100
# Ours → theirs.
NAMES = {"learning_rate": "learning_rate", "leaves": "num_leaves", "min_data_in_leaf": "min_data_in_leaf", "l1": "lambda_l1",
         "l2": "lambda_l2", "cat_smooth": "cat_smooth", "cat_l2": "cat_l2", "min_data_per_group": "min_data_per_group",
         "max_cat_to_onehot": "max_cat_to_onehot"}
VALUES = {"learning_rate": 0.1, "leaves": 31, "min_data_in_leaf": 20, "l1": 0, "l2": 0, "cat_smooth": 10, "cat_l2": 10,
          "min_data_per_group": 100, "max_cat_to_onehot": 4}


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}")


def ours(binary, folder, target, kind, train, test, labels):
    train.to_csv(folder / "train.csv", index=False)
    test.drop(columns=target).to_csv(folder / "test.csv", index=False)
    settings = [f"--set=gradient_boosting.{name}={value}" for name, value in {**VALUES, "trees": ROUNDS}.items()]
    run(binary, "fit", folder / "train.csv", "--target", target, "--kind", kind, "--learners", "gradient_boosting", "--folds", "2",
        "--threads", "1", "--quiet",
        "--model", folder / "m.safetensors", *settings)
    run(binary, "predict", folder / "m.safetensors", folder / "test.csv", "--only", "--quiet", "--output", folder / "out.csv")
    out = pd.read_csv(folder / "out.csv")
    return out["prediction"].to_numpy() if kind == "regression" else out[[f"probability_{label}" for label in labels]].to_numpy()


def theirs(target, kind, train, test, labels):
    parameters = {NAMES[name]: value for name, value in VALUES.items()}
    parameters |= {"objective": {"binary": "binary", "multiclass": "multiclass", "regression": "regression"}[kind], "verbosity": -1,
                   "deterministic": True, "force_col_wise": True, "num_threads": 1, "seed": SEED}
    if kind == "multiclass":
        parameters["num_class"] = len(labels)
    code = {label: i for i, label in enumerate(labels)}
    y = train[target] if kind == "regression" else train[target].astype(str).map(code)
    x, x_test = train.drop(columns=target), test.drop(columns=target)
    x.columns = x_test.columns = [f"x{i}" for i in range(x.shape[1])]  # LightGBM refuses some characters in names
    for column in x.columns:
        if not pd.api.types.is_numeric_dtype(x[column]) and not pd.api.types.is_bool_dtype(x[column]):
            x[column] = x[column].astype("category")
            known = x[column].cat.categories
            x_test[column] = pd.Categorical(x_test[column].where(x_test[column].isin(known)), categories=known)
    model = lightgbm.train(parameters, lightgbm.Dataset(x, y), ROUNDS)
    p = model.predict(x_test, num_threads=1)
    return np.column_stack([1 - p, p]) if kind == "binary" else p


def compare(binary, data, name):
    target = TABLES[name]
    table = pd.read_csv(data / f"{name}.csv.gz")
    labels = [] if name in REGRESSION else sorted(table[target].astype(str).unique())
    kind = "regression" if name in REGRESSION else "binary" if len(labels) == 2 else "multiclass"
    splitter = KFold if kind == "regression" else StratifiedKFold
    folds = splitter(FOLDS, shuffle=True, random_state=SEED).split(table, table[target].astype(str))
    scores = []
    with tempfile.TemporaryDirectory() as folder:
        for train_rows, test_rows in folds:
            train, test = table.iloc[train_rows], table.iloc[test_rows]
            if kind == "regression":
                measure = lambda p: root_mean_squared_error(test[target], p)
            else:
                measure = lambda p: log_loss(test[target].astype(str), p / p.sum(axis=1, keepdims=True), labels=labels)
            scores.append((measure(ours(binary, pathlib.Path(folder), target, kind, train, test, labels)),
                           measure(theirs(target, kind, train, test, labels))))
    our, their = np.array(scores).T
    difference = our - their
    error = difference.std(ddof=1) / math.sqrt(FOLDS)
    verdict = "equal" if abs(difference.mean()) <= 2 * error else "ours better" if difference.mean() < 0 else "ours worse"
    metric = "rmse" if kind == "regression" else "log_loss"
    print(f"| {name} | {metric} | {our.mean():.6g} | {their.mean():.6g} | {difference.mean():+.2g} | {error:.2g} | {verdict} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="*", default=list(TABLES), help="default: all ten")
    parser.add_argument("--binary", default=ROOT / "build/release/everlearn")
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / "../shared/data/tabular")
    options = parser.parse_args()
    print("| table | metric (lower is better) | ours | LightGBM | difference | standard error | verdict |\n|---|---|---|---|---|---|---|")
    for name in options.tables:
        compare(options.binary, options.data, name)


main()
