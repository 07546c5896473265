#!/usr/bin/env bash
# The small internet: a root, two top-level domains and zones below them on 127.10.0.0/16, served by nsd.
#
#   testnet.sh start --dir DIR [--port N]    makes zones and keys in DIR, starts the servers, waits until they answer
#   testnet.sh stop --dir DIR                stops exactly those servers
#   testnet.sh status --dir DIR
#
# DIR then holds root.hints and root.ds for a resolver. The port is 53 for root, else 5300; a resolver has to be told
# when it is not 53. README.md lists the zones and their oddities.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# nsd lives where an ordinary user's PATH does not look.
PATH=$PATH:/usr/sbin

die() { echo "testnet: $*" >&2; exit 1; }

command=${1:-}
[ $# -gt 0 ] && shift
dir= port=
while [ $# -gt 0 ]; do
  case $1 in
    --dir) dir=${2:?--dir needs a folder}; shift 2 ;;
    --port) port=${2:?--port needs a number}; shift 2 ;;
    *) die "unknown argument: $1" ;;
  esac
done
[ -n "$dir" ] || die "usage: testnet.sh start|stop|status --dir DIR [--port N]"
[ -n "$port" ] || port=$([ "$(id -u)" -eq 0 ] && echo 53 || echo 5300)

# Servers: name, addresses, zones (files of zones/, without .zone; "root" is the root).
servers="
root|127.10.0.1 127.10.0.2|root
tld|127.10.1.1 127.10.1.2|example test
sld|127.10.2.1 127.10.2.2|clean.example rsa.example ed.example nsec3.example optout.example big.example load.example shared.example botnet.example expired.example wrongds.example nosig.example plain.test malware.test phish.test ads.test glueless.test gl2.test halfdead.test lame.test upward.test
deep|127.10.4.1|sub.clean.example child.optout.example
lame|127.10.3.1|
upward|127.10.3.2|root
"
# The one server on IPv6, where the machine has it.
if [ -e /proc/net/if_inet6 ] && grep -q ' lo$' /proc/net/if_inet6; then
  servers+="six|::1|six.test
"
fi

# Zones that are signed, children before parents: zone, algorithm, options of ldns-signzone, what becomes of the DS.
signed="
sub.clean.example|ECDSAP256SHA256||ds
clean.example|ECDSAP256SHA256||ds
rsa.example|RSASHA256||ds
ed.example|ED25519||ds
nsec3.example|ECDSAP256SHA256|-n -t 0|ds
optout.example|ECDSAP256SHA256|-n -p -t 0|ds
load.example|ECDSAP256SHA256||ds
expired.example|ECDSAP256SHA256|expired|ds
wrongds.example|ECDSAP256SHA256||wrong
nosig.example|ECDSAP256SHA256||ds-unsigned
example|ECDSAP256SHA256||ds
test|ECDSAP256SHA256|-n -t 0|ds
root|ECDSAP256SHA256||anchor
"

origin_of() { [ "$1" = root ] && echo . || echo "$1."; }
parent_of() { case $1 in *.*) echo "${1#*.}" ;; *) echo root ;; esac; }

# Zones too large to be written by hand.
generate_zones() {
  {
    printf '$ORIGIN big.example.\n$TTL 300\n@ SOA ns1 hostmaster 1 3600 600 86400 60\n@ NS ns1\nns1 A 127.10.2.1\n'
    local i filler
    filler=$(printf 'x%.0s' $(seq 1 200))
    for i in $(seq 1 8); do echo "two TXT \"$i $filler\""; done
    for i in $(seq 1 30); do echo "six TXT \"$i $filler\""; done
    for i in $(seq 1 200); do echo "many A 192.0.2.$i"; done
  } >"$dir/zones/big.example.zone"
  {
    printf '$ORIGIN load.example.\n$TTL 300\n@ SOA ns1 hostmaster 1 3600 600 86400 60\n@ NS ns1\n@ NS ns2\nns1 A 127.10.2.1\nns2 A 127.10.2.2\n'
    for i in $(seq 0 999); do echo "h$i A 198.51.100.$((i % 250 + 1))"; done
  } >"$dir/zones/load.example.zone"
}

