"""The log asked over HTTP, as curl asks it: tokens, roles, pages, streams, counts, refusals."""

import csv
import io
import json
import socket
import subprocess
import unittest

from harness import SekishoTest, free_port, wait_for


class ApiTest(SekishoTest):
    daemons = ("feedd", "logd", "resolverd")
    options = {"agencies": [("alpha", ["127.0.0.0/24"]), ("beta", ["127.0.2.0/24"])],
               "blocklist": ""}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.port = free_port()  # now that the resolver has its own
        text = cls.sekisho.config.read_text()
        text = text.replace("networks: [\"127.0.0.0/24\"]", "networks: [\"127.0.0.0/24\"], gsoc: first")
        text = text.replace("networks: [\"127.0.2.0/24\"]", "networks: [\"127.0.2.0/24\"], gsoc: second")
        cls.sekisho.config.write_text(text + f"log: {{api: {{listen: \"127.0.0.1:{cls.port}\"}}}}\n")
        cls.sekisho.stop("logd")
        cls.sekisho.run("logd")
        cls.analyst = cls.token("--role", "analyst")
        cls.alpha = cls.token("--role", "agency", "--agency", "alpha")
        cls.first = cls.token("--role", "analyst", "--scope", "first")
        cls.auditor = cls.token("--role", "auditor")
        for i in range(30):
            cls.sekisho.dig(f"n{i}.wild.clean.example", source="127.0.0.5" if i % 2 else "127.0.2.5")
        cls.sekisho.wait_for_rows(30, "--under", "wild.clean.example")
        wait_for("the API", lambda: cls.curl(cls.analyst, "/v1/count")[0] == 200)

    @classmethod
    def token(cls, *arguments):
        return cls.sekisho.must("token", "add", "--name", "test", *arguments).strip()

    @classmethod
    def curl(cls, token, path, *arguments):
        done = subprocess.run(
            ["curl", "-sS", "-g", "--max-time", "30", "-w", "\n%{http_code}", "-H", f"Authorization: Bearer {token}",
             *arguments, f"http://127.0.0.1:{cls.port}{path}"], capture_output=True, text=True, timeout=60, check=False)
        body, _, code = done.stdout.rpartition("\n")
        return int(code or 0), body

    def get(self, token, path, *arguments):
        code, body = self.curl(token, path, *arguments)
        self.assertEqual(code, 200, body)
        return json.loads(body)

    def test_events_are_each_agencys_own(self):
        for source in ("127.0.0.9", "127.0.0.9", "127.0.2.9"):
            self.assertResolves(self.sekisho.dig("cross.clean.example", source=source))
        self.sekisho.wait_for_rows(3, "--name", "cross.clean.example")
        self.sekisho.must("block", "add", "cross.clean.example", "--reason", "test")

        def events(token):
            code, body = self.curl(token, "/v1/events")
            self.assertEqual(code, 200, body)
            lines = [json.loads(line) for line in body.splitlines()]
            return [e for e in lines if "cross.clean" in e["rule"]]

        (event,) = wait_for("the event", lambda: events(self.analyst), patience=40)
        self.assertEqual((event["lookups"], event["answered"]), (3, 3))
        self.assertEqual([a["agency"] for a in event["agencies"]], ["alpha", "beta"])
        self.assertEqual(event["agencies"][0]["clients"][0]["client"], "127.0.0.9")
        self.assertEqual(event["agencies"][0]["addresses"], ["198.51.100.11"])
        (own,) = events(self.alpha)
        self.assertEqual((own["lookups"], [a["agency"] for a in own["agencies"]]), (2, ["alpha"]))
        self.assertNotIn("127.0.2.9", json.dumps(own))
        self.assertEqual(self.curl(self.auditor, "/v1/events")[0], 403)
        self.assertIn(event["id"], self.sekisho.must("events"))
        self.assertIn("127.0.2.9", self.sekisho.must("events", "show", event["id"]))
        self.sekisho.stop("logd")
        self.sekisho.run("logd")
        wait_for("the API", lambda: self.curl(self.analyst, "/v1/count")[0] == 200)
        self.assertEqual(len(events(self.analyst)), 1)

    def test_pages_hold_each_lookup_once(self):
        names, cursor = [], ""
        while True:
            page = self.get(self.analyst, f"/v1/lookups?under=wild.clean.example&limit=7{cursor}")
            names += [row["name"] for row in page["lookups"]]
            if not page["next_cursor"]:
                break
            cursor = "&cursor=" + page["next_cursor"]
        self.assertEqual(sorted(names), sorted(f"n{i}.wild.clean.example." for i in range(30)))

    def test_streams(self):
        _, body = self.curl(self.analyst, "/v1/lookups?under=wild.clean.example&format=ndjson")
        lines = [json.loads(line) for line in body.splitlines()]
        self.assertEqual(lines[-1], {"end": True, "rows": 30, "next_cursor": None})
        self.assertEqual(len(lines), 31)
        _, body = self.curl(self.analyst, "/v1/lookups?under=wild.clean.example&format=csv&limit=4")
        self.assertEqual(len(list(csv.DictReader(io.StringIO(body)))), 4)

    def test_an_agency_sees_its_own_rows_whatever_it_asks(self):
        for question in ("", "&agency=beta", "&client=127.0.2.0/24", "&q=agency:beta", "&q=not%20agency:alpha",
                         "&q=agency:beta%20or%20client:127.0.2.5"):
            for token in (self.alpha, self.first):
                page = self.get(token, f"/v1/lookups?under=wild.clean.example{question}")
                self.assertTrue(all(row["agency"] == "alpha" for row in page["lookups"]), question)
                count = self.get(token, f"/v1/count?under=wild.clean.example{question}")["count"]
                self.assertEqual(count, len(page["lookups"]), question)
        self.assertEqual(self.get(self.alpha, "/v1/count?under=wild.clean.example")["count"], 15)
        self.assertEqual(self.get(self.alpha, "/v1/contacts")["groups"][0]["value"], "alpha")
        self.assertEqual(self.get(self.alpha, "/v1/contacts")["distinct"], 1)
        self.assertEqual(self.get(self.alpha, "/v1/clients?client=127.0.2.5")["groups"], [])

    def test_counts(self):
        clients = self.get(self.analyst, "/v1/clients?under=wild.clean.example")
        self.assertEqual({g["value"]: g["lookups"] for g in clients["groups"]}, {"127.0.0.5": 15, "127.0.2.5": 15})
        names = self.get(self.analyst, "/v1/names?client=127.0.0.5&under=wild.clean.example&limit=3")
        self.assertEqual((len(names["groups"]), names["distinct"], names["lookups"]), (3, 15, 15))
        self.assertEqual(self.get(self.analyst, "/v1/names?address=192.0.2.0/24&under=wild.clean.example")["distinct"], 30)
        line = self.get(self.analyst, "/v1/timeline?under=wild.clean.example&step=minute&zone=%2B09:00")
        self.assertEqual(sum(step["lookups"] for step in line["steps"]), 30)
        self.assertTrue(line["steps"][0]["start"].endswith("+09:00"), line)
        contacts = self.get(self.analyst, "/v1/contacts?under=wild.clean.example")["groups"]
        self.assertEqual([g["value"] for g in contacts], ["alpha", "beta"])
        self.assertLessEqual(contacts[0]["first"], contacts[0]["last"])

    def test_a_page_that_did_not_change_is_not_sent_again(self):
        path = "/v1/lookups?under=wild.clean.example&until=now"
        _, head = self.curl(self.analyst, path, "-i")
        tag = next(line.split(": ", 1)[1].strip() for line in head.splitlines() if line.lower().startswith("etag"))
        code, body = self.curl(self.analyst, path, "-H", f"If-None-Match: {tag}")
        self.assertEqual((code, body.strip()), (304, ""))

    def test_searches_are_recorded(self):
        self.get(self.analyst, "/v1/count?name=recorded.example&purpose=case%2017")
        found = [s for s in self.get(self.auditor, "/v1/searches?limit=1000")["searches"] if s["purpose"] == "case 17"]
        self.assertEqual([(s["what"], s["status"], s["rows"]) for s in found], [("/v1/count?name=recorded.example", 200, 0)])
        self.assertEqual(self.curl(self.auditor, "/v1/lookups")[0], 403)

    def test_a_removed_token_is_of_no_use(self):
        token = self.token("--role", "analyst")
        self.assertEqual(self.curl(token, "/v1/count")[0], 200)
        self.sekisho.must("token", "remove", token.split("_")[1])
        self.assertEqual(self.curl(token, "/v1/count")[0], 401)
        self.assertNotIn(token.split("_")[2], (self.sekisho.data / "tokens").read_text())

    def test_wrong_requests_are_refused(self):
        self.assertEqual(self.curl(self.analyst, "/v1/count", "-X", "POST", "-d", "x=1")[0], 405)
        self.assertEqual(self.curl(self.analyst, "/v1/count", "-X", "GET", "-d", "x" * 100000)[0], 413)
        self.assertEqual(self.curl(self.analyst, "/v1/lookups?name=a..b")[0], 400)
        code, body = self.curl(self.analyst, "/v1/lookups?q=name:(")
        self.assertEqual(code, 400)
        self.assertIn("^", json.loads(body)["error"])
        self.assertNotEqual(self.curl(self.analyst, "/v1/count?q=" + "a" * 100000)[0], 200)

    def test_idle_connections_do_not_shut_others_out_for_long(self):
        idle = [socket.create_connection(("127.0.0.1", self.port)) for _ in range(60)]
        self.sekisho.dig("meanwhile.wild2.clean.example")
        self.sekisho.wait_for_rows(1, "--name", "meanwhile.wild2.clean.example")
        for s in idle:
            s.close()
        wait_for("the API again", lambda: self.curl(self.analyst, "/v1/count")[0] == 200)


if __name__ == "__main__":
    unittest.main()
