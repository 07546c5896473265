"""Runs Sekisho as its users do: the small internet, the three real daemons, questions from outside, the log.

    with Sekisho() as s:
        s.start()
        reply = s.dig("www.clean.example", "A")
        rows = s.log("--name", "www.clean.example")

Each Sekisho has a folder, ports and control sockets of its own, so tests run side by side. Nothing here sleeps to be
right: everything that takes time is waited for by asking, up to a limit that fails the test.
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("SEKISHO_BIN", ROOT / "build/release/bin"))
LISTS = ROOT / "deploy/lists"
DAEMONS = ("feedd", "logd", "resolverd")
PATIENCE = 30.0  # seconds that anything may take on a busy machine


def wait_for(what, condition, patience=PATIENCE, pause=0.05):
    """Asks until condition() is true; returns its value. Fails the test by AssertionError."""
    end = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"after {patience} s still not: {what}")
        time.sleep(pause)


def free_port(addresses=("127.0.0.1",)):
    """A port that is free for UDP and TCP on all addresses."""
    for candidate in range(20000 + os.getpid() * 7 % 10000, 32000):
        with contextlib.ExitStack() as stack:
            try:
                for address in addresses:
                    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                        s = stack.enter_context(socket.socket(socket.AF_INET, kind))
                        s.bind((address, candidate))
                return candidate
            except OSError:
                continue
    raise RuntimeError("no free port")


@dataclasses.dataclass
class Record:
    owner: str
    ttl: int
    type: str
    data: str


class Reply:
    """What dig printed."""

    def __init__(self, text):
        self.text = text
        self.status = self._find(r"status: (\w+)")
        self.flags = (self._find(r"flags: ([a-z ]*);") or "").split()
        self.ede = [int(code) for code in re.findall(r"EDE: (\d+)", text)]
        self.ede_text = " ".join(re.findall(r"EDE: \d+ \([^)]*\): (.*)", text))
        self.tcp = "(TCP)" in text
        self.size = int(self._find(r"MSG SIZE\s+rcvd: (\d+)") or 0)
        self.answer = self._section("ANSWER")
        self.authority = self._section("AUTHORITY")

    def _find(self, pattern):
        found = re.search(pattern, self.text)
        return found.group(1) if found else None

    def _section(self, name):
        found = re.search(rf";; {name} SECTION:\n(.*?)(?:\n\n|\n;;|\Z)", self.text, re.S)
        records = []
        for line in (found.group(1).splitlines() if found else []):
            owner, ttl, _, kind, data = line.split(None, 4)
            records.append(Record(owner, int(ttl), kind, data))
        return records

    def data(self, kind):
        return sorted(r.data for r in self.answer if r.type == kind)

    def __str__(self):
        return self.text


class Sekisho:
    """One installation in a folder of its own."""

    def __init__(self, feeds=True, agencies=None, resolver="", blocklist="", upstream_port=None):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="sekisho-system-"))
        self.upstream_port = upstream_port or free_port(("127.10.0.1", "127.10.2.1"))
        self.port = free_port(("127.0.0.1",))
        self.processes = {}
        self.config = self.dir / "sekisho.yaml"
        self.data = self.dir / "data"
        self._agencies = agencies or [("local", ["127.0.0.0/16"])]
        self._feeds = feeds
        self._resolver = resolver
        self._blocklist = blocklist
        self._testnet = False
        self.write_config()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.close(show_logs=kind is not None)

    def close(self, show_logs=False):
        problems = []
        for name in list(self.processes):
            try:
                self.stop(name)
            except AssertionError as problem:
                problems.append(str(problem))
        if self._testnet:
            self.testnet("stop")
        if show_logs or problems:
            self.show_logs()
        shutil.rmtree(self.dir, ignore_errors=True)
        if problems:
            raise AssertionError("; ".join(problems))

    def show_logs(self):
        for log in sorted(self.dir.glob("*.log")):
            lines = log.read_text(errors="replace").splitlines()[-15:]
            print(f"--- {log.name}\n" + "\n".join(lines), flush=True)

    def write_config(self):
        agencies = "".join(f"  - {{name: {n}, networks: {json.dumps(nets)}}}\n" for n, nets in self._agencies)
        self.config.write_text(
            f"data_dir: {self.data}\n"
            f"agencies:\n{agencies}"
            f"resolver:\n"
            f'  listen: ["127.0.0.1:{self.port}"]\n'
            f"  workers: 2\n"
            f"  root_hints: {self.dir}/testnet/root.hints\n"
            f"  upstream_port: {self.upstream_port}\n"
            f"  query_private_addresses: true\n"
            f"  special_use_except: [test]\n"
            f"  dnssec: {{trust_anchor_file: {self.dir}/testnet/root.ds}}\n"
            f"{self._resolver}"
            f"blocklist:\n{self._blocklist}" + self._feed_lines()
        )

    def _feed_lines(self):
        if not self._feeds:
            return "  feeds: []\n"
        if self._feeds is not True:
            return self._feeds
        return (
            f"  feeds:\n"
            f"    - {{name: demo-malware, url: {LISTS}/malware.domains, format: domains, category: malware, rank: 1}}\n"
            f"    - {{name: demo-phishing, url: {LISTS}/phishing.csv, format: urls-csv, category: phishing, rank: 2}}\n"
            f"    - {{name: demo-trackers, url: {LISTS}/ads.hosts, format: hosts, category: tracking, rank: 3}}\n"
        )

    # The small internet and the daemons.

    def testnet(self, verb):
        command = [ROOT / "deploy/testnet/testnet.sh", verb, "--dir", self.dir / "testnet"]
        if verb == "start":
            command += ["--port", str(self.upstream_port)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=60)
        self._testnet = verb == "start"

    def start(self, daemons=DAEMONS):
        """The small internet, these daemons, and everything ready: answers, and the list in force if feedd runs."""
        if not self._testnet:
            self.testnet("start")
        for name in daemons:
            self.run(name)
        if "resolverd" in daemons:
            self.wait_until_answering()
        if "feedd" in daemons and self._feeds is True:
            wait_for("the list in force", lambda: self.dig("evil.malware.test").status == "NXDOMAIN")

    def run(self, name):
        log = open(self.dir / f"{name}.log", "ab")
        self.processes[name] = subprocess.Popen(
            [BIN / f"sekisho-{name}", "--config", self.config], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        log.close()

    def wait_until_answering(self):
        def answers():
            self.check_alive("resolverd")
            return self.dig("www.clean.example", "+tries=1", "+time=1").status == "NOERROR"
        wait_for("resolverd answers", answers)

    def check_alive(self, name):
        code = self.processes[name].poll()
        if code is not None:
            self.show_logs()
            raise AssertionError(f"sekisho-{name} has ended with {code}")

    def stop(self, name):
        """SIGTERM; the daemon must end by itself with exit status 0."""
        process = self.processes.pop(name)
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"sekisho-{name} does not end on SIGTERM") from None
        if code != 0:
            raise AssertionError(f"sekisho-{name} ended with {code}")

    def kill(self, name):
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def daemon_log(self, name):
        return (self.dir / f"{name}.log").read_text(errors="replace")

    # Asking.

    def dig(self, *arguments, source="127.0.0.1"):
        done = subprocess.run(
            ["dig", "@127.0.0.1", "-p", str(self.port), "-b", source, "+tries=2", "+time=5", "+nocookie", *arguments],
            capture_output=True, text=True, timeout=PATIENCE, check=False)
        return Reply(done.stdout)

    # The tool.

    def tool(self, *arguments):
        return subprocess.run([BIN / "sekisho", "--config", self.config, *arguments],
                              capture_output=True, text=True, timeout=60, check=False)

    def must(self, *arguments):
        done = self.tool(*arguments)
        if done.returncode != 0:
            raise AssertionError(f"sekisho {' '.join(arguments)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def log(self, *filters, limit=100000):
        lines = self.must("log", "--format", "jsonl", "--limit", str(limit), "--oldest-first", *filters)
        return [json.loads(line) for line in lines.splitlines()]

    def wait_for_rows(self, count, *filters):
        """Waits for that many rows; then returns them. More than that is the caller's to judge."""
        wait_for(f"{count} rows of {filters}", lambda: int(self.must("log", "--count", *filters)) >= count)
        return self.log(*filters)

    def status(self):
        """name of the item → value, of resolverd."""
        return self._items(self.must("status"))

    def status_of_resolverd(self):
        """The same, whatever the other daemons and the alarms are."""
        return self._items(self.tool("status", "resolverd").stdout)

    @staticmethod
    def _items(text):
        items = {}
        for line in text.splitlines():
            parts = line.split(None, 1)
            if len(parts) == 2:
                items[parts[0].rstrip(":")] = parts[1].strip()
        return items


