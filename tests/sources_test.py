#!/usr/bin/env python3
"""Sources that grow while a service runs: files, a query, standard input; kills in between; columns that change. sources_test.py [NAME…]"""

import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

from served import GONE, PROGRAM, Client, Failure, Service, check, everlearn, everlearn_json, free_port, made_row

SCENARIOS = {}
COLUMNS = ["ref", "at", "a", "b", "colour", "y"]


def scenario(function):
    SCENARIOS[function.__name__] = function
    return function


class Growing(Service):
    """A service whose source is given by `data`; the rows of its history are in the folder's first file."""

    def __init__(self, folder, history_rows=600):
        super().__init__(folder, history_rows=history_rows)
        self.source = self.folder / "source"
        self.source.mkdir()
        os.rename(self.history, self.source / "0.csv")
        self.data, self.more, self.stdin = str(self.source / "*.csv"), [], None
        self.rng, self.number = random.Random(9), 0

    def command(self, port, *more):
        return [PROGRAM, "run", "--task", "t", "--data", self.data, "--target", "y", "--time", "at", "--key", "ref", "--budget", self.budget,
                "--retrain", self.retrain, "--durability", "process", "--listen", f"127.0.0.1:{port}", "--ledger", self.ledger, *self.more, *more]  # fmt: skip

    def spawn(self, *more):
        self.port = free_port()
        with open(self.log, "a") as log:
            self.process = subprocess.Popen(self.command(self.port, *more), stdin=self.stdin, stdout=log, stderr=log, start_new_session=True)

    def rows(self, count):
        """New rows as lists, in the order of COLUMNS."""
        made = []
        for _ in range(count):
            row, truth = made_row(self.rng, f"g{self.number}", 1000 + self.number)
            made.append([*row.values(), truth])
            self.number += 1
        return made

    def status(self):
        client = Client(self.port)
        try:
            return json.loads(client.ask("GET", "/v1/tasks/t")[1])
        finally:
            client.close()

    def wait_for(self, seconds=60, **wanted):
        """Until these numbers of the status are so; and then they must stay so."""
        until = time.monotonic() + seconds
        while True:
            status = self.status()
            have = {name: status[name] for name in wanted}
            if have == wanted or time.monotonic() > until:
                break
            time.sleep(0.05)
        check(have == wanted, f"wanted {wanted}, not {have}: {status['source']}; {self.end_of_log()}")
        time.sleep(1.3)
        status = self.status()
        check({name: status[name] for name in wanted} == wanted, f"it grew beyond {wanted}: {status['source']}")
        return status

    def events(self, kind):
        return [event["detail"] for event in everlearn_json("events", self.ledger)["events"] if event["kind"] == kind]

    def end(self):
        check(self.terminate() == 0, "SIGTERM: not exit 0")
        result = everlearn("ledger", "verify", self.ledger)
        check(result.returncode == 0, f"ledger verify: {result.stderr}")


def text_of(rows):
    return "".join(",".join(map(str, row)) + "\n" for row in rows)


def append(path, text):
    with open(path, "a") as file:
        file.write(text)


def write_table(path, columns, rows):
    path.write_text(",".join(columns) + "\n" + text_of(rows))


@scenario
def grows_through_kills(service):
    """Lines in pieces of any size, new files, kills at any moment: at the end every row was predicted once, and its outcome counted once."""
    service.start()
    written, rng = 0, random.Random(3)
    for turn in range(12):
        path = service.source / f"{1 + turn // 3}.csv"
        if not path.exists():
            append(path, ",".join(COLUMNS) + "\n")
        rows = service.rows(rng.randint(1, 900))
        text, at = text_of(rows), 0
        while at < len(text):
            size = rng.randint(1, 30_000)
            append(path, text[at : at + size])
            at += size
            if rng.random() < 0.3:
                time.sleep(rng.random() * 0.05)
        written += len(rows)
        if turn % 2 == 1:
            time.sleep(rng.random() * 2.5)
            service.kill()
            service.start()
    status = service.wait_for(predictions=written, outcomes=600 + written, rows=600 + written)
    check(status["source"]["rows"] == 600 + written and status["source"]["last_error"] is None, f"source: {status['source']}")
    check(status["served"]["accuracy"] > 0.8, f"served: {status['served']}")
    service.end()


