#!/usr/bin/env python3
"""Everlearn's search against AutoGluon, FLAML, CatBoost and LightGBM: the same split, the same two cores, the same budget.

    benchmarks/setup --automl && benchmarks/.venv/automl/bin/python benchmarks/automl/run.py --quick          # four sets, 10 s each
    benchmarks/.venv/automl/bin/python benchmarks/automl/run.py --budget 60                                  # the sets that the peers' results are on
    benchmarks/.venv/automl/bin/python benchmarks/automl/run.py --budget 60 --table                          # only the table of what is there

Results are lines of JSON in OUTPUT/results.jsonl; what is there is not run again (ours by the hash of the binary), so a run that was ended goes on. The
peers' results are looked up in the files of --peers first: those of the shared folder, and peers.jsonl beside this file, whose lines count for their version and
machine only (move the lines of peers there from OUTPUT to keep them). --run names peers to be run here where these say nothing. The sentinel is a peer that is
run beside us although its result is known: if it differs, the stored results do not count for this machine.
"""

import argparse
import hashlib
import importlib.metadata
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import threading
import time

import pandas as pd

import sets

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))
from machine import machine  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
PEERS = {"ag_best": "autogluon.tabular", "ag_medium": "autogluon.tabular", "catboost": "catboost", "flaml": "flaml", "lightgbm": "lightgbm"}
METRIC = {"binary": "auc", "multiclass": "log_loss", "regression": "rmse"}


def version_of(system):
    """Of a peer, as it is installed here; None where it is not."""
    try:
        return importlib.metadata.version(PEERS[system])
    except importlib.metadata.PackageNotFoundError:
        return None


def holds_here(r):
    return "machine" not in r or (r["system"] in PEERS and r["machine"] == machine() and r["version"] == (version_of(r["system"]) or r["version"]))


def stored_results(options):
    """Lines of peers that hold here. Those of the shared folder say neither version nor machine: its README does, and the sentinel must agree."""
    return [r for path in options.peers for r in read_lines(path) if holds_here(r)]


def memory_of_session(leader):
    """Bytes of all processes of a session: their proportional shares, so that what they share counts once."""
    total = 0
    for entry in os.listdir("/proc"):
        try:
            if entry.isdigit() and os.getsid(int(entry)) == leader:
                total += int(re.search(r"Pss: +(\d+)", pathlib.Path(f"/proc/{entry}/smaps_rollup").read_text())[1]) * 1024
        except (OSError, TypeError):
            pass
    return total


def measured(command, limit):
    """Runs a command in a session of its own: {rc, wall, cpu, peak_mb, stdout, stderr}."""
    start, peak = time.time(), 0
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    output = []
    reader = threading.Thread(target=lambda: output.append(process.communicate()))
    before = os.times()
    reader.start()
    while reader.is_alive() and time.time() - start < limit:
        peak = max(peak, memory_of_session(process.pid))
        reader.join(0.25)
    if reader.is_alive():
        process.kill()
    reader.join()
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return {"rc": process.returncode, "wall": round(time.time() - start, 2), "cpu": round(cpu, 1), "peak_mb": round(peak / 1e6), "stdout": output[0][0], "stderr": output[0][1]}


def run_ours(folder, entry, options):
    fit = [options.binary, "fit", folder / "train.csv", "--target", entry["target"], "--metric", METRIC[entry["task"]], "--kind", entry["task"], "--budget",
           f"{options.budget}s", "--experience", options.experience, "--threads", "2", "--model", folder / "ours.safetensors", "--json", *options.more.split()]  # fmt: skip
    if options.leave_out:
        fit += ["--leave-out", folder.parent.name]
    done = measured(fit, options.budget * 4 + 120)
    stdout, stderr = done.pop("stdout"), done.pop("stderr")
    if done["rc"] != 0:
        return done | {"error": stderr[-400:]}
    report = json.loads(stdout)
    predict = measured([options.binary, "predict", folder / "ours.safetensors", folder / "test.csv", "--only", "--threads", "2", "--output", folder / "ours.csv"], 600)
    if predict["rc"] != 0:
        return done | {"rc": predict["rc"], "error": predict["stderr"][-400:]}
    out = pd.read_csv(folder / "ours.csv")
    labels = sorted(column[len("probability_") :] for column in out if column.startswith("probability_"))
    prediction = out["prediction"] if entry["task"] == "regression" else out[["probability_" + label for label in labels]]
    loss = sets.loss(entry["task"], sets.read_truth(folder, entry["target"]), prediction, labels)
    return done | {"fit": report["seconds"], "predict": predict["wall"], "said_peak_mb": round(report["peak_memory_bytes"] / 1e6), "score": report["score"]["value"],
                   "trials": len(report["leaderboard"]), "model_mb": round((folder / "ours.safetensors").stat().st_size / 1e6, 2), "loss": loss}  # fmt: skip


