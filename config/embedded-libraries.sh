#!/bin/sh
# Prints where the toolchain has its libraries for Embedded Swift on this machine, and fails where it has none:
# config/embedded-libraries.sh SWIFT
set -eu
# What `swift -print-target-info` says of a field, the first of that name.
target_info() {
    "$1" -print-target-info | sed -n "s/^ *\"$2\": *\"\\([^\"]*\\)\".*/\\1/p" | head -n 1
}

folder=$(target_info "$1" runtimeResourcePath)/embedded/$(target_info "$1" unversionedTriple)
if ! [ -f "$folder/libswiftUnicodeDataTables.a" ]; then
    echo "$1 has no Embedded Swift for this machine: $folder" >&2
    exit 1
fi
echo "$folder"
