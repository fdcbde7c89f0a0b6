"""Clients at full rate for benchmarks/soak and benchmarks/restart: processes that predict in batches, and send the outcomes some batches later."""

import collections
import multiprocessing
import pathlib
import random
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))
from served import GONE, Client, made_row  # noqa: E402

POOL = 20_000  # rows made beforehand: making them would take longer than the service needs
TURN = 200_000  # rows of a client until the world turns round


class Load:
    """Some client processes; what they have done is in `rows`, `errors` and `slowest` (seconds of a request, since it was last asked for)."""

    def __init__(self, port, clients=2, batch=50, late=10):
        self.counts = [multiprocessing.Array("d", 3, lock=False) for _ in range(clients)]
        self.stopping = multiprocessing.Event()
        self.processes = [multiprocessing.Process(target=run_client, args=(number, port, batch, late, count, self.stopping), daemon=True)
                          for number, count in enumerate(self.counts)]  # fmt: skip
        for process in self.processes:
            process.start()

    @property
    def rows(self):
        return int(sum(count[0] for count in self.counts))

    @property
    def errors(self):
        return int(sum(count[1] for count in self.counts)) + sum(process.exitcode not in (None, 0) for process in self.processes)

    def slowest(self):
        found = max(count[2] for count in self.counts)
        for count in self.counts:
            count[2] = 0
        return found

    def stop(self):
        self.stopping.set()
        for process in self.processes:
            process.join(60)
            process.kill()


def run_client(number, port, batch, late, count, stopping):
    import json

    rng = random.Random(number)
    worlds = [[made_row(rng, "", 0, inverted) for _ in range(POOL)] for inverted in (False, True)]
    client, waiting, sent = Client(port), collections.deque(), 0

    def ask(path, document):
        began = time.monotonic()
        try:
            status, body = client.ask("POST", f"/v1/tasks/t/{path}", document)
        except GONE as error:
            status, body = 0, str(error).encode()
        count[2] = max(count[2], time.monotonic() - began)
        if status == 200:
            return json.loads(body)[path]
        if not stopping.is_set():
            count[1] += 1
            print(f"client {number}: {status} {body[:200]}", flush=True)
            time.sleep(0.2)
        return None

    while not stopping.is_set():
        world = worlds[sent // TURN % 2]
        chosen = [world[(sent + i) % POOL] for i in range(batch)]
        at = f"2025-{1 + sent // 28_000_000:02}-{1 + sent // 1_000_000 % 28:02}T00:00:00Z"
        answers = ask("predictions", {"rows": [{**row, "ref": f"{number}.{sent + i}", "at": at} for i, (row, _) in enumerate(chosen)]})
        sent += batch
        if answers is None:
            continue
        waiting.append([{"id": answer["id"], "outcome": truth} for answer, (_, truth) in zip(answers, chosen)])
        if len(waiting) > late:
            statuses = ask("outcomes", {"outcomes": waiting.popleft()})
            if statuses is not None and any(status["status"] != "joined" for status in statuses):
                count[1] += 1
                print(f"client {number}: outcomes are not joined: {statuses[:5]}", flush=True)
        count[0] += batch
