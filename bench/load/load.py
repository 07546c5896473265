#!/usr/bin/env python3
"""Runs Sekisho and its peers on the same questions, in turn, and prints what each question cost.

    bench/load/load.py                                     everything, all resolvers that are installed
    bench/load/load.py --only sekisho --only unbound --work hits --work miss --rounds 5

An internet of 100,000 zones behind nsd stands in a network namespace of its own (no root needed where user
namespaces are allowed; nothing leaves the machine). The resolver runs on the first processor, with one thread; the
generator and the authoritative servers share the second. Each round runs every workload with every resolver, each
time freshly started, so that what the machine does meanwhile falls on all alike.

Sekisho has a list of a million rules in force and records every lookup; its peers run without either unless
--list gives them the same list as a response policy zone. "sekisho-nolist" is Sekisho without the list.

Printed: µs of CPU a question by the kernel's own account of the resolver's process (user + system, median over the
rounds and range), questions a second, latency at half of that rate, and memory. --json keeps everything that was
measured, --plot draws the CPU times (needs python3-matplotlib).
"""

import argparse
import dataclasses
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from resolvers import BIN, PORT, RESOLVERS, ROOT, World, sekisho_config  # noqa: E402

BENCH = BIN.parent / "bench"
RULES = 1_000_000
TICK = os.sysconf("SC_CLK_TCK")
RESOLVER_CPU, LOAD_CPU = "0", "1"
PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"


@dataclasses.dataclass
class Work:
    """What is asked. `warm` is asked once, unmeasured, before."""
    questions: str
    options: tuple = ()
    warm: str = ""
    about: str = ""


WORK = {
    "hits": Work("hits", ("--order=zipf",), "hits", "10,000 cached names by Zipf's law"),
    "tcp": Work("hits", ("--order=zipf", "--tcp", "--sockets=20"), "hits", "the same over 20 TCP connections"),
    "blocked": Work("blocked", ("--order=uniform",), "", "names on the list, each about once"),
    "miss": Work("miss", ("--once",), "warm", "new names in known zones"),
    "miss-signed": Work("miss-signed", ("--once", "--dnssec"), "warm-signed", "the same, signed"),
    "cold": Work("cold", ("--once",), "", "new zones"),
    "cold-signed": Work("cold-signed", ("--once", "--dnssec"), "", "new signed zones"),
    "nx": Work("nx", ("--order=sequence",), "warm", "names that do not exist"),
    "nx-signed": Work("nx-signed", ("--order=sequence",), "warm-signed", "the same, signed"),
    "mix": Work("mix", ("--order=sequence",), "hits", "nine cached names, one new name"),
}


def run(command, **how):
    return subprocess.run([str(c) for c in command], check=True, env=dict(os.environ, PATH=PATH), **how)


def wait_for(what, condition, patience):
    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"after {patience} s still not: {what}")
        time.sleep(0.1)


def answers(server, name, port=53):
    done = subprocess.run(["dig", f"@{server}", "-p", str(port), "+tries=1", "+time=1", name, "A"],
                          capture_output=True, text=True, check=False)
    return "status: NOERROR" in done.stdout and "\tA\t" in done.stdout


class Internet:
    """Three authoritative servers: the root, both top-level domains, and everything below."""

    def __init__(self, folder):
        self.folder = folder
        self.processes = []

    def start(self):
        leaf = [(line, f"leaf/{line}zone") for line in (self.folder / "leaf.list").read_text().split()]
        self._serve("root", ["127.20.0.1"], [(".", "root.zone")])
        self._serve("tld", ["127.20.0.2"], [("plain.", "plain.zone"), ("signed.", "signed.zone")])
        self._serve("leaf", [f"127.20.1.{i}" for i in range(1, 17)], leaf)
        for server, name in (("127.20.0.1", "ns."), ("127.20.0.2", "ready.plain."), ("127.20.1.1", "www.c0.plain.")):
            wait_for(f"{server} serves {name}", lambda s=server, n=name: answers(s, n), 300)

    def _serve(self, name, addresses, zones):
        conf = self.folder / f"{name}.conf"
        with conf.open("w") as out:
            out.write("server:\n" + "".join(f"  ip-address: {a}@53\n" for a in addresses))
            out.write(f"""  server-count: 1
  username: ""
  chroot: ""
  database: ""
  zonesdir: "{self.folder}"
  pidfile: ""
  xfrdir: "{self.folder}"
  xfrdfile: "{self.folder}/{name}.xfrd"
  zonelistfile: "{self.folder}/{name}.zonelist"
  cookie-secret-file: ""
  rrl-ratelimit: 0
remote-control:
  control-enable: no
""")
            for zone, file in zones:
                out.write(f'zone:\n  name: "{zone}"\n  zonefile: "{file}"\n')
        log = (self.folder / f"{name}.log").open("wb")
        self.processes.append(subprocess.Popen(["taskset", "-c", LOAD_CPU, "nsd", "-d", "-c", conf], stdout=log,
                                               stderr=log, env=dict(os.environ, PATH=PATH)))

    def stop(self):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(60)


