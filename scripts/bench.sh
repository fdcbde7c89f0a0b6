#!/usr/bin/env bash
# Runs the benchmark programs of build/release/benchmarks: ./dev bench [NAME…]. docs/benchmarks.md says what each shows.
set -euo pipefail
cd "$(dirname "$0")/.."
shopt -s nullglob
for program in build/release/benchmarks/*; do
  [ -f "$program" ] && [ -x "$program" ] || continue
  name=$(basename "$program")
  if [ $# -eq 0 ] || printf '%s\n' "$@" | grep -qx "$name"; then
    echo "== $name"
    "$program"
  fi
done
