#!/usr/bin/env bash
# Prints the directory with the third-party sources (xnnpack, pthreadpool, fp16, fxdiv). On first use it downloads
# them from Debian trixie into the user's cache and checks each archive's sha256.
set -euo pipefail

# name  sha256 of its upstream tarball in Debian
readonly tarballs='
xnnpack     90bde2caef0f880f627bab0dc805a86c4b8070cd98e3243db3046ab3f3be1a99
pthreadpool 4cc3cbd933b28131d2a34edc54f76af9fb41bc490af5eae1a5bd3cd07ea90708
fp16        7d7782b37b74136e0e12593a2a93ccbe7db831f4374cc408e44623d9b708b54e
fxdiv       7953482badaf4cb34026c3487c257b8e4ab2df061c019bd6fabbbc12ad52c44b'

# name  its version in Debian. These two tables are also in the package's bill of materials: tools/sbom.js reads them here.
readonly versions='
xnnpack     0.0~git20241108.4ea82e5
pthreadpool 0.0~git20240616.560c60d
fp16        0.0~git20200514.4dfe081
fxdiv       0.0~git20200417.b408327'

here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/ocelli
readonly home=$cache/sources-$(printf %s "$tarballs" | sha256sum | cut -c1-12)

fetch() { # fetch NAME SHA256: downloads a source package and unpacks its tarball to ./NAME/
  printf '  sources: %s\n' "$1" >&2
  mkdir "$1" "$1.download"
  (cd "$1.download" && "$here/trixie.sh" source --tar-only "$1" >/dev/null) ||
    { echo "sources.sh: Debian's archive has no source of $1" >&2; return 1; }
  local archive version
  archive=$(echo "$1.download"/*.orig.tar.*)
  version=$(awk -v name="$1" '$1 == name { print $2 }' <<<"$versions")
  [[ ${archive##*/} == "$1_$version.orig.tar."* ]] || {
    echo "sources.sh: Debian has ${archive##*/}, not version $version: put the new version into tools/sources.sh" >&2
    return 1
  }
  echo "$2  $archive" | sha256sum --check --status || {
    echo "sources.sh: ${archive##*/} has another sha256 than $2: Debian's archive has moved on, or the file was changed." \
      'Look at what changed, then put the new sha256 into tools/sources.sh.' >&2
    return 1
  }
  # xnnpack's archive has no top directory, the others have one
  tar -xf "$archive" -C "$1"
  local entries=("$1"/*)
  if [ ${#entries[@]} = 1 ]; then mv "$1" "$1.top" && mv "$1.top"/* "$1" && rmdir "$1.top"; fi
  rm -r "$1.download"
}

if [ ! -d "$home" ]; then
  mkdir -p "$cache"
  rm -rf "$cache"/sources.partial.*
  partial=$(mktemp -d "$cache/sources.partial.XXXXXX")
  cd "$partial"
  while read -r name sha256; do [ -z "$name" ] || fetch "$name" "$sha256"; done <<<"$tarballs"
  mv "$partial" "$home"
fi
echo "$home"
