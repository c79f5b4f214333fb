#!/usr/bin/env bash
# Installs the Debian 12 packages that the Makefile needs and the machine lacks: make, ccache, LLVM 19, a native compiler for
# the tests, Python (for emcc), Node and npm, browsers, ffmpeg. Quick if nothing is missing.
set -euo pipefail

readonly packages='make ccache chromium firefox-esr webkit2gtk-driver xvfb ffmpeg gcc g++-multilib libc6-dev clang-19 lld-19 llvm-19 libclang-rt-19-dev libsimde-dev libjpeg62-turbo-dev clang-format-19 clang-tidy-19 python3-minimal xz-utils dpkg-dev'

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
