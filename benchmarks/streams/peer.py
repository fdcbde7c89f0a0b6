#!/usr/bin/env python3
"""One peer over one stream, test-then-train: peer.py SYSTEM FILE.csv TARGET class|value [DELAY]; prints one line of JSON.

Systems: vw (Vowpal Wabbit: coin betting, quadratic features), river_alma, river_arf10, river_amf10, moa_ht, moa_hat, moa_arf10, moa_arf100, moa_srp10, moa_lb10,
moa_sgbt, moa_knn (MOA's own classes, run by `java` from the jar of the capymoa package). MOA's figures are of the whole file; `windows` lists its accuracy of
each 500 rows where WINDOWS is set.
"""

import collections
import csv
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

import sets

MOA = {
    "moa_ht": "trees.HoeffdingTree",
    "moa_hat": "trees.HoeffdingAdaptiveTree",
    "moa_arf10": "meta.AdaptiveRandomForest -s 10",
    "moa_arf100": "meta.AdaptiveRandomForest -s 100",
    "moa_srp10": "meta.StreamingRandomPatches -s 10",
    "moa_lb10": "meta.LeveragingBag -s 10",
    "moa_lb100": "meta.LeveragingBag -s 100",
    "moa_sgbt": "meta.StreamingGradientBoostedTrees",
    "moa_knn": "lazy.kNN",
    "moa_nb": "bayes.NaiveBayes",
}
MOA_VALUES = {
    "moa_arf10": "meta.AdaptiveRandomForestRegressor -s 10",
    "moa_arf100": "meta.AdaptiveRandomForestRegressor -s 100",
    "moa_ht": "trees.FIMTDD",
    "moa_knn": "lazy.kNN",
}
WINDOW = 500


def number(text):
    try:
        return float(text)
    except ValueError:
        return None


class Stream:
    """A table with its columns typed: numbers where every known value is one."""

    def __init__(self, path, target, kind):
        with open(path, newline="") as source:
            reader = csv.reader(source)
            self.header = next(reader)
            rows = list(reader)
        at = self.header.index(target)
        self.target = [row[at] for row in rows]
        self.names = [name for i, name in enumerate(self.header) if i != at]
        columns = [[row[i] for row in rows] for i in range(len(self.header)) if i != at]
        self.kind = kind
        self.numeric = [all(number(v) is not None for v in column if v != "") for column in columns]
        self.columns = [[number(v) for v in column] if numeric else column for column, numeric in zip(columns, self.numeric)]
        self.labels = sorted(set(self.target)) if kind == "class" else None

    def rows(self):
        return zip(*self.columns)


def write_arff(stream, path):
    with open(path, "w") as out:
        out.write("@relation stream\n")
        for i, (numeric, column) in enumerate(zip(stream.numeric, stream.columns)):
            # As CapyMOA is used in practice: categories as codes where there are many.
            kind = "numeric" if numeric else "{" + ",".join(f"c{k}" for k in range(len(set(column) - {""}))) + "}"
            out.write(f"@attribute a{i} {kind}\n")
        classes = "{" + ",".join(f"y{k}" for k in range(len(stream.labels))) + "}" if stream.labels else "numeric"
        out.write(f"@attribute y {classes}\n@data\n")
        codes = []
        for numeric, column in zip(stream.numeric, stream.columns):
            codes.append(None if numeric else {v: k for k, v in enumerate(sorted(set(column) - {""}))})
        label = {v: k for k, v in enumerate(stream.labels)} if stream.labels else None
        for row, y in zip(stream.rows(), stream.target):
            cells = ["?" if v is None or v == "" else repr(v) if code is None else f"c{code[v]}" for v, code in zip(row, codes)]
            out.write(",".join(cells) + "," + (f"y{label[y]}" if label else y) + "\n")


def jar():
    site = next(pathlib.Path(sys.prefix).glob("lib/python3*/site-packages/capymoa/jar/moa.jar"))
    return str(site)


def run_moa(stream, system, delay, folder):
    arff, dump = os.path.join(folder, "s.arff"), os.path.join(folder, "dump.csv")
    write_arff(stream, arff)
    learner = (MOA if stream.labels else MOA_VALUES)[system]
    evaluator = f"WindowClassificationPerformanceEvaluator -w {WINDOW}" if os.environ.get("WINDOWS") else "BasicClassificationPerformanceEvaluator"
    if not stream.labels:
        evaluator = "BasicRegressionPerformanceEvaluator"
    every = WINDOW if os.environ.get("WINDOWS") else len(stream.target)
    task = f"EvaluatePrequential -l ({learner}) -s (ArffFileStream -f {arff}) -e ({evaluator}) -f {every} -q {every} -d {dump}"
    if not stream.labels:
        task = task.replace("EvaluatePrequential", "EvaluatePrequentialRegression")
    if delay:
        task = task.replace("EvaluatePrequential", "EvaluatePrequentialDelayed", 1) + f" -k {delay}"
    before = os.times()
    subprocess.run(["java", "-Xmx6g", "-cp", jar(), "moa.DoTask", task], check=True, capture_output=True, cwd=folder)
    after = os.times()
    with open(dump, newline="") as source:
        lines = list(csv.DictReader(source))
    result = {"cpu": after.children_user + after.children_system - before.children_user - before.children_system}
    if stream.labels:
        windows = [float(line["classifications correct (percent)"]) / 100 for line in lines]
        result["value"] = windows[-1]
        if delay:
            # MOA leaves out the rows before the first outcome; a model that has learnt nothing says the first class there.
            begin, rows = stream.target[:delay], len(stream.target)
            result["value"] = (windows[-1] * (rows - len(begin)) + begin.count(stream.labels[0])) / rows
        if os.environ.get("WINDOWS"):
            result["windows"] = windows
            result["value"] = sum(windows) / len(windows)
    else:
        key = next(name for name in lines[-1] if "root mean squared error" in name.lower())
        result["value"] = float(lines[-1][key])
    return result


