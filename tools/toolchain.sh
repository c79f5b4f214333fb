#!/usr/bin/env bash
# Prints the path of emcc, version 3.1.60 or newer. If PATH has none, sets one up in the user's cache directory: Debian
# trixie's emscripten and binaryen, unpacked into a private root, with bookworm's LLVM 19 (which tools/setup.sh
# installs). Changes nothing outside the cache directory.
set -euo pipefail

readonly wanted=3.1.60
# name  version  sha256 of each package of Debian trixie (amd64) that is executed
readonly debs='
emscripten 3.1.69+dfsg-3    d2ac788b952c56ab6736b4db2ac0825aa63cfb4c08b8abaefe19e324779d1b2d
binaryen   120-4            47be56009e56170f4338a0154fbff2028bd607bc3c8b6a5414658a985bef6470
libc6      2.41-12+deb13u5  b59b0625cd1a791375d40dab23a4d5d3d0641e3d0a773501becdc3725b7f99cf
libstdc++6 14.2.0-19        ab1fa05837aa7a92aae748fd07a18a35f7d18bb4a71c4724fe2bbf0e32089de0
libgcc-s1  14.2.0-19        3c71917b490d1a17aed43196a2787a256ecf060526cdb20216a74bedc061b150'
cache=${XDG_CACHE_HOME:-$HOME/.cache}/ocelli
readonly home=$cache/toolchain-1
here=$(cd "$(dirname "$0")" && pwd)

say() { printf '  toolchain: %s\n' "$*" >&2; }

usable() { # usable EMCC: is its version at least $wanted?
  local version
  version=$("$1" -dumpversion 2>/dev/null | tr -d '"' | grep -oE '^[0-9.]+') || return 1
  [ "$(printf '%s\n' "$wanted" "$version" | sort -V | head -n 1)" = "$wanted" ]
}

# binaryen 120 needs a newer glibc than Debian 12 has, so its tools run with the loader and libraries of the private
# root.
wrap_binaryen() {
  mkdir -p "$1/binaryen/bin"
  local tool lib=$1/root/usr/lib/x86_64-linux-gnu
  for tool in "$1"/root/usr/bin/wasm-*; do
    cat >"$1/binaryen/bin/${tool##*/}" <<WRAPPER
#!/bin/sh
here=\$(dirname "\$(readlink -f "\$0")")/../../root
exec "\$here/usr/lib64/ld-linux-x86-64.so.2" --library-path "\$here/usr/lib/x86_64-linux-gnu" "\$here/usr/bin/${tool##*/}" "\$@"
WRAPPER
    chmod +x "$1/binaryen/bin/${tool##*/}"
  done
  [ -e "$1/root/usr/lib64" ] || ln -s lib/x86_64-linux-gnu "$1/root/usr/lib64"
  [ -e "$lib/ld-linux-x86-64.so.2" ]
}

# emcc's JavaScript optimizer needs acorn. Version and hash are those of package-lock.json.
add_acorn() {
  local lock
  lock=$(node -p "const { version, integrity } = require('$here/../package-lock.json').packages['node_modules/acorn']; version + ' ' + integrity")
  mkdir -p npm/node_modules/acorn
  (cd npm && "$here/pinned.sh" npm acorn $lock && tar -xzf acorn-*.tgz -C node_modules/acorn --strip-components=1 && rm acorn-*.tgz)
}

set_up() { # set_up DIR: builds the toolchain in DIR; the caller renames DIR to its final place
  local dir=$1 package
  cd "$dir"
  say 'downloading emscripten and binaryen (270 MB, once)'
  mkdir -p debs root
  local name version hash
  while read -r name version hash; do
    [ -z "$name" ] || (cd debs && "$here/pinned.sh" deb "$name" "$version" "$hash")
  done <<<"$debs"
  say 'unpacking'
  for package in debs/*.deb; do dpkg -x "$package" root; done
  rm -r debs
  wrap_binaryen "$dir"
  add_acorn
  ln -sfn "$home/npm/node_modules" root/usr/share/emscripten/node_modules
  mv root/usr/share/emscripten/cache cache
  cat >config <<CONFIG
LLVM_ROOT = '/usr/lib/llvm-19/bin'
BINARYEN_ROOT = '$home/binaryen'
NODE_JS = '$(command -v node)'
CACHE = '$home/cache'
CONFIG
  cat >emcc <<WRAPPER
#!/bin/sh
EM_CONFIG='$home/config' exec python3 '$home/root/usr/share/emscripten/'"\$(basename "\$0")".py "\$@"
WRAPPER
  chmod +x emcc
  ln -s emcc emar
  ln -s emcc em-config
}

main() {
  if usable emcc; then command -v emcc; return; fi
  if ! usable "$home/emcc"; then
    say "no emcc >= $wanted on PATH: setting one up in $home"
    mkdir -p "$cache"
    rm -rf "$home" "$cache"/toolchain.partial.*
    local partial
    partial=$(mktemp -d "$cache/toolchain.partial.XXXXXX")
    (set_up "$partial")
    mv "$partial" "$home"
    usable "$home/emcc" || { say 'the toolchain does not run'; return 1; }
  fi
  echo "$home/emcc"
}
main