class SekishoTest(unittest.TestCase):
    """All cases of a class share one installation."""

    options = {}
    daemons = DAEMONS

    @classmethod
    def setUpClass(cls):
        cls.sekisho = Sekisho(**cls.options)
        cls.addClassCleanup(cls._finish)
        cls.sekisho.start(cls.daemons)

    @classmethod
    def _finish(cls):
        cls.sekisho.close(show_logs=cls.failed)

    failed = False

    def run(self, result=None):
        before = len(result.failures) + len(result.errors) if result else 0
        super().run(result)
        if result and len(result.failures) + len(result.errors) > before:
            type(self).failed = True

    def assertBlocked(self, reply, by=None):
        self.assertEqual(reply.status, "NXDOMAIN", reply)
        self.assertIn(15, reply.ede, reply)
        if by:
            self.assertIn(by, reply.ede_text, reply)

    def assertResolves(self, reply, kind="A", data=None):
        self.assertEqual(reply.status, "NOERROR", reply)
        if data is None:
            self.assertTrue(reply.data(kind), reply)
        else:
            self.assertEqual(reply.data(kind), sorted(data), reply)


def question(name, number, kind=1):
    """A plain question as bytes."""
    labels = b"".join(bytes([len(l)]) + l.encode() for l in name.rstrip(".").split("."))
    return struct.pack("!HHHHHH", number, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", kind, 1)
