#!/bin/sh
# Ends with a clear sentence when there is no Swift toolchain, or one that is too old.
set -eu
swift=${1:-swift}
if ! command -v "$swift" >/dev/null 2>&1; then
    echo "runbox needs a Swift toolchain, version 6.2 or newer, and found none: install one (swift.org/install) and put its bin folder into PATH." >&2
    exit 1
fi
version=$("$swift" --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9.]*\).*/\1/p' | head -n 1)
major=${version%%.*}
rest=${version#*.}
minor=${rest%%.*}
if [ -z "$version" ] || [ "$major" -lt 6 ] || { [ "$major" -eq 6 ] && [ "$minor" -lt 2 ]; }; then
    echo "runbox needs Swift 6.2 or newer; $swift is ${version:-of an unknown version}. Install a newer toolchain (swift.org/install)." >&2
    exit 1
fi
