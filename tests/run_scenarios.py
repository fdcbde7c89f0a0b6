#!/usr/bin/env python3
"""Runs the scenarios, plain-text files that run the real program: run_scenarios.py [-v] [FILE…] (default: all of tests/scenarios).

The program is $EVERLEARN, else build/release/everlearn. The format, line by line (# begins a comment line, blank lines are skipped):

    scenario NAME             begins a scenario, in an empty folder of its own. Lines before the first one are run at the start of each.
    skip as root              leaves the scenario out where permissions do not bind
    file NAME                 writes a file: the following lines, up to a line `end`
    $ COMMAND                 runs a command of the shell, in which `everlearn` is the program; what follows checks it:
    exit N                    the exit status (0 where nothing is said)
    stdout contains "TEXT"    (also stderr; also `lacks`); TEXT is written as in JSON
    stdout is                 exactly the following lines, up to a line `end` (also stderr)
    stdout lines N            the number of lines (also stderr)
    json .PATH OP VALUE       standard output is one JSON document whose PATH (.name, [0], [-1], .length of a list) compares (== != < <= > >=)
                              with VALUE, which is JSON; `json .PATH contains VALUE`: an element of a list, a key, a part of a text
    exists NAME, absent NAME  a file is there, or is not
    same A B [except K,…]     two files of JSON are equal but for these keys, at any depth

A command that ends by a signal, or fails without a word, is an error in any case.
"""

import json
import operator
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
OPERATORS = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "contains": lambda found, value: value in found,
}  # fmt: skip
SECONDS = 300  # that a command may take


class Failure(Exception):
    pass


class FormatError(Exception):
    pass


def lines_of(path):
    """(line number, directive, block) of each directive."""
    result, lines, at = [], path.read_text().splitlines(), 0
    while at < len(lines):
        number, line = at + 1, lines[at].rstrip()
        at += 1
        if not line or line.startswith("#"):
            continue
        block = None
        if line.startswith("file ") or re.fullmatch(r"std(out|err) is", line):
            if "end" not in lines[at:]:
                raise FormatError(f"{path}:{number}: no line `end` follows")
            end = lines.index("end", at)
            block, at = "".join(text + "\n" for text in lines[at:end]), end + 1
        result.append((number, line, block))
    return result


def scenarios_of(path):
    """(name, directives) of each scenario; the common beginning is part of each."""
    common, scenarios = [], []
    for number, line, block in lines_of(path):
        if line.startswith("scenario "):
            scenarios.append((line.split(" ", 1)[1], list(common)))
        else:
            (scenarios[-1][1] if scenarios else common).append((number, line, block))
    return scenarios


def pick(document, path):
    for name, index in re.findall(r"\.(\w+)|\[(-?\d+)\]", path):
        if name == "length" and isinstance(document, list):
            document = len(document)
        else:
            document = document[name or int(index)]
    return document


def without(document, keys):
    if isinstance(document, dict):
        return {key: without(value, keys) for key, value in document.items() if key not in keys}
    return [without(value, keys) for value in document] if isinstance(document, list) else document


