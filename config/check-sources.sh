#!/bin/sh
# Refuses imports that are no arrow of docs/architecture.md (SwiftPM checks Swift modules only; C modules need this
# list), what must not be used between clone and exec, text that is taken apart by characters where the kernel sees
# bytes, and addresses that are used after what they point to.
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
allow KernelTypes CLinux CSeccomp CCap
allow Errors KernelTypes
allow DBus KernelTypes
allow CgroupPlanning DBus OCISpec Errors KernelTypes
allow Planning CgroupPlanning OCISpec Errors KernelTypes
allow Kernel KernelTypes CLinux CSeccomp CCap
allow Criu Kernel KernelTypes
allow DBusTransport DBus Kernel KernelTypes
allow Cgroups CgroupPlanning DBusTransport DBus OCISpec Errors Kernel KernelTypes
allow ContainerRuntime Planning CgroupPlanning Cgroups Criu OCISpec JSON Errors Kernel KernelTypes
allow Diagnosis ContainerRuntime Planning CgroupPlanning Cgroups OCISpec JSON Errors Kernel KernelTypes
allow Services ContainerRuntime Planning OCISpec JSON Errors Kernel KernelTypes
allow runbox ContainerRuntime Services Diagnosis Planning OCISpec JSON Errors Kernel KernelTypes CSeal
allow runbox-fuzz ContainerRuntime Planning CgroupPlanning Cgroups DBus OCISpec JSON Errors Kernel KernelTypes Glibc

refuse() {
    reason=$1
    pattern=$2
    shift 2
    if grep -rnE --include='*.swift' "$pattern" "$@" >&2; then
        echo "^ $reason" >&2
        failed=1
    fi
}
product='Sources/JSON Sources/OCISpec Sources/KernelTypes Sources/Errors Sources/DBus Sources/CgroupPlanning Sources/Planning
    Sources/Kernel Sources/Criu Sources/DBusTransport Sources/Cgroups Sources/ContainerRuntime Sources/Services Sources/Diagnosis Sources/runbox'
# shellcheck disable=SC2086 # a list of folders
refuse "single-threaded and without Foundation: docs/architecture.md" \
    '^[^/"]*(^|[^a-zA-Z.])(async |await |actor [A-Z]|Task ?\{|Mirror\(|Codable|print\()' $product
# shellcheck disable=SC2046 # a list of folders
refuse "bytes, not characters: Sources/KernelTypes/ByteText.swift" \
    '\.(hasPrefix|hasSuffix)\(|\.split\(separator: "' $(echo "$product" | sed 's|Sources/JSON Sources/OCISpec||')
# An address that Swift lends is valid until the call it is passed to returns, and no longer.
# shellcheck disable=SC2086 # a list of folders
refuse "an address as a number outlives what it points to; make the system call inside lend: Sources/Kernel/SystemCall.swift" \
    '(^|[^a-zA-Z0-9])U?Int\(bitPattern:|\.rawWord|unsafeBitCast\(' --exclude=SystemCall.swift $product
# shellcheck disable=SC2086 # a list of folders
refuse "a pointer leaves the closure it is valid in; make the call inside" \
    '(with(Unsafe[A-Za-z]*|CString|UTF8)|lend)(\([^{}]*\))? *\{ *(\(?[a-z]+\)? in )?(\$0|[a-z]+)(\.baseAddress)?[!?]? *\}|Pointer(<[^>]*>)?\(&' $product
# shellcheck disable=SC2086 # a list of folders
refuse "a key path where a function is asked for does not compile in Embedded Swift; write a closure" \
    '\(\\\.|: *\\\.[a-z]' $product
# Longer lines of code are swift-format's business; a comment is read in two columns.
for file in $(find Sources Tests/*Tests Tests/TestSupport Examples Package.swift -name '*.swift' -o -name '*.[ch]'); do
    awk -v file="$file" 'length > 120 && /^ *\/\// { print file ":" FNR ": a comment is longer than 120 columns"; bad = 1 } END { exit bad }' "$file" >&2 || failed=1
done
exit $failed
