#!/bin/sh
# Instructions on the calling thread for one span, counted by callgrind: they repeat where times do not.
#
#     benches/instructions.sh              # every case
#     benches/instructions.sh "CASE" MAX   # one case; fails above MAX
set -eu
cd "$(dirname "$0")/.."

binary=$(cargo bench --bench span --no-run --message-format=json 2>/dev/null |
    sed -n 's/.*"name":"span".*"executable":"\([^"]*\)".*/\1/p' | tail -1)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# The instructions of the main thread within `counted` for so many roots of eleven spans.
count() {
    rm -f "$out"/*
    valgrind --tool=callgrind --separate-threads=yes --collect-atstart=no --toggle-collect='*counted*' \
        --callgrind-out-file="$out/cg" "$binary" instructions "$1" "$2" >/dev/null 2>&1
    awk '/^(totals|summary):/ { print $2; exit }' "$out/cg-01"
}

one() {
    less=$(count "$1" 100)
    more=$(count "$1" 200)
    each=$(((more - less) / 1100))
    printf '%-46s%6d instructions a span\n' "$1" "$each"
    [ "$each" -le "${2:-1000000}" ]
}

if [ $# -gt 0 ]; then
    one "$@"
else
    "$binary" instructions | while read -r case; do one "$case"; done
fi
