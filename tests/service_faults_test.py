#!/usr/bin/env python3
"""One fault at a time for a served task: disk full, syncs that fail, a clock that steps, ledger or port taken, SIGTERM under load, garbage on the socket, a dead
worker. service_faults_test.py [NAME…]"""

import contextlib
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from served import GONE, Client, Failure, Service, check, everlearn, everlearn_json, free_port, made_row

SCENARIOS = {}


def scenario(function):
    SCENARIOS[function.__name__] = function
    return function


class Rows:
    """New rows, each other than the last."""

    def __init__(self):
        self.rng, self.number = random.Random(5), 0

    def take(self, count):
        self.number += count
        return [made_row(self.rng, f"r{number}", 1000 + number)[0] for number in range(self.number - count, self.number)]


def ids_of(body):
    return [prediction["id"] for prediction in json.loads(body)["predictions"]]


def send_all(client, ids):
    """The statuses of an outcome for each id."""
    statuses = []
    for first in range(0, len(ids), 500):
        status, body = client.send_outcomes([{"id": one, "outcome": "yes"} for one in ids[first : first + 500]])
        check(status == 200, f"outcomes are answered {status}: {body[:300]}")
        statuses += [outcome["status"] for outcome in json.loads(body)["outcomes"]]
    return statuses


def check_all_join(client, ids):
    statuses = send_all(client, ids)
    check(statuses == ["joined"] * len(ids), f"of {len(ids)} told predictions {len(ids) - statuses.count('joined')} did not join: {set(statuses)}")


def check_verifies(service):
    result = everlearn("ledger", "verify", service.ledger)
    check(result.returncode == 0, f"ledger verify: {result.stderr}")


def predict_until(client, rows, wanted, seconds=20, pause=0.0):
    """Predicts until the status is `wanted`; the ids that were given before, and the last body."""
    ids, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        status, body = client.predict(rows.take(20))
        if status == 200:
            ids += ids_of(body)
        if status == wanted:
            return ids, body
        check(status in (200, 503), f"status {status}: {body[:300]}")
        time.sleep(pause)
    raise Failure(f"no status {wanted} within {seconds} s")


def limit_files(process, size):
    """No file of the process may grow beyond `size`: what a full disk is to it."""
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@scenario
def disk_full(service):
    rows = Rows()
    for durability in ("power", "process"):
        service.start("--durability", durability)
        client = Client(service.port)
        told, _ = predict_until(client, rows, 200)
        limit_files(service.process, max(os.path.getsize(service.ledger + end) for end in ("", "-wal")) + 100_000)
        more, body = predict_until(client, rows, 503)
        told += more
        problem = json.loads(body)
        check({"title", "status", "detail"} <= set(problem), f"503 is no problem document: {problem}")
        check("disk" in problem["detail"] or "could not be" in problem["detail"], f"the reason is not told: {problem['detail']}")
        limit_files(service.process, 1000)  # and now not even little fits
        refused, _ = client.send_outcomes([{"id": told[0], "outcome": "yes"}])
        check(refused == 503, f"an outcome that cannot be kept is answered {refused}")
        check(client.ask("GET", "/health/live")[0] == 200, "not alive while the disk is full")
        time.sleep(1.2)
        check(client.predict(rows.take(1))[0] == 503, "the disk is still full, and rows are accepted")
        limit_files(service.process, resource.RLIM_INFINITY)
        more, _ = predict_until(client, rows, 200, pause=0.1)
        check_all_join(client, told + more)
        after, _ = predict_until(client, rows, 200)
        service.kill()
        service.start("--durability", durability)
        check_all_join(Client(service.port), after)
        check(service.terminate() == 0, "SIGTERM: not exit 0")
        check_verifies(service)


@scenario
def disk_full_at_the_start(service):
    service.spawn()
    limit_files(service.process, 20_000)
    try:
        service.wait_until_ready()
        raise Failure("it became ready without room for its ledger")
    except Failure as failure:
        check("ended by itself with 1" in str(failure) and service.ledger in str(failure), str(failure))
    service.start()
    check(Client(service.port).predict(Rows().take(3))[0] == 200, "after space was freed it should serve")


