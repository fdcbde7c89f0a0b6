#!/usr/bin/env python3
"""Kills a served task (SIGKILL) at random moments under load, and holds it to what it told its clients: faults_test.py [KILLS] [--seed N] (default: 200).

Each client keeps a book: which predictions it was given, which outcomes it was told were joined, and, where a request got no answer, every state the
service may then be in. Every later answer must fit the book, and at the end the ledger must. A seed fixes what is asked and when is killed, not the
machine's timing: a seed that failed fails again often, not surely.
"""

import argparse
import csv
import itertools
import json
import random
import shutil
import statistics
import sys
import tempfile
import threading
import time

from served import GONE, Client, Failure, Service, check, everlearn_json, made_row

CLIENTS = 4
KILLS_OF_A_LEDGER = 50
MINUTES_OF_A_WORLD = 4000  # rows until the world turns round, so that there is something to decide
ABSENT, OPEN = ("absent",), ("open",)


def after_outcome(state, value):
    """What the service answers to an outcome in this state, and the state after it."""
    if state == ABSENT or state[0] == "early":
        return "early", ("early", value)
    if state == OPEN:
        return "joined", ("known", value, True)
    return "duplicate" if state[1] == value else "corrected", ("known", value, state[2])


def after_prediction(state):
    if state == ABSENT:
        return OPEN
    return ("known", state[1], False) if state[0] == "early" else state


class Target:
    """A row to be predicted once, and the states in which the service may hold it."""

    def __init__(self, row, truth):
        self.row, self.truth, self.told, self.states = row, truth, None, {ABSENT}

    def predicted(self, answer):
        self.states = {after_prediction(state) for state in self.states} | (set() if answer else self.states)
        self.told = answer or self.told

    def outcome(self, value, status):
        steps = [after_outcome(state, value) for state in self.states]
        if status is None:
            self.states |= {state for _, state in steps}
            return
        fitting = {state for answer, state in steps if answer == status}
        check(fitting, f"the outcome {value} of {self.row['ref']} ({self.told and self.told['id']}) is answered {status}; its possible states: {self.states}")
        self.states = fitting

    @property
    def is_certain(self):
        return len(self.states) == 1

    @property
    def scored(self):
        return sum(state[0] == "known" and state[2] for state in self.states)


class Request:
    """One with an Idempotency-Key, to be sent again."""

    def __init__(self, path, document, key, apply):
        self.path, self.document, self.key, self.apply, self.answer = path, document, key, apply, None


