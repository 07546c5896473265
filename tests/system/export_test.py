"""Live streams of lookups: taken by those programs that people use, and nothing missing after they were away."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import unittest

from harness import PATIENCE, Sekisho, wait_for


class SyslogReceiver:
    """Takes octet-counted syslog messages on one connection after the other."""

    def __init__(self, port):
        self.messages = []
        self._lock = threading.Lock()
        self._connection = None
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connection = connection
            self._read(connection.makefile("rb"))

    def _read(self, stream):
        try:
            while True:
                digits = b""
                while not digits.endswith(b" "):
                    byte = stream.read(1)
                    if not byte:
                        return
                    digits += byte
                message = stream.read(int(digits))
                if len(message) < int(digits):
                    return
                with self._lock:
                    self.messages.append(message.decode())
        except OSError:
            return

    def names(self):
        with self._lock:
            events = [json.loads(m[m.index("{"):]) for m in self.messages]
        return [e["query"]["hostname"] for e in events if e["class_uid"] == 4003]

    def close(self):
        # A listener that is only closed goes on while its thread waits in accept.
        for s in (self._listener, self._connection):
            if s is not None:
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                s.close()


class ExportTest(unittest.TestCase):
    def setUp(self):
        self.sekisho = Sekisho(feeds=True)
        self.addCleanup(self.sekisho.close)
        self.siem = SyslogReceiver(0)
        self.addCleanup(self.siem.close)
        self.port = self.siem.port
        self.dir = self.sekisho.dir
        with open(self.sekisho.config, "a", encoding="utf-8") as config:
            config.write(
                "log:\n"
                "  exports:\n"
                f"    - {{name: tap-file, format: dnstap, to: \"file:{self.dir}/tap.fstrm\"}}\n"
                f"    - {{name: tap-socket, format: dnstap, to: \"unix:{self.dir}/tap.sock\"}}\n"
                f"    - {{name: ocsf-file, format: ocsf, to: \"file:{self.dir}/ocsf.jsonl\"}}\n"
                f"    - {{name: siem, format: ocsf, to: \"syslog:127.0.0.1:{self.port}\"}}\n")

    def ask(self, part):
        names = [f"{part}{i}.wild.clean.example" for i in range(20)]
        for name in names:
            self.sekisho.dig(name)
        return [n + "." for n in names]

    def ocsf_names(self):
        path = self.dir / "ocsf.jsonl"
        if not path.exists():
            return []
        events = [json.loads(line) for line in path.read_text().splitlines()]
        return [e["query"]["hostname"] for e in events]

    def tap_text(self, path):
        done = subprocess.run(["dnstap-read", "-p", path], capture_output=True, text=True, timeout=60, check=False)
        return done.stdout, done.stderr

    def start_capture(self, number):
        out = self.dir / f"captured{number}.fstrm"
        process = subprocess.Popen(
            ["fstrm_capture", "-t", "protobuf:dnstap.Dnstap", "-u", self.dir / "tap.sock", "-w", out],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return process, out

    def end_capture(self, process):
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)

    def status(self):
        return self.sekisho.tool("status").stdout

    def delivered(self, name):
        found = re.search(rf"{name}: (\d+) delivered", self.status())
        return int(found.group(1)) if found else -1

    def test_receivers_take_it_and_miss_nothing(self):
        for tool in ("dnstap-read", "fstrm_capture"):
            self.assertIsNotNone(shutil.which(tool), f"{tool} is not installed")
        capture, first = self.start_capture(1)
        siem = self.siem
        self.sekisho.start()
        names = self.ask("a")
        blocked = self.sekisho.dig("evil.malware.test")
        self.assertEqual(blocked.status, "NXDOMAIN")
        wait_for("the file of events", lambda: set(names) <= set(self.ocsf_names()))
        wait_for("the SIEM", lambda: set(names) <= set(siem.names()))
        self.assertTrue(siem.messages[0].startswith("<13"), siem.messages[0])

        # The receivers go away, logd is killed; they come back.
        count = len(self.sekisho.log())
        wait_for("all delivered", lambda: self.delivered("tap-socket") >= count)
        self.end_capture(capture)
        siem.close()
        wait_for("the loss of both", lambda: self.status().count("not connected") == 2)
        names += self.ask("b")
        wait_for("the rows", lambda: int(self.sekisho.must("log", "--count", "--under", "wild.clean.example")) >= 40)
        self.sekisho.kill("logd")
        names += self.ask("c")
        self.sekisho.run("logd")
        os.unlink(self.dir / "tap.sock")
        capture, second = self.start_capture(2)
        again = SyslogReceiver(self.port)
        self.addCleanup(again.close)
        wait_for("the SIEM again", lambda: set(names) <= set(siem.names() + again.names()), patience=90)
        wait_for("the file of events", lambda: set(names) <= set(self.ocsf_names()))
        rows = int(self.sekisho.must("log", "--count"))
        wait_for("the socket again", lambda: self.delivered("tap-socket") >= rows, patience=90)

        self.sekisho.stop("logd")
        self.end_capture(capture)
        self.check_dnstap([first, second], names)
        self.check_dnstap(sorted(self.dir.glob("tap.fstrm*")), names)
        doubles = len(self.ocsf_names()) - len(set(self.ocsf_names()))
        self.assertLess(doubles, len(names))

    def check_dnstap(self, files, names):
        text = ""
        for path in files:
            out, errors = self.tap_text(path)
            text += out
            # A stream whose writer was killed has no end; its frames are read all the same.
            self.assertNotIn("fail", errors.replace("end of file", ""), f"{path}: {errors}")
        asked = set(re.findall(r" CQ 127\S+ -> \S+ UDP \d+b (\S+)/IN/A", text))
        answered = set(re.findall(r" CR 127\S+ <- \S+ UDP \d+b (\S+)/IN/A", text))
        bare = {n.rstrip(".") for n in names}
        self.assertEqual(bare - asked, set(), files)
        self.assertEqual(bare - answered, set(), files)
        self.assertTrue("EDE: 15 (Blocked)" in text, files)


if __name__ == "__main__":
    unittest.main()
