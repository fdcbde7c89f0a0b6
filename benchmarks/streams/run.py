#!/usr/bin/env python3
"""Everlearn's replay against MOA, River and Vowpal Wabbit: the same rows, the same test-then-train.

    benchmarks/streams/run.py                          # default with and without lag features, and outcomes 1,000 rows late, on all streams
    benchmarks/streams/run.py --parts members          # our members one by one beside their twins
    benchmarks/streams/run.py --parts peers            # all peers side by side
    benchmarks/streams/run.py --parts recovery         # rows until as good as a fresh start after an abrupt change, against MOA's ARF
    benchmarks/streams/run.py --table                  # only the tables of what is there
    benchmarks/setup --streams && benchmarks/streams/run.py --run vw,river_alma --sets elec2,noaa_weather     # peers here, as a sentinel

Results are lines of JSON in OUTPUT; what is there is not run again (ours by the hash of the program), so a run that was ended goes on. Peers that are not run
here are taken from the files of --peers: those of the shared folder, and peers.jsonl beside this file (move the lines of peers there from OUTPUT to keep them;
their speed is that of the machine that they name). cpu is of the whole process with start and reading for us, of the loop for Python's peers and of the Java
process for MOA.
"""

import argparse
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import recovery
import sets

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))
from machine import machine  # noqa: E402

PROGRAM = ROOT / "build/release/everlearn"
PYTHON = ROOT / "benchmarks/.venv/streams/bin/python"
SHARED = ROOT.parent / "shared"
PARTS = {"default": [], "no_lags": ["--lags", "none"], "late": ["--delay", "1000"], "late_no_lags": ["--delay", "1000", "--lags", "none"]}
# Our member, and the peer that does the same.
MEMBERS = {
    "online_linear": "vw",
    "online_crosses": "vw",
    "alma": "river_alma",
    "online_naive_bayes": "moa_nb",
    "window_neighbours": "moa_knn",
    "hoeffding_tree": "moa_ht",
    "hoeffding_adaptive_tree": "moa_hat",
    "adaptive_random_forest": "moa_arf10",
    "streaming_random_patches": "moa_srp10",
    "leveraging_bagging": "moa_lb10",
    "streaming_gradient_boosting": "moa_sgbt",
    "mondrian_forest": "river_amf10",
}
FIRST_ROWS_OF_SLOW_PEERS = 50_000


class Results:
    """Lines of JSON, each under a key."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.found = {}
        if self.path.exists():
            for line in self.path.read_text().splitlines():
                row = json.loads(line)
                self.found[row["key"]] = row

    def get(self, key, make):
        if key not in self.found:
            row = dict(make(), key=key)
            self.found[key] = row
            if "failed" in row:  # tried again by the next run
                return row
            with self.path.open("a") as out:
                out.write(json.dumps(row) + "\n")
        return self.found[key]


def ours(file, target, kind, flags):
    metric = "accuracy" if kind == "class" else "rmse"
    command = [PROGRAM, "replay", file, "--target", target, "--metric", metric, "--json", "--quiet", *flags]
    begun = time.time()
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        return {"failed": done.stderr[-300:]}
    d = json.loads(done.stdout)
    return {"value": d["served"][metric], "kappa_t": d["served"].get("kappa_temporal"), "cpu": d["cpu_seconds"], "rows": d["rows"],
            "peak_mb": d["peak_memory_bytes"] / 2**20, "wall": time.time() - begun}  # fmt: skip


def peer(system, file, target, kind, delay, environment=None):
    done = subprocess.run([PYTHON, HERE / "peer.py", system, file, target, kind, str(delay)], capture_output=True, text=True,
                          env={**os.environ, **(environment or {})})  # fmt: skip
    return json.loads(done.stdout) if done.returncode == 0 else {"failed": done.stderr[-300:]}


def stored_peers(paths):
    """{(set, delay): {system: row}} of what was measured before; a later file's count."""
    found = {}
    for path in map(pathlib.Path, paths):
        for line in path.read_text().splitlines() if path.exists() else []:
            row = json.loads(line)
            found.setdefault((row["set"], row["delay"]), {})[row["system"]] = row
    return found


