#!/bin/bash
# Runs the commands of docs/service.md, in their order, in a machine with systemd that can be spoilt (`vm-run --mode systemd`), and looks at what came of them.
# RUNBOX names the executable. What the page takes from a network or a checkout is put in place here: blocks below `<!-- elsewhere -->`.
set -uo pipefail
project=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
failed=0

# What `make deb` would bring.
mkdir -p /var/lib/runbox
PREFIX=/usr "$project/config/install.sh" install "$RUNBOX" || exit 1
systemctl daemon-reload
systemctl start systemd-journald # the machine does without
# The machine's own /usr, read-only, in the place of a Debian of the container's own.
rootfs=/var/lib/runbox/hello/rootfs
mkdir -p $rootfs/{usr,proc,dev,sys,run,tmp,srv}
mount --bind -o ro /usr $rootfs/usr
for link in bin lib lib64 sbin; do ln -sfn usr/$link $rootfs/$link; done

# One script a section, so that each is judged by itself: 03 is that below "## 3."
awk -v work="$work" '
    /^## [0-9]+\./ { section = sprintf("%02d", $2) }
    /^<!-- elsewhere -->$/ { elsewhere = 1 }
    /^```sh$/ { inside = !elsewhere; elsewhere = 0; next }
    /^```$/ { inside = 0 }
    inside { print > (work "/" section) }
' "$project/docs/service.md"

# What has been written is in the journal a moment later.
journalctl() {
    command journalctl --sync
    command journalctl "$@"
}
export -f journalctl

# section NUMBER WORD...: runs it; all of it must succeed, and the words be in what it says.
section() {
    local number=$1 said
    shift
    said=$(cd / && bash -euo pipefail -x "$work/$number" 2>&1 | tr -d "\0") || { echo "FAILED: guide $number: $said"; failed=1; return; }
    for word in "$@"; do
        case $said in
        *"$word"*) ;;
        *) echo "FAILED: guide $number: not \"$word\" in: $said"; failed=1; return ;;
        esac
    done
    echo "ok: guide $number"
}

section 02
section 03 "0 errors, 0 warnings" serving
section 04 "active (running)" 'Status: "serving"' "]: serving" "hello" "python3" '"type":"stats"' TasksCurrent=
section 05 NRestarts=1 ActiveState=active '"running"'
section 06 "Hello from a container."
section 07 serving
section 08
section 09
[ -z "$(runbox list --quiet)" ] || { echo "FAILED: guide: containers are left"; failed=1; }
[ ! -e /sys/fs/cgroup/system.slice/system-runbox.slice/runbox@hello.service ] || { echo "FAILED: guide: a cgroup is left"; failed=1; }
umount $rootfs/usr
PREFIX=/usr "$project/config/install.sh" uninstall
exit $failed