def load_shim(service):
    """The next start is under tests/fault_shim.c; returns the folder of its faults."""
    shim, faults = service.folder / "fault_shim.so", service.folder / "faults"
    source = pathlib.Path(__file__).resolve().parent / "fault_shim.c"
    built = subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(shim), str(source), "-ldl"], capture_output=True, text=True)
    check(built.returncode == 0, f"the shim is not built: {built.stderr}")
    faults.mkdir()
    service.environment = {"LD_PRELOAD": str(shim), "EVERLEARN_FAULTS": str(faults)}
    return faults


@scenario
def syncs_that_fail(service):
    """The disk takes writes, and does not promise to keep them: with durability = "power" nothing is answered then."""
    faults, rows, told = load_shim(service), Rows(), []
    service.start("--durability", "power")
    client = Client(service.port)
    for _ in range(3):
        more, _ = predict_until(client, rows, 200)
        (faults / "sync_fails").touch()
        refused, body = client.predict(rows.take(5))
        check(refused == 503 and "could not be" in json.loads(body)["detail"], f"without a sync: {refused} {body[:300]}")
        refused, _ = client.send_outcomes([{"id": one, "outcome": "yes"} for one in more])
        check(refused == 503, f"an outcome that is not synced is answered {refused}")
        check(client.ask("GET", "/health/live")[0] == 200, "not alive")
        (faults / "sync_fails").unlink()
        after, _ = predict_until(client, rows, 200, pause=0.1)
        check_all_join(client, more + after)
        told += more + after
    service.kill()
    service.start("--durability", "power")
    statuses = set(send_all(Client(service.port), told))
    check(statuses == {"duplicate"}, f"after a kill outcomes that were joined are {statuses}")
    check(service.terminate() == 0, "SIGTERM: not exit 0")
    check_verifies(service)


@scenario
def clock_that_steps(service):
    """A task in wall time, whose outcomes have a window: the clock is set back and forth, also across restarts."""
    faults, rows = load_shim(service), Rows()
    service.time = []
    service.start("--outcome-window", "2h")
    for step in (-86_400, 3_600, -40, 7 * 86_400, 0):
        client = Client(service.port)
        before, _ = predict_until(client, rows, 200)
        (faults / "clock").write_text(str(step))
        after, _ = predict_until(client, rows, 200)
        check_all_join(client, before + after)
        asked = rows.take(3)
        answers = [client.predict(asked, key=f"step.{step}") for _ in range(2)]
        check(answers[0] == answers[1] and answers[0][0] == 200, f"after a step of {step} s the same request is answered {answers}")
        service.kill()
        service.start("--outcome-window", "2h")
        check(send_all(Client(service.port), before + after) == ["duplicate"] * len(before + after), f"after a step of {step} s and a kill outcomes are lost")
        check_all_join(Client(service.port), ids_of(answers[0][1]))
    check(service.terminate() == 0, "SIGTERM: not exit 0")
    check_verifies(service)


def refused_start(service, ledger, port):
    result = subprocess.run([word if word != service.ledger else ledger for word in service.command(port)], capture_output=True, text=True, timeout=60)
    return result.returncode, result.stderr


@scenario
def ledger_taken(service):
    service.start()
    code, text = refused_start(service, service.ledger, free_port())
    check(code == 1 and "is being written by another process" in text and service.ledger in text, f"exit {code}: {text}")
    check(Client(service.port).predict(Rows().take(1))[0] == 200, "the first should go on")


@scenario
def port_taken(service):
    service.start()
    code, text = refused_start(service, str(service.folder / "other.db"), service.port)
    check(code == 1 and str(service.port) in text.rpartition("listening")[2], f"exit {code}: {text}")
    check(Client(service.port).predict(Rows().take(1))[0] == 200, "the first should go on")


def predict_until_the_end(service, number, told, problems):
    client, rng = Client(service.port), random.Random(number)
    for minute in range(1000, 10**9):
        try:
            status, body = client.predict([made_row(rng, f"{number}-{minute}", minute)[0]])
        except GONE:
            return
        if status == 503:
            return
        if status != 200:
            problems.append(f"status {status}: {body[:300]}")
            return
        told.append(ids_of(body)[0])


