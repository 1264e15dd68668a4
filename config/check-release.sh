#!/bin/sh
# The version stands in Sources/runbox/CommandLine/Release.swift; what people read beside it must say the same.
set -eu
cd "$(dirname "$0")/.."
release=Sources/runbox/CommandLine/Release.swift
version=$(sed -n 's/^ *static let version = "\(.*\)"$/\1/p' $release)
date=$(sed -n 's/^ *static let date = "\(.*\)"$/\1/p' $release)
[ -n "$version" ] && [ -n "$date" ] || { echo "$release: no version, or no date" >&2; exit 1; }
failed=0
# expect FILE WANTED FOUND
expect() {
    [ "$2" = "$3" ] || { echo "$1: expected \"$2\" as in $release, found \"$3\"" >&2; failed=1; }
}
expect CHANGELOG.md "## $version – $date" "$(sed -n '/^## /{p;q;}' CHANGELOG.md)"
expect docs/library.md "$version" "$(sed -n 's/^\.package(.*from: "\([^"]*\)".*/\1/p' docs/library.md)"
exit $failed
