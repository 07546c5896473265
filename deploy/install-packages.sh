#!/usr/bin/env bash
# Installs the Debian packages of packages.txt that are missing.
#   install-packages.sh build client                what compiling, running and asking needs
#   install-packages.sh build client testnet test   and what the tests need
# Daemons that come with packages (nsd, unbound) are not started.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

wanted() {
  local section= line
  while read -r line; do
    line=${line%%#*}
    line=${line//[[:space:]]/}
    case $line in
      '') ;;
      '['*']') section=${line:1:-1} ;;
      *) for s in "$@"; do [ "$s" = "$section" ] && echo "$line"; done || true ;;
    esac
  done <"$here/packages.txt"
}

mapfile -t packages < <(wanted "$@")
[ ${#packages[@]} -gt 0 ] || { echo "usage: $0 SECTION…, with sections of packages.txt" >&2; exit 2; }
declare -A there=()
while read -r package state; do
  [ "$state" = installed ] && there[$package]=yes
done < <(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "${packages[@]}" 2>/dev/null)
missing=()
for package in "${packages[@]}"; do
  [ -n "${there[$package]:-}" ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

echo "installing: ${missing[*]}" >&2
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "these packages are missing and only root can install them: ${missing[*]}" >&2; exit 1; }
  as_root=(sudo)
fi

# While this policy stands, package scripts start nothing.
policy=/usr/sbin/policy-rc.d
made_policy=
if [ ! -e $policy ]; then
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee $policy >/dev/null
  "${as_root[@]}" chmod +x $policy
  made_policy=yes
fi
restore() { if [ -n "$made_policy" ]; then "${as_root[@]}" rm -f $policy; fi; }
trap restore EXIT

"${as_root[@]}" apt-get update -q >&2
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}" >&2