class Resolver:
    """One resolver, started for one measurement."""

    def __init__(self, name, world, scratch, with_list):
        kind = name.removesuffix("-nolist")
        self.name = name
        self.folder = scratch / "run"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        with_list = not name.endswith("-nolist") and (with_list or kind == "sekisho")
        command = RESOLVERS[kind](world, self.folder, with_list)
        log = (self.folder / "log").open("wb")
        self.process = subprocess.Popen(["taskset", "-c", RESOLVER_CPU, *map(str, command)], stdout=log, stderr=log,
                                        env=dict(os.environ, PATH=PATH))
        try:
            wait_for(f"{name} answers", lambda: answers("127.0.0.1", "ready.plain.", PORT), 120)
        except RuntimeError:
            print((self.folder / "log").read_text(errors="replace")[-2000:], file=sys.stderr)
            self.stop()
            raise

    def cpu(self):
        """Seconds in user and system mode so far."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return int(fields[11]) / TICK, int(fields[12]) / TICK

    def memory(self):
        """MiB in memory now."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def ask(world, work, *options):
    done = run(["taskset", "-c", LOAD_CPU, BENCH / "dns_load", f"--port={PORT}",
                f"--questions={world.folder}/questions/{work}.txt", *options], capture_output=True, text=True)
    return json.loads(done.stdout)


def measure(name, work_name, world, scratch, args):
    work = WORK[work_name]
    resolver = Resolver(name, world, scratch, args.list or work_name == "blocked")
    try:
        if work.warm:
            dnssec = [o for o in work.options if o == "--dnssec"]
            ask(world, work.warm, "--once", "--window=50", "--seconds=60", *dnssec)
        before, start = resolver.cpu(), time.monotonic()
        result = ask(world, work.questions, *work.options, f"--window={args.window}", f"--seconds={args.seconds}")
        user, system = (b - a for a, b in zip(before, resolver.cpu()))
        result |= {"resolver": name, "work": work_name, "user_us": user / result["answered"] * 1e6,
                   "system_us": system / result["answered"] * 1e6, "memory_mib": resolver.memory(),
                   "elapsed": time.monotonic() - start}
        if "--once" not in work.options:
            half = ask(world, work.questions, *work.options, f"--rate={result['qps'] / 2:.0f}",
                       f"--seconds={args.seconds}", "--skip=250000")
            result["half"] = {k: half[k] for k in ("p50_us", "p99_us", "p999_us", "max_us", "lost", "qps")}
        return result
    finally:
        resolver.stop()


def make_list(world, scratch):
    """A million names that nobody else has, as Sekisho's snapshot and as a policy zone."""
    random.seed(7)
    names = [f"{random.choice(('www', 'login', 'cdn', 'mail', 'a'))}.{random.getrandbits(40):x}.bad{i % 997}.plain"
             for i in range(RULES)]
    (scratch / "list.txt").write_text("\n".join(names) + "\n")
    with world.rpz.open("w") as out:
        out.write("$TTL 300\n@ SOA ns.list.rpz. admin.list.rpz. 1 3600 600 86400 300\n@ NS ns.list.rpz.\n")
        out.writelines(f"{n} CNAME .\n" for n in names)
    random.shuffle(names)
    (world.folder / "questions/blocked.txt").write_text("".join(f"{n}. A\n" for n in names))
    config = scratch / "feedd.yaml"
    feed = f"{{name: load, url: {scratch}/list.txt, format: domains, category: malware, rank: 1}}"
    config.write_text(sekisho_config(world, world.data, feed))
    with (scratch / "feedd.log").open("wb") as log:
        feedd = subprocess.Popen([BIN / "sekisho-feedd", "--config", config], stdout=log, stderr=log)
    try:
        wait_for("the list is compiled", lambda: any(
            p.stat().st_size > RULES for p in world.data.rglob("base-*.trie")), 120)
    finally:
        feedd.terminate()
        feedd.wait(30)


def make_mix(world):
    hits = (world.folder / "questions/hits.txt").read_text().splitlines()
    miss = (world.folder / "questions/miss.txt").read_text().splitlines()
    random.seed(11)
    weights = [1 / (i + 1) for i in range(len(hits))]
    with (world.folder / "questions/mix.txt").open("w") as out:
        for name in miss:
            out.writelines(h + "\n" for h in random.choices(hits, weights, k=9))
            out.write(name + "\n")


def prepare(args):
    scratch = pathlib.Path(args.folder)
    world = World(scratch / "internet", scratch / "list.rpz", scratch / "data")
    scratch.mkdir(parents=True, exist_ok=True)
    made = scratch / "made"
    # Signatures last a month.
    if not made.exists() or time.time() - made.stat().st_mtime > 20 * 86400 or made.read_text() != str(args.zones):
        shutil.rmtree(world.folder, ignore_errors=True)
        shutil.rmtree(world.data, ignore_errors=True)
        world.folder.mkdir()
        print("making the zones …", file=sys.stderr)
        run([BENCH / "make_zones", world.folder, f"--zones={args.zones}", f"--signed-zones={args.zones // 5}"])
        make_mix(world)
        print("making the list …", file=sys.stderr)
        make_list(world, scratch)
        made.write_text(str(args.zones))
    return world, scratch


