#!/usr/bin/env bash
# clang-tidy of one C file. What passed before is in the user's cache: the same file with the same headers passes again.
#   tools/lint/tidy.sh FILE
set -euo pipefail

readonly file=$1 flags=(-std=c11 -Isrc)
readonly cache=${XDG_CACHE_HOME:-$HOME/.cache}/ocelli/tidy

# With all definitions and comments, because checks read both.
key=$({ clang-tidy-19 --version; cat .clang-tidy; clang-19 -E -dD -CC "${flags[@]}" "$file"; } | sha256sum | cut -c1-16)
[ -e "$cache/$key" ] && exit
clang-tidy-19 --quiet "$file" -- "${flags[@]}" 2>/dev/null
mkdir -p "$cache" && touch "$cache/$key"