def version_of(system):
    package = {"moa": "capymoa", "river": "river", "vw": "vowpalwabbit"}[system.split("_")[0]]
    return subprocess.run([PYTHON, "-c", f"import importlib.metadata as m; print(m.version('{package}'))"], capture_output=True, text=True).stdout.strip()


class Bench:
    def __init__(self, arguments):
        self.arguments = arguments
        self.results = Results(arguments.output)
        self.version = hashlib.sha256(PROGRAM.read_bytes()).hexdigest()[:12]
        self.peers = stored_peers(arguments.peers)
        self.folder = tempfile.TemporaryDirectory()

    def file(self, name, rows=None):
        path = pathlib.Path(self.folder.name) / f"{name}-{rows}.csv"
        header, table, target, kind = sets.read(self.arguments.data, name)
        if not path.exists():
            sets.write(path, header, table[:rows])
        return path, target, kind

    def ours(self, name, part, flags, rows=None):
        key = f"{name} {part} {self.version}" + (f" {rows}" if rows else "")
        if self.arguments.table:
            return self.results.found.get(key, {})
        return self.results.get(key, lambda: ours(*self.file(name, rows), flags))

    def peer(self, name, system, delay=0):
        """One that was run here, or else the stored one."""
        key = f"{name} {system} {delay}"
        if system in self.arguments.run and not self.arguments.table:
            slow = system.startswith("river_a") and system != "river_alma"
            path, target, kind = self.file(name, FIRST_ROWS_OF_SLOW_PEERS if slow else None)
            run = lambda: {**peer(system, path, target, kind, delay), "set": name, "version": version_of(system), "machine": machine()}  # noqa: E731
            self.results.get(key, run)
        return self.results.found.get(key) or self.peers.get((name, delay), {}).get(system)

    def best(self, name, delay):
        """(system, row) of the best peer that learns."""
        systems = set(self.peers.get((name, delay), {})) | set(self.arguments.run)
        rows = [(system, self.peer(name, system, delay)) for system in sorted(systems - {"nochange"})]
        rows = [(system, row) for system, row in rows if row and "value" in row]
        sign = 1 if sets.SETS[name][2] == "class" else -1
        return max(rows, key=lambda pair: sign * pair[1]["value"]) if rows else (None, None)


def unchanged(bench, name, delay):
    """The peer that repeats the last outcome: the stored one, or of classes counted here."""
    stored = bench.peers.get((name, delay), {}).get("nochange")
    if stored or delay or sets.SETS[name][2] != "class":
        return stored
    header, table, target, _ = sets.read(bench.arguments.data, name)
    return {"value": sets.share_unchanged([row[header.index(target)] for row in table])}


def text(kind, row):
    if not row or row.get("value") is None:
        return "failed" if row and "failed" in row else "-"
    return f"{100 * row['value']:.2f}" if kind == "class" else f"{row['value']:.1f}"


def speed(row):
    return f"{row['rows'] / row['cpu']:,.0f}" if row and row.get("cpu") else "-"


def kappa(row):
    return f"{row['kappa_t']:.3f}" if row and row.get("kappa_t") is not None else "-"


def memory(row):
    return f"{row['peak_mb']:.0f}" if row and row.get("peak_mb") else "-"


