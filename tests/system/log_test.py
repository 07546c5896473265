"""The lookup log: each lookup once, found by everything it can be asked for."""

import csv
import io
import json
import unittest

from harness import SekishoTest, wait_for


class LogTest(SekishoTest):
    daemons = ("logd", "resolverd")
    options = {"agencies": [("alpha", ["127.0.0.0/24"]), ("beta", ["127.0.2.0/24"])]}

    def test_each_lookup_is_one_row(self):
        names = [f"n{i}.each.wild.clean.example" for i in range(50)]
        for name in names:
            self.assertResolves(self.sekisho.dig(name))
        rows = self.sekisho.wait_for_rows(len(names), "--under", "each.wild.clean.example")
        self.assertEqual(sorted(r["name"] for r in rows), sorted(n + "." for n in names))

    def test_a_row_says_all(self):
        self.sekisho.dig("chain1.clean.example", "+tcp", "+dnssec", source="127.0.2.7")
        (row,) = self.sekisho.wait_for_rows(1, "--name", "chain1.clean.example")
        for key, value in (("agency", "beta"), ("client", "127.0.2.7"), ("transport", "tcp"), ("type", "A"),
                           ("rcode", "NOERROR"), ("action", "none"), ("name", "chain1.clean.example.")):
            self.assertEqual(row[key], value, row)
        self.assertGreater(row["client_port"], 0)
        self.assertIn("do", row["flags"])
        data = [a["data"] for a in row["answers"]]
        self.assertIn("198.51.100.44", data)
        self.assertIn("chain3.plain.test.", data)

    def test_passive_dns(self):
        for _ in range(3):
            self.sekisho.dig("chain1.clean.example", source="127.0.2.9")

        def records(*arguments):
            lines = self.sekisho.must("pdns", *arguments, "--format", "cof").splitlines()
            return [json.loads(line) for line in lines]

        wait_for("passive DNS", lambda: records("chain1.clean.example"))
        (alias,) = records("chain1.clean.example")
        self.assertEqual((alias["rrname"], alias["rrtype"]), ("chain1.clean.example", "CNAME"))
        self.assertGreaterEqual(alias["count"], 1)
        self.assertLessEqual(alias["time_first"], alias["time_last"])
        self.assertNotIn("127.0.2.9", json.dumps(alias))
        found = records("198.51.100.44")
        self.assertIn("chain4.plain.test", [r["rrname"] for r in found])
        self.assertEqual(found, records("198.51.100.44/31"))
        self.assertIn(alias, records("clean.example", "--under"))
        self.assertIn(alias, records(alias["rdata"], "--target"))
        self.assertEqual(records("198.51.100.44", "--until", "1h"), [])
        table = self.sekisho.must("pdns", "chain1.clean.example")
        self.assertIn("FIRST SEEN", table)
        self.assertNotEqual(self.sekisho.tool("pdns", "a..b").returncode, 0)

    def test_filters(self):
        self.sekisho.dig("cross.clean.example", source="127.0.2.8")
        self.sekisho.dig("gone.filters.clean.example", "AAAA", source="127.0.0.8")
        self.sekisho.wait_for_rows(1, "--client", "127.0.2.8")
        self.sekisho.wait_for_rows(1, "--client", "127.0.0.8")
        for filters, name in (
                (("--name", "cross.clean.example"), "cross.clean.example."),
                (("--under", "filters.clean.example"), "gone.filters.clean.example."),
                (("--client", "127.0.2.0/24", "--address", "198.51.100.11"), "cross.clean.example."),
                (("--client", "127.0.2.8/32", "--address", "198.51.100.0/24"), "cross.clean.example."),
                (("--agency", "beta", "--client", "127.0.2.8"), "cross.clean.example."),
                (("--rcode", "NXDOMAIN", "--client", "127.0.0.8"), "gone.filters.clean.example."),
                (("--type", "AAAA", "--client", "127.0.0.8"), "gone.filters.clean.example."),
                (("--since", "10m", "--client", "127.0.2.8"), "cross.clean.example.")):
            rows = self.sekisho.log(*filters)
            self.assertEqual([r["name"] for r in rows], [name], filters)
        for filters in (("--name", "clean.example", "--client", "127.0.2.8"), ("--until", "1h", "--client", "127.0.2.8"),
                        ("--agency", "alpha", "--client", "127.0.2.8"), ("--verdict", "blocked"),
                        ("--address", "198.51.100.12", "--client", "127.0.2.8")):
            self.assertEqual(self.sekisho.log(*filters), [], filters)

    def test_forms(self):
        self.sekisho.dig("forms.wild.clean.example")
        self.sekisho.wait_for_rows(1, "--name", "forms.wild.clean.example")
        table = self.sekisho.must("log", "--name", "forms.wild.clean.example")
        self.assertIn("forms.wild.clean.example", table)
        self.assertIn("192.0.2.77", table)
        lines = self.sekisho.must("log", "--name", "forms.wild.clean.example", "--format", "jsonl").splitlines()
        self.assertEqual(json.loads(lines[0])["name"], "forms.wild.clean.example.")
        sheet = self.sekisho.must("log", "--name", "forms.wild.clean.example", "--format", "csv")
        rows = list(csv.DictReader(io.StringIO(sheet)))
        self.assertEqual([r["name"] for r in rows], ["forms.wild.clean.example."])

    def test_hostile_names_are_escaped(self):
        self.sekisho.dig("\\027[31mred\\010.wild.clean.example", source="127.0.0.66")
        rows = self.sekisho.wait_for_rows(1, "--under", "wild.clean.example", "--client", "127.0.0.66")
        self.assertTrue(any("\\027[31mred\\010" in r["name"] for r in rows), [r["name"] for r in rows])
        table = self.sekisho.must("log", "--under", "wild.clean.example")
        self.assertNotIn("\x1b", table)

    def test_wrong_use_is_told(self):
        for arguments in (("--since", "yesterdayish"), ("--format", "xml"), ("--limit", "0"), ("--client", "300.1.1.1"),
                          ("--address", "not-an-address"), ("--nonsense",)):
            done = self.sekisho.tool("log", *arguments)
            self.assertNotEqual(done.returncode, 0, arguments)
            self.assertTrue(done.stderr.strip(), arguments)

    def test_status_has_no_alarm_about_records(self):
        status = self.sekisho.tool("status").stdout
        self.assertIn("records_written", status)


if __name__ == "__main__":
    unittest.main()
