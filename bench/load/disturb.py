#!/usr/bin/env python3
"""Does anything that Sekisho does beside answering make cached answers late?

    bench/load/disturb.py [--rate 20000] [--seconds 8]

All three daemons run with a list of a million rules; the generator asks for cached names at a steady rate, counting
from when each question was due. Meanwhile, one after the other: nothing, single rules are added and removed, the list
changes by ten thousand names and is compiled anew, the settings are read again, analysts ask wide questions of the
log, and new names come in faster than the cache can hold them. Printed: latency of the cached answers, the longest
time without any, and what was lost. Same machine, internet and list as load.py; nothing leaves the machine.
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from load import BENCH, LOAD_CPU, PATH, RESOLVER_CPU, Internet, answers, prepare, run, wait_for  # noqa: E402
from resolvers import BIN, PORT, ROOT, sekisho_config  # noqa: E402


class Sekisho:
    """The three daemons on a data folder of their own."""

    def __init__(self, world, scratch):
        self.folder = scratch / "disturb"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        self.list = self.folder / "list.txt"
        shutil.copy(scratch / "list.txt", self.list)
        self.config = self.folder / "sekisho.yaml"
        feed = f"{{name: load, url: {self.list}, format: domains, category: malware, rank: 1}}"
        self.config.write_text(sekisho_config(world, self.folder / "data", feed, "  cache_bytes: 67108864\n"))
        self.processes = {}
        for name in ("feedd", "logd", "resolverd"):
            self.start(name)
        wait_for("answers", lambda: answers("127.0.0.1", "ready.plain.", PORT), 60)
        blocked = self.list.read_text().splitlines()[0]
        wait_for("the list is in force", lambda: not answers("127.0.0.1", blocked, PORT), 120)

    def start(self, name):
        log = (self.folder / f"{name}.log").open("wb")
        # Two processors have to do: what would have one of its own elsewhere leaves this one to the generator.
        where = ["taskset", "-c", RESOLVER_CPU] if name == "resolverd" else ["chrt", "--idle", "0", "taskset", "-c", LOAD_CPU]
        self.processes[name] = subprocess.Popen([*where, BIN / f"sekisho-{name}", "--config", self.config],
                                                stdout=log, stderr=log, env=dict(os.environ, PATH=PATH))

    def tool(self, *words):
        return subprocess.run(["chrt", "--idle", "0", "taskset", "-c", LOAD_CPU, BIN / "sekisho", "--config", self.config, *words], capture_output=True, check=False)

    def stop(self):
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(60)


def nothing(_sekisho, _world, over):
    over.wait()


def rules(sekisho, _world, over):
    """Single rules, as an analyst adds them."""
    while not over.wait(0.2):
        sekisho.tool("block", "add", "attack.example", "--reason", "load run")
        sekisho.tool("block", "remove", "attack.example")


def compile_list(sekisho, _world, over):
    """A new version of the list."""
    names = sekisho.list.read_text().splitlines()
    while not over.is_set():
        names = [f"new{len(names[0])}{n}" for n in names[:10_000]] + names[10_000:]
        sekisho.list.write_text("\n".join(names) + "\n")
        sekisho.tool("feed", "sync", "load")


def reload(sekisho, _world, over):
    """The settings are read again."""
    while not over.wait(0.2):
        sekisho.processes["resolverd"].send_signal(signal.SIGHUP)


def analysts(sekisho, _world, over):
    """Wide questions to the log."""
    while not over.wait(0.05):
        sekisho.tool("log", "--under", "plain.", "--limit", "2000", "--format", "jsonl")


def evictions(_sekisho, world, over):
    """New names without end, in a cache too small for them."""
    while not over.is_set():
        run(["chrt", "--idle", "0", "taskset", "-c", LOAD_CPU, BENCH / "dns_load", f"--port={PORT}", "--seconds=2", "--window=20",
             f"--questions={world.folder}/questions/miss.txt", "--order=uniform"], capture_output=True)


DISTURBANCES = {"nothing": nothing, "rules": rules, "compile": compile_list, "reload": reload, "analysts": analysts,
                "evictions": evictions}


def measure(sekisho, world, disturb, args):
    over = threading.Event()
    thread = threading.Thread(target=disturb, args=(sekisho, world, over))
    thread.start()
    try:
        done = run(["taskset", "-c", LOAD_CPU, BENCH / "dns_load", f"--port={PORT}", f"--rate={args.rate}",
                    f"--seconds={args.seconds}", "--order=zipf", f"--questions={world.folder}/questions/hits.txt"],
                   capture_output=True, text=True)
    finally:
        over.set()
        thread.join()
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--only", action="append", choices=list(DISTURBANCES))
    parser.add_argument("--zones", type=int, default=100_000)
    parser.add_argument("--folder", default=str(ROOT / "build/load"))
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if not args.inside:
        os.execvp("unshare", ["unshare", "-rn", sys.executable, os.path.abspath(__file__), *sys.argv[1:], "--inside"])
    run(["ip", "link", "set", "lo", "up"])
    world, scratch = prepare(args)
    internet = Internet(world.folder)
    sekisho = None
    try:
        internet.start()
        sekisho = Sekisho(world, scratch)
        run([BENCH / "dns_load", f"--port={PORT}", "--once", "--window=50", "--seconds=60",
             f"--questions={world.folder}/questions/hits.txt"], capture_output=True)
        print("| meanwhile | p50 µs | p99 | p99.9 | longest | longest gap, ms | lost |\n|---|---|---|---|---|---|---|")
        for name in args.only or DISTURBANCES:
            r = measure(sekisho, world, DISTURBANCES[name], args)
            print(f"| {name} | {r['p50_us']} | {r['p99_us']} | {r['p999_us']} | {r['max_us']} | {r['gap_ms']} | "
                  f"{r['lost']} of {r['sent']} |", flush=True)
    finally:
        if sekisho:
            sekisho.stop()
        internet.stop()


if __name__ == "__main__":
    main()
