#!/bin/bash
# Makes the Debian package, and in a Debian of its own installs it, runs a container with it, updates and removes it;
# nothing is left then.
#
#     [RUNBOX=PATH] package.sh        PATH is build/runbox by default
#
# Prints one line a thing it looked at. Skips, with the reason, where there is no root, no mmdebstrap or no mirror.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
project=$(cd "$here/../.." && pwd)
runbox=${RUNBOX:-$project/build/runbox}
lower=${ROOTFS:-$project/build/services/rootfs}

skip() {
    echo "package: skipped: $*"
    exit 0
}
[ "$(id -u)" = 0 ] || skip "needs root"
for program in dpkg-deb mmdebstrap unshare; do command -v $program >/dev/null || skip "needs $program"; done
busybox=$(command -v busybox) || skip "needs busybox-static"

work=$(mktemp -d -t runbox-package-XXXXXX)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# The one that the services run from, which is a whole Debian.
if ! "$project/Tests/Services/make-rootfs.sh" "$lower" 2>"$work/log"; then
    reason=$(grep -m1 -E 'Could not (resolve|connect)|Failed to fetch|Temporary failure|Unable to connect|no Debian sources' "$work/log") && skip "Debian's mirror does not answer: $reason"
    cat "$work/log" >&2
    exit 1
fi

package=$("$project/config/make-deb.sh" "$runbox" "$work")
again=$("$project/config/make-deb.sh" "$runbox" "$work/again")
cmp "$package" "$again" || { echo "package: the same sources make another package" >&2; exit 1; }
echo "package: ${package##*/}, $(($(stat -c %s "$package") / 1024)) kB, the same each time"
[ "$(dpkg-deb -f "$package" Version)" = "$("$runbox" --version | sed -n '1s/.* //p')" ] || { echo "package: its version is not the executable's" >&2; exit 1; }

# Everything below is in a mount namespace of its own, on a layer in memory over the Debian; it is gone with the last
# process.
export lower work package busybox here
unshare --mount --propagation private bash -euo pipefail -c '
    mkdir "$work/layer"
    mount -t tmpfs tmpfs "$work/layer"
    mkdir "$work"/layer/{upper,work,root}
    mount -t overlay overlay -o "lowerdir=$lower,upperdir=$work/layer/upper,workdir=$work/layer/work" "$work/layer/root"
    root=$work/layer/root
    mount -t proc proc "$root/proc"
    mount -t tmpfs tmpfs "$root/run"
    mount -t tmpfs tmpfs "$root/tmp"
    rm -f "$root"/etc/dpkg/dpkg.cfg.d/*mmdebstrap # else no manual pages and no documents
    cp "$package" "$root/tmp/runbox.deb"
    cp "$busybox" "$root/tmp/busybox"
    cp "$here/inside.sh" "$root/tmp/inside.sh"
    exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive chroot "$root" sh /tmp/inside.sh
'
