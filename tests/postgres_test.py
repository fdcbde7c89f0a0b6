#!/usr/bin/env python3
"""PostgreSQL as ledger and as source through the real program, against a server of its own. postgres_test.py [NAME…]"""

import json
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import threading
import time

from postgres_server import Postgres
from served import GONE, Client, Failure, Service, check, everlearn, everlearn_json, free_port, made_row, write_history
from service_faults_test import Rows, check_all_join, check_verifies, ids_of, predict_until, refused_start

SCENARIOS = {}
TASK = ["--target", "y", "--time", "at"]


def scenario(function):
    SCENARIOS[function.__name__] = function
    return function


class World:
    """A folder, a schema and a service whose ledger is in it."""

    def __init__(self, server, name):
        self.server, self.name = server, name
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="postgres_test_"))
        self.ledger = server.url(name)
        self.service = Service(self.folder)
        self.service.ledger = self.ledger

    def path(self, name):
        return str(self.folder / name)


def unmeasured(value):
    """Without what is measured, which differs from run to run."""
    if isinstance(value, list):
        return [unmeasured(element) for element in value]
    if not isinstance(value, dict):
        return value
    return {name: unmeasured(element) for name, element in value.items() if name not in ("seconds", "cpu_seconds", "peak_memory_bytes")}


@scenario
def replay_equals_a_file(world):
    write_history(world.path("rows.csv"), 3000)
    common = ["replay", world.path("rows.csv"), *TASK, "--budget", "20units", "--retrain", "500 rows", "--start", "300"]
    results, sides = [], {}
    for ledger in (world.path("file.db"), world.ledger):
        results.append(unmeasured(everlearn_json(*common, "--ledger", ledger)))
        export = world.path("export.csv")
        everlearn_json("ledger", "export", ledger, export)
        sides[ledger] = [
            *(unmeasured(everlearn_json(command, ledger)) for command in ("status", "events", "models", "certificate")),
            everlearn_json("ledger", "verify", ledger)["tasks"],
            pathlib.Path(export).read_text(),
        ]
        pathlib.Path(export).unlink()
    check(results[0] == results[1], "the results differ")
    check(len(results[0]["events"]) > 3, f"too little happened: {results[0]['events']}")
    for one, other in zip(*sides.values()):
        check(one == other, f"they differ:\n{str(one)[:500]}\n{str(other)[:500]}")
    check(everlearn_json(*common, "--ledger", world.ledger)["served"] == results[0]["served"], "asked again, it answers otherwise")
    for number in range(1, results[0]["decisions"] + 1):
        check(everlearn("explain-decision", world.ledger, str(number)).returncode == 0, f"decision {number} is not recomputed")
    copy = world.path("copy.db")
    everlearn_json("ledger", "backup", world.ledger, copy)
    check(everlearn_json("ledger", "verify", copy)["tasks"] == sides[world.ledger][4], "the copy differs")
    check(unmeasured(everlearn_json("status", copy)) == sides[world.ledger][0], "the copy's status differs")


