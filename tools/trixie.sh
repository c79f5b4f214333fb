#!/usr/bin/env bash
# trixie.sh ARGS…: runs apt-get on Debian trixie, for the few packages that bookworm has in an older version. It uses
# this machine's mirror and a private configuration; the system's package state does not change.
set -euo pipefail

readonly private=${XDG_CACHE_HOME:-$HOME/.cache}/ocelli/apt
mkdir -p "$private"/{etc,lists/partial,cache/archives/partial}

# The machine's Debian mirror: the first configured source of the suite bookworm.
own_mirror() {
  local file
  for file in /etc/apt/sources.list.d/*.sources /etc/apt/sources.list; do
    [ -e "$file" ] || continue
    awk '/^URIs:/ { uri = $2 } /^Suites:/ && / bookworm( |$)/ { print uri; exit }
         /^deb / { for (i = 2; i < NF; i++) if ($i ~ /^[a-z+]+:/ && $(i + 1) == "bookworm") { print $i; exit } }' "$file"
  done | head -n 1
}

apt() {
  apt-get -qq -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$private/etc" -o Dir::State::Lists="$private/lists" \
    -o Dir::Cache="$private/cache" -o APT::Sandbox::User=root "$@"
}

# A lock, because two runs at once (make -j) must not both update.
exec 9>"$private/lock"
flock 9
if [ ! -e "$private/ready" ]; then
  mirror=$(own_mirror)
  [ -n "$mirror" ] || { echo 'trixie.sh: no bookworm source found in /etc/apt' >&2; exit 1; }
  printf 'Types: deb deb-src\nURIs: %s\nSuites: trixie\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n' \
    "$mirror" >"$private/etc/trixie.sources"
  apt update
  touch "$private/ready"
fi
exec 9>&-
apt "$@"
