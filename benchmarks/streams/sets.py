"""The streams of benchmarks/streams: files in their own order, at most the first 100,000 rows, and a made one that changes abruptly."""

import csv
import gzip
import pathlib
import random

MOST_ROWS = 100_000
# name: file under the data folder, target, kind
SETS = {
    "elec2": ("streams/elec2", "class", "class"),
    "noaa_weather": ("streams/noaa_weather", "target", "class"),
    "insects_gradual": ("streams/insects_gradual", "class", "class"),
    "spam_assassin": ("streams/spam_assassin", "class", "class"),
    "outdoor": ("streams/outdoor", "target", "class"),
    "powersupply": ("streams/powersupply", "class", "class"),
    "eeg_eye_state": ("streams/eeg_eye_state", "Class", "class"),
    "kdd99_10pct": ("streams/kdd99_10pct", "label", "class"),
    "covertype_100k": ("tabular/covertype_100k", "cover_type", "class"),
    "nomao": ("tabular/nomao", "class", "class"),
    "bank_marketing": ("tabular/bank_marketing", "y", "class"),
    "airlines_539k": ("tabular/airlines_539k", "class", "class"),
    "metro_traffic": ("streams/metro_traffic", "traffic_volume", "value"),
    "bike_hour": ("tabular/bike_hour", "count", "value"),
}
REAL = list(SETS)
# Of made.py: with --data FOLDER, by name.
SETS |= {name: (name, "y", "class") for name in ("made_mixed", "made_sine", "made_agrawal", "made_sea", "made_tree", "made_hyperplane")}
SETS["made_friedman"] = ("made_friedman", "y", "value")


def read(data, name):
    """(header, rows as lists of texts, target, kind)."""
    file, target, kind = SETS[name]
    with gzip.open(pathlib.Path(data) / (file + ".csv.gz"), "rt", newline="") as source:
        reader = csv.reader(source)
        header = next(reader)
        rows = [row for _, row in zip(range(MOST_ROWS), reader)]
    return header, rows, target, kind


def share_unchanged(labels):
    """How often a label is the one before it; the first one counts as if it were, as in the stored results."""
    return (1 + sum(a == b for a, b in zip(labels, labels[1:]))) / len(labels)


def write(path, header, rows):
    with open(path, "w", newline="") as out:
        csv.writer(out).writerows([header, *rows])


def abrupt(concepts=4, length=10_000, seed=1):
    """Rows of six numbers whose classes follow another rule after each `length` rows, a tenth of the deviation noise."""
    rng = random.Random(seed)
    rules = [lambda x: x[0] + x[1], lambda x: x[2] - x[0], lambda x: x[3] * x[4], lambda x: x[5] - x[1]]
    rows = []
    for i in range(concepts * length):
        x = [rng.gauss(0, 1) for _ in range(6)]
        rows.append([f"{v:.4f}" for v in x] + ["yes" if rules[i // length](x) + rng.gauss(0, 0.2) > 0 else "no"])
    return [*"abcdef", "y"], rows
