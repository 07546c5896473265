"""The chain of trust: good zones are marked, forged ones are refused with the reason."""

import unittest

from harness import SekishoTest, wait_for


class DnssecTest(SekishoTest):
    daemons = ("logd", "resolverd")

    def test_signed_zones_are_authenticated(self):
        for zone in ("clean.example", "sub.clean.example", "rsa.example", "ed.example", "nsec3.example",
                     "optout.example"):
            reply = self.sekisho.dig(f"www.{zone}", "+dnssec")
            self.assertResolves(reply)
            self.assertIn("ad", reply.flags, reply)
            self.assertTrue(reply.data("RRSIG"), reply)

    def test_absence_is_authenticated(self):
        for name, kind in (("missing.clean.example", "A"), ("www.clean.example", "MX"), ("missing.nsec3.example", "A"),
                           ("b.ent.clean.example", "A"), ("any.wild.clean.example", "A")):
            reply = self.sekisho.dig(name, kind, "+dnssec")
            self.assertIn("ad", reply.flags, reply)

    def test_unsigned_zones_resolve_unmarked(self):
        for name in ("www.plain.test", "www.child.optout.example", "www.shared.example", "cross.clean.example"):
            reply = self.sekisho.dig(name, "+dnssec")
            self.assertResolves(reply)
            self.assertNotIn("ad", reply.flags, reply)

    def test_broken_zones_are_refused_with_the_reason(self):
        # Signature expired, DNSKEY missing or fitting no DS, RRSIGs missing (RFC 8914); 6 is "bogus" in general.
        for name, codes in (("www.expired.example", {7}), ("www.wrongds.example", {9, 6}),
                            ("www.nosig.example", {10, 9, 6})):
            reply = self.sekisho.dig(name)
            self.assertEqual(reply.status, "SERVFAIL", reply)
            self.assertTrue(set(reply.ede) & codes, reply)
            self.assertEqual(reply.answer, [], reply)

    def test_checking_disabled_shows_what_is_there(self):
        self.assertResolves(self.sekisho.dig("www.expired.example", "+cd"), "A", ["192.0.2.51"])
        self.assertEqual(self.sekisho.dig("www.expired.example").status, "SERVFAIL")

    def test_trust_anchors_are_followed_and_kept(self):
        state = self.sekisho.data / "anchors" / "trust-anchors"
        wait_for("the anchors' state on disk", state.exists)
        self.assertRegex(self.sekisho.tool("status", "resolverd").stdout, r"trust_anchor_keys +\. [0-9]+ valid; checked [0-9]+ s ago")
        self.sekisho.stop("resolverd")
        state.write_bytes(state.read_bytes()[:-20])
        self.sekisho.run("resolverd")
        self.sekisho.wait_until_answering()
        told = self.sekisho.tool("status", "resolverd")
        self.assertIn("trust anchors began anew from the configuration", told.stdout)
        self.assertIn("ad", self.sekisho.dig("www.clean.example", "+dnssec").flags)


if __name__ == "__main__":
    unittest.main()
