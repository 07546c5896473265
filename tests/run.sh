#!/usr/bin/env bash
# Installs what is missing, builds, runs every test. The last line is "N passed, N failed".
#   tests/run.sh           everything: release build, then the sanitizer build
#   tests/run.sh --quick   the release build only
set -uo pipefail
cd "$(dirname "$0")/.."

quick=
[ "${1:-}" = --quick ] && quick=yes
passed=0
failed=0

finish() {
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
  exit $?
}

# A step without tests of its own counts only when it fails.
step() {
  local what=$1
  shift
  echo "== $what"
  if ! "$@"; then
    echo "FAILED: $what"
    failed=$((failed + 1))
    finish
  fi
}

# Sums what ctest wrote: <testsuite tests="…" failures="…" disabled="…" skipped="…" …>, over several lines.
count() {
  local suite tests failures skipped
  suite=$(tr '\n\t' '  ' <"$1" | grep -o '<testsuite [^>]*>' | head -n 1)
  number() { grep -oP " $1=\"\K[0-9]+" <<<"$suite" || echo 0; }
  tests=$(number tests) failures=$(number failures) skipped=$(number skipped)
  if [ "$tests" -eq 0 ]; then
    echo "FAILED: ctest ran no test"
    failed=$((failed + 1))
  fi
  [ "$skipped" -eq 0 ] || echo "skipped: $skipped"
  passed=$((passed + tests - failures - skipped))
  failed=$((failed + failures))
}

run_tests() {  # preset, further ctest arguments
  local preset=$1
  shift
  echo "== tests of $preset"
  rm -f "build/$preset/results.xml"
  ctest --test-dir "build/$preset" --output-on-failure --progress --no-tests=error -j 2 \
    --output-junit results.xml "$@" || true
  if [ -f "build/$preset/results.xml" ]; then
    count "build/$preset/results.xml"
  else
    echo "FAILED: ctest of $preset did not run"
    failed=$((failed + 1))
  fi
}

step "packages" deploy/install-packages.sh build client testnet test
# quickstart.sh may have configured this folder without the tests.
step "configure release" cmake --preset release -DSEKISHO_TESTS=ON -DSEKISHO_BENCH=ON
step "build release" cmake --build --preset release
run_tests release

# The first thing a user does.
echo "== quickstart"
if deploy/quickstart.sh --offline --check --port 5853 --data-dir build/quickstart-check; then
  passed=$((passed + 1))
else
  failed=$((failed + 1))
fi

if [ -z "$quick" ]; then
  step "configure asan-ubsan" cmake --preset asan-ubsan
  step "build asan-ubsan" cmake --build --preset asan-ubsan
  export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1
  export UBSAN_OPTIONS=print_stacktrace=1
  export ASAN_SYMBOLIZER_PATH=/usr/bin/llvm-symbolizer-19
  # The daemons of the system tests are sanitized ones here; the crash test is about time and runs above.
  run_tests asan-ubsan --exclude-regex '^system\.crash$'
fi
finish