sign_zone() {  # zone algorithm options ds
  local zone=$1 algorithm=$2 options=$3 ds=$4 origin key file="$dir/zones/$1.zone" times=()
  origin=$(origin_of "$zone")
  key=$(cd "$dir/keys" && ldns-keygen -a "$algorithm" -b 2048 -k "$origin")
  times=(-i "$(date -u -d '-2 hours' +%Y%m%d%H%M%S)" -e "$(date -u -d '+60 days' +%Y%m%d%H%M%S)")
  if [ "$options" = expired ]; then
    times=(-i 20200101000000 -e 20200201000000)
    options=
  fi
  if [ "$ds" != ds-unsigned ]; then
    # shellcheck disable=SC2086  # options are words
    ldns-signzone $options "${times[@]}" -o "$origin" -f "$file.signed" "$file" "$dir/keys/$key"
    mv "$file.signed" "$file"
  fi
  # ldns-keygen writes a SHA-256 DS beside the key.
  case $ds in
    ds | ds-unsigned) cat "$dir/keys/$key.ds" >>"$dir/zones/$(parent_of "$zone").zone" ;;
    wrong) sed -E 's/[0-9a-fA-F]{8}$/deadbeef/' "$dir/keys/$key.ds" >>"$dir/zones/$(parent_of "$zone").zone" ;;
    anchor) cp "$dir/keys/$key.ds" "$dir/root.ds" ;;
  esac
}

write_config() {  # name addresses zones
  local name=$1 a z
  {
    echo "server:"
    for a in $2; do echo "  ip-address: $a@$port"; done
    cat <<CONF
  server-count: 1
  username: ""
  chroot: ""
  database: ""
  zonesdir: "$dir/zones"
  pidfile: ""
  xfrdir: "$dir"
  xfrdfile: "$dir/$name.xfrd"
  zonelistfile: "$dir/$name.zonelist"
  cookie-secret-file: ""
  rrl-ratelimit: 0
  minimal-responses: no
  hide-version: yes
remote-control:
  control-enable: no
CONF
    for z in $3; do printf 'zone:\n  name: "%s"\n  zonefile: "%s.zone"\n' "$(origin_of "$z")" "$z"; done
  } >"$dir/$name.conf"
}

# Asks over UDP with bash alone, so that the small internet needs no client: is there any reply?
answers() {  # address
  timeout 1 bash -c '
    exec 3<>"/dev/udp/$1/$2"
    printf "\x12\x34\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01" >&3
    head -c 1 <&3 >/dev/null' _ "$1" "$port" 2>/dev/null
}

wait_for() {  # address log
  local i
  for i in $(seq 1 50); do
    answers "$1" && return 0
    read -rt 0.1 <> <(:) || true
  done
  cat "$2" >&2
  die "the server on $1 port $port does not answer"
}

start() {
  command -v nsd >/dev/null || die "nsd is not installed"
  command -v ldns-signzone >/dev/null || die "ldns-signzone is not installed"
  [ ! -e "$dir/pids" ] || stop
  mkdir -p "$dir"
  dir=$(cd "$dir" && pwd)
  rm -rf "$dir/zones" "$dir/keys"
  mkdir -p "$dir/keys"
  cp -r "$here/zones" "$dir/zones"
  generate_zones
  local zone algorithm options ds name addresses zones
  while IFS='|' read -r zone algorithm options ds; do
    [ -n "$zone" ] && sign_zone "$zone" "$algorithm" "$options" "$ds"
  done <<<"$signed"
  cat >"$dir/root.hints" <<'HINTS'
. 3600000 IN NS a.root.
. 3600000 IN NS b.root.
a.root. 3600000 IN A 127.10.0.1
b.root. 3600000 IN A 127.10.0.2
HINTS
  : >"$dir/pids"
  while IFS='|' read -r name addresses zones; do
    [ -n "$name" ] || continue
    write_config "$name" "$addresses" "$zones"
    nsd -d -c "$dir/$name.conf" >"$dir/$name.log" 2>&1 &
    echo $! >>"$dir/pids"
  done <<<"$servers"
  while IFS='|' read -r name addresses zones; do
    [ -n "$name" ] && for a in $addresses; do wait_for "$a" "$dir/$name.log"; done
  done <<<"$servers"
  echo "testnet: ready on 127.10.0.0/16 port $port; hints in $dir/root.hints, anchor in $dir/root.ds"
}

# A pid is ours only while its command line names our folder.
ours() { tr '\0' ' ' <"/proc/$1/cmdline" 2>/dev/null | grep -qF -- "$dir/"; }

stop() {
  [ -e "$dir/pids" ] || return 0
  dir=$(cd "$dir" && pwd)
  local pid i
  for pid in $(cat "$dir/pids"); do ours "$pid" && kill "$pid" 2>/dev/null || true; done
  for i in $(seq 1 50); do
    local left=
    for pid in $(cat "$dir/pids"); do ours "$pid" && left=yes; done
    [ -z "$left" ] && break
    read -rt 0.1 <> <(:) || true
  done
  rm -f "$dir/pids"
}

case $command in
  start) start ;;
  stop) stop ;;
  status)
    [ -e "$dir/pids" ] || { echo "testnet: not running"; exit 1; }
    dir=$(cd "$dir" && pwd)
    for pid in $(cat "$dir/pids"); do ours "$pid" || { echo "testnet: server $pid is gone"; exit 1; }; done
    echo "testnet: running" ;;
  *) die "usage: testnet.sh start|stop|status --dir DIR [--port N]" ;;
esac
