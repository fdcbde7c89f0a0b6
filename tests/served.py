"""A running `everlearn run` for the tests of faults: a small made world, the process, and a client that keeps its connection.

The program is $EVERLEARN, else build/release/everlearn."""

import contextlib
import datetime
import http.client
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import time

PROGRAM = str(pathlib.Path(os.environ.get("EVERLEARN", pathlib.Path(__file__).resolve().parent.parent / "build/release/everlearn")).resolve())
BEGINNING = datetime.datetime(2024, 1, 1)
SECONDS_TO_START = 60  # on a busy machine
SECONDS_TO_ANSWER = 60
GONE = (OSError, http.client.HTTPException)  # what a client sees of a service that died


class Failure(Exception):
    pass


def check(condition, text):
    if not condition:
        raise Failure(text)


def made_row(rng, ref, minute, inverted=False):
    """A row without its target, and the target."""
    a, b = rng.gauss(0, 1), rng.gauss(0, 1)
    signal_and_noise = (-3 * a - b if inverted else 2 * a + b) + rng.gauss(0, 0.5)
    at = (BEGINNING + datetime.timedelta(minutes=minute)).isoformat() + "Z"
    return {"ref": ref, "at": at, "a": round(a, 4), "b": round(b, 4), "colour": rng.choice("pqr")}, "yes" if signal_and_noise > 0 else "no"


def write_history(path, rows=600):
    rng = random.Random(rows)
    with open(path, "w") as file:
        file.write("ref,at,a,b,colour,y\n")
        for i in range(rows):
            row, truth = made_row(rng, f"h{i}", i)
            file.write(",".join(map(str, row.values())) + f",{truth}\n")


def free_port():
    """Below those that the system gives to clients: one of theirs may be taken again before the service listens."""
    while True:
        port = random.SystemRandom().randrange(10_000, 32_000)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


def everlearn(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, errors="replace", timeout=600)


def everlearn_json(*arguments):
    result = everlearn(*arguments, "--json")
    check(result.returncode == 0, f"everlearn {' '.join(arguments)}: exit {result.returncode}: {result.stderr[-500:]}")
    return json.loads(result.stdout)


class Service:
    """The process and what it is started with; it can be started and ended many times over one ledger."""

    def __init__(self, folder, budget="20units", history_rows=600, retrain="400 rows"):
        self.folder = pathlib.Path(folder)
        self.ledger, self.log = str(self.folder / "ledger.db"), str(self.folder / "log.jsonl")
        self.history = self.folder / "history.csv"
        self.budget, self.retrain, self.port, self.process = budget, retrain, None, None
        self.time, self.key, self.environment = ["--time", "at"], ["--key", "ref"], {}
        write_history(self.history, history_rows)

    def command(self, port, *more):
        return [PROGRAM, "run", "--task", "t", "--data", str(self.history), "--target", "y", *self.time, *self.key,
                "--budget", self.budget, "--retrain", self.retrain, "--listen", f"127.0.0.1:{port}", "--ledger", self.ledger, *more]  # fmt: skip

    def spawn(self, *more):
        self.port = free_port()
        with open(self.log, "a") as log:
            # Python ignores SIGXFSZ and hands that on: a file that may not grow is then an error of the write, not the end of the process.
            self.process = subprocess.Popen(self.command(self.port, *more), stdout=log, stderr=log, start_new_session=True, restore_signals=False,
                                            env={**os.environ, **self.environment})  # fmt: skip

    def wait_until_ready(self):
        until = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < until:
            check(self.process.poll() is None, f"the service ended by itself with {self.process.returncode}: {self.end_of_log()}")
            try:
                client = Client(self.port)
                status, _ = client.ask("GET", "/health/ready")
                client.close()
                if status == 200:
                    return
            except GONE:
                pass
            time.sleep(0.005)
        raise Failure(f"the service is not ready after {SECONDS_TO_START} s: {self.end_of_log()}")

    def start(self, *more):
        self.spawn(*more)
        self.wait_until_ready()

    def kill(self):
        """SIGKILL to the service alone; its workers must then end by themselves."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def terminate(self, seconds=30):
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failure(f"the service did not end within {seconds} s of SIGTERM: {self.end_of_log()}") from None

    def workers(self):
        """Processes of the service's session, besides itself, that are not dead."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == self.process.pid:
                continue
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == self.process.pid and fields[0] not in "ZX":
                found.append(int(entry.name))
        return found

    def check_no_worker_is_left(self):
        until = time.monotonic() + 10
        while self.workers():
            check(time.monotonic() < until, f"workers go on without their service: {self.workers()}")
            time.sleep(0.01)

    def end_of_log(self):
        return pathlib.Path(self.log).read_text(errors="replace")[-1500:]


class Client:
    """One connection that is kept alive."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS_TO_ANSWER)

    def ask(self, method, path, document=None, key=None):
        """Status and body as bytes; raises one of GONE where no whole answer came."""
        headers = {"Content-Type": "application/json"}
        if key is not None:
            headers["Idempotency-Key"] = key
        self.connection.request(method, path, None if document is None else json.dumps(document), headers)
        response = self.connection.getresponse()
        return response.status, response.read()

    def predict(self, rows, key=None):
        return self.ask("POST", "/v1/tasks/t/predictions", {"rows": rows}, key)

    def send_outcomes(self, outcomes, key=None):
        return self.ask("POST", "/v1/tasks/t/outcomes", {"outcomes": outcomes}, key)

    def close(self):
        self.connection.close()
