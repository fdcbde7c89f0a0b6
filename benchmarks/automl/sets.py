"""The public sets of the AutoML benchmark: where they are, how one is split, and the losses that count. Needs numpy and pandas."""

import csv
import pathlib
import zlib

import numpy as np
import pandas as pd

# Small, of every kind of task.
QUICK = ["credit_g", "phoneme", "wine_quality", "splice_dna"]


def read_index(data):
    """name → {file, task, target, rows} of the tables of `data`/index.tsv."""
    with open(pathlib.Path(data) / "index.tsv") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["file"].startswith("tabular/")]
    return {row["name"]: row | {"rows": int(row["rows"]), "path": pathlib.Path(data) / row["file"]} for row in rows}


def split(name, entry, folder, number=0):
    """Writes train.csv, test.csv (without the target) and truth.csv, unless they are there.

    A third of the rows is kept for the test, of each class a third (rounded down). Which ones, says numpy's default generator, seeded with the
    CRC-32 of the set's name plus the number of the split: the classes in the order of their text, each shuffled, the first third taken.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "truth.csv").exists():
        return
    table = pd.read_csv(entry["path"], low_memory=False)
    table = table[table[entry["target"]].notna()]
    random = np.random.default_rng(zlib.crc32(name.encode()) + number)
    if entry["task"] == "regression":
        order = random.permutation(len(table))
        test, train = order[: len(table) // 3], order[len(table) // 3 :]
    else:
        labels = table[entry["target"]].astype(str).to_numpy()
        parts = [random.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)]
        test = np.concatenate([part[: len(part) // 3] for part in parts])
        train = random.permutation(np.setdiff1d(np.arange(len(table)), test))
        random.shuffle(test)
    table.iloc[train].to_csv(folder / "train.csv", index=False)
    table.iloc[test].drop(columns=entry["target"]).to_csv(folder / "test.csv", index=False)
    table.iloc[test][[entry["target"]]].to_csv(folder / "truth.csv", index=False)


def auc(score, positive):
    """Area under the ROC curve: the mean rank of the positive rows, ties shared."""
    ranks = pd.Series(score).rank().to_numpy()
    count = positive.sum()
    return (ranks[positive].sum() - count * (count + 1) / 2) / (count * (len(score) - count))


def loss(task, truth, prediction, labels):
    """1 − AUC, log-loss or RMSE. `prediction`: values, or rows × classes in the order of `labels` (texts)."""
    if task == "regression":
        return float(np.sqrt(np.mean((np.asarray(prediction, float) - np.asarray(truth, float)) ** 2)))
    prediction, truth = np.asarray(prediction, float), np.asarray(truth).astype(str)
    if task == "binary":
        return float(1 - auc(prediction[:, 1], truth == labels[1]))
    chosen = prediction[np.arange(len(truth)), [labels.index(label) for label in truth]] / prediction.sum(axis=1)
    return float(-np.mean(np.log(np.clip(chosen, 1e-15, 1))))


def read_truth(folder, target):
    return pd.read_csv(folder / "truth.csv", dtype=str, keep_default_na=False)[target].to_numpy()
