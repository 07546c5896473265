"""Running it: reloads, wrong configurations, damage, lists over HTTP, and accounts that add up under load."""

import functools
import http.server
import re
import signal
import subprocess
import threading
import unittest

from harness import BIN, DAEMONS, Sekisho, wait_for


class ReloadTest(unittest.TestCase):
    def test_a_bad_configuration_changes_nothing_and_a_good_one_holds(self):
        with Sekisho(agencies=[("alpha", ["127.0.0.0/24"])]) as s:
            s.start(("logd", "resolverd"))
            self.assertEqual(s.dig("www.clean.example", source="127.0.2.1").status, "REFUSED")
            good = s.config.read_text()
            for bad in (good.replace("workers: 2", "wurkers: 2"), "data_dir: [", "", good.replace("127.0.0.0/24", "127.0.0.0/33")):
                before = s.daemon_log("resolverd").count("reload refused")
                s.config.write_text(bad)
                s.processes["resolverd"].send_signal(signal.SIGHUP)
                wait_for("the refusal", lambda b=before: s.daemon_log("resolverd").count("reload refused") > b)
                self.assertEqual(s.dig("www.clean.example").status, "NOERROR")
                self.assertEqual(s.dig("www.clean.example", source="127.0.2.1").status, "REFUSED")
            s.config.write_text(good.replace('["127.0.0.0/24"]', '["127.0.0.0/24", "127.0.2.0/24"]'))
            s.processes["resolverd"].send_signal(signal.SIGHUP)
            wait_for("the new network", lambda: s.dig("www.clean.example", source="127.0.2.1").status == "NOERROR")


    def test_every_daemon_refuses_a_bad_configuration_and_goes_on(self):
        with Sekisho() as s:
            s.start()
            good = s.config.read_text()
            for text, said in (("", "refused"), (good, "configuration reloaded")):
                s.config.write_text(text)
                for name in DAEMONS:
                    before = s.daemon_log(name).count(said)
                    s.processes[name].send_signal(signal.SIGHUP)
                    wait_for(f"{name}: {said}", lambda n=name, t=said, b=before: s.daemon_log(n).count(t) > b)
                    s.check_alive(name)
            self.assertIn(15, s.dig("evil.malware.test").ede)


class StartTest(unittest.TestCase):
    def run_daemon(self, s, name):
        return subprocess.run([BIN / f"sekisho-{name}", "--config", s.config],
                              capture_output=True, text=True, timeout=30, check=False)

    def test_problems_are_told_with_file_and_line(self):
        with Sekisho() as s:
            s.config.write_text(s.config.read_text().replace("workers: 2", "wurkers: 2"))
            done = s.tool("check-config", str(s.config))
            self.assertNotEqual(done.returncode, 0)
            self.assertRegex(done.stdout + done.stderr, rf"{s.config}:\d+:\d+: .*wurkers")
            for name in DAEMONS:
                done = self.run_daemon(s, name)
                self.assertEqual(done.returncode, 1, name)
                self.assertIn("wurkers", done.stdout + done.stderr, name)

    def test_missing_configuration(self):
        with Sekisho() as s:
            s.config.unlink()
            for name in DAEMONS:
                done = self.run_daemon(s, name)
                self.assertEqual(done.returncode, 1, name)
                self.assertIn(str(s.config), done.stdout + done.stderr, name)

    def test_defaults_are_a_configuration(self):
        with Sekisho() as s:
            s.config.write_text(s.must("check-config", "--print-defaults"))
            self.assertEqual(s.tool("check-config", str(s.config)).returncode, 0)

    def test_a_second_daemon_of_a_kind_is_refused(self):
        with Sekisho() as s:
            s.start()
            for name in DAEMONS:
                done = self.run_daemon(s, name)
                self.assertEqual(done.returncode, 1, name)
                self.assertTrue((done.stdout + done.stderr).strip(), name)
                s.check_alive(name)
            self.assertEqual(s.dig("www.clean.example").status, "NOERROR")