class Run:
    """One scenario in its folder."""

    def __init__(self, folder, environment):
        self.folder, self.environment = pathlib.Path(folder), environment
        self.command = self.result = None
        self.expected_exit = 0

    def finish_command(self):
        if self.command is None:
            return
        code = self.result.returncode
        if code != self.expected_exit:
            raise Failure(f"exit {code}, not {self.expected_exit}")
        if code != 0 and not (self.result.stderr + self.result.stdout).strip():
            raise Failure("failed without a word")
        self.command, self.expected_exit = None, 0

    def start_command(self, command):
        process = subprocess.Popen(["bash", "-c", command], cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
                                   start_new_session=True)  # fmt: skip
        self.command = command
        try:
            stdout, stderr = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # what the shell started, too
            stdout, stderr = process.communicate()
            self.result = subprocess.CompletedProcess(command, None, stdout, stderr)
            raise Failure(f"took more than {SECONDS} s") from None
        self.result = subprocess.CompletedProcess(command, process.returncode, stdout, stderr)

    def check_stream(self, stream, check, argument, block):
        text = getattr(self.result, stream)
        if check == "is" and text != block:
            raise Failure(f"{stream} is not the expected text")
        if check in ("contains", "lacks") and (json.loads(argument) in text) != (check == "contains"):
            raise Failure(f"{stream} {'does not contain' if check == 'contains' else 'contains'} {argument}")
        if check == "lines" and len(text.splitlines()) != int(argument):
            raise Failure(f"{stream} has {len(text.splitlines())} lines, not {argument}")

    def check_json(self, path, operation, value):
        try:
            found = pick(json.loads(self.result.stdout), path)
        except (ValueError, KeyError, IndexError, TypeError) as error:
            raise Failure(f"standard output as JSON has no {path}: {error!r}") from None
        if not OPERATORS[operation](found, json.loads(value)):
            raise Failure(f"{path} is {json.dumps(found)[:300]}")

    def check_same(self, names, keys):
        first, second = (without(json.loads((self.folder / name).read_text()), keys) for name in names)
        if first != second:
            raise Failure(f"{names[0]} and {names[1]} differ: {json.dumps(first)[:1500]} and {json.dumps(second)[:1500]}")

    def step(self, line, block):
        if line.startswith("$ "):
            self.finish_command()
            self.start_command(line[2:])
        elif match := re.fullmatch(r"file (\S+)", line):
            self.finish_command()
            (self.folder / match[1]).write_text(block)
        elif match := re.fullmatch(r"exit (\d+)", line):
            self.expected_exit = int(match[1])
        elif match := re.fullmatch(r"(stdout|stderr) (contains|lacks|is|lines)(?: (.+))?", line):
            self.check_stream(match[1], match[2], match[3], block)
        elif match := re.fullmatch(r"json (\S*) (==|!=|<|<=|>|>=|contains) (.+)", line):
            self.check_json(*match.groups())
        elif match := re.fullmatch(r"(exists|absent) (\S+)", line):
            if (self.folder / match[2]).exists() != (match[1] == "exists"):
                raise Failure(f"{match[2]} is {'not ' if match[1] == 'exists' else ''}there")
        elif match := re.fullmatch(r"same (\S+) (\S+)(?: except (\S+))?", line):
            self.finish_command()
            self.check_same(match.groups()[:2], (match[3] or "").split(","))
        else:
            raise FormatError(f"not a directive: {line}")


def run_scenario(path, name, directives, environment):
    """The failure as text; empty when all is well, None when skipped."""
    if os.geteuid() == 0 and any(line == "skip as root" for _, line, _ in directives):
        return None
    with tempfile.TemporaryDirectory(prefix="scenario_") as folder:
        run, number, last_command = Run(folder, environment), 0, 0
        try:
            for number, line, block in directives:
                if line == "skip as root":
                    continue
                run.step(line, block)
                last_command = number if line.startswith("$ ") else last_command
            number = last_command
            run.finish_command()
            return ""
        except FormatError as error:
            sys.exit(f"{path}:{number}: {error}")
        except Failure as error:
            text = f"{path}:{number}: {name}: {error}\n"
            if run.result is not None:
                text += f"  $ {run.result.args}\n  exit {run.result.returncode}\n"
                for stream in ("stdout", "stderr"):
                    text += "".join(f"  {stream}: {line[:300]}\n" for line in getattr(run.result, stream).splitlines()[:15])
            return text


def main():
    arguments = sys.argv[1:]
    verbose = "-v" in arguments
    files = [pathlib.Path(name) for name in arguments if name != "-v"] or sorted((ROOT / "tests/scenarios").glob("*.txt"))
    program = pathlib.Path(os.environ.get("EVERLEARN", ROOT / "build/release/everlearn")).resolve()
    if not program.is_file():
        sys.exit(f"{program} is not there: build it with ./dev build, or name another in EVERLEARN")
    failed = 0
    with tempfile.TemporaryDirectory() as programs:
        os.symlink(program, pathlib.Path(programs) / "everlearn")
        environment = dict(os.environ, PATH=f"{programs}:{os.environ['PATH']}", NO_COLOR="1", LC_ALL="C.UTF-8")
        for path in files:
            counts = {"passed": 0, "skipped": 0, "failed": 0}
            for name, directives in scenarios_of(path):
                failure = run_scenario(path, name, directives, environment)
                outcome = "skipped" if failure is None else "failed" if failure else "passed"
                counts[outcome] += 1
                if failure:
                    print(failure, end="")
                elif verbose:
                    print(f"{path.name}: {name}: {outcome}")
            print(f"{path.name}: " + ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count))
            failed += counts["failed"]
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