def score(stream, predictions):
    if stream.labels:
        return sum(p == y for p, y in zip(predictions, stream.target)) / len(stream.target)
    return (sum((p - float(y)) ** 2 for p, y in zip(predictions, stream.target)) / len(stream.target)) ** 0.5


def kappa_temporal(target, accuracy):
    """How much of the errors of "no change" are not made (Zliobaite et al., Evaluation methods and decision theory for classification of streaming data, 2015)."""
    unchanged = sets.share_unchanged(target)
    return (accuracy - unchanged) / (1 - unchanged) if unchanged < 1 else None


def test_then_train(stream, delay, predict, learn):
    """Predictions in order; an outcome is learnt when `delay` further rows were predicted."""
    predictions, waiting = [], collections.deque()
    for row, y in zip(stream.rows(), stream.target):
        predictions.append(predict(row))
        waiting.append((row, y))
        if len(waiting) > delay:
            learn(*waiting.popleft())
    return predictions


def run_vw(stream, delay):
    import vowpalwabbit

    codes = {y: k + 1 for k, y in enumerate(stream.labels)} if stream.labels else None
    names = list(codes) if codes else None
    flags = "--coin -q ff --quiet" + ("" if codes is None else " --loss_function logistic --binary" if len(codes) == 2 else f" --oaa {len(codes)} --loss_function logistic")
    workspace = vowpalwabbit.Workspace(flags)

    def text(row):
        return "|f " + " ".join(f"{i}:{v!r}" if numeric else f"{i}={hash_free(v)}" for i, (v, numeric) in enumerate(zip(row, stream.numeric)) if v not in (None, ""))

    def hash_free(value):
        return value.replace(" ", "_").replace(":", "_").replace("|", "_")

    def label(y):
        return y if codes is None else str(codes[y]) if len(codes) > 2 else ("1" if codes[y] == 2 else "-1")

    def predict(row):
        said = workspace.predict(text(row))
        return said if codes is None else names[int(said) - 1] if len(codes) > 2 else names[1 if said > 0 else 0]

    return test_then_train(stream, delay, predict, lambda row, y: workspace.learn(label(y) + " " + text(row)))


def river_model(system, stream):
    from river import forest, linear_model, preprocessing

    if system == "river_alma":
        return preprocessing.StandardScaler() | linear_model.ALMAClassifier()
    if system == "river_arf10":
        return forest.ARFClassifier(seed=1) if stream.labels else forest.ARFRegressor(seed=1)
    return forest.AMFClassifier(seed=1) if stream.labels else forest.AMFRegressor(seed=1)


def run_river(stream, system, delay):
    model = river_model(system, stream)
    codes = [None if numeric else {v: k for k, v in enumerate(sorted(set(c)))} for numeric, c in zip(stream.numeric, stream.columns)]

    def features(row):
        return {i: 0.0 if v is None else v if code is None else float(code[v]) for i, (v, code) in enumerate(zip(row, codes))}

    def target(y):
        return (y == stream.labels[1] if system == "river_alma" else y) if stream.labels else float(y)

    def predict(row):
        said = model.predict_one(features(row))
        if system == "river_alma":
            return stream.labels[1 if said else 0]
        return said if said is not None else (stream.labels[0] if stream.labels else 0.0)

    return test_then_train(stream, delay, predict, lambda row, y: model.learn_one(features(row), target(y)))


def main():
    system, path, target, kind = sys.argv[1:5]
    delay = int(sys.argv[5]) if len(sys.argv) > 5 else 0
    stream = Stream(path, target, kind)
    wall, cpu = time.time(), time.process_time()
    if system.startswith("moa_"):
        with tempfile.TemporaryDirectory() as folder:
            result = run_moa(stream, system, delay, folder)
    else:
        predictions = run_vw(stream, delay) if system == "vw" else run_river(stream, system, delay)
        result = {"cpu": time.process_time() - cpu, "value": score(stream, predictions)}
    if stream.labels:
        result["kappa_t"] = kappa_temporal(stream.target, result["value"])
    # Of a whole process: the Java machine, or this one with the table in it.
    peak = resource.getrusage(resource.RUSAGE_CHILDREN if system.startswith("moa_") else resource.RUSAGE_SELF).ru_maxrss / 1024
    result.update(system=system, delay=delay, rows=len(stream.target), wall=time.time() - wall, peak_mb=peak)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
