#!/usr/bin/env python3
"""Makes the experience that the program ships with: tries configurations on the public sets, one core, resumable, and writes search/builtin_experience.cc.

    ./dev build release portfolio_trials portfolio_table portfolio_regret
    nice benchmarks/portfolio/run.py                       # small sets first; can be ended and started again at any moment
    nice benchmarks/portfolio/run.py --write               # then: the file that is compiled in
    build/release/benchmarks/portfolio/portfolio_regret build/portfolio/trials.jsonl     # what it is worth, each set ranked from the others

Only means and seconds per configuration go into the program. Figures for the portfolio are quoted with the set itself left out (`fit --leave-out NAME`).
"""

import argparse
import csv
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
METRIC = {"binary": "auc", "multiclass": "log_loss", "regression": "rmse"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, default=ROOT.parent / "shared/data")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "build/portfolio/trials.jsonl")
    parser.add_argument("--sets", default="", help="names with commas; default: all, small ones first")
    parser.add_argument("--most-cells", type=float, default=4e6, help="rows × columns above which a set is left out")
    parser.add_argument("--random", type=int, default=4, help="random configurations of each learner")
    parser.add_argument("--seconds", type=float, default=20, help="CPU seconds after which a fit is ended early")
    parser.add_argument("--learners", default="", help="only these")
    parser.add_argument("--most-rows", type=int, default=0, help="of each part of a fold")
    parser.add_argument("--write", action="store_true", help="write search/builtin_experience.cc from what is there, and stop")
    options = parser.parse_args()
    programs = ROOT / "build/release/benchmarks/portfolio"
    if options.write:
        sys.exit(subprocess.run([programs / "portfolio_table", options.output, ROOT / "search/builtin_experience.cc"]).returncode)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    with open(options.data / "index.tsv") as file:
        sets = [row for row in csv.DictReader(file, delimiter="\t") if row["file"].startswith("tabular/")]
    sets = [row | {"cells": int(row["rows"]) * int(row["cols"])} for row in sets]
    chosen = [row for row in sets if (row["name"] in options.sets.split(",") if options.sets else row["cells"] <= options.most_cells)]
    for row in sorted(chosen, key=lambda row: row["cells"]):
        # Small sets are noisy: more folds.
        folds = "3" if int(row["rows"]) < 3000 else "1"
        command = [programs / "portfolio_trials", options.data / row["file"], "--target", row["target"], "--kind", row["task"], "--metric", METRIC[row["task"]], "--folds",
                   "3", "--folds-used", folds, "--output", options.output, "--random", options.random, "--seconds", options.seconds,
                   "--most-rows", options.most_rows]  # fmt: skip
        if options.learners:
            command += ["--learners", options.learners]
        done = subprocess.run([str(part) for part in command])
        if done.returncode != 0:
            print(f"{row['name']}: exit {done.returncode}", file=sys.stderr)


if __name__ == "__main__":
    main()