@scenario
def half_a_line(service):
    service.start()
    path = service.source / "0.csv"
    line = text_of(service.rows(1))
    append(path, line[:-4])
    time.sleep(1.5)
    check(service.status()["predictions"] == 0, "half a line was taken")
    append(path, line[-4:])
    service.wait_for(predictions=1, outcomes=601)
    append(path, "broken\n" + text_of(service.rows(2)))
    service.wait_for(predictions=3, outcomes=603)
    lost = [detail for detail in service.events("source") if detail["rows_lost"]]
    check(len(lost) == 1 and "line 603 has 1 values" in lost[0]["message"], f"events: {service.events('source')}")
    os.rename(path, service.folder / "away.csv")
    time.sleep(2.5)
    check("has vanished" in service.events("source")[-1]["message"], f"events: {service.events('source')}")
    service.kill()
    service.start()
    os.rename(service.folder / "away.csv", path)
    append(path, text_of(service.rows(1)))
    service.wait_for(predictions=4, outcomes=604)
    service.end()


@scenario
def outcomes_come_later(service):
    """Rows without an outcome, which the same key brings later; a row that was asked for before it came; and one that was told by a request."""
    service.start()
    rows = service.rows(20)
    write_table(service.source / "1.csv", COLUMNS, [[*row[:-1], ""] for row in rows])
    service.wait_for(predictions=20, outcomes=600)
    write_table(service.source / "2.csv", COLUMNS, rows + rows[:5])
    service.wait_for(predictions=20, outcomes=620)
    client = Client(service.port)
    asked, told = service.rows(2)
    status, body = client.predict([dict(zip(COLUMNS[:-1], asked))])
    check(status == 200, str(body))
    write_table(service.source / "3.csv", COLUMNS, [asked])
    service.wait_for(predictions=21, outcomes=621)
    early = json.loads(client.send_outcomes([{"ref": told[0], "outcome": told[-1]}])[1])
    check(early["outcomes"] == [{"status": "early"}], str(early))
    write_table(service.source / "4.csv", COLUMNS, [[*told[:-1], ""]])
    status = service.wait_for(predictions=22, outcomes=622)
    check(status["served"]["rows"] == 21, f"the outcome that was known before is scored: {status['served']}")
    service.end()


@scenario
def outcome_after(service):
    """Outcomes wait for the clock of the task: the time of the newest row. No restart loses them."""
    service.more = ["--outcome-after", "100m"]
    service.start()
    rows = service.rows(500)
    append(service.source / "0.csv", text_of(rows[:250]))
    # Rows are a minute apart, so that a hundred of them wait.
    status = service.wait_for(predictions=250, outcomes=600 + 150)
    check(status["source"]["waiting_outcomes"] == 100, f"source: {status['source']}")
    service.kill()
    service.start()
    append(service.source / "0.csv", text_of(rows[250:]))
    service.wait_for(predictions=500, outcomes=600 + 400)
    service.end()


@scenario
def outcome_time(service):
    service.more = ["--outcome-time", "seen"]
    columns = [*COLUMNS, "seen"]
    rows = [[*row, row[1]] for row in service.rows(600)]
    write_table(service.source / "0.csv", columns, rows)
    service.start()
    later = service.rows(100)
    # The first is known before its row, the last with the row after it, one never.
    seen = [row[1] for row in later]
    dated = [[*row, seen[min(i + 1, 99)]] for i, row in enumerate(later)]
    dated[0][-1], dated[50][-1] = rows[0][1], ""
    append(service.source / "0.csv", text_of(dated))
    status = service.wait_for(predictions=100, outcomes=600 + 99)
    check(status["served"]["rows"] == 98, f"served: {status['served']}")
    service.end()


