#!/usr/bin/env bash
# Formatting and layers: ./dev lint. With clang-tidy on what differs from the main branch (or, there, the last commit): ./dev lint --tidy; on everything: --all.
set -euo pipefail
cd "$(dirname "$0")/.."
build=build/release
mapfile -t files < <(git ls-files --cached --others --exclude-standard -- '*.cc' '*.h' | while read -r file; do [ -f "$file" ] && echo "$file"; done)
clang-format-14 --dry-run -Werror "${files[@]}" 2>&1 | head -40
python3 tests/layers_test.py
[ -n "${1:-}" ] || exit 0

[ -f "$build/compile_commands.json" ] || cmake --preset release >/dev/null
if [ "${1:-}" = --all ]; then
  changed=("${files[@]}")
else
  base=$(git merge-base HEAD origin/main 2>/dev/null || git rev-parse HEAD)
  [ "$base" = "$(git rev-parse HEAD)" ] && base=$(git rev-parse HEAD~1 2>/dev/null || git hash-object -t tree /dev/null)
  mapfile -t changed < <({ git diff --name-only "$base"; git ls-files --others --exclude-standard; } | sort -u | grep -E '\.(cc|h)$' || true)
fi
# Headers are checked through the sources that include them; tests by the compiler's warnings alone.
mapfile -t sources < <(printf '%s\n' "${changed[@]}" | { grep -E '\.cc$' || true; } | { grep -vE '(_test|_fuzz|_benchmark)\.cc$' || true; })
for i in "${!sources[@]}"; do [ -f "${sources[$i]}" ] || unset "sources[$i]"; done
[ ${#sources[@]} -gt 0 ] || exit 0
printf '%s\n' "${sources[@]}" |
  xargs -P "$(nproc)" -n 4 clang-tidy-14 -p "$build" --quiet --extra-arg=-Wno-unknown-warning-option >"$build/tidy.log" 2>&1 ||
  { grep -vE '^[0-9]+ warnings? (generated|treated)' "$build/tidy.log" | head -100 >&2; exit 1; }
