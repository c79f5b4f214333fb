#!/usr/bin/env bash
# Installs what the Makefile needs and the machine lacks, from Debian 12 and npm: make, LLVM 19, a native compiler for
# the tests, Python (emcc is written in it), Node, browsers, a decoder of videos. Quick when nothing is missing.
set -euo pipefail

readonly packages='make chromium firefox-esr ffmpeg gcc libc6-dev clang-19 lld-19 llvm-19 clang-format-19 clang-tidy-19 python3-minimal xz-utils dpkg-dev'

say() { printf '  setup: %s\n' "$*"; }

missing=()
for package in $packages; do dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package"); done
command -v python3 >/dev/null || missing+=(python3)
command -v npm >/dev/null || missing+=(nodejs npm)

if [ ${#missing[@]} -gt 0 ]; then
  say "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq update
  apt-get -qq install --no-install-recommends "${missing[@]}" >/dev/null
fi