@scenario
def columns_change(service):
    service.start()
    new = service.source / "1.csv"
    write_table(new, ["ref", "at", "a", "colour", "y", "extra"], [[*row[:3], *row[4:], 7] for row in service.rows(10)])
    service.wait_for(predictions=10, outcomes=610)
    write_table(service.source / "2.csv", COLUMNS, [[row[0], row[1], "much", *row[3:]] for row in service.rows(300)])
    service.wait_for(predictions=310, outcomes=910)
    append(service.source / "2.csv", text_of([[row[0], row[1], "much", *row[3:5], "maybe"] for row in service.rows(10)]))
    status = service.wait_for(predictions=320, outcomes=910)
    check(status["source"]["lacking_columns"] == [], f"source: {status['source']}")
    service.kill()
    service.start()
    append(new, text_of([[*row[:3], *row[4:], 7] for row in service.rows(1)]))
    service.wait_for(predictions=321, outcomes=911)
    changes = [(event["change"], event["columns"], event["done"]) for event in service.events("schema")]
    check(
        changes
        == [
            ("new", ["extra"], "left out of the features"),
            ("vanished", ["b"], "missing values"),
            ("retyped", ["a"], "missing values"),
            ("retyped", ["y"], "no outcome"),
            ("vanished", ["b"], "missing values"),
        ],
        f"events: {changes}",
    )
    retyped = [event for event in service.events("schema") if event["change"] == "retyped"][0]
    check(retyped["values"] == 300 and retyped["type"] == "number" and "much" not in str(retyped), "values may be a person's: " + str(retyped))
    service.end()


@scenario
def query_with_a_watermark(service):
    """Rows of one watermark in several lots, kills in between."""
    service.data = f"SELECT * FROM read_csv('{service.source}/*.csv', union_by_name=true)"
    service.more = ["--watermark", "at"]
    service.start()
    written = 0
    for turn in range(6):
        rows = service.rows(40)
        for row in rows:
            row[1] = rows[0][1]  # all at one time
        for part in range(3):
            write_table(service.source / f"{turn}-{part}.csv", COLUMNS, rows[part::3])
            written += len(rows[part::3])
            time.sleep(random.Random(turn).random())
        if turn % 2 == 0:
            service.kill()
            service.start()
    service.wait_for(predictions=written, outcomes=600 + written)
    # A query that fails is told, tried again, and the service serves.
    os.rename(service.source, service.folder / "hidden")
    time.sleep(2.5)
    status = service.status()
    check(status["source"]["state"] == "failing" and status["source"]["last_error"], f"source: {status['source']}")
    client = Client(service.port)
    check(client.predict([dict(zip(COLUMNS[:-1], service.rows(1)[0]))])[0] == 200, "it should serve while its source fails")
    os.rename(service.folder / "hidden", service.source)
    write_table(service.source / "last.csv", COLUMNS, service.rows(3))
    service.wait_for(predictions=written + 4, outcomes=603 + written)
    states = [event.get("state") for event in service.events("source")]
    # A look at the very moment of the change may fail in other words than the next.
    check(set(states[:-1]) == {"failing"} and states[-1] == "reading", f"events: {service.events('source')}")
    service.end()


@scenario
def standard_input(service):
    service.data = "-"
    history = (service.source / "0.csv").read_text().splitlines(keepends=True)
    lines = [*history, *text_of(service.rows(900)).splitlines(keepends=True)]
    service.stdin = subprocess.PIPE
    service.spawn()
    pipe = service.process.stdin
    for line in lines[: 1 + 1200]:
        pipe.write(line.encode())
    pipe.flush()
    service.wait_until_ready()
    for line in lines[1 + 1200 :]:
        pipe.write(line.encode())
    pipe.write(b"g9999,20")
    pipe.flush()
    service.wait_for(predictions=300, outcomes=1500)
    service.kill()
    service.spawn()
    service.wait_until_ready()
    pipe = service.process.stdin
    pipe.write((history[0] + text_of(service.rows(5))).encode())
    pipe.close()
    status = service.wait_for(predictions=305, outcomes=1505)
    check(status["source"]["state"] == "ended", f"source: {status['source']}")
    service.end()


