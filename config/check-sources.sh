#!/bin/sh
# Refuses imports that are no arrow of docs/architecture.md (SwiftPM checks Swift modules only; C modules need this list),
# what must not be used between clone and exec, and text that is taken apart by characters where the kernel sees bytes.
set -eu
cd "$(dirname "$0")/.."
failed=0
allow() {
    module=$1
    shift
    for file in $(find "Sources/$module" -name '*.swift'); do
        for import in $(sed -n 's/^ *\(public \|package \|internal \|private \)\{0,1\}\(@[a-z]* \)\{0,1\}import \(struct \|enum \|func \)\{0,1\}\([A-Za-z]*\).*/\4/p' "$file"); do
            case " $* " in
            *" $import "*) ;;
            *)
                echo "$file: $module must not import $import" >&2
                failed=1
                ;;
            esac
        done
    done
}
allow JSON
allow OCISpec JSON
allow Kernel CLinux CSeccomp CCap
allow DBus Kernel
allow Cgroups DBus OCISpec Kernel
allow ContainerRuntime Cgroups OCISpec JSON Kernel
allow runbox ContainerRuntime OCISpec JSON Kernel
allow runbox-fuzz ContainerRuntime Cgroups DBus OCISpec JSON Kernel Glibc

refuse() {
    reason=$1
    pattern=$2
    shift 2
    if grep -rnE --include='*.swift' "$pattern" "$@" >&2; then
        echo "^ $reason" >&2
        failed=1
    fi
}
product='Sources/JSON Sources/OCISpec Sources/Kernel Sources/DBus Sources/Cgroups Sources/ContainerRuntime Sources/runbox'
# shellcheck disable=SC2086 # a list of folders
refuse "single-threaded and without Foundation: docs/architecture.md" \
    '^[^/"]*(^|[^a-zA-Z.])(async |await |actor [A-Z]|Task ?\{|Mirror\(|Codable|print\()' $product
refuse "bytes, not characters: Sources/Kernel/ByteText.swift" \
    '\.(hasPrefix|hasSuffix)\(|\.split\(separator: "' Sources/Kernel Sources/DBus Sources/Cgroups Sources/ContainerRuntime Sources/runbox
exit $failed