def run_peer(system, folder, entry, options):
    done = measured([sys.executable, HERE / "peer.py", system, folder, entry["target"], entry["task"], options.budget], options.budget * 6 + 300)
    stdout, stderr = done.pop("stdout"), done.pop("stderr")
    if done["rc"] != 0:
        return done | {"error": stderr[-400:]}
    out = pd.read_csv(folder / f"{system}.csv")
    labels = sorted(out.columns)
    return done | json.loads(stdout.splitlines()[-1]) | {"loss": sets.loss(entry["task"], sets.read_truth(folder, entry["target"]), out["value"] if entry["task"] == "regression" else out[labels], labels)}


def read_lines(path):
    return [json.loads(line) for line in pathlib.Path(path).read_text().splitlines() if line.strip()] if pathlib.Path(path).exists() else []


def complete(options, index, names):
    """Runs what is missing, a line for each result as soon as it is there."""
    options.output.mkdir(parents=True, exist_ok=True)
    path = options.output / "results.jsonl"
    known = {(r["set"], r["system"], r["budget"], r["split"], r["version"]) for r in read_lines(path)}
    stored = {(r["set"], r["system"], r["budget"], r["split"]) for r in stored_results(options)}
    for name in names:
        for number in range(options.splits if index[name]["rows"] < 5000 else 1):
            to_run = [system for system in options.run if (name, system, options.budget, number) not in stored]
            for system in options.systems + to_run + ([options.sentinel] if options.sentinel and number == 0 else []):
                version = options.version if system == "everlearn" else version_of(system)
                if (name, system, options.budget, number, version) in known:
                    continue
                folder = options.output / "splits" / f"{name}_{number}" / name
                sets.split(name, index[name], folder, number)
                result = run_ours(folder, index[name], options) if system == "everlearn" else run_peer(system, folder, index[name], options)
                line = {"set": name, "task": index[name]["task"], "system": system, "budget": options.budget, "split": number, "version": version, "machine": machine()} | result
                known.add((name, system, options.budget, number, version))
                with open(path, "a") as file:
                    file.write(json.dumps(line) + "\n")
                print(f"{name} {number} {system}: {result.get('loss', result.get('error'))}, {result['wall']} s", file=sys.stderr)


def gather(options, names):
    """(set, split) → system → result."""
    results = {}
    for r in stored_results(options) + read_lines(options.output / "results.jsonl"):
        holds = r["version"] == options.version if r["system"] == "everlearn" else holds_here(r)
        if r["budget"] == options.budget and r["set"] in names and holds:
            results.setdefault((r["set"], r["split"]), {}).setdefault(r["system"], r)
    return results


def mean_and_error(values):
    return statistics.mean(values), statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else float("nan")


def print_table(options, names):
    results = gather(options, names)
    systems = ["everlearn"] + [s for s in PEERS if any(s in found for found in results.values())]
    print(f"| set | {' | '.join(systems)} | ours ÷ best of the others | s |\n|---|{'---|' * (len(systems) + 2)}")
    ratios, ranks, relative, wins = [], {s: [] for s in systems}, {s: [] for s in systems}, 0
    for name in names:
        cells = {s: [found[s]["loss"] for (n, _), found in results.items() if n == name and s in found and "loss" in found[s]] for s in systems}
        # Splits on which all were run are compared; one that failed is the last.
        pairs = [{s: found[s].get("loss", float("inf")) for s in systems} for (n, _), found in results.items() if n == name and all(s in found for s in systems)]
        pairs = [loss for loss in pairs if sum(value < float("inf") for value in loss.values()) > 1]
        ours = [loss["everlearn"] / min(loss[s] for s in systems[1:]) for loss in pairs] if len(systems) > 1 else []
        seconds = [found["everlearn"]["wall"] for (n, _), found in results.items() if n == name and "everlearn" in found]
        mean, error = mean_and_error(ours) if ours else (None, None)
        text = "" if mean is None else f"{mean:.3f}" + (f" ± {error:.3f}" if len(ours) > 1 else "")
        print(f"| {name} | {' | '.join(f'{statistics.mean(c):.5g}' if c else 'failed' for c in cells.values())} | {text} | {max(seconds, default=float('nan')):.1f} |")
        for loss in pairs:
            for s in systems:
                ranks[s].append(1 + sum(loss[o] < loss[s] for o in systems))
                if loss[s] < float("inf"):  # another one has a loss, too
                    relative[s].append(loss[s] / min(loss[o] for o in systems if o != s))
        if mean is not None:
            ratios.append(mean)
            wins += mean < 1
    print_sums(options, results, systems, ratios, ranks, relative, wins)


