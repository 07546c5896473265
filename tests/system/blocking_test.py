"""What the lists name is refused, with the reason; what they do not name is left alone; changes hold at once."""

import time
import unittest

from harness import LISTS, Sekisho, SekishoTest, wait_for


class BlockingTest(SekishoTest):
    options = {"blocklist": f"  shared_hosts: [{LISTS}/demo-shared-hosts.txt]\n"}

    def dig(self, *arguments):
        return self.sekisho.dig(*arguments)

    def test_listed_names_are_blocked_with_their_feed(self):
        for name, feed in (("evil.malware.test", "demo-malware"), ("c2.malware.test", "demo-malware"),
                           ("botnet.example", "demo-malware"), ("login.phish.test", "demo-phishing"),
                           ("secure-update.phish.test", "demo-phishing"), ("tracker.ads.test", "demo-trackers"),
                           ("pixel.ads.test", "demo-trackers"), ("beacon.ads.test", "demo-trackers")):
            self.assertBlocked(self.dig(name), feed)

    def test_every_way_of_asking_is_blocked(self):
        for arguments in (("AAAA",), ("TXT",), ("HTTPS",), ("TYPE65400",), ("+tcp",), ("+dnssec",), ("+cd",)):
            self.assertBlocked(self.dig("evil.malware.test", *arguments), "demo-malware")
        self.assertBlocked(self.dig("EVIL.malware.TEST"), "demo-malware")
        self.assertEqual(self.dig("evil.malware.test", "+noedns").status, "NXDOMAIN")

    def test_names_below(self):
        self.assertBlocked(self.dig("www.evil.malware.test"), "demo-malware")
        self.assertBlocked(self.dig("a.b.c.botnet.example"), "demo-malware")

    def test_names_beside_and_above_resolve(self):
        for name in ("malware.test", "good.malware.test", "www.phish.test", "www.clean.example"):
            self.assertResolves(self.dig(name))
        # The hosts format lists hosts, not what is below them: this does not exist, but is not blocked.
        self.assertNotIn(15, self.dig("sub.tracker.ads.test").ede)

    def test_url_on_a_shared_host_does_not_block_the_host(self):
        self.assertResolves(self.dig("pages.shared.example"), "A", ["192.0.2.53"])
        self.assertResolves(self.dig("www.shared.example"))
        self.assertIn("not", self.sekisho.must("explain", "pages.shared.example"))

    def test_aliases_of_blocked_names(self):
        for name in ("badalias.clean.example", "badchain.clean.example"):
            reply = self.dig(name)
            self.assertBlocked(reply, "demo-malware")
            self.assertEqual(reply.data("A"), [], reply)
            rows = self.sekisho.wait_for_rows(1, "--name", name, "--verdict", "blocked")
            self.assertEqual(len(rows), 1, rows)
            self.assertEqual(rows[0]["trigger"], "cname", rows)
            self.assertEqual(rows[0]["trigger_name"], "evil.malware.test.", rows)
            self.assertIn("demo-malware", rows[0]["feeds"], rows)

    def test_log_tells_list_and_generation(self):
        self.dig("c2.malware.test", "MX")
        (row,) = self.sekisho.wait_for_rows(1, "--name", "c2.malware.test", "--type", "MX")
        self.assertEqual((row["trigger"], row["feeds"], row["category"]), ("qname", "demo-malware", "malware"), row)
        self.assertGreater(row["generation"], 0)
        self.assertTrue(self.sekisho.log("--feed", "demo-malware", "--name", "c2.malware.test"))

    def all_workers(self, name, blocked):
        """Many source ports reach every worker."""
        for _ in range(12):
            if (15 in self.dig(name).ede) != blocked:
                return False
        return True

    def change(self, *command):
        began = time.monotonic()
        self.sekisho.must(*command)
        return began

    def wait_until_in_force(self, name, blocked, began):
        wait_for(f"{name} blocked={blocked}", lambda: (15 in self.dig(name).ede) == blocked, pause=0.01)
        took = time.monotonic() - began
        self.assertLess(took, 1.0, "the change took longer than a second")
        self.assertTrue(self.all_workers(name, blocked))

    def test_local_block_holds_within_a_second_and_no_cache_outlives_it(self):
        name = "case1.wild.clean.example"
        self.assertTrue(self.all_workers(name, False))
        began = self.change("block", "add", name, "--reason", "case 1")
        self.wait_until_in_force(name, True, began)
        self.assertIn("case1.wild.clean.example", self.sekisho.must("block", "list"))
        self.assertIn("case 1", self.sekisho.must("explain", name))
        began = self.change("block", "remove", name)
        self.wait_until_in_force(name, False, began)
        self.assertResolves(self.dig(name), "A", ["192.0.2.77"])

    def test_allow_wins(self):
        began = self.change("allow", "add", "secure-update.phish.test", "--reason", "false alarm")
        self.wait_until_in_force("secure-update.phish.test", False, began)
        began = self.change("allow", "remove", "secure-update.phish.test")
        self.wait_until_in_force("secure-update.phish.test", True, began)

    def test_an_address_is_blocked_whatever_name_leads_to_it(self):
        name = "case2.wild.clean.example"
        self.assertTrue(self.all_workers(name, False))
        began = self.change("block", "add", "192.0.2.77", "--reason", "case 2")
        self.wait_until_in_force(name, True, began)
        self.assertEqual(self.dig(name, "+dnssec").data("A"), [])
        self.assertIn("192.0.2.77/32: blocked", self.sekisho.must("explain", "192.0.2.77"))
        rows = self.sekisho.wait_for_rows(1, "--name", name, "--verdict", "blocked")
        self.assertEqual((rows[0]["trigger"], rows[0]["trigger_name"], rows[0]["rule"]),
                         ("address", "192.0.2.77", "192.0.2.77/32"), rows)
        began = self.change("block", "remove", "192.0.2.77")
        self.wait_until_in_force(name, False, began)

    def test_a_feeds_score_counts_its_hits(self):
        self.assertBlocked(self.dig("botnet.example", "MX"), "demo-malware")
        self.sekisho.wait_for_rows(1, "--name", "botnet.example", "--type", "MX")

        def score():
            lines = self.sekisho.must("feed", "score", "demo-malware", "--since", "1h").splitlines()
            return {line[:20].strip(): line[20:].split()[0] for line in lines if not line.startswith(("beside", " "))}

        before = score()
        self.assertGreaterEqual(int(before["hits"]), 1, before)
        self.assertEqual(before["unique hits"], before["hits"], before)
        self.assertGreaterEqual(int(before["indicators"]), 2, before)
        self.assertBlocked(self.dig("botnet.example", "SRV"), "demo-malware")
        self.sekisho.wait_for_rows(1, "--name", "botnet.example", "--type", "SRV")
        self.assertGreater(int(score()["hits"]), int(before["hits"]))
        self.assertNotEqual(self.sekisho.tool("feed", "score", "nobody").returncode, 0)

    def test_wrong_names_are_told(self):
        for name in ("a..b", "x" * 70 + ".example", ""):
            done = self.sekisho.tool("block", "add", name, "--reason", "r")
            self.assertNotEqual(done.returncode, 0, name)
            self.assertTrue(done.stderr.strip(), name)
        self.assertNotEqual(self.sekisho.tool("block", "add", "test", "--reason", "r").returncode, 0)


