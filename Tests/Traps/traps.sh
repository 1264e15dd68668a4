#!/bin/sh
# Shows that what Swift stops a process for still does so in the executable's settings, with one line and status 1, and never
# goes on: Tests/Traps/traps.sh SWIFT OUTPUT [no]   (as config/build-executable.sh)
set -eu
cd "$(dirname "$0")/../.."
swift=$1
output=$2
wanted=${3:-yes}
mkdir -p "$output"
set -- -wmo -Osize -parse-as-library -import-objc-header Sources/CSeal/include/CSeal.h
define=
if [ "$wanted" != no ] && folder=$(config/embedded-libraries.sh "$swift"); then
    define=-DRUNBOX_EMBEDDED
    set -- "$@" -enable-experimental-feature Embedded "$folder/libswiftUnicodeDataTables.a"
fi
compiler=$(dirname "$(readlink -f "$(command -v "${swift}c")")")/clang
for name in seal traps; do "$compiler" -O2 $define -c "Sources/CSeal/$name.c" -o "$output/$name.o"; done
"${swift}c" "$@" Tests/Traps/trap.swift "$output/seal.o" "$output/traps.o" -o "$output/trap"
failed=0
for kind in overflow bounds missing conversion range; do
    status=0
    "$output/trap" "$kind" >"$output/out" 2>"$output/err" || status=$?
    if [ $status = 1 ] && ! [ -s "$output/out" ] && grep -q '^runbox: internal error: .* stopped itself' "$output/err"; then
        echo "$kind: stops the process"
    else
        echo "$kind: status $status, output: $(cat "$output/out" "$output/err")" >&2
        failed=1
    fi
done
[ "$("$output/trap" none)" = nothing ] || failed=1
exit $failed
