"""A PostgreSQL server for a test: its own cluster in a temporary folder, reached by a Unix socket, run by an unprivileged user.

`tests/postgres_server.py PROGRAM…` runs a program beside a fresh server; $POSTGRESQL is its address."""

import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse

SECONDS_TO_START = 60


def program(name):
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    if not found:
        sys.exit(f"there is no {name}: run ./dev setup")
    return str(found[-1])


class Postgres:
    def __init__(self, fsync=False):
        self.folder = tempfile.mkdtemp(prefix="everlearn-pg-")
        self.process = None
        self.settings = ["-k", self.folder, "-c", "listen_addresses=", "-c", f"fsync={'on' if fsync else 'off'}"]
        self.user = {}
        if os.geteuid() == 0:  # which PostgreSQL refuses
            entry = pwd.getpwnam("postgres")
            os.chown(self.folder, entry.pw_uid, entry.pw_gid)
            self.user = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        self.log = open(self.folder + "/log", "ab")
        words = [program("initdb"), f"--pgdata={self.folder}/data", "--username=tester", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
        subprocess.run(words, check=True, stdout=self.log, stderr=self.log, cwd=self.folder, **self.user)
        self.start()

    def url(self, schema=""):
        return f"postgresql://tester@{urllib.parse.quote(self.folder, safe='')}/postgres" + (f"?schema={schema}" if schema else "")

    def sql(self, text):
        words = [program("psql"), "-h", self.folder, "-U", "tester", "-d", "postgres", "-qtAX", "-v", "ON_ERROR_STOP=1"]
        return subprocess.run(words, input=text, check=True, capture_output=True, text=True).stdout.strip()

    def start(self):
        words = [program("postgres"), "-D", self.folder + "/data", *self.settings]
        self.process = subprocess.Popen(words, stdout=self.log, stderr=self.log, cwd=self.folder, **self.user)
        until = time.monotonic() + SECONDS_TO_START
        while subprocess.run([program("pg_isready"), "-q", "-h", self.folder]).returncode != 0:
            if time.monotonic() > until or self.process.poll() is not None:
                sys.exit("the server does not start: " + pathlib.Path(self.folder, "log").read_text(errors="replace")[-1000:])
            time.sleep(0.05)

    def stop(self, how=signal.SIGINT):
        """SIGINT: sessions are ended, all is written; SIGQUIT: as a crash."""
        self.process.send_signal(how)
        self.process.wait()

    def remove(self):
        if self.process.poll() is None:
            self.stop(signal.SIGQUIT)
        self.log.close()
        shutil.rmtree(self.folder)


def main():
    server = Postgres(fsync=True)
    try:
        sys.exit(subprocess.run(sys.argv[1:], env={**os.environ, "POSTGRESQL": server.url()}).returncode)
    finally:
        server.remove()


if __name__ == "__main__":
    main()
