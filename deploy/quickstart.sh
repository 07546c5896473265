#!/usr/bin/env bash
# From a fresh Debian 12 to a protective resolver: installs what is missing, builds, starts the three daemons.
#
#   deploy/quickstart.sh                 resolves from the public root on 127.0.0.1:5353
#   deploy/quickstart.sh --offline       resolves from the small internet of deploy/testnet
#   deploy/quickstart.sh --check         starts, asks, reads the log, prints a verdict, stops; exit status 0 or 1
#   further: --port N   --data-dir DIR   (default: build/quickstart)
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD

offline= check= port=5353 data=
while [ $# -gt 0 ]; do
  case $1 in
    --offline) offline=yes; shift ;;
    --check) check=yes; shift ;;
    --port) port=${2:?--port needs a number}; shift 2 ;;
    --data-dir) data=${2:?--data-dir needs a folder}; shift 2 ;;
    *) sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
done
[ -n "$data" ] || data=$root/build/quickstart$([ -n "$offline" ] && echo -offline || true)
mkdir -p "$data"
data=$(cd "$data" && pwd)
bin=$root/build/release/bin
config=$data/sekisho.yaml
server=127.0.0.1

say() { echo "quickstart: $*"; }
fail() { say "FAILED: $*" >&2; exit 1; }

deploy/install-packages.sh build client ${offline:+testnet}
if [ ! -f build/release/build.ninja ]; then cmake --preset release -DSEKISHO_TESTS=OFF -DSEKISHO_BENCH=OFF >/dev/null; fi
say "building (the first time takes minutes)"
cmake --build build/release --target sekisho-resolverd sekisho-feedd sekisho-logd sekisho

pids=()
cleanup() {
  trap - EXIT
  trap '' INT TERM
  local pid
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  [ -z "$offline" ] || deploy/testnet/testnet.sh stop --dir "$data/testnet"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

hints= private=false upstream_port=53 anchor=
if [ -n "$offline" ]; then
  # A port of its own, so that several stand side by side.
  upstream_port=$((port + 1))
  deploy/testnet/testnet.sh start --dir "$data/testnet" --port "$upstream_port"
  hints=$data/testnet/root.hints anchor=$data/testnet/root.ds private=true
fi

# A Unix socket's path has 107 bytes at most.
run=
if [ ${#data} -gt 85 ]; then run=/tmp/sekisho-run-$(id -u)-$port; fi
cat >"$config" <<CONFIG
# Written by deploy/quickstart.sh at each start.
data_dir: $data
${run:+run_dir: $run
}agencies:
  - name: this-machine
    networks: [127.0.0.0/8, "::1"]
resolver:
  listen: ["$server:$port"]
  workers: 2
${hints:+  root_hints: $hints
}  upstream_port: $upstream_port
  query_private_addresses: $private
${offline:+  special_use_except: [test]
  dnssec:
    trust_anchor_file: $anchor
}blocklist:
  shared_hosts: [$root/deploy/lists/demo-shared-hosts.txt]
  feeds:
    - {name: demo-malware, url: $root/deploy/lists/malware.domains, format: domains, category: malware, rank: 1}
    - {name: demo-phishing, url: $root/deploy/lists/phishing.csv, format: urls-csv, category: phishing, rank: 2}
    - {name: demo-trackers, url: $root/deploy/lists/ads.hosts, format: hosts, category: tracking, rank: 3}
CONFIG

"$bin/sekisho" check-config "$config" >/dev/null || fail "the configuration is refused"
for daemon in feedd logd resolverd; do
  "$bin/sekisho-$daemon" --config "$config" 2>"$data/$daemon.log" &
  pids+=($!)
done

# All three answer, and the list is in force.
ready() { "$bin/sekisho" --config "$config" status >"$data/status.txt" 2>&1; }
for i in $(seq 1 100); do
  for pid in "${pids[@]}"; do
    kill -0 "$pid" 2>/dev/null || { tail -n 5 "$data"/*d.log >&2; fail "a daemon has ended"; }
  done
  ready && break
  [ "$i" -lt 100 ] || { cat "$data/status.txt" >&2; fail "not ready after 20 seconds"; }
  read -rt 0.2 <> <(:) || true
done

if [ -z "$check" ]; then
  blocked=evil.malware.test clean=$([ -n "$offline" ] && echo www.clean.example || echo www.debian.org)
  cat <<HELP

Sekisho answers on $server port $port. Ask it:

  dig @$server -p $port $clean
  dig @$server -p $port $blocked        # blocked; the answer says by which list

Read what was asked:

  $bin/sekisho --config $config log --since 1h
  $bin/sekisho --config $config log --under malware.test --format jsonl

Block a name at once, see the lists, see how it is:

  $bin/sekisho --config $config block add www.blocked.example --reason "case 1"
  $bin/sekisho --config $config feed list
  $bin/sekisho --config $config status

Ctrl-C stops everything. Data stays in $data.
HELP
  wait -n "${pids[@]}" || true
  tail -n 5 "$data"/*d.log >&2
  fail "a daemon has ended"
fi

ask() { dig "@$server" -p "$port" +tries=2 +time=5 "$@"; }
if [ -n "$offline" ]; then
  clean=www.clean.example blocked=evil.malware.test alias=badalias.clean.example
else
  clean=www.iana.org blocked=evil.malware.test alias=www.iana.org
fi
began=$(date -u +%Y-%m-%dT%H:%M:%SZ)
verdict=0
expect() {  # what, text that must be in it, text
  if grep -qE -- "$2" <<<"$3"; then
    say "ok: $1"
  else
    say "NOT ok: $1; expected /$2/ in:"
    sed 's/^/    /' <<<"$3"
    verdict=1
  fi
}
expect "$clean resolves" "status: NOERROR" "$(ask "$clean")"
expect "$blocked is blocked" "status: NXDOMAIN" "$(ask "$blocked")"
expect "the answer names the list" "EDE: 15 .*demo-malware" "$(ask "$blocked" AAAA)"
if [ -z "$offline" ]; then
  target=$(ask +short "$clean" CNAME)
  "$bin/sekisho" --config "$config" block add "${target:-$clean}" --reason "quickstart check" >/dev/null
  trap '"$bin/sekisho" --config "$config" block remove "${target:-$clean}" >/dev/null; cleanup' EXIT
fi
expect "$alias, an alias of a blocked name, is blocked" "status: NXDOMAIN" "$(ask "$alias" A)"

# A lookup is in the log about a second after it was asked.
count() { "$bin/sekisho" --config "$config" log --since "$began" --name "$1" --format jsonl 2>/dev/null | wc -l; }
want_blocked=2 want_clean=1
[ -n "$offline" ] || want_clean=3
for i in $(seq 1 50); do
  [ "$(count "$blocked")" -ge $want_blocked ] && [ "$(count "$alias")" -ge 1 ] && break
  read -rt 0.2 <> <(:) || true
done
expect "the log holds $clean" "^$want_clean$" "$(count "$clean")"
expect "the log holds both questions for $blocked" "^$want_blocked$" "$(count "$blocked")"
expect "the log tells why $alias was blocked" "demo-malware|local" \
  "$("$bin/sekisho" --config "$config" log --since "$began" --name "$alias" --verdict blocked --format jsonl)"
if [ $verdict -eq 0 ]; then
  say "everything works"
else
  say "something does not work; the daemons' own words are in $data/*d.log"
  [ -n "$offline" ] || say "without a way to the public DNS, use --offline"
fi
exit $verdict
