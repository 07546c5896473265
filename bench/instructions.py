#!/usr/bin/env python3
"""Counts the instructions that a question costs in the core, by callgrind: the same on a busy machine and a quiet one.

    bench/instructions.py [--rules 100000] [--case NAME]

Each case of pipeline_bench runs once with one round and once with three; the difference is what the questions cost and
nothing else. Needs valgrind. Prints a table in Markdown.
"""

import argparse
import os
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[1]
BENCH = pathlib.Path(os.environ.get("SEKISHO_BENCH", ROOT / "build/release/bench"))
CASES = ["hit", "hit+policy", "hit+record", "hit+policy+record", "blocked+record", "miss+policy+record"]
QUESTIONS = 4096


def instructions(case, rules, rounds):
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", BENCH / "pipeline_bench", f"--case={case}",
         f"--rules={rules}", f"--questions={QUESTIONS}", f"--rounds={rounds}"],
        capture_output=True, text=True, check=True,
        # As the daemon runs.
        env=dict(os.environ, GLIBC_TUNABLES="glibc.malloc.tcache_count=1000"))
    return int(re.search(r"Collected : (\d+)", done.stderr).group(1))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rules", type=int, default=100_000)
    parser.add_argument("--case", action="append", choices=CASES)
    args = parser.parse_args()
    print("| case | instructions a question |\n|---|---|")
    for case in args.case or CASES:
        cost = instructions(case, args.rules, 3) - instructions(case, args.rules, 1)
        print(f"| {case} | {cost / 2 / QUESTIONS:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
