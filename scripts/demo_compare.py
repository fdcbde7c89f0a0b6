#!/usr/bin/env python3
"""Says whether two results of a replay are equal but for time and memory: demo_compare.py A B. Exit status 1 where they are not."""

import json
import sys

MEASURED = ("seconds", "cpu_seconds", "peak_memory_bytes")


def figures(document, path=""):
    """(path, value) of every number and text that must be equal."""
    if isinstance(document, dict):
        for key, value in document.items():
            if key not in MEASURED:
                yield from figures(value, f"{path}.{key}")
    elif isinstance(document, list):
        for index, value in enumerate(document):
            yield from figures(value, f"{path}[{index}]")
    else:
        yield path, document


def main():
    first, second = (dict(figures(json.load(open(name)))) for name in sys.argv[1:])
    different = sorted(path for path in first.keys() | second.keys() if first.get(path) != second.get(path))
    for path in different[:20]:
        print(f"{path}: {first.get(path)} and {second.get(path)}")
    print(f"{len(first):,} figures compared, {len(different)} differ.")
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
