"""Rows until a system is within one point of a fresh start after an abrupt change, in windows of 500 rows."""

import csv
import pathlib
import subprocess

import sets

CONCEPTS, LENGTH, WINDOW = 4, 10_000, 500
POINT = 0.01
PEER = "moa_arf100"


def our_windows(program, path, folder):
    """Accuracy of what was served, of each window."""
    ledger, exported = pathlib.Path(folder) / f"{path.stem}.db", pathlib.Path(folder) / f"{path.stem}-rows.csv"
    subprocess.run([program, "replay", path, "--target", "y", "--metric", "accuracy", "--ledger", ledger, "--durability", "process", "--quiet"],
                   check=True, capture_output=True)  # fmt: skip
    subprocess.run([program, "ledger", "export", ledger, exported, "--quiet"], check=True, capture_output=True)
    with open(exported, newline="") as source:
        rows = list(csv.DictReader(source))
    right = [row["prediction"] == row["outcome"] for row in rows]
    return [sum(right[i : i + WINDOW]) / WINDOW for i in range(0, len(right) - WINDOW + 1, WINDOW)]


def rows_to_recover(running, fresh):
    """Ends of the first window that is within a point of the fresh start; the length where none is."""
    for i, (mine, new) in enumerate(zip(running, fresh)):
        if mine >= new - POINT:
            return (i + 1) * WINDOW
    return len(fresh) * WINDOW


def print_recovery(bench, program, peer):
    folder = bench.folder.name
    header, rows = sets.abrupt(CONCEPTS, LENGTH)
    parts = {}
    for begin in range(CONCEPTS):
        path = pathlib.Path(folder) / f"abrupt{begin}.csv"
        # A fresh start sees one concept; the running system all.
        sets.write(path, header, rows if begin == 0 else rows[begin * LENGTH : (begin + 1) * LENGTH])
        parts[begin] = path
    systems = {"everlearn": lambda path: {"windows": our_windows(program, path, folder)}}
    if PEER in bench.arguments.run:
        systems[PEER] = lambda path: peer(PEER, path, "y", "class", 0, {"WINDOWS": "1"})
    print(f"{'system':12} {'change':>7} {'rows to recover':>15} {'first 2,000 rows':>17} {'fresh start':>12}")
    for system, run in systems.items():
        version = bench.version if system == "everlearn" else ""
        windows = {begin: bench.results.get(f"recovery {begin} {system} {version}", lambda: run(path))["windows"] for begin, path in parts.items()}
        for begin in range(1, CONCEPTS):
            per = LENGTH // WINDOW
            running, fresh = windows[0][begin * per : (begin + 1) * per], windows[begin]
            first = 2000 // WINDOW
            print(f"{system:12} {begin * LENGTH:>7} {rows_to_recover(running, fresh):>15} {100 * sum(running[:first]) / first:>17.2f} "
                  f"{100 * sum(fresh[:first]) / first:>12.2f}")  # fmt: skip
