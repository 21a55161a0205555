#!/bin/sh
# Instructions for one span, counted by callgrind: they repeat where times do not.
#
#     benches/instructions.sh            # counts
#     benches/instructions.sh --check    # fails if a count differs by more than 3 % from benches/instructions.txt
#     benches/instructions.sh --write    # writes benches/instructions.txt
#
# What is asked for ahead of time is not counted: valgrind has no such instruction.
#
# The counts are those of one compiler and clock, which the first line of the file names: with others, `--check` says so and
# compares nothing.
set -eu
cd "$(dirname "$0")/.."

readonly KEPT=benches/instructions.txt
readonly TOLERANCE=3
# Roots in a measurement, each of eleven spans, and in one that is twice as long: what both have is not counted.
readonly ROOTS=100
# Spans that the test encodes.
readonly ENCODED=512

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# What the counts depend on besides the code: the compiler, and whether the time is read from the processor.
setting() {
    clock=$(cat /sys/devices/system/clocksource/clocksource0/current_clocksource 2> /dev/null || echo unknown)
    rustc -vV | awk -v clock="$clock" '
        /^release:/ { release = $2 } /^host:/ { host = $2 } END { print "rustc " release ", " host ", clock " clock }'
}

# The executable that cargo builds; `$1` is the name of its target.
built() {
    name=$1
    shift
    cargo "$@" --no-run --message-format=json 2> "$out/cargo" > "$out/json" || { cat "$out/cargo" >&2; return 1; }
    sed -n 's/.*"name":"'"$name"'".*"executable":"\([^"]*\)".*/\1/p' "$out/json" | tail -1
}

# The instructions within the function `counted`, which only one thread calls.
count() {
    rm -f "$out"/cg*
    if ! valgrind --tool=callgrind --separate-threads=yes --collect-atstart=no --toggle-collect='*::counted*' \
        --callgrind-out-file="$out/cg" "$@" > "$out/log" 2>&1; then
        cat "$out/log" >&2
        return 1
    fi
    awk '/^totals:/ { sum += $2 } END { print sum + 0 }' "$out"/cg*
}

recorded() {
    less=$(count "$bench" instructions "$1" "$ROOTS")
    more=$(count "$bench" instructions "$1" "$((2 * ROOTS))")
    printf '%6d  %s\n' $(((more - less) / (11 * ROOTS))) "$1"
}

encoded() {
    all=$(count "$tests" --ignored --exact encode::timing_tests::instructions --test-threads=1)
    printf '%6d  %s\n' $((all / ENCODED)) 'encoding a span, 2 attributes'
}

measure() {
    bench=$(built span bench --bench span)
    tests=$(built otlp_runtime test --release -p otlp-runtime --features export --lib)
    setting
    "$bench" instructions | while read -r case; do recorded "$case"; done
    encoded
}

# Compares two files of counts, line by line.
compare() {
    awk -v tolerance="$TOLERANCE" '
        function name() { sub(/^ *[0-9]+ +/, ""); return $0 }
        /^ *[0-9]/ && NR == FNR { count = $1; kept[name()] = count; next }
        /^ *[0-9]/ {
            count = $1; case_ = name()
            if (!(case_ in kept)) { printf "%-46s%6d, and no count is kept\n", case_, count; bad = 1; next }
            change = (count - kept[case_]) / kept[case_] * 100
            wrong = change > tolerance || change < -tolerance
            printf "%-46s%6d, kept %6d: %+.1f %%%s\n", case_, count, kept[case_], change, wrong ? "  TOO FAR" : ""
            bad = bad || wrong
            delete kept[case_]
        }
        END {
            for (case_ in kept) { printf "%-46s is not counted any more\n", case_; bad = 1 }
            if (bad) print "if that is meant: benches/instructions.sh --write, and say why in the commit"
            exit bad
        }' "$1" "$2"
}

case ${1:-} in
    --check)
        if [ "$(setting)" != "$(head -1 "$KEPT")" ]; then
            printf 'not compared: the counts are of %s, and this is %s\n' "$(head -1 "$KEPT")" "$(setting)"
            exit 0
        fi
        measure > "$out/now"
        compare "$KEPT" "$out/now"
        ;;
    --write)
        measure > "$out/now"
        cp "$out/now" "$KEPT"
        cat "$KEPT"
        ;;
    *) measure ;;
esac