def print_parts(bench):
    wanted = [part for part in bench.arguments.parts if part in PARTS]
    if not wanted:
        return
    print(f"{'stream':16} {'outcomes':8} {'default':>9} {'no lags':>9} {'best peer':>9} {'which':12} {'nochange':>8} "
          f"{'kappa-t':>8} {'peer':>6} {'rows/CPU-s':>10} {'no lags':>9} {'peer':>9} {'MB':>5} {'peer':>5}")  # fmt: skip
    for late in (False, True):
        names = ("late", "late_no_lags") if late else ("default", "no_lags")
        if not set(names) & set(wanted):
            continue
        for name in bench.arguments.sets:
            kind = sets.SETS[name][2]
            row, plain = (bench.ours(name, part, PARTS[part]) if part in wanted else None for part in names)
            delay = 1000 if late else 0
            system, best = bench.best(name, delay)
            shown = row or plain or {}
            print(f"{name:16} {'late' if late else 'at once':8} {text(kind, row):>9} {text(kind, plain):>9} {text(kind, best):>9} {system or '-':12} "
                  f"{text(kind, unchanged(bench, name, delay)):>8} {kappa(shown):>8} {kappa(best):>6} {speed(row):>10} {speed(plain):>9} "
                  f"{speed(best):>9} {memory(shown):>5} {memory(best):>5}", flush=True)  # fmt: skip


def print_members(bench):
    print(f"{'member':28} {'stream':16} {'ours':>8} {'twin':>8} {'which':12} {'kappa-t':>8} {'twin':>6} {'rows/CPU-s':>10} {'twin':>9} {'times':>6} {'MB':>5} {'twin':>5}")
    for member, twin in MEMBERS.items():
        for name in bench.arguments.sets:
            kind = sets.SETS[name][2]
            slow = twin in ("river_amf10",) and name in ("covertype_100k", "kdd99_10pct", "airlines_539k")
            row = bench.ours(name, member, ["--roster", member, "--lags", "none"], FIRST_ROWS_OF_SLOW_PEERS if slow else None)
            other = bench.peer(name, twin)
            if not row or "failed" in row and "cannot do this kind" in row["failed"]:
                continue
            times = row["rows"] / row["cpu"] / (other["rows"] / other["cpu"]) if other and other.get("cpu") and row.get("cpu") else None
            print(f"{member:28} {name:16} {text(kind, row):>8} {text(kind, other):>8} {twin:12} {kappa(row):>8} {kappa(other):>6} "
                  f"{speed(row):>10} {speed(other):>9} {'-' if times is None else format(times, '.1f'):>6} {memory(row):>5} {memory(other):>5}", flush=True)  # fmt: skip


def print_peers(bench):
    for delay in (0, 1000):
        systems = sorted({system for name in bench.arguments.sets for system in bench.peers.get((name, delay), {})} | set(bench.arguments.run))
        print(f"{f'outcomes {delay} late':16} " + " ".join(f"{system:>11}" for system in systems))
        for name in bench.arguments.sets:
            print(f"{name:16} " + " ".join(f"{text(sets.SETS[name][2], bench.peer(name, system, delay)):>11}" for system in systems), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    listed = lambda known: lambda value: [v for v in value.split(",") if v in known] or parser.error(f"one of {', '.join(known)}")  # noqa: E731
    parser.add_argument("--parts", type=listed([*PARTS, "members", "peers", "recovery"]), default=list(PARTS))
    parser.add_argument("--sets", type=listed(list(sets.SETS)), default=sets.REAL)
    parser.add_argument("--run", type=lambda v: v.split(","), default=[], help="peers to be run here")
    parser.add_argument("--data", default=SHARED / "data")
    parser.add_argument("--peers", action="append", help="files of results (default: the shared folder's and peers.jsonl beside this file)")
    parser.add_argument("--output", default=ROOT / "build/streams.jsonl")
    parser.add_argument("--table", action="store_true", help="run nothing")
    arguments = parser.parse_args()
    arguments.peers = arguments.peers or [SHARED / "peers/streams.jsonl", HERE / "peers.jsonl"]
    if not pathlib.Path(arguments.data).is_dir():
        sys.exit(f"skipped: there is no data at {arguments.data}")
    bench = Bench(arguments)
    print_parts(bench)
    if "members" in arguments.parts:
        print_members(bench)
    if "peers" in arguments.parts:
        print_peers(bench)
    if "recovery" in arguments.parts:
        recovery.print_recovery(bench, PROGRAM, peer)


if __name__ == "__main__":
    main()
