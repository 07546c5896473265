"""What the system itself can run out of: memory at any allocation (row D50), descriptors (row D40)."""

import os
import pathlib
import random
import re
import socket
import subprocess
import time
import unittest

from harness import BIN, Sekisho, question, wait_for

FAILING_MALLOC = BIN.parent / "tests" / "failing_malloc.so"
RIGHT = {"www.clean.example": ["192.0.2.10"], "www.plain.test": ["192.0.2.20"]}


def has_own_allocator():
    return b"__asan_init" in (BIN / "sekisho-resolverd").read_bytes()


class AllocatorTest(unittest.TestCase):
    """One allocation fails, or all from one on. The daemon ends with a word and status 1, or answers; what it answers is
    right, and a start without the fault finds nothing broken."""

    def run_with(self, s, at, count):
        before = len(s.daemon_log("resolverd"))
        log = open(s.dir / "resolverd.log", "ab")
        daemon = subprocess.Popen(
            [BIN / "sekisho-resolverd", "--config", s.config], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            env={**os.environ, "LD_PRELOAD": str(FAILING_MALLOC), "SEKISHO_FAIL_AT": str(at), "SEKISHO_FAIL_COUNT": str(count)})
        log.close()
        try:
            self.ask(s, daemon, at)
            daemon.terminate()
            status = daemon.wait(20)
        finally:
            daemon.kill()
            daemon.wait()
        told = s.daemon_log("resolverd")[before:]
        self.assertIn(status, (0, 1), f"allocation {at}: status {status}\n{told}")
        if status == 1:
            self.assertRegex(told, "out of memory|out of threads|cannot start", f"allocation {at}")
        return "failing allocation" in told, status

    def ask(self, s, daemon, at):
        ready = time.monotonic() + 10
        while daemon.poll() is None and time.monotonic() < ready:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", s.port)) == 0:
                    break
        self.assertLess(time.monotonic(), ready, f"allocation {at}: neither ready nor ended")
        for name, right in RIGHT.items():
            if daemon.poll() is not None:
                return
            reply = s.dig(name, "+tries=1", "+time=2")
            # Nothing, a failure, or what is true.
            if reply.status == "NOERROR":
                self.assertEqual(reply.data("A"), right, f"allocation {at}: {reply}")
            else:
                self.assertIn(reply.status, ("SERVFAIL", "REFUSED", "", None), f"allocation {at}: {reply}")
        if daemon.poll() is None:
            # A block stays a block, or nothing is said.
            reply = s.dig("evil.malware.test", "+tries=1", "+time=2")
            self.assertNotEqual(reply.status, "NOERROR", f"allocation {at}: {reply}")

    def test_d50_any_allocation_may_fail(self):
        if has_own_allocator():
            return  # it would take no other
        with Sekisho() as s:
            s.start()
            for name, right in list(RIGHT.items()):
                RIGHT[name] = s.dig(name).data("A")
                self.assertTrue(RIGHT[name], name)
            for name in ("resolverd", "logd", "feedd"):
                s.stop(name)
            # What the libraries allocate before main begins is not the daemon's.
            begun = subprocess.run([BIN / "sekisho-resolverd", "--version"], capture_output=True, text=True, check=True,
                                   env={**os.environ, "LD_PRELOAD": str(FAILING_MALLOC), "SEKISHO_COUNT": "1"})
            first = int(re.search(r"(\d+) allocations", begun.stderr).group(1)) + 1
            chosen = random.Random(50)
            early = [first + n for n in chosen.sample(range(4000), 25)]
            late = [first + int(4000 * 1.22 ** i) for i in range(20)]
            reached = ended = 0
            for at in early + late:
                was_reached, status = self.run_with(s, at, 1)
                reached += was_reached
                ended += status == 1
            # While settings are read, libraries with ways of their own to fail have their turn, too.
            for at in chosen.sample(range(20000), 8) + chosen.sample(range(7000, 11000), 40):
                self.run_with(s, first + at, 1 << 40)
            self.assertGreater(reached, 25)
            self.assertGreater(ended, 10)
            s.run("resolverd")
            s.wait_until_answering()
            self.assertEqual(s.dig("evil.malware.test").status, "NXDOMAIN")


class DescriptorTest(unittest.TestCase):
    def test_d40_few_descriptors_and_a_silent_server(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(("127.0.0.1", 0))
            zone = f'{{name: silent.test, servers: ["127.0.0.1:{silent.getsockname()[1]}"]}}'
            with Sekisho(feeds=False, resolver=f"  stub_zones: [{zone}]\n") as s:
                s.start(("logd",))
                log = open(s.dir / "resolverd.log", "ab")
                s.processes["resolverd"] = subprocess.Popen(
                    ["prlimit", "--nofile=128:128", BIN / "sekisho-resolverd", "--config", s.config],
                    stdout=log, stderr=log, stdin=subprocess.DEVNULL)
                log.close()
                s.wait_until_answering()
                self.starve(s)

    def starve(self, s):
        daemon = s.processes["resolverd"]
        self.assertEqual(s.dig("www.clean.example").status, "NOERROR")
        before, began = self.processor_time(daemon.pid), time.monotonic()
        connections = [socket.create_connection(("127.0.0.1", s.port)) for _ in range(40)]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            for number in range(2000):
                client.sendto(question(f"n{number}.silent.test", number), ("127.0.0.1", s.port))
                if number % 200 == 0:
                    self.assertEqual(s.dig("www.clean.example").status, "NOERROR", "what is cached is answered")
        took, worked = time.monotonic() - began, self.processor_time(daemon.pid) - before
        self.assertLess(worked, max(took, 1.0), "it spins")
        for connection in connections:
            connection.close()
        wait_for("everything to end", lambda: s.status_of_resolverd()["questions_in_progress"] == "0", 30)
        # It takes connections and questions again, and lost no record.
        self.assertEqual(s.dig("www.clean.example", "+tcp").status, "NOERROR")
        self.assertEqual(s.dig("www.sub.clean.example").status, "NOERROR")
        status = s.status_of_resolverd()
        self.assertEqual(status["records_lost_in_ring"].split()[0], "0")
        self.assertEqual(status["records_lost_in_spool"].split()[0], "0")
        s.check_alive("resolverd")

    @staticmethod
    def processor_time(pid):
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    unittest.main()
