#!/usr/bin/env python3
"""Made streams by River's generators, on which nothing of ours was chosen: made.py FOLDER writes FOLDER/NAME.csv.gz, 20,000 rows each.

    benchmarks/setup --streams && benchmarks/.venv/streams/bin/python benchmarks/streams/made.py build/made
    benchmarks/streams/run.py --data build/made --sets made_mixed,made_sine,made_agrawal,made_sea,made_tree,made_hyperplane,made_friedman

Where there are several concepts, they follow each other abruptly, each for as many rows.
"""

import csv
import gzip
import itertools
import pathlib
import sys

from river.datasets import synth

ROWS = 20_000


def concepts(*generators):
    return itertools.chain.from_iterable(generator.take(ROWS // len(generators)) for generator in generators)


STREAMS = {
    "made_mixed": lambda: concepts(*[synth.Mixed(classification_function=f, seed=f) for f in (0, 1, 0, 1)]),
    "made_sine": lambda: concepts(*[synth.Sine(classification_function=f, seed=f) for f in range(4)]),
    "made_agrawal": lambda: concepts(*[synth.Agrawal(classification_function=f, seed=f) for f in (0, 3, 6, 8)]),
    "made_sea": lambda: concepts(*[synth.SEA(variant=v, seed=v, noise=0.1) for v in range(4)]),
    "made_tree": lambda: concepts(*[synth.RandomTree(seed_tree=s, seed_sample=s, n_classes=3) for s in (1, 2)]),
    "made_hyperplane": lambda: concepts(synth.Hyperplane(seed=1, n_features=10, n_drift_features=5, mag_change=0.001)),
    "made_friedman": lambda: concepts(synth.FriedmanDrift(seed=1, drift_type="gra", position=(5000, 12000))),
}


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in STREAMS.items():
        rows = list(make())
        columns = list(rows[0][0])
        values = name == "made_friedman"
        with gzip.open(folder / f"{name}.csv.gz", "wt", newline="") as file:
            out = csv.writer(file)
            out.writerow([f"x_{column}" for column in columns] + ["y"])
            out.writerows([x[column] for column in columns] + [y if values else f"c{int(y)}"] for x, y in rows)
        print(f"{name}: {len(rows):,} rows")


if __name__ == "__main__":
    main()