def print_sums(options, results, systems, ratios, ranks, relative, wins):
    if ratios:
        print(f"\nours ÷ best of the others: mean {statistics.mean(ratios):.3f}, worst {max(ratios):.3f}; {wins} of {len(ratios)} sets won\n")
    print("| system | mean rank | mean loss ÷ best of the others | failures | most over the budget | peak MB | prediction s |\n|---|---|---|---|---|---|---|")
    for s in systems:
        runs = [found[s] for found in results.values() if s in found]
        good = [r for r in runs if "loss" in r]
        over = max((r["wall" if s == "everlearn" else "fit"] / options.budget - 1 for r in good), default=float("nan")) if s not in ("catboost", "lightgbm") else None
        print(f"| {s} | {statistics.mean(ranks[s]) if ranks[s] else float('nan'):.2f} | {statistics.mean(relative[s]) if relative[s] else float('nan'):.3f} | {len(runs) - len(good)} | "
              f"{'none kept' if over is None else f'{over:+.1%}'} | {max((r['peak_mb'] for r in good), default=0)} | {max((r['predict'] for r in good), default=0):.2f} |")  # fmt: skip
    print_sentinel(options)


def print_sentinel(options):
    stored = {(r["set"], r["split"], r["system"]): r for r in stored_results(options) if r["budget"] == options.budget}
    for r in read_lines(options.output / "results.jsonl"):
        before = stored.get((r["set"], r["split"], r["system"]))
        if before and before != r and r["budget"] == options.budget and "loss" in r:
            print(f"sentinel {r['system']} on {r['set']}: loss {r['loss']:.5g} here, {before['loss']:.5g} stored; fit {r['fit']} s here, {before['fit']} s stored")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "build/release/everlearn")
    parser.add_argument("--data", type=pathlib.Path, default=ROOT.parent / "shared/data")
    parser.add_argument("--peers", type=pathlib.Path, nargs="*", default=[ROOT.parent / "shared/peers/automl_60s.jsonl", HERE / "peers.jsonl"])
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "build/automl")
    parser.add_argument("--budget", type=float, default=60)
    parser.add_argument("--sets", default="", help="names with commas; default: those of the peers' results; all: every set")
    parser.add_argument("--splits", type=int, default=3, help="of sets below 5,000 rows")
    parser.add_argument("--run", default="", help="peers to run here where --peers says nothing, with commas")
    parser.add_argument("--peers-only", action="store_true", help="do not run Everlearn")
    parser.add_argument("--sentinel", default="lightgbm", help="a peer to run here too; empty: none")
    parser.add_argument("--experience", default="none")
    parser.add_argument("--leave-out", action="store_true", help="pass --leave-out SET, so that the built-in experience does not know the set")
    parser.add_argument("--more", default="", help="further flags of our fit")
    parser.add_argument("--quick", action="store_true", help="four sets, 10 s, LightGBM as the only peer")
    parser.add_argument("--table", action="store_true", help="run nothing")
    options = parser.parse_args()
    if options.quick:
        options.budget, options.splits, options.sets, options.run, options.sentinel = 10, 1, options.sets or ",".join(sets.QUICK), "lightgbm", ""
    options.budget = int(options.budget) if options.budget == int(options.budget) else options.budget
    options.systems = [] if options.peers_only else ["everlearn"]
    options.run = [name for name in options.run.split(",") if name]
    options.version = hashlib.sha1(options.binary.read_bytes() + options.experience.encode() + options.more.encode()).hexdigest()[:10]
    index = sets.read_index(options.data)
    of_peers = list(dict.fromkeys(r["set"] for r in stored_results(options) if r["budget"] == options.budget))
    names = list(index) if options.sets == "all" else options.sets.split(",") if options.sets else of_peers
    unknown = [name for name in names if name not in index]
    if unknown:
        sys.exit(f"no such set: {', '.join(unknown)}")
    if not options.table:
        complete(options, index, names)
    print_table(options, names)
    print(f"\n{' '.join(sys.argv)}")


if __name__ == "__main__":
    main()
