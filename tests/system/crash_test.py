"""kill -9 under load: nothing that reached the spool is lost, nothing is there twice, and answers go on."""

import collections
import select
import socket
import struct
import threading
import time
import unittest

from harness import Sekisho, question, wait_for

RATE = 400  # questions a second
# Lookups reach the spool when their block is a second old; twice that and a half on a busy machine.
UNTIL_SPOOLED = 2.5


class Load(threading.Thread):
    """Asks for names of their own at a steady rate, each once; remembers which were answered, and when."""

    def __init__(self, port, tag):
        super().__init__(daemon=True)
        self.address = ("127.0.0.1", port)
        self.tag = tag
        self.asked_at = []  # by number
        self.answered = {}  # number → time
        self.blocked = 0
        self.ending = threading.Event()

    @property
    def asked(self):
        return len(self.asked_at)

    def safe_from(self, kills):
        """Numbers of the answered questions that no kill (beginning, end) can have taken from memory."""
        return [n for n, at in self.answered.items()
                if not any(at >= begin - UNTIL_SPOOLED and self.asked_at[n] <= end for begin, end in kills)]

    def name(self, number):
        return f"{self.tag}{number}.wild.clean.example"

    def run(self):
        sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(16)]
        for s in sockets:
            s.connect(self.address)
            s.setblocking(False)
        began = time.monotonic()
        while not self.ending.is_set() and self.asked < 65000:  # the number is the message's ID
            due = int((time.monotonic() - began) * RATE)
            while self.asked < due:
                number = self.asked
                self.asked_at.append(time.monotonic())
                try:
                    sockets[number % len(sockets)].send(question(self.name(number), number))
                except OSError:
                    pass  # nobody listens just now
            self.collect(sockets, 0.01)
        end = time.monotonic() + 1.0
        while time.monotonic() < end:
            self.collect(sockets, 0.1)
        for s in sockets:
            s.close()

    def collect(self, sockets, patience):
        for s in select.select(sockets, [], [], patience)[0]:
            try:
                while True:
                    packet = s.recv(4096)
                    ident, flags = struct.unpack("!HH", packet[:4])
                    if flags & 0xF == 0:
                        self.answered[ident] = time.monotonic()
            except OSError:
                pass

    def wait_for(self, count):
        wait_for(f"{count} more answers", lambda c=len(self.answered) + count: len(self.answered) >= c)

    def finish(self):
        self.ending.set()
        self.join()


class CrashTest(unittest.TestCase):
    def setUp(self):
        self.sekisho = Sekisho()
        self.addCleanup(lambda: self.sekisho.close(show_logs=bool(self._outcome and not self._outcome.success)))
        self.sekisho.start()
        self.load = Load(self.sekisho.port, "load")
        self.load.start()
        self.addCleanup(self.load.finish)

    def rows_by_name(self):
        """Every row of the load, once the log has come to rest; also checks that none is there twice."""
        rows = []

        def settled():
            nonlocal rows
            before, rows = len(rows), self.sekisho.log("--under", "wild.clean.example")
            return rows and len(rows) == before
        wait_for("the log at rest", settled, pause=1.5)
        places = collections.Counter((r["boot"], r["worker"], r["sequence"]) for r in rows)
        self.assertEqual([p for p, n in places.items() if n > 1], [], "records that are there twice")
        names = collections.Counter(r["name"].rstrip(".") for r in rows)
        self.assertEqual([p for p, n in names.items() if n > 1], [], "lookups that are there twice")
        return names

    def assert_logged(self, numbers):
        names = self.rows_by_name()
        missing = [n for n in numbers if self.load.name(n) not in names]
        self.assertEqual(missing, [], f"{len(missing)} of {len(numbers)} lookups are missing")
        self.assertLessEqual(len(names), self.load.asked)

    def test_logd(self):
        for _ in range(4):
            self.load.wait_for(400)
            self.sekisho.kill("logd")
            self.load.wait_for(200)
            self.sekisho.run("logd")
        self.load.wait_for(400)
        self.load.finish()
        self.assertGreater(len(self.load.answered), 0.99 * self.load.asked)
        self.assert_logged(list(self.load.answered))

    def test_feedd(self):
        for i in range(3):
            self.load.wait_for(200)
            self.sekisho.must("block", "add", f"local{i}.clean.example", "--reason", "crash test")
            self.sekisho.kill("feedd")
            self.load.wait_for(200)
            self.assertIn(15, self.sekisho.dig("evil.malware.test").ede)
            self.sekisho.run("feedd")
            wait_for("feedd answers", lambda: self.sekisho.tool("block", "list").returncode == 0)
        listed = self.sekisho.must("block", "list")
        for i in range(3):
            self.assertIn(f"local{i}.clean.example", listed)
            self.assertIn(15, self.sekisho.dig(f"local{i}.clean.example").ede)
        self.load.finish()
        self.assert_logged(list(self.load.answered))

    def test_resolverd(self):
        kills = []
        for _ in range(3):
            self.load.wait_for(1500)
            begin = time.monotonic()
            self.sekisho.kill("resolverd")
            kills.append((begin, time.monotonic()))
            self.sekisho.run("resolverd")
            self.sekisho.wait_until_answering()
            # The list is in force from the first answer on.
            self.assertIn(15, self.sekisho.dig("evil.malware.test").ede)
        self.load.wait_for(200)
        self.load.finish()
        safe = self.load.safe_from(kills)
        self.assertGreater(len(safe), 500)
        self.assert_logged(safe)

    def test_all_at_once(self):
        self.load.wait_for(2000)
        begin = time.monotonic()
        for name in list(self.sekisho.processes):
            self.sekisho.kill(name)
        kill = (begin, time.monotonic())
        for name in ("resolverd", "logd", "feedd"):
            self.sekisho.run(name)
        self.load.wait_for(400)
        self.assertIn(15, self.sekisho.dig("evil.malware.test").ede)
        self.load.finish()
        safe = self.load.safe_from([kill])
        self.assertGreater(len(safe), 500)
        self.assert_logged(safe)


if __name__ == "__main__":
    unittest.main()