@scenario
def options_change(service):
    """Other options in the configuration take effect at the next start, as an event; what cannot change is refused; decisions still recompute."""
    service.start()
    append(service.source / "0.csv", text_of(service.rows(300)))
    service.wait_for(predictions=300, outcomes=900)
    service.kill()
    service.retrain = "never"
    service.more = ["--autonomy", "suggest", "--minimum-gain", "0.01"]
    service.start()
    changes = service.events("configured")
    check(len(changes) == 1 and changes[0]["changes"][0] == "autonomy is suggest, was act", f"events: {changes}")
    check(changes[0]["options"] == {"autonomy": 1, "retrain": 1, "retrain_every": 0, "minimum_gain": 0.01}, f"events: {changes}")
    before = len(service.events("retrained"))
    append(service.source / "0.csv", text_of(service.rows(900)))
    service.wait_for(predictions=1200, outcomes=1800)
    check(len(service.events("retrained")) == before, "it was trained again, though it never should")
    check(service.terminate() == 0, "SIGTERM: not exit 0")
    for more, word in (["--metric", "brier"], "metric"), (["--roster", "online_linear"], "roster"), (["--key", "a"], "key"), (["--outcome-window", "1h"], "window"), (["--ignore", "b"], "ignored columns"), (["--type", "a=category"], "types"):
        result = subprocess.run([*service.command(free_port()), *more], capture_output=True, text=True, timeout=60)
        check(result.returncode == 2 and word in result.stderr and "cannot become" in result.stderr, f"{more}: {result.returncode} {result.stderr}")
    service.start()
    check(len(service.events("configured")) == 1, "the same options again are no change")
    service.end()


@scenario
def no_source(service):
    """Declared columns, rows by HTTP alone: answers from the first row on, and learns."""
    types = "ref=text,at=timestamp,a=number,b=number,colour=category"
    declared = [PROGRAM, "run", "--task", "t", "--target", "y", "--time", "at", "--key", "ref", "--budget", "20units", "--durability", "process", "--ledger", service.ledger]  # fmt: skip
    for more, word in ([], "declared"), (["--type", types], "--kind"), (["--type", types, "--kind", "binary"], "--labels"), (["--type", "a=number", "--kind", "regression"], "'ref'"):
        result = subprocess.run([*declared, *more], capture_output=True, text=True, timeout=60)
        check(result.returncode == 2 and word in result.stderr, f"{more}: {result.returncode} {result.stderr}")
    service.command = lambda port, *more: [*declared, "--type", types, "--kind", "binary", "--labels", "no,yes", "--listen", f"127.0.0.1:{port}", *more]
    service.start()
    good = 0
    for turn in range(15):
        client, rows = Client(service.port), service.rows(100)
        status, body = client.predict([dict(zip(COLUMNS[:-1], row)) for row in rows])
        check(status == 200, str(body))
        answers = json.loads(body)["predictions"]
        good = sum(answer["prediction"] == row[-1] for answer, row in zip(answers, rows))
        client.send_outcomes([{"ref": row[0], "outcome": row[-1]} for row in rows])
        if turn == 7:
            service.kill()
            service.start()
    check(good > 85, f"it has learnt little: {good} of the last 100")
    status = service.wait_for(predictions=1500, outcomes=1500)
    check(status["source"] is None and status["champion"] is not None, str(status))
    check(len(service.events("retrained")) >= 1, "it was never trained")
    service.end()


def main():
    failed = 0
    for name in sys.argv[1:] or SCENARIOS:
        folder = tempfile.mkdtemp(prefix="sources_")
        service, began = Growing(folder), time.monotonic()
        try:
            SCENARIOS[name](service)
            print(f"{name}: passed, {time.monotonic() - began:.1f} s", flush=True)
            shutil.rmtree(folder)
        except (Failure, *GONE) as failure:
            failed += 1
            log = pathlib.Path(service.log).read_text(errors="replace") if os.path.exists(service.log) else ""
            print(f"{name}: FAILED: {type(failure).__name__}: {failure}\n  its files are in {folder}; its log ends:\n{log[-1500:]}", flush=True)
        finally:
            if service.process is not None:
                service.kill()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
