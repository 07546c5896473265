"""Lists fetched over HTTP: conditional, bounded, checked; whatever goes wrong, the list in force stays."""

import gzip
import http.server
import pathlib
import ssl
import subprocess
import tempfile
import threading
import unittest

from harness import Sekisho, SekishoTest, wait_for


class ListServer(http.server.ThreadingHTTPServer):
    """Serves what `answer` says, and remembers the requests."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer = {"status": 200, "body": b"", "headers": {}}
        self.requests = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self):
        return self.server_address[1]

    def say(self, body=b"", status=200, cut=0, **headers):
        self.answer = {"status": status, "body": body, "cut": cut, "headers": headers}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):  # noqa: N802: the name is the library's
        answer = self.server.answer
        self.server.requests.append(dict(self.headers))
        etag = answer["headers"].get("ETag")
        if etag and self.headers.get("If-None-Match") == etag:
            self.send_response(304)
            self.end_headers()
            return
        body = answer["body"]
        self.send_response(answer["status"])
        for name, value in answer["headers"].items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) - answer.get("cut", 0)])
        self.close_connection = True

    def log_message(self, *arguments):
        pass


class FetchTest(SekishoTest):
    @classmethod
    def setUpClass(cls):
        cls.server = ListServer()
        cls.addClassCleanup(cls.server.server_close)
        cls.addClassCleanup(cls.server.shutdown)
        cls.server.say(b"first.listed.test\n", ETag='"1"')
        cls.options = {"feeds": f"  feeds:\n    - {{name: fetched, url: 'http://127.0.0.1:{cls.server.port}/list', "
                                f"format: domains, category: test}}\n"}
        super().setUpClass()
        wait_for("the first version in force", lambda: cls.blocked("first.listed.test"))

    @classmethod
    def blocked(cls, name):
        return 15 in cls.sekisho.dig(name).ede

    def sync(self):
        return self.sekisho.tool("feed", "sync", "fetched")

    def setUp(self):
        self.server.say(b"first.listed.test\n", ETag='"1"')
        self.must_hold()

    def must_hold(self):
        done = self.sync()
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertTrue(self.blocked("first.listed.test"))

    def assert_refused(self, because):
        """The sync fails and says why; an empty reason takes any."""
        done = self.sync()
        self.assertNotEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn(because, done.stdout + done.stderr)
        self.assertTrue(self.blocked("first.listed.test"), "the old list must stay")
        shown = self.sekisho.tool("feed", "show", "fetched")
        self.assertIn(because, shown.stdout + shown.stderr)

    def test_unchanged_is_not_fetched_again(self):
        self.must_hold()
        self.assertEqual(self.server.requests[-1].get("If-None-Match"), '"1"')

    def test_new_version_is_in_force_after_sync(self):
        self.server.say(b"first.listed.test\nsecond.listed.test\n", ETag='"2"')
        self.must_hold()
        wait_for("the new version in force", lambda: self.blocked("second.listed.test"), patience=5)

    def test_compressed(self):
        body = gzip.compress(b"first.listed.test\nsqueezed.listed.test\n")
        self.server.say(body, ETag='"3"', Content_Encoding="gzip")
        self.must_hold()
        wait_for("the unpacked version in force", lambda: self.blocked("squeezed.listed.test"), patience=5)

    def test_errors_of_the_server(self):
        for status in (403, 404, 500, 503):
            self.server.say(b"nothing here", status=status)
            self.assert_refused(str(status))

    def test_cut_short(self):
        self.server.say(b"first.listed.test\nhalf.listed.test\nrest.listed.test\n", cut=20, ETag='"4"')
        self.assert_refused("")
        self.assertFalse(self.blocked("half.listed.test"))

    def test_web_page_instead_of_a_list(self):
        self.server.say(b"<!DOCTYPE html><html><body>please log in</body></html>", ETag='"5"')
        self.assert_refused("HTML")

    def test_bomb(self):
        self.server.say(gzip.compress(b"\n" * (64 << 20), 9), ETag='"6"', Content_Encoding="gzip")
        self.assert_refused("")

    def test_certificate_that_nobody_vouches_for(self):
        with tempfile.TemporaryDirectory() as folder:
            pem = pathlib.Path(folder, "server.pem")
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                            "-subj", "/CN=127.0.0.1", "-keyout", pem, "-out", pathlib.Path(folder, "c.pem"), "-days", "1"],
                           check=True, capture_output=True, timeout=30)
            pem.write_text(pem.read_text() + pathlib.Path(folder, "c.pem").read_text())
            secure = ListServer()
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(pem)
            secure.socket = context.wrap_socket(secure.socket, server_side=True)
            self.addCleanup(secure.server_close)
            self.addCleanup(secure.shutdown)
            secure.say(b"forged.listed.test\n")
            feeds = f"  feeds:\n    - {{name: secure, url: 'https://127.0.0.1:{secure.port}/list', format: domains}}\n"
            with Sekisho(feeds=feeds) as other:
                other.start()
                wait_for("the reason", lambda: "certificate" in other.tool("feed", "sync", "secure").stdout.lower())
                self.assertNotIn(15, other.dig("forged.listed.test").ede)


if __name__ == "__main__":
    unittest.main()
