#!/bin/sh
# Refuses imports that are no arrow of docs/architecture.md. SwiftPM checks Swift modules only; C modules need this list.
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
allow Cgroups OCISpec Kernel
allow ContainerRuntime Cgroups OCISpec JSON Kernel
allow runbox ContainerRuntime OCISpec JSON Kernel
allow runbox-fuzz OCISpec JSON Glibc
exit $failed