class PolicyTest(unittest.TestCase):
    def test_actions_of_a_policy_and_an_exception_for_one_agency(self):
        with Sekisho(agencies=[("first", ["127.0.0.1/32"]), ("second", ["127.0.0.2/32"])]) as s:
            s._feeds = s._feed_lines() + (
                "policies:\n"
                "  - name: default\n"
                "    sinkhole: [192.0.2.250]\n"
                "    actions: [{category: malware, action: sinkhole}, {feed: demo-trackers, action: nodata}]\n")
            s.write_config()
            s.start()
            wait_for("the lists in force", lambda: 4 in s.dig("evil.malware.test").ede)
            sunk = s.dig("evil.malware.test")
            self.assertEqual((sunk.status, sunk.data("A")), ("NOERROR", ["192.0.2.250"]), sunk)
            self.assertIn(4, sunk.ede, sunk)
            nothing = s.dig("tracker.ads.test")
            self.assertEqual((nothing.status, nothing.data("A")), ("NOERROR", []), nothing)
            self.assertEqual(s.dig("login.phish.test").status, "NXDOMAIN")
            s.must("allow", "add", "evil.malware.test", "--agency", "second", "--reason", "analysis",
                   "--until", "2099-01-01")
            open_for_second = lambda: "192.0.2.250" not in s.dig("evil.malware.test", source="127.0.0.2").data("A")
            wait_for("the exception of the second", open_for_second)
            for _ in range(10):
                self.assertEqual(s.dig("evil.malware.test").data("A"), ["192.0.2.250"])
                self.assertTrue(open_for_second())
            self.assertIn(": allowed", s.must("explain", "evil.malware.test", "--agency", "second"))
            self.assertIn(": blocked", s.must("explain", "evil.malware.test"))
            # The resolver's own word, which knows what each agency's policy makes of the lists.
            told = s.must("explain", "evil.malware.test")
            self.assertRegex(told, r"first: sinkhole by \S+: evil\.malware\.test\. and all below .*policy ")
            self.assertRegex(told, r"second: allow by local@second")
            self.assertRegex(s.must("explain", "tracker.ads.test", "--agency", "first"), "first: nodata by ")
            (row,) = s.wait_for_rows(1, "--name", "tracker.ads.test", "--verdict", "blocked")
            self.assertEqual((row["action"], row["agency"]), ("nodata", "first"), row)


