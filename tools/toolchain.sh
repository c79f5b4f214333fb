#!/usr/bin/env bash
# Prints the path of emcc, version 3.1.60 or newer. If PATH has none, sets one up in the user's cache directory: Debian
# trixie's emscripten and binaryen, unpacked into a private root, with bookworm's LLVM 19 (which tools/setup.sh
# installs). Changes nothing outside the cache directory.
set -euo pipefail

readonly wanted=3.1.60
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

set_up() { # set_up DIR: builds the toolchain in DIR; the caller renames DIR to its final place
  local dir=$1 package
  cd "$dir"
  say 'downloading emscripten and binaryen (270 MB, once)'
  mkdir -p debs root
  (cd debs && "$here/trixie.sh" download emscripten binaryen libc6 libstdc++6 libgcc-s1 >/dev/null)
  say 'unpacking'
  for package in debs/*.deb; do dpkg -x "$package" root; done
  rm -r debs
  wrap_binaryen "$dir"
  npm install --silent --no-save --prefix "$dir/npm" acorn@8 >&2
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
