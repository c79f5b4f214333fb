#!/usr/bin/env bash
# Downloads one package that the set-up executes into the current directory, and checks its hash before anything uses it:
#   pinned.sh deb NAME VERSION SHA256     from Debian trixie
#   pinned.sh npm NAME VERSION INTEGRITY  INTEGRITY as in package-lock.json: sha512-…
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
readonly kind=$1 name=$2 version=$3 hash=$4

fail() { printf 'pinned.sh: %s\n' "$*" >&2; exit 1; }

moved_on() {
  local now
  now=$("$here/trixie.sh" download --print-uris "$name" 2>/dev/null | sed -n "s/^'[^']*' ${name}_\([^_]*\)_.*/\1/p" | sed 's/%3a/:/g; s/%2b/+/g') || now=
  fail "Debian's archive has moved on: it has no $name $version any more${now:+, but $now}." \
    "Look at what changed, then put the new version and its sha256 into the script that asks for it."
}

case $kind in
  deb)
    "$here/trixie.sh" download "$name=$version" >/dev/null 2>&1 || moved_on
    files=("${name}"_*.deb)
    echo "$hash  ${files[0]}" | sha256sum --check --status ||
      fail "${files[0]} has another sha256 than $hash: it is not the file that was looked at"
    ;;
  npm)
    npm pack "$name@$version" --loglevel=error >/dev/null || fail "npm has no $name $version"
    found=$(node -p "'sha512-' + require('crypto').createHash('sha512').update(require('fs').readFileSync('$name-$version.tgz')).digest('base64')")
    [ "$found" = "$hash" ] || fail "$name-$version.tgz has another hash than $hash: it is not the file that was looked at"
    ;;
  *) fail "no such kind of package: $kind" ;;
esac
