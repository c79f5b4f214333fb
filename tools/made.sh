#!/usr/bin/env bash
# Makes a form of the default model, which takes a minute, or copies the one in the user's cache that the same code made from the
# same files. CCACHE_DISABLE, which turns off the compilers' cache, turns this one off, too.
#   tools/made.sh SCRIPT FILE INPUT…     `node SCRIPT PHOTOS` writes FILE from the modules and models INPUT…
set -euo pipefail

readonly script=$1 file=$2 inputs=("${@:3}")
readonly cache=${XDG_CACHE_HOME:-$HOME/.cache}/ocelli/made

# The bundle contains all JavaScript that the script imports.
key() {
  local bundle
  bundle=$(node_modules/.bin/esbuild "$script" --bundle --minify --platform=node --format=esm --log-level=error) || return
  { echo "$bundle"; cat models/manifest.json tools/samples.sh "${inputs[@]}"; } | sha256sum | cut -c1-12
}

make_form() {
  node_modules/node-24/bin/node "$script" "$photos"
}

photos=$(tools/samples.sh)/photos
if [ -n "${CCACHE_DISABLE:-}" ]; then make_form; exit; fi
hash=$(key)
kept=$cache/$hash-$(basename "$file")
if [ ! -e "$kept" ]; then
  make_form
  mkdir -p "$cache" && cp "$file" "$kept.$$" && mv "$kept.$$" "$kept"
fi
cp "$kept" "$file"
