#!/usr/bin/env bash
# From a table to predictions, and then to a model that looks after itself: examples/quickstart.sh [FOLDER] (default: a temporary one).
# The data is made up here, by SQL: loans, of which about a fifth are not paid back, and whose rules change in the third year.
set -euo pipefail
PATH=$(cd "$(dirname "$0")/.." && pwd)/build/release:$PATH
cd "${1:-$(mktemp -d)}"

everlearn query "
  WITH draws AS (SELECT i, hash(i, 'income') % 1000 / 10.0 AS income, hash(i, 'amount') % 500 / 10.0 AS amount,
                        ['car', 'house', 'study', 'other'][(hash(i, 'purpose') % 4 + 1)::INTEGER] AS purpose, hash(i, 'luck') % 1000 / 1000.0 AS luck
                 FROM range(9000) t(i))
  SELECT TIMESTAMP '2021-01-01' + to_hours((i * 3)::INTEGER) AS granted, income, amount, purpose,
         CASE WHEN luck < 1 / (1 + exp(2 + income / 20 - amount / (CASE WHEN i < 6000 THEN 20 ELSE 10 END))) THEN 'default' ELSE 'paid' END AS outcome
  FROM draws ORDER BY i" --output loans.csv

# One table, one model; a leaderboard of the learners that were tried.
everlearn fit "SELECT * FROM 'loans.csv' WHERE granted < '2023-01-01'" --target outcome --model loans.safetensors

# Predictions for new rows, and how good they were.
everlearn predict loans.safetensors "SELECT * EXCLUDE (outcome) FROM 'loans.csv' WHERE granted >= '2023-01-01'" --output scored.csv
everlearn evaluate loans.safetensors "SELECT * FROM 'loans.csv' WHERE granted >= '2023-01-01'"

# The same history as a stream: each loan is predicted when it is granted, and its outcome is known three days later.
everlearn replay loans.csv --target outcome --time granted --delay 3d --start 2000 --ledger loans.db
everlearn events loans.db
