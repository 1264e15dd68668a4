#!/bin/bash
# Runs the commands of docs/service.md, in their order, in a machine with systemd that can be spoilt (`vm-run --mode
# systemd`), and looks at what came of them. RUNBOX names the executable. What the page takes from a network or a
# checkout is put in place here: blocks below `<!-- elsewhere -->`.
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

# What has been written is in the journal a moment later.
journalctl() {
    command journalctl --sync
    command journalctl "$@"
}
export -f journalctl

. "$project/Tests/Services/guide-sections.sh"
sections_without_systemd
section 09 "active (running)" 'Status: "serving"' "]: serving" "hello" "python3" '"type":"stats"' TasksCurrent=
section 10 NRestarts=1 ActiveState=active '"running"'
section 11 "Hello from a container."
section 12 serving
section 13
section 14
[ -z "$(runbox list --quiet)" ] || { echo "FAILED: guide: containers are left"; failed=1; }
[ ! -e /sys/fs/cgroup/system.slice/system-runbox.slice/runbox@hello.service ] || { echo "FAILED: guide: a cgroup is left"; failed=1; }
umount $rootfs/usr
PREFIX=/usr "$project/config/install.sh" uninstall
exit $failed