@scenario
def sigterm_under_load(service):
    for durability in ("power", "process", "power"):
        service.start("--durability", durability)
        told, problems = [], []
        threads = [threading.Thread(target=predict_until_the_end, args=(service, number, told, problems)) for number in range(4)]
        for thread in threads:
            thread.start()
        until = time.monotonic() + 30
        while len(told) <= 100 and not problems and time.monotonic() < until:
            time.sleep(0.1)
        code = service.terminate(15)
        for thread in threads:
            thread.join()
        check(code == 0, f"exit {code}")
        check(not problems and len(told) > 100, f"{len(told)} predictions; {problems}")
        check(not os.path.exists(service.ledger + "-wal"), "the ledger was not closed")
        service.start("--durability", durability)
        check_all_join(Client(service.port), told)
        service.kill()
        check_verifies(service)


GARBAGE = [
    b"\0" * 4096,
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xaa" * 500,  # the beginning of TLS
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET  HTTP/1.1\r\n\r\n",
    b"POST /v1/tasks/t/predictions HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
    b"POST /v1/tasks/t/predictions HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
    b"POST /v1/tasks/t/predictions HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{\"rows\":",  # and no more
    b"POST /v1/tasks/t/predictions HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 30\r\n\r\n{}}",
    b"POST /v1/tasks/t/predictions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZZ\r\n{}\r\n",
    b"POST /v1/tasks/t/predictions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{}",
    b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-A: " + b"b" * 100_000 + b"\r\n\r\n",
    b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n",
    b"GET /v1/tasks/%00%ff%2e%2e HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\r\n\r\n\r\n",
]


def throw_garbage(port, data):
    with socket.create_connection(("127.0.0.1", port), timeout=0.3) as connection, contextlib.suppress(OSError):
        connection.sendall(data)
        connection.recv(65536)


@scenario
def garbage_on_the_socket(service):
    service.start()
    rng, client, rows, told = random.Random(11), Client(service.port), Rows(), []
    silent = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(100)]
    for data in GARBAGE + [rng.randbytes(rng.randint(1, 3000)) for _ in range(50)]:
        throw_garbage(service.port, data)
        status, body = client.predict(rows.take(1))
        check(status == 200, f"after {data[:60]!r}: status {status}: {body[:300]}")
        told += ids_of(body)
    bodies = [b"", b"{", b"null", b"[]", b'{"rows": 3}', b'{"rows": [3]}', b'{"rows": [{}]}', b'{"rows": [{"a": 1e999}]}', b"\xff\xfe", b'{"rows": [{"a": "\\ud800"}]}']
    for body in bodies:
        connection = client.connection
        connection.request("POST", "/v1/tasks/t/predictions", body)
        response = connection.getresponse()
        answer = response.read()
        check(response.status == 400, f"{body!r} is answered {response.status}: {answer[:300]}")
    check_all_join(client, told)
    for connection in silent:
        connection.close()
    check(service.terminate() == 0, "SIGTERM: not exit 0")
    check_verifies(service)


def worker_of(service, seconds=20):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := service.workers():
            return found[0]
        time.sleep(0.005)
    raise Failure(f"no worker came within {seconds} s")


@scenario
def dead_worker(service):
    """The first search is killed once, later trainings too: each is an event, and the service serves."""
    service.budget = "2s"
    service.spawn()
    os.kill(worker_of(service), signal.SIGKILL)
    service.wait_until_ready()
    client, rows = Client(service.port), Rows()
    # A later training may end before it can be killed, so it is waited for beside the rows that bring it about.
    until, done = time.monotonic() + 60, threading.Event()

    def hunt():
        while not done.is_set():
            with contextlib.suppress(Failure, ProcessLookupError):
                os.kill(worker_of(service, seconds=0.1), signal.SIGKILL)

    hunter = threading.Thread(target=hunt)
    hunter.start()
    while True:
        _, body = client.predict(rows.take(300))
        check_all_join(client, ids_of(body))
        failed = [event for event in everlearn_json("events", f"http://127.0.0.1:{service.port}")["events"] if event["kind"] == "failed"]
        if len(failed) >= 2:
            break
        if time.monotonic() > until:
            break
    done.set()
    hunter.join()
    check(len(failed) >= 2, f"two dead workers, but these events: {failed}")
    check(service.terminate() == 0, "SIGTERM: not exit 0")
    check_verifies(service)


def main():
    failed = 0
    for name in sys.argv[1:] or SCENARIOS:
        folder = tempfile.mkdtemp(prefix="service_faults_")
        service, began = Service(folder), time.monotonic()
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
