#!/usr/bin/env python3
"""Asks Sekisho and its peers the same questions about the small internet, and lists where they differ.

    tests/system/compare/compare.py              all peers that are installed (unbound, named, kresd, pdns_recursor)
    tests/system/compare/compare.py --only unbound

What is compared: response code, AD, the data of the answer section, and whether a negative answer has its SOA. A
difference from all peers fails the run unless explained.py says why it is meant; a difference from some is listed.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from explained import EXPLAINED  # noqa: E402
from harness import Reply, Sekisho, free_port, wait_for  # noqa: E402
from questions import QUESTIONS  # noqa: E402


def unbound(folder, port, testnet):
    conf = folder / "unbound.conf"
    conf.write_text(f"""server:
    interface: 127.0.0.1@{port}
    do-daemonize: no
    username: ""
    chroot: ""
    directory: "{folder}"
    pidfile: ""
    use-syslog: no
    do-not-query-localhost: no
    trust-anchor-file: "{testnet}/root.ds"
    local-zone: "test." transparent
    module-config: "validator iterator"
    root-hints: "{testnet}/root.hints"
""")
    return ["unbound", "-c", conf]


def named(folder, port, testnet):
    conf = folder / "named.conf"
    tag, algorithm, digest_type, digest = (testnet / "root.ds").read_text().split()[-4:]
    conf.write_text(f"""options {{
    directory "{folder}"; pid-file none; session-keyfile none; listen-on port {port} {{ 127.0.0.1; }};
    listen-on-v6 {{ none; }}; recursion yes; allow-query {{ any; }}; dnssec-validation yes; empty-zones-enable no;
    managed-keys-directory "{folder}"; minimal-any no;
}};
controls {{ }};
zone "." {{ type hint; file "{testnet}/root.hints"; }};
trust-anchors {{ "." static-ds {tag} {algorithm} {digest_type} "{digest}"; }};
""")
    return ["named", "-g", "-c", conf, "-n", "1"]


def kresd(folder, port, testnet):
    conf = folder / "kresd.conf"
    conf.write_text(f"""net.listen('127.0.0.1', {port}, {{ kind = 'dns' }})
modules.load('hints')
modules.unload('priming')
modules.unload('ta_signal_query')
modules.unload('ta_sentinel')
policy.rules = {{}}

hints.root({{ ['a.root.'] = '127.10.0.1', ['b.root.'] = '127.10.0.2' }})
trust_anchors.remove('.')
trust_anchors.add_file('{testnet}/root.ds', true)
cache.open(10 * MB, 'lmdb://{folder}/kcache')
""")
    return ["kresd", "-n", "-c", conf, folder]


def pdns_recursor(folder, port, testnet):
    (folder / "recursor.lua").write_text(
        f"clearTA()\naddTA('.', \"{' '.join((testnet / 'root.ds').read_text().split()[-4:])}\")\n")
    conf = folder / "recursor.conf"
    conf.write_text(f"""local-address=127.0.0.1
local-port={port}
dnssec=validate
dont-query=
hint-file={testnet}/root.hints
lua-config-file={folder}/recursor.lua
socket-dir={folder}
security-poll-suffix=
threads=1
daemon=no
""")
    return ["pdns_recursor", f"--config-dir={folder}"]


PEERS = {"unbound": unbound, "named": named, "kresd": kresd, "pdns_recursor": pdns_recursor}


def ask(port, question):
    done = subprocess.run(["dig", "@127.0.0.1", "-p", str(port), "+tries=1", "+time=6", "+nocookie", "+dnssec",
                           *question.split()], capture_output=True, text=True, timeout=30, check=False)
    return Reply(done.stdout)


def essence(reply):
    data = sorted((r.type, r.data.lower()) for r in reply.answer if r.type != "RRSIG")
    negative = not data and reply.status in ("NOERROR", "NXDOMAIN")
    soa = any(r.type == "SOA" for r in reply.authority) if negative else None
    return {"rcode": reply.status, "ad": "ad" in reply.flags, "data": data, "soa": soa}


def start_peers(names, sekisho):
    running = {}
    for name in names:
        folder = sekisho.dir / name
        folder.mkdir()
        port = free_port()
        command = PEERS[name](folder, port, sekisho.dir / "testnet")
        log = open(folder / "log", "wb")
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        running[name] = (port, process)
        try:
            wait_for(f"{name} answers", lambda p=port: ask(p, "www.clean.example A").status == "NOERROR", patience=20)
        except AssertionError:
            print(f"{name} cannot be compared: it does not resolve here; its last words:")
            print((folder / "log").read_text(errors="replace")[-600:])
            process.kill()
            process.wait()
            del running[name]
    return running


def show(value):
    data = ", ".join(f"{t} {d}" for t, d in value["data"])[:90]
    return f"{value['rcode']}{' AD' if value['ad'] else ''}{' no-SOA' if value['soa'] is False else ''} {data}"


def compare(sekisho, peers):
    alone = 0
    for question in QUESTIONS:
        ours = essence(ask(sekisho.port, question))
        theirs = {name: essence(ask(port, question)) for name, (port, _) in peers.items()}
        different = {name: value for name, value in theirs.items() if value != ours}
        if not different:
            continue
        why = EXPLAINED.get(question)
        # Who says nothing within dig's patience, on a slow machine, says nothing else either.
        silent = [name for name, value in theirs.items() if value["rcode"] is None]
        verdict = "differs from some"
        if why:
            verdict = "explained"
        elif len(silent) == len(theirs):
            verdict = "not compared: nobody else answered in time"
        elif len(different) == len(theirs):
            verdict = "ALONE"
        alone += verdict == "ALONE"
        print(f"{question}: {verdict}{': ' + why if why else ''}\n    {'sekisho':14} {show(ours)}")
        for name, value in theirs.items():
            print(f"    {name:14} {show(value)}")
    return alone


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", action="append", choices=sorted(PEERS))
    names = parser.parse_args().only or list(PEERS)
    names = [n for n in names if shutil.which(n) or pathlib.Path("/usr/sbin", n).exists()]
    if not names or os.geteuid() != 0:
        print("skipped: no peer is installed, or port 53 is not ours to take")
        return 77
    # The peers cannot be told another port for the servers of the world.
    with Sekisho(feeds=False, upstream_port=53) as sekisho:
        sekisho.start(("resolverd",))
        peers = start_peers(names, sekisho)
        try:
            began = time.monotonic()
            alone = compare(sekisho, peers) if peers else 0
            print(f"{len(QUESTIONS)} questions to {', '.join(peers)}: {alone} answers that only Sekisho gives, "
                  f"{time.monotonic() - began:.1f} s")
        finally:
            for _, process in peers.values():
                process.terminate()
                process.wait(20)
    return 1 if alone or not peers else 0


if __name__ == "__main__":
    sys.exit(main())
