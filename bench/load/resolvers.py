"""How each resolver is started for a load run: one thread, validation on, the same cache, nothing asked on its own."""

import dataclasses
import os
import pathlib
import shutil

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("SEKISHO_BIN", ROOT / "build/release/bin"))
PORT = 5300


@dataclasses.dataclass
class World:
    folder: pathlib.Path  # what make_zones wrote
    rpz: pathlib.Path  # the list as a policy zone
    data: pathlib.Path  # Sekisho's data with the list compiled


def _anchor(world):
    return (world.folder / "root.ds").read_text().split()[-4:]


def sekisho(world, folder, with_list):
    data = world.data if with_list else folder / "data"
    shutil.rmtree(data / "spool", ignore_errors=True)
    config = folder / "sekisho.yaml"
    config.write_text(sekisho_config(world, data, feeds=""))
    return [BIN / "sekisho-resolverd", "--config", config]


def sekisho_config(world, data, feeds, more=""):
    return f"""data_dir: {data}
agencies:
  - {{name: load, networks: [127.0.0.0/8]}}
resolver:
  listen: ["127.0.0.1:{PORT}"]
  workers: 1
  root_hints: {world.folder}/root.hints
  query_private_addresses: true
  root_priming: false
  dnssec: {{trust_anchor_file: {world.folder}/root.ds}}
{more}blocklist:
  feeds: [{feeds}]
"""


def unbound(world, folder, with_list):
    conf = folder / "unbound.conf"
    modules = "respip validator iterator" if with_list else "validator iterator"
    rpz = f'rpz:\n  name: list.rpz.\n  zonefile: "{world.rpz}"\n' if with_list else ""
    conf.write_text(f"""server:
  interface: 127.0.0.1@{PORT}
  access-control: 127.0.0.0/8 allow
  num-threads: 1
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: ""
  use-syslog: no
  do-not-query-localhost: no
  do-ip6: no
  trust-anchor-file: "{world.folder}/root.ds"
  module-config: "{modules}"
  root-hints: "{world.folder}/root.hints"
  msg-cache-size: 128m
  rrset-cache-size: 256m
  outgoing-range: 4096
  num-queries-per-thread: 2048
  so-rcvbuf: 4m
{rpz}""")
    return ["unbound", "-c", conf]


def named(world, folder, with_list):
    conf = folder / "named.conf"
    tag, algorithm, digest_type, digest = _anchor(world)
    policy = 'response-policy { zone "list.rpz"; } break-dnssec yes;' if with_list else ""
    zone = f'zone "list.rpz" {{ type primary; file "{world.rpz}"; }};' if with_list else ""
    conf.write_text(f"""options {{
  directory "{folder}"; pid-file none; session-keyfile none; listen-on port {PORT} {{ 127.0.0.1; }};
  listen-on-v6 {{ none; }}; recursion yes; allow-query {{ any; }}; dnssec-validation yes; empty-zones-enable no;
  managed-keys-directory "{folder}"; max-cache-size 384m; recursive-clients 10000; {policy}
}};
controls {{ }};
zone "." {{ type hint; file "{world.folder}/root.hints"; }};
{zone}
trust-anchors {{ "." static-ds {tag} {algorithm} {digest_type} "{digest}"; }};
""")
    return ["named", "-f", "-c", conf, "-n", "1"]


def kresd(world, folder, with_list):
    conf = folder / "kresd.conf"
    rpz = f"policy.add(policy.rpz(policy.DENY, '{world.rpz}', false))" if with_list else ""
    conf.write_text(f"""net.listen('127.0.0.1', {PORT}, {{ kind = 'dns' }})
net.ipv6 = false
modules.load('hints')
modules.unload('priming')
modules.unload('ta_signal_query')
modules.unload('ta_sentinel')
policy.rules = {{}}
{rpz}
hints.root({{ ['ns.'] = '127.20.0.1' }})
trust_anchors.remove('.')
trust_anchors.add_file('{world.folder}/root.ds', true)
cache.open(384 * MB, 'lmdb://{folder}/kcache')
""")
    return ["kresd", "-n", "-c", conf, folder]


def pdns_recursor(world, folder, with_list):
    rpz = f'rpzFile("{world.rpz}", {{policyName="list"}})\n' if with_list else ""
    (folder / "recursor.lua").write_text(f"clearTA()\naddTA('.', \"{' '.join(_anchor(world))}\")\n{rpz}")
    conf = folder / "recursor.conf"
    conf.write_text(f"""local-address=127.0.0.1
local-port={PORT}
allow-from=127.0.0.0/8
dnssec=validate
dont-query=
hint-file={world.folder}/root.hints
lua-config-file={folder}/recursor.lua
socket-dir={folder}
security-poll-suffix=
threads=1
max-mthreads=4096
daemon=no
""")
    return ["pdns_recursor", f"--config-dir={folder}"]


RESOLVERS = {"sekisho": sekisho, "unbound": unbound, "kresd": kresd, "pdns_recursor": pdns_recursor, "named": named}
