"""Straight answers: what is not blocked resolves as it stands in the small internet."""

import socket
import struct
import subprocess
import unittest

from harness import SekishoTest, question


class AnswersTest(SekishoTest):
    daemons = ("logd", "resolverd")
    options = {"agencies": [("alpha", ["127.0.0.0/24"]), ("beta", ["127.0.2.0/24"])]}

    def ask(self, *arguments, **options):
        return self.sekisho.dig(*arguments, **options)

    def test_ordinary_types(self):
        self.assertResolves(self.ask("www.clean.example", "A"), "A", ["192.0.2.11"])
        self.assertResolves(self.ask("www.clean.example", "AAAA"), "AAAA", ["2001:db8::11"])
        self.assertResolves(self.ask("clean.example", "MX"), "MX", ["10 mail.clean.example."])
        self.assertResolves(self.ask("clean.example", "TXT"), "TXT", ['"v=spf1 -all"'])
        self.assertResolves(self.ask("_sip._tcp.clean.example", "SRV"), "SRV", ["10 60 5060 mail.clean.example."])
        self.assertResolves(self.ask("www.clean.example", "HTTPS"), "HTTPS")
        self.assertResolves(self.ask("odd.clean.example", "TYPE65400"), "TYPE65400", ["\\# 4 0A000001"])
        self.assertResolves(self.ask("clean.example", "NS"), "NS", ["ns1.clean.example.", "ns2.clean.example."])

    def test_aliases(self):
        reply = self.ask("chain1.clean.example")
        self.assertResolves(reply, "A", ["198.51.100.44"])
        self.assertEqual([r.type for r in reply.answer], ["CNAME", "CNAME", "CNAME", "A"], reply)
        self.assertResolves(self.ask("cross.clean.example"), "A", ["198.51.100.11"])
        reply = self.ask("host.old.clean.example")
        self.assertResolves(reply, "A", ["192.0.2.79"])
        self.assertIn("DNAME", [r.type for r in reply.answer], reply)
        self.assertIn("CNAME", [r.type for r in reply.answer], reply)

    def test_alias_to_nothing_and_to_itself(self):
        reply = self.ask("nowhere.clean.example")
        self.assertEqual(reply.status, "NXDOMAIN", reply)
        self.assertEqual(reply.data("CNAME"), ["missing.clean.example."], reply)
        reply = self.ask("loop1.clean.example")
        self.assertIn(reply.status, ("SERVFAIL", "NOERROR"), reply)
        self.assertEqual(reply.data("A"), [], reply)

    def test_names_that_do_not_exist(self):
        for name in ("missing.clean.example", "missing.plain.test", "missing.nsec3.example"):
            reply = self.ask(name)
            self.assertEqual(reply.status, "NXDOMAIN", reply)
            self.assertEqual([r.type for r in reply.authority], ["SOA"], reply)

    def test_types_that_do_not_exist(self):
        for name, kind in (("six.clean.example", "A"), ("b.ent.clean.example", "A"), ("www.plain.test", "MX")):
            reply = self.ask(name, kind)
            self.assertEqual(reply.status, "NOERROR", reply)
            self.assertEqual(reply.answer, [], reply)
            self.assertEqual([r.type for r in reply.authority], ["SOA"], reply)

    def test_wildcard(self):
        self.assertResolves(self.ask("any.thing.wild.clean.example"), "A", ["192.0.2.77"])

    def test_child_zone_of_a_zone(self):
        self.assertResolves(self.ask("www.sub.clean.example"), "A", ["192.0.2.40"])

    def test_delegations_without_glue(self):
        self.assertResolves(self.ask("www.glueless.test"), "A", ["198.51.100.20"])
        self.assertResolves(self.ask("www.gl2.test"), "A", ["198.51.100.21"])

    def test_servers_that_fail_beside_one_that_works(self):
        self.assertResolves(self.ask("www.halfdead.test"), "A", ["198.51.100.22"])
        self.assertResolves(self.ask("www.lame.test"), "A", ["198.51.100.22"])
        self.assertResolves(self.ask("www.upward.test"), "A", ["198.51.100.23"])

    def test_server_on_ipv6_alone(self):
        with open("/proc/net/if_inet6", encoding="ascii") as interfaces:
            if " lo\n" not in interfaces.read():
                self.skipTest("no IPv6 on loopback")
        self.assertResolves(self.ask("www.six.test"), "A", ["198.51.100.60"])

    def test_zones_without_any_server(self):
        for name in ("www.dead.test", "www.alllame.test"):
            reply = self.ask(name, "+time=12", "+tries=1")
            self.assertEqual(reply.status, "SERVFAIL", reply)
            self.assertTrue(set(reply.ede) & {22, 23}, reply)

    def test_second_answer_comes_from_the_cache(self):
        first = self.ask("mail.clean.example")
        self.assertResolves(first, "A", ["192.0.2.25"])
        self.assertResolves(self.ask("mail.clean.example"), "A", ["192.0.2.25"])
        rows = self.sekisho.wait_for_rows(2, "--name", "mail.clean.example")
        self.assertEqual([r["origin"] for r in rows], ["upstream", "cache"], rows)

    def test_big_answers_go_over_tcp(self):
        for name, records in (("two.big.example", 8), ("six.big.example", 30)):
            reply = self.ask(name, "TXT")
            self.assertTrue(reply.tcp, reply)
            self.assertEqual(len(reply.data("TXT")), records, reply)
            truncated = self.ask(name, "TXT", "+ignore")
            self.assertIn("tc", truncated.flags, truncated)
            self.assertLessEqual(truncated.size, 1232)
        self.assertEqual(len(self.ask("many.big.example").data("A")), 200)
        self.assertIn("tc", self.ask("many.big.example", "+ignore", "+noedns").flags)

    def test_pipelined_questions_on_one_connection(self):
        names = [f"p{i}.wild.clean.example" for i in range(20)]
        with socket.create_connection(("127.0.0.1", self.sekisho.port), timeout=10) as s:
            packets = [question(name, number) for number, name in enumerate(names)]
            s.sendall(b"".join(struct.pack("!H", len(p)) + p for p in packets))
            stream, numbers = s.makefile("rb"), set()
            for _ in names:
                (length,) = struct.unpack("!H", stream.read(2))
                numbers.add(struct.unpack("!H", stream.read(length)[:2])[0])
        self.assertEqual(numbers, set(range(20)))

    def test_only_the_agencies_are_served(self):
        self.assertResolves(self.ask("www.clean.example", source="127.0.2.9"))
        for name in ("www.clean.example", "evil.malware.test"):
            reply = self.ask(name, source="127.0.3.9")
            self.assertEqual(reply.status, "REFUSED", reply)
            self.assertEqual(reply.answer, [], reply)

    def test_kdig_and_drill(self):
        port = str(self.sekisho.port)
        for extra in ([], ["+tcp"], ["+dnssec"], ["+bufsize=512"]):
            done = subprocess.run(["kdig", "@127.0.0.1", "-p", port, "www.clean.example", *extra],
                                  capture_output=True, text=True, timeout=30, check=False)
            self.assertEqual(done.returncode, 0, done)
            self.assertIn("192.0.2.11", done.stdout)
            self.assertNotIn("WARNING", done.stdout + done.stderr)
        for extra in ([], ["-t"], ["-D"]):
            done = subprocess.run(["drill", "-p", port, *extra, "www.clean.example", "@127.0.0.1"],
                                  capture_output=True, text=True, timeout=30, check=False)
            self.assertEqual(done.returncode, 0, done)
            self.assertIn("192.0.2.11", done.stdout)

    def test_bad_packets_do_no_harm(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            for packet in (b"", b"\0", b"x" * 11, b"\xff" * 12, b"\0" * 600, question("www.clean.example", 7)[:-3],
                           b"\0\1\1\0\0\1\0\0\0\0\0\0\xc0\x0c\0\1\0\1"):
                s.sendto(packet, ("127.0.0.1", self.sekisho.port))
        self.assertResolves(self.ask("www.clean.example"))
        self.sekisho.check_alive("resolverd")


if __name__ == "__main__":
    unittest.main()