class BookKeeper:
    """A client: asks at random, and checks each answer against its book."""

    def __init__(self, name, seed, minutes):
        self.name, self.rng, self.minutes, self.numbers = name, random.Random(f"{seed} {name}"), minutes, itertools.count()
        self.targets, self.early, self.unanswered, self.answered = [], [], [], []
        self.client, self.requests = None, 0

    def new_target(self):
        minute = next(self.minutes)
        return Target(*made_row(self.rng, f"{self.name}-{next(self.numbers)}", 1000 + minute, minute // MINUTES_OF_A_WORLD % 2 == 1))

    def send(self, request):
        """The body, checked to be an answer; what the answer says goes into the book, also that there was none."""
        try:
            status, body = self.client.ask("POST", f"/v1/tasks/t/{request.path}", request.document, request.key)
        except GONE:
            if request.answer is None:
                request.apply(None)
                if request.key:
                    self.unanswered.append(request)
            raise
        self.requests += 1
        check(status == 200, f"status {status} to {request.path} {request.document}: {body[:500]}")
        if request.answer is not None:
            check(body == request.answer, f"the key {request.key} sent again: {body[:300]} instead of {request.answer[:300]}")
            return
        request.apply(json.loads(body)[request.path])
        if request.key:
            request.answer = body
            self.answered.append(request)

    def key(self):
        return f"{self.name}.{self.rng.getrandbits(64):x}" if self.rng.random() < 0.4 else None

    def predict(self, targets):
        def apply(answers):
            check(answers is None or len(answers) == len(targets), f"{len(targets)} rows got {answers}")
            for target, answer in zip(targets, answers or itertools.repeat(None)):
                target.predicted(answer)

        for target in targets:
            if target not in self.early:
                self.targets.append(target)
        self.send(Request("predictions", {"rows": [target.row for target in targets]}, self.key(), apply))

    def send_outcomes(self, pairs, key=None):
        """`pairs`: targets with the value to send."""

        def apply(answers):
            for (target, value), answer in zip(pairs, answers or itertools.repeat(None)):
                target.outcome(value, answer and answer["status"])

        def one(target, value):
            by_id = target.told is not None and self.rng.random() < 0.7
            return {**({"id": target.told["id"]} if by_id else {"ref": target.row["ref"]}), "outcome": value}

        self.send(Request("outcomes", {"outcomes": [one(*pair) for pair in pairs]}, key, apply))

    def some_outcomes(self):
        recent = self.targets[-30:] if self.rng.random() < 0.7 else self.targets
        chosen = [self.rng.choice(recent) for _ in range(self.rng.randint(1, 8))] if recent else []
        wrong = {"yes": "no", "no": "yes"}
        # Some are sent twice in one request, and some wrongly at first.
        pairs = [(target, target.truth if self.rng.random() < 0.95 else wrong[target.truth]) for target in chosen for _ in range(self.rng.choice((1, 1, 1, 2)))]
        if pairs:
            self.send_outcomes(pairs, self.key())

    def outcome_before_prediction(self):
        target = self.new_target()
        self.early.append(target)
        self.targets.append(target)
        self.send_outcomes([(target, target.truth)], self.key())

    def predict_an_early_one(self):
        waiting = [target for target in self.early if target.told is None and target.is_certain]
        if waiting:
            target = self.rng.choice(waiting)
            self.predict([target])
            self.early.remove(target)

    def repeat(self, requests):
        for request in requests:
            self.send(request)

    def repeat_unanswered(self):
        while self.unanswered:
            request = self.unanswered.pop(0)
            self.send(request)
            self.send(request)

    def act(self):
        chance = self.rng.random()
        if chance < 0.45:
            self.predict([self.new_target() for _ in range(self.rng.choice((1, 1, 2, 5, 20)))])
        elif chance < 0.88:
            self.some_outcomes()
        elif chance < 0.92:
            self.outcome_before_prediction()
        elif chance < 0.95:
            self.predict_an_early_one()
        else:
            self.repeat(self.rng.sample(self.answered, min(2, len(self.answered))))

    def check_what_was_told(self):
        """First thing after a restart, for the last that was said before it: all that is known is told again as it was."""
        self.repeat(self.answered[-5:])
        told = [target for target in self.targets[-60:] if target.told]
        if told:
            self.send_outcomes([(target, target.truth) for target in told])

    def work(self, port, failures):
        self.client = Client(port)
        try:
            self.repeat_unanswered()
            self.check_what_was_told()
            while not failures:
                self.act()
        except GONE:
            pass
        except Exception as error:  # noqa: BLE001 - whatever a client stumbles over is the test's result
            failures.append(error if isinstance(error, Failure) else Failure(f"{type(error).__name__}: {error}"))
        finally:
            self.client.close()

    def settle(self, port):
        """All that is uncertain becomes certain; all that was told is asked for once more."""
        self.client = Client(port)
        self.repeat_unanswered()
        for first in range(0, len(self.targets), 200):
            self.send_outcomes([(target, target.truth) for target in self.targets[first : first + 200]])
        self.repeat(self.answered[::7])
        self.client.close()


def check_export(service, targets):
    """The ledger's predictions are those that were told, and their outcomes too; nothing is scored that was not told."""
    path = str(service.folder / "predictions.csv")
    everlearn_json("ledger", "export", service.ledger, path)
    with open(path, newline="") as file:
        rows = {int(row["row"]): row for row in csv.DictReader(file)}
    told = [target for target in targets if target.told]
    for target in told:
        row = rows.get(int(target.told["id"].partition("-")[0], 16))
        check(row is not None, f"the ledger lacks the prediction {target.told['id']}")
        same = row["prediction"] == target.told["prediction"] and all(float(row[f"probability_{k}"]) == p for k, p in target.told["probabilities"].items())
        check(same, f"the prediction {target.told} is {row} in the ledger")
        (state,) = target.states
        check((row["outcome"] == target.truth) == (row["loss"] != "") == (state[0] == "known" and state[2]), f"{row} was told as {state}, {target.truth}")
    scored, told_scored = sum(row["loss"] != "" for row in rows.values()), sum(target.scored for target in targets)
    check(scored == told_scored, f"{scored} rows of the ledger are scored, {told_scored} outcomes of such rows were joined")
    served = everlearn_json("status", service.ledger)["served"]["rows"]
    check(served == scored, f"{served} rows count, but {scored} are scored")
    return len(told), scored


def check_decisions(service):
    """Everything comes out equal when it is computed again."""
    check(len(everlearn_json("ledger", "verify", service.ledger)["tasks"]) == 1, "one task should be verified")
    check(everlearn_json("certificate", service.ledger)["recomputed_equal"], "the certificate is not recomputed equal")
    numbers = [event["decision"] for event in everlearn_json("events", service.ledger)["events"] if "decision" in event]
    for number in numbers[:3] + numbers[-3:]:
        check(everlearn_json("explain-decision", service.ledger, str(number))["recomputed_equal"], f"decision {number} is not recomputed equal")
    return len(numbers)


class Life:
    """One ledger with its kills."""

    def __init__(self, folder, seed):
        self.service, self.rng = Service(folder), random.Random(seed)
        minutes = itertools.count()
        self.clients = [BookKeeper(f"c{number}", seed, minutes) for number in range(CLIENTS)]
        self.starts = []

    def start(self):
        began = time.monotonic()
        self.service.start("--durability", self.rng.choice(("process", "power")))
        self.starts.append(time.monotonic() - began)

    def kill_at_start(self):
        self.service.spawn("--durability", "process")
        time.sleep(self.rng.uniform(0, 0.25))
        self.service.kill()

    def kill_under_load(self):
        self.start()
        failures = []
        threads = [threading.Thread(target=client.work, args=(self.service.port, failures)) for client in self.clients]
        for thread in threads:
            thread.start()
        time.sleep(self.rng.choice((0.1, 0.4, 0.8)) * self.rng.random())
        ended = self.service.process.poll()
        self.service.kill()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]
        check(ended is None, f"the service ended by itself with {ended}: {self.service.end_of_log()}")
        self.service.check_no_worker_is_left()

    def run(self, kills):
        for _ in range(kills):
            if self.rng.random() < 0.15:
                self.kill_at_start()
            else:
                self.kill_under_load()
        self.start()
        for client in self.clients:
            client.settle(self.service.port)
        if self.rng.random() < 0.5:
            self.service.kill()  # the ledger must be whole without a last word, too
        else:
            check(self.service.terminate() == 0, "SIGTERM: not exit 0")
        told, scored = check_export(self.service, [target for client in self.clients for target in client.targets])
        decisions = check_decisions(self.service)
        requests = sum(client.requests for client in self.clients)
        print(f"{kills} kills: {requests:,} requests answered, {told:,} predictions told, {scored:,} scored, {decisions} decisions; "
              f"ready after {statistics.median(self.starts):.2f} s (median), {max(self.starts):.2f} s (longest)", flush=True)  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kills", type=int, nargs="?", default=200)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    for number, first in enumerate(range(0, arguments.kills, KILLS_OF_A_LEDGER)):
        folder = tempfile.mkdtemp(prefix="faults_")
        life = Life(folder, f"{arguments.seed} {number}")
        try:
            life.run(min(KILLS_OF_A_LEDGER, arguments.kills - first))
        except Failure as failure:
            sys.exit(f"FAILED: {failure}\nIts files are in {folder}. Again: faults_test.py {arguments.kills} --seed {arguments.seed}")
        finally:
            life.service.kill()
        shutil.rmtree(folder)
    print(f"{arguments.kills} kills: nothing that was told was lost or doubled")


if __name__ == "__main__":
    main()