def table(results):
    """Markdown: one row a workload, one column a resolver, µs of CPU a question; then the rest."""
    names = list(dict.fromkeys(r["resolver"] for r in results))
    works = list(dict.fromkeys(r["work"] for r in results))

    def cell(work, name, show):
        rows = [r for r in results if r["work"] == work and r["resolver"] == name]
        return show(rows) if rows else "–"

    def cpu(rows):
        all_us = [r["user_us"] + r["system_us"] for r in rows]
        user = statistics.median(r["user_us"] for r in rows)
        return f"{statistics.median(all_us):.2f} ({user:.2f} user; {min(all_us):.2f}–{max(all_us):.2f})"

    def rate(rows):
        lost = sum(r["lost"] for r in rows) / max(1, sum(r["sent"] for r in rows))
        failed = sum(r["rcodes"].get("2", 0) for r in rows) / max(1, sum(r["sent"] for r in rows))
        return f"{statistics.median(r['qps'] for r in rows) / 1e3:.1f} k" + (
            f", {lost:.1%} lost" if lost > 0.0005 else "") + (f", {failed:.1%} SERVFAIL" if failed > 0.0005 else "")

    def latency(rows):
        rows = [r["half"] for r in rows if "half" in r]
        return " / ".join(f"{statistics.median(r[k] for r in rows):.0f}" for k in ("p50_us", "p99_us", "p999_us")) \
            if rows else "–"

    def memory(rows):
        return f"{statistics.median(r['memory_mib'] for r in rows):.0f}"

    for title, show in (("CPU, µs a question", cpu), ("Questions a second", rate),
                        ("Latency at half of that, µs, p50 / p99 / p99.9", latency), ("Memory, MiB", memory)):
        print(f"\n{title}\n\n| work | " + " | ".join(names) + " |\n|---|" + "---|" * len(names))
        for work in works:
            print(f"| {work} | " + " | ".join(cell(work, n, show) for n in names) + " |")


def plot(results, file):
    import matplotlib  # pylint: disable=import-outside-toplevel
    matplotlib.use("Agg")
    from matplotlib import pyplot  # pylint: disable=import-outside-toplevel
    names = list(dict.fromkeys(r["resolver"] for r in results))
    works = list(dict.fromkeys(r["work"] for r in results))
    figure, axes = pyplot.subplots(figsize=(2 + 1.3 * len(works), 5))
    for i, name in enumerate(names):
        heights = [statistics.median([r["user_us"] + r["system_us"] for r in results
                                      if r["work"] == w and r["resolver"] == name] or [0]) for w in works]
        axes.bar([x + i * 0.8 / len(names) for x in range(len(works))], heights, 0.8 / len(names), label=name)
    axes.set_yscale("log")
    axes.set_ylabel("µs of CPU a question")
    axes.set_xticks([x + 0.4 - 0.4 / len(names) for x in range(len(works))], works)
    axes.legend()
    figure.tight_layout()
    figure.savefig(file)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", help="a resolver; sekisho-nolist, too")
    parser.add_argument("--work", action="append", choices=list(WORK))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--window", type=int, default=100, help="questions on the way at once")
    parser.add_argument("--zones", type=int, default=100_000)
    parser.add_argument("--list", action="store_true", help="peers have the list, too")
    parser.add_argument("--folder", default=str(ROOT / "build/load"))
    parser.add_argument("--json")
    parser.add_argument("--plot")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if not args.inside:
        os.execvp("unshare", ["unshare", "-rn", sys.executable, os.path.abspath(__file__), *sys.argv[1:], "--inside"])
    run(["ip", "link", "set", "lo", "up"])
    names = args.only or [n for n in RESOLVERS if n == "sekisho" or shutil.which(n, path=PATH)]
    world, scratch = prepare(args)
    internet = Internet(world.folder)
    results = []
    try:
        internet.start()
        for number in range(args.rounds):
            for work in args.work or WORK:
                for name in names:
                    result = measure(name, work, world, scratch, args)
                    results.append(result)
                    print(f"round {number + 1} {work} {name}: {result['user_us'] + result['system_us']:.2f} µs "
                          f"({result['user_us']:.2f} user), {result['qps']} q/s, {result['lost']} lost, "
                          f"{result['rcodes']}", file=sys.stderr, flush=True)
    finally:
        internet.stop()
        if args.json:
            pathlib.Path(args.json).write_text(json.dumps(results, indent=1))
    table(results)
    if args.plot:
        plot(results, args.plot)


if __name__ == "__main__":
    main()
