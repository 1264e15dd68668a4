# For the scripts beside it: a bundle, one check after the other, a count of what failed. Sourced, as root, with RUNBOX
# set. They need what ordinary test machines lack, and change nothing outside of their own folder and of what they say.
set -u
: "${RUNBOX:?the built executable}"
place=$(mktemp -d "${TMPDIR:-/tmp}/runbox-vm.XXXXXX")
failed=0
trap 'finish' EXIT

finish() {
    for id in $("$RUNBOX" --root "$place/state" list -q 2>/dev/null); do "$RUNBOX" --root "$place/state" delete --force "$id"; done
    rm -rf "$place"
}

# bundle NAME PYTHON: a bundle with busybox; the Python changes `c`, its configuration.
bundle() {
    local b=$place/$1
    mkdir -p "$b/rootfs/bin" "$b/rootfs/proc" "$b/rootfs/sys" "$b/rootfs/dev" "$b/rootfs/etc" "$b/rootfs/tmp"
    cp "$(command -v busybox)" "$b/rootfs/bin/busybox"
    for name in sh cat sleep ls touch; do ln -sf busybox "$b/rootfs/bin/$name"; done
    echo secret > "$b/rootfs/etc/secret"
    rm -f "$b/config.json"
    "$RUNBOX" spec --bundle "$b"
    python3 - "$b/config.json" "$2" <<'P'
import json, sys
c = json.load(open(sys.argv[1]))
c["process"]["terminal"] = False
exec(sys.argv[2])
json.dump(c, open(sys.argv[1], "w"))
P
}

run() { timeout 60 "$RUNBOX" --root "$place/state" run --bundle "$place/$1" "$1-$RANDOM" < /dev/null 2>&1; }

# runbox ID-FREE WORDS: the runtime with this script's state folder.
rb() { timeout 60 "$RUNBOX" --root "$place/state" "$@" < /dev/null 2>&1; }

# expect WHAT PATTERN TEXT: the text matches the shell pattern.
expect() {
    # shellcheck disable=SC2254 # a pattern on purpose
    case $3 in
    $2) echo "ok: $1: $3" ;;
    *)
        echo "FAILED: $1: expected $2, is: $3"
        failed=$((failed + 1))
        ;;
    esac
}

result() {
    echo "$failed failed"
    [ "$failed" = 0 ]
}