@scenario
def killed_and_started_again(world):
    service, rng, told = world.service, random.Random(3), []

    def load(number):
        client, own = Client(service.port), random.Random(number)
        for minute in range(1000, 10**9):
            try:
                status, body = client.predict([made_row(own, f"{number}-{minute}", minute)[0]])
            except GONE:
                return
            check(status == 200, f"status {status}: {body[:300]}")
            told.append(ids_of(body)[0])

    for turn in range(6):
        service.start("--durability", ("power", "process")[turn % 2])
        check(len(told) == len(set(told)), "an id was given twice")
        check_all_join(Client(service.port), told)
        told.clear()
        threads = [threading.Thread(target=load, args=(100 * turn + number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(rng.uniform(0.3, 1.0))
        service.kill()
        for thread in threads:
            thread.join()
        service.check_no_worker_is_left()
        check(len(told) > 10, f"only {len(told)} predictions")
    service.start()
    check_all_join(Client(service.port), told)
    check(service.terminate() == 0, "SIGTERM: not exit 0")
    check_verifies(service)


def doubled(world):
    return world.server.sql(f'SELECT count(*) - count(DISTINCT number) FROM {world.name}."row"')


@scenario
def server_stopped_and_started(world):
    service, rows = world.service, Rows()
    service.start()
    client = Client(service.port)
    told, _ = predict_until(client, rows, 200)
    for how in (signal.SIGINT, signal.SIGQUIT):
        world.server.stop(how)
        more, body = predict_until(client, rows, 503)
        problem = json.loads(body)
        check({"title", "status", "detail"} <= set(problem), f"503 is no problem document: {problem}")
        check(not more, "a prediction was answered without its ledger")
        check(client.send_outcomes([{"id": told[0], "outcome": "yes"}])[0] == 503, "an outcome that cannot be kept was taken")
        check(client.ask("GET", "/health/live")[0] == 200, "not alive while the server is gone")
        time.sleep(1.2)
        check(client.predict(rows.take(1))[0] == 503, "rows are accepted without a ledger")
        world.server.start()
        more, _ = predict_until(client, rows, 200, pause=0.1)
        told += more
    world.server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'everlearn %'")
    more, _ = predict_until(client, rows, 200, pause=0.05)
    told += more
    world.server.stop()
    world.server.start()
    time.sleep(3)  # it finds the server again before anybody asks
    status, body = client.predict(rows.take(1))
    check(status == 200, f"after a restart of an idle server: {status}: {body[:300]}")
    check_all_join(client, told + ids_of(body))
    check(refused_start(service, service.ledger, free_port())[0] == 1, "the lock was not taken again")
    world.server.stop()
    predict_until(client, rows, 503)
    check(service.terminate() == 0, "SIGTERM while the server is gone: not exit 0")
    world.server.start()
    service.start()
    more, _ = predict_until(Client(service.port), rows, 200)
    check_all_join(Client(service.port), more)
    check(service.terminate() == 0, "SIGTERM: not exit 0")
    check_verifies(service)
    check(doubled(world) == "0", "rows are there twice")


@scenario
def sessions_ended_under_load(world):
    """Every prediction that was answered with 200 is there exactly once, whenever the session ends; workers train from the same server."""
    service, told, refused, stop = world.service, [], [], threading.Event()
    service.start()

    def load(number):
        client, own = Client(service.port), random.Random(number)
        for minute in range(1000, 10**9):
            if stop.is_set():
                return
            status, body = client.predict([made_row(own, f"{number}-{minute}", minute)[0]])
            check(status in (200, 503), f"status {status}: {body[:300]}")
            (told if status == 200 else refused).append(body)

    threads = [threading.Thread(target=load, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(8):
        time.sleep(0.4)
        world.server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'everlearn %'")
    time.sleep(2.5)
    stop.set()
    for thread in threads:
        thread.join()
    ids = [ids_of(body)[0] for body in told]
    check(len(ids) > 100 and refused, f"{len(ids)} answered, {len(refused)} refused")
    check(len(ids) == len(set(ids)), "an id was given twice")
    check_all_join(Client(service.port), ids)
    url, until = f"http://127.0.0.1:{service.port}", time.monotonic() + 60
    while not any(event["kind"] == "retrained" for event in everlearn_json("events", url)["events"]):
        check(time.monotonic() < until, f"no training ended after: {everlearn_json('events', url)['events']}")
        time.sleep(0.2)
    check(service.terminate() == 0, "SIGTERM: not exit 0")
    check_verifies(service)
    stored = int(world.server.sql(f'SELECT count(*) FROM {world.name}."row"'))
    check(stored >= len(ids) and doubled(world) == "0", f"{stored} rows for {len(ids)} answers")


@scenario
def ledger_taken(world):
    world.service.start()
    code, text = refused_start(world.service, world.ledger, free_port())
    check(code == 1 and f"is being written by another process (everlearn {world.service.process.pid})" in text, f"exit {code}: {text}")
    check(Client(world.service.port).predict(Rows().take(1))[0] == 200, "the first should go on")
    result = everlearn("ledger", "erase", world.ledger, "--where", "ref=h1")
    check(result.returncode == 1 and "is being written" in result.stderr, result.stderr)
    check(world.service.terminate() == 0, "SIGTERM: not exit 0")
    erased = everlearn_json("ledger", "erase", world.ledger, "--where", "ref=h1")
    check(erased["erased"] == 1, f"erased: {erased}")
    check_verifies(world.service)


def fill_table(world):
    columns = "ref TEXT, at TIMESTAMP, a DOUBLE PRECISION, b DOUBLE PRECISION, colour TEXT, y TEXT"
    rows = "".join(line.replace("Z,", ",").replace(",", "\t") + "\n" for line in pathlib.Path(world.service.history).read_text().splitlines()[1:])
    world.server.sql(f"CREATE SCHEMA data; CREATE TABLE data.rows({columns});\nCOPY data.rows FROM STDIN;\n{rows}\\.\n")


def grow_and_wait(world, minute, rows):
    """Twenty more rows in the table; each is to be in the ledger once, besides the two that were asked for."""
    world.server.sql(
        "INSERT INTO data.rows SELECT 'g' || i, timestamp '2024-01-01' + i * interval '1 minute', 0.5, 0.1, 'p', 'yes' "
        f"FROM generate_series({minute + 10}, {minute + 29}) AS i; NOTIFY everlearn"
    )
    until, stored = time.monotonic() + 30, 0
    while stored < rows + 2 and time.monotonic() < until:
        time.sleep(0.1)
        stored = int(world.server.sql(f'SELECT count(*) FROM {world.name}."row"'))
    time.sleep(0.5)
    stored = int(world.server.sql(f'SELECT count(*) FROM {world.name}."row"'))
    check(stored == rows + 2, f"{stored} rows are stored, {rows + 2} were expected")


@scenario
def source(world):
    """fit, predict, evaluate, replay and run read a table as they read the same rows in a file."""
    fill_table(world)
    database, query = world.server.url(), "SELECT * FROM data.rows ORDER BY at"
    places = {"file": [str(world.service.history)], "table": [database, "--query", query]}
    answers = {}
    for name, place in places.items():
        model, csv = world.path(name + ".safetensors"), world.path(name + ".csv")
        fitted = everlearn_json("fit", *place, *TASK, "--key", "ref", "--model", model)
        everlearn_json("predict", model, *place, "--only", "--output", csv)
        answers[name] = [
            fitted["score"], pathlib.Path(csv).read_text(), everlearn_json("evaluate", model, *place),
            everlearn_json("replay", *place, *TASK, "--key", "ref", "--budget", "20units", "--start", "300")["served"],
        ]  # fmt: skip
    for one, other in zip(*answers.values()):
        check(one == other, f"they differ:\n{str(one)[:500]}\n{str(other)[:500]}")

    config = pathlib.Path(world.path("everlearn.toml"))
    port = free_port()
    config.write_text(
        f'[service]\nledger = "{world.ledger}"\nlisten = "127.0.0.1:{port}"\n[tasks.t]\npostgresql = "{database}"\ntable = "data.rows"\n'
        'watermark = "at"\ntarget = "y"\ntime = "at"\nkey = ["ref"]\n[tasks.t.learning]\nbudget = "20units"\n'
    )
    world.service.command = lambda _port, *more: [*Service(world.folder).command(port)[:2], str(config), *more]
    world.service.spawn()
    world.service.port = port
    world.service.wait_until_ready()
    check(Client(port).predict(Rows().take(2))[0] == 200, "it does not serve")
    grow_and_wait(world, 1000, 620)  # 600 of the past, 20 of growth
    world.server.stop()
    time.sleep(1)
    world.server.start()
    grow_and_wait(world, 2000, 640)
    world.service.kill()
    world.service.spawn()
    world.service.port = port
    world.service.wait_until_ready()
    grow_and_wait(world, 3000, 660)
    check(world.service.terminate() == 0, "SIGTERM: not exit 0")
    check_verifies(world.service)

    for words, wanted in {
        ("fit", database, *TASK): "--query",
        ("fit", str(world.service.history), "--query", query, *TASK): "not in PostgreSQL",
        ("fit", database.replace("tester@", "tester:s3cret@"), "--query", "SELECT nothing", *TASK): "nothing",
        ("status", database.replace("tester@", "tester:s3cret@") + "?schema=none"): "there is no ledger",
    }.items():
        result = everlearn(*words)
        check(result.returncode in (1, 2) and wanted in result.stderr, f"{words}: {result.returncode}: {result.stderr}")
        check("s3cret" not in result.stderr, f"the password is told: {result.stderr}")


def main():
    failed, server = 0, Postgres()
    try:
        for name in sys.argv[1:] or SCENARIOS:
            world, began = World(server, name), time.monotonic()
            try:
                SCENARIOS[name](world)
                print(f"{name}: passed, {time.monotonic() - began:.1f} s", flush=True)
                shutil.rmtree(world.folder)
            except (Failure, *GONE) as failure:
                failed += 1
                print(f"{name}: FAILED: {type(failure).__name__}: {failure}\n  its files are in {world.folder}", flush=True)
                if pathlib.Path(world.service.log).exists():
                    print(world.service.end_of_log(), flush=True)
            finally:
                if world.service.process is not None:
                    world.service.kill()
    finally:
        server.remove()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
