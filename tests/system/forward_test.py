"""A second resolver, unbound as Debian ships it, forwards everything here, as an agency's own server would."""

import subprocess
import unittest

from harness import PATIENCE, Reply, SekishoTest, free_port, wait_for

CONFIG = """
server:
  do-daemonize: no
  interface: 127.0.0.1@{port}
  username: ""
  chroot: ""
  directory: "{dir}"
  pidfile: ""
  use-syslog: no
  logfile: ""
  verbosity: 1
  do-not-query-localhost: no
  module-config: "{modules}"
  trust-anchor-file: "{dir}/testnet/root.ds"
  local-zone: "test." nodefault
  local-zone: "example." nodefault
remote-control:
  control-enable: no
forward-zone:
  name: "."
  forward-addr: 127.0.0.1@{upstream}
"""


class ForwardTest(SekishoTest):
    daemons = ("logd", "resolverd")

    def forwarder(self, modules):
        port = free_port()
        path = self.sekisho.dir / f"unbound-{port}.conf"
        path.write_text(CONFIG.format(port=port, dir=self.sekisho.dir, modules=modules, upstream=self.sekisho.port))
        log = open(self.sekisho.dir / f"unbound-{port}.log", "wb")
        self.addCleanup(log.close)
        process = subprocess.Popen(["/usr/sbin/unbound", "-c", path], stdout=log, stderr=log)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)

        def ask(*arguments):
            done = subprocess.run(["dig", "@127.0.0.1", "-p", str(port), "+tries=1", "+time=10", *arguments],
                                  capture_output=True, text=True, timeout=PATIENCE, check=False)
            return Reply(done.stdout)
        wait_for("unbound answers", lambda: ask("www.clean.example", "+time=1").status == "NOERROR")
        return ask

    def test_plain_forwarder(self):
        ask = self.forwarder("iterator")
        self.assertResolves(ask("www.clean.example"), "A", ["192.0.2.11"])
        self.assertResolves(ask("chain1.clean.example"), "A", ["198.51.100.44"])
        self.assertEqual(ask("missing.clean.example").status, "NXDOMAIN")
        self.assertEqual(len(ask("six.big.example", "TXT").data("TXT")), 30)
        self.assertEqual(len(ask("many.big.example").data("A")), 200)

    def test_validating_forwarder(self):
        ask = self.forwarder("validator iterator")
        for name in ("www.clean.example", "www.ed.example", "www.nsec3.example", "any.wild.clean.example"):
            reply = ask(name, "+dnssec")
            self.assertResolves(reply)
            self.assertIn("ad", reply.flags, reply)
        reply = ask("missing.clean.example", "+dnssec")
        self.assertEqual(reply.status, "NXDOMAIN", reply)
        self.assertIn("ad", reply.flags, reply)
        self.assertResolves(ask("www.plain.test"), "A", ["198.51.100.11"])
        self.assertEqual(ask("www.expired.example").status, "SERVFAIL")


if __name__ == "__main__":
    unittest.main()
