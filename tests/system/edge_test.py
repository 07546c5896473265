"""What stands between the clients and the resolver: cookies, rate limits, the order of records."""

import re
import unittest

from harness import SekishoTest


class CookiesTest(SekishoTest):
    daemons = ("resolverd",)
    options = {"agencies": [("alpha", ["127.0.0.0/24"])], "resolver": "  cookies: {require: true}\n"}

    def test_dig_learns_a_cookie_and_is_served(self):
        """dig answers BADCOOKIE by asking again with the cookie it was given."""
        reply = self.sekisho.dig("+cookie", "www.clean.example")
        self.assertResolves(reply, "A", ["192.0.2.11"])
        self.assertRegex(reply.text, r"COOKIE: [0-9a-f]{48} \(good\)")

    def test_forged_cookie_is_turned_away(self):
        reply = self.sekisho.dig("+nobadcookie", "+cookie=0102030405060708" + "00" * 16, "www.clean.example")
        self.assertEqual(reply.status, "BADCOOKIE", reply)
        self.assertEqual(reply.answer, [], reply)

    def test_kept_replies_carry_the_cookie_of_who_asks(self):
        seen = set()
        for client in ("0102030405060708", "1112131415161718"):
            for _ in range(3):
                reply = self.sekisho.dig("+cookie=" + client, "www.clean.example")
                cookie = re.search(r"COOKIE: ([0-9a-f]{48})", reply.text).group(1)
                self.assertTrue(cookie.startswith(client), reply)
                seen.add(cookie[:16])
        self.assertEqual(len(seen), 2)


class RateLimitTest(SekishoTest):
    daemons = ("resolverd",)
    options = {"agencies": [("alpha", ["127.0.0.0/24"])],
               "resolver": "  rate_limit: {per_second: 5, exempt: [127.0.0.7/32]}\n"}

    def test_over_the_rate_dig_comes_over_tcp(self):
        for _ in range(20):
            self.assertResolves(self.sekisho.dig("+nocookie", "www.clean.example", source="127.0.0.5"), "A", ["192.0.2.11"])
        for _ in range(20):
            reply = self.sekisho.dig("+nocookie", "+ignore", "www.clean.example", source="127.0.0.7")
            self.assertNotIn("tc", reply.flags, reply)
        flags = [self.sekisho.dig("+nocookie", "+ignore", "www.clean.example", source="127.0.0.6").flags for _ in range(20)]
        self.assertTrue(any("tc" in f for f in flags), flags)


if __name__ == "__main__":
    unittest.main()
