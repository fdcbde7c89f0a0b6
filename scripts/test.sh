#!/usr/bin/env bash
# Builds everything and runs every test: ./dev test [REGEX]. One line a suite; details only of what failed.
# PRESET chooses another build than release, LABEL only the tests with that label.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${PRESET:-release}
build=build/$preset
./dev build "$preset" all
arguments=(--test-dir "$build" --parallel "$(nproc)" --output-on-failure --timeout 900 --no-tests=error)
[ $# -gt 0 ] && arguments+=(--tests-regex "$1")
[ -n "${LABEL:-}" ] && arguments+=(--label-regex "$LABEL")

status=0
ctest "${arguments[@]}" >"$build/ctest.log" 2>&1 || status=$?
python3 - "$build/ctest.log" <<'PYTHON'
import collections, re, sys

suites = collections.defaultdict(collections.Counter)
text = open(sys.argv[1], errors="replace").read()
result = re.compile(r"^ *\d+/\d+ Test +#\d+: (\S+) .*?\.{2,} *(?:\*\*\*)?(Passed|Skipped|\w[\w ()]*?) +([\d.]+) sec", re.M)
for name, outcome, seconds in result.findall(text):
    suite = suites[re.split(r"[./]", name)[0]]
    suite[outcome if outcome in ("Passed", "Skipped") else "failed"] += 1
    suite["seconds"] += float(seconds)
for name, suite in sorted(suites.items()):
    parts = [f"{suite[key]} {key.lower()}" for key in ("Passed", "Skipped", "failed") if suite[key]]
    print(f"{name:32} {', '.join(parts):32} {suite['seconds']:7.1f} s")
total = sum((suite for suite in suites.values()), collections.Counter())
print(f"{'all':32} {total['Passed']} passed, {total['Skipped']} skipped, {total['failed']} failed")
PYTHON
if [ "$status" != 0 ]; then
  # The output of failed tests stands between their start and their result line.
  awk '/^ *Start +[0-9]+:/ {next} /Test +#[0-9]+:.*(Passed|Skipped)/ {next} /\(Skipped\)$/ {next} {print}' "$build/ctest.log" | tail -n 200 >&2
  echo "tests failed (log: $build/ctest.log)" >&2
fi
exit "$status"