class WithoutFeeddTest(unittest.TestCase):
    def test_without_any_snapshot_it_resolves_and_says_so(self):
        with Sekisho() as s:
            s.start(("resolverd",))
            self.assertEqual(s.dig("evil.malware.test").status, "NOERROR")
            done = s.tool("status", "resolverd")
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertRegex(done.stdout, r"filter_active +no +! ")

    def test_the_last_snapshot_serves(self):
        with Sekisho() as s:
            s.start()
            s.stop("feedd")
            self.assertIn(15, s.dig("evil.malware.test").ede)
            s.stop("resolverd")
            s.run("resolverd")
            s.wait_until_answering()
            self.assertIn(15, s.dig("evil.malware.test").ede)


class FeedTest(unittest.TestCase):
    def test_list_changes_come_into_force_and_bad_ones_do_not(self):
        with Sekisho() as s:
            path = s.dir / "own.list"
            path.write_text("".join(f"listed{i}.wild.clean.example\n" for i in range(50)))
            s._feeds = f"  feeds:\n    - {{name: own, url: {path}, format: domains, category: test, rank: 1}}\n"
            s.write_config()
            s.start()
            wait_for("the list in force", lambda: 15 in s.dig("listed7.wild.clean.example").ede)

            path.write_text(path.read_text() + "late.wild.clean.example\n")
            s.must("feed", "sync", "own")
            wait_for("the new name in force", lambda: 15 in s.dig("late.wild.clean.example").ede)

            # A list that shrank to almost nothing, and a web page in its place: the old version stays in force.
            for content in ("listed1.wild.clean.example\n", "<!DOCTYPE html><html><body>moved</body></html>\n", ""):
                path.write_text(content)
                self.assertNotEqual(s.tool("feed", "sync", "own").returncode, 0, content)
                self.assertIn(15, s.dig("late.wild.clean.example").ede, content)
                self.assertIn(15, s.dig("listed7.wild.clean.example").ede, content)


if __name__ == "__main__":
    unittest.main()
