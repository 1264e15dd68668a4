#!/bin/sh
# Refuses imports that are no arrow of docs/architecture.md (SwiftPM checks Swift modules only; C modules need this list),
# what must not be used between clone and exec, text that is taken apart by characters where the kernel sees bytes, and
# addresses that are used after what they point to.
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
allow runbox ContainerRuntime OCISpec JSON Kernel CSeal
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
# An address that Swift lends is valid until the call it is passed to returns, and no longer.
# shellcheck disable=SC2086 # a list of folders
refuse "an address as a number outlives what it points to; make the system call inside lend: Sources/Kernel/SystemCall.swift" \
    '(^|[^a-zA-Z0-9])U?Int\(bitPattern:|\.rawWord|unsafeBitCast\(' --exclude=SystemCall.swift $product
# shellcheck disable=SC2086 # a list of folders
refuse "a pointer leaves the closure it is valid in; make the call inside" \
    '(with(Unsafe[A-Za-z]*|CString|UTF8)|lend)(\([^{}]*\))? *\{ *(\(?[a-z]+\)? in )?(\$0|[a-z]+)(\.baseAddress)?[!?]? *\}|Pointer(<[^>]*>)?\(&' $product
exit $failed
