#!/usr/bin/env python3
"""Checks the house: includes against the layers that CMakeLists.txt declares, the length of files, the comment each begins with."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LONGEST = 500  # lines


def declared_layers(text):
    """Layer → the folders it may include: itself, and what it depends on, directly or not."""
    allowed = {}
    for name, depends in re.findall(r"everlearn_layer\(\s*(\w+)(?:\s+DEPENDS((?:\s+(?!LIBRARIES)[\w]+)+))?", text):
        allowed[name] = {name}.union(*(allowed[below] for below in depends.split()))
    return allowed


def sources():
    for path in sorted(ROOT.rglob("*")):
        parts = path.relative_to(ROOT).parts
        if path.suffix in (".cc", ".h", ".py", ".sh") and parts[0] != "build" and not any(part.startswith(".") or part == "node_modules" for part in parts):
            yield path


def problems_of(path, allowed):
    relative = path.relative_to(ROOT)
    lines = path.read_text().splitlines()
    if len(lines) > LONGEST:
        yield f"{relative}: {len(lines)} lines, at most {LONGEST} are allowed"
    start = [line for line in lines[:3] if not line.startswith("#!")]
    explained = path.suffix == ".cc" and path.with_suffix(".h").is_file()  # its header says it
    if not start or not explained and not re.match(r'//|# |"""', start[0]):
        yield f"{relative}:1: the file does not begin with a comment that says its purpose"
    if path.suffix not in (".cc", ".h"):
        return
    folder = relative.parts[0]
    for number, line in enumerate(lines, 1):
        match = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if not match:
            continue
        if not (ROOT / match[1]).is_file():
            yield f"{relative}:{number}: includes {match[1]}, which is no file (paths begin at the top folder)"
        target = match[1].split("/")[0]
        if folder in allowed and target not in allowed[folder]:
            yield f"{relative}:{number}: {folder} must not include {match[1]}; it may include {', '.join(sorted(allowed[folder]))}"


def main():
    allowed = declared_layers((ROOT / "CMakeLists.txt").read_text())
    if "base" not in allowed or "base" not in allowed.get("cli", ()):
        sys.exit("CMakeLists.txt: the declarations of layers could not be read")
    found = [problem for path in sources() for problem in problems_of(path, allowed)]
    if found:
        print("\n".join(found))
        sys.exit(f"{len(found)} problems")


if __name__ == "__main__":
    main()
