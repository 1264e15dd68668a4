#!/bin/sh
# Builds the executable: config/build-executable.sh SWIFT OUTPUT [no]
#
# In Embedded Swift where the toolchain has it for this machine: a third of the size, and no runtime library that has to
# start. Else, or with "no", as ordinary Swift with its runtime linked in. The tests of the executable pass with both.
set -eu
swift=$1
output=$2
if [ "${3:-yes}" != no ] && folder=$(config/embedded-libraries.sh "$swift"); then
    scratch=.build/embedded
    RUNBOX_EMBEDDED=$folder "$swift" build -c release --scratch-path "$scratch" --omit-frame-pointers \
        -debug-info-format none --product runbox
else
    echo "the executable is built as ordinary Swift" >&2
    scratch=.build
    "$swift" build -c release --static-swift-stdlib -Xswiftc -static-executable --product runbox
fi
mkdir -p "$(dirname "$output")"
strip "$scratch/release/runbox" -o "$output.new"
mv -f "$output.new" "$output"
ls -l "$output"