class DamageTest(unittest.TestCase):
    def test_a_damaged_snapshot_is_refused_and_the_one_in_force_stays(self):
        with Sekisho() as s:
            s.start()
            s.stop("feedd")
            (base,) = sorted((s.data / "snapshots").glob("base-*.trie"))[-1:]
            good = base.read_bytes()
            # A file of its own, as a copy that went wrong would be; the mapped one is not touched.
            damaged = base.with_suffix(".new")
            damaged.write_bytes(good[:200] + bytes([good[200] ^ 1]) + good[201:])
            damaged.rename(base)
            self.assertIn(15, s.dig("evil.malware.test").ede)
            # After a restart there is only the damaged one: it resolves, and says that it does not filter.
            s.stop("resolverd")
            s.run("resolverd")
            s.wait_until_answering()
            done = s.tool("status", "resolverd")
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stdout, r"policy_error.*! ")
            # feedd makes a good one again.
            s.run("feedd")
            wait_for("the list in force", lambda: 15 in s.dig("evil.malware.test").ede)


class HttpFeedTest(unittest.TestCase):
    def test_list_over_http(self):
        with Sekisho() as s:
            folder = s.dir / "www"
            folder.mkdir()
            (folder / "list.txt").write_text("".join(f"h{i}.wild.clean.example\n" for i in range(20)))
            handler = functools.partial(QuietHandler, directory=folder)
            server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            url = f"http://127.0.0.1:{server.server_port}/list.txt"
            s._feeds = f"  feeds:\n    - {{name: web, url: '{url}', format: domains, category: test, rank: 1}}\n"
            s.write_config()
            s.start()
            wait_for("the list in force", lambda: 15 in s.dig("h3.wild.clean.example").ede)
            self.assertEqual(s.tool("feed", "sync", "web").returncode, 0)
            # SimpleHTTPRequestHandler dates the file; each later step says how long it took.
            shown = s.must("feed", "show", "web")
            for step in (r"published +\d{4}-", r"taken in .* \+\d+\.\d{3} s", r"compiled .* \+\d+\.\d{3} s  generation \d+",
                         r"enforced .* \+\d+\.\d{3} s  by every worker"):
                self.assertRegex(shown, step)
            server.shutdown()
            server.server_close()
            done = s.tool("feed", "sync", "web")
            self.assertNotEqual(done.returncode, 0, done.stdout)
            self.assertIn(15, s.dig("h3.wild.clean.example").ede)


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class AccountsTest(unittest.TestCase):
    def test_every_question_is_a_row_or_counted_as_lost(self):
        with Sekisho() as s:
            s.start()
            names = s.dir / "questions"
            names.write_text("".join(f"h{i}.load.example A\n" for i in range(1000)) +
                             "".join(f"x{i}.wild.clean.example AAAA\n" for i in range(500)) + "evil.malware.test A\n")
            done = subprocess.run(["dnsperf", "-s", "127.0.0.1", "-p", str(s.port), "-d", names, "-l", "4", "-Q", "4000",
                                   "-c", "8"], capture_output=True, text=True, timeout=60, check=True)
            completed = int(re.search(r"Queries completed: +(\d+)", done.stdout).group(1))
            self.assertGreater(completed, 1000, done.stdout)

            def number(item):
                return int(re.search(rf"^ *{item} +(\d+)", s.tool("status", "resolverd").stdout, re.M).group(1))
            questions = number("questions")
            self.assertGreaterEqual(questions, completed)
            lost = number("records_lost_in_ring") + number("records_lost_in_spool")
            wait_for("all rows", lambda: int(s.must("log", "--count")) + lost >= questions)
            self.assertEqual(int(s.must("log", "--count")) + lost, questions)
            blocked = int(s.must("log", "--count", "--verdict", "blocked"))
            self.assertGreater(blocked, 0)
            self.assertEqual(blocked, int(s.must("log", "--count", "--name", "evil.malware.test", "--verdict", "blocked")))


if __name__ == "__main__":
    unittest.main()
