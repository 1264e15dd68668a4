#!/bin/bash
# Runs the commands of docs/service.md that need no systemd, in their order, and looks at what came of them. In
# namespaces of its own, with folders of its own for bundles, state and logs and all ports free, so that nothing of the
# host's is touched.
#
#     [RUNBOX=PATH] guide.sh       PATH is build/runbox by default
#
# Needs root, Debian's python3, jq and iproute2.
set -uo pipefail
project=$(cd "$(dirname "$0")/../.." && pwd)
export RUNBOX=${RUNBOX:-$project/build/runbox}
[ "$(id -u)" = 0 ] || { echo "guide: run it as root" >&2; exit 1; }
for tool in python3 jq; do [ -x /usr/bin/$tool ] || { echo "guide: /usr/bin/$tool is missing: apt-get install $tool" >&2; exit 1; }; done
if [ "${GUIDE_INSIDE:-}" = "" ]; then
    GUIDE_INSIDE=yes exec unshare --mount --net --propagation private "$0" "$@"
fi

work=$(mktemp -d)
rm -f /tmp/hello.log # of another time: section 3 looks into it
failed=0
for folder in /var/lib /var/log /run; do mount -t tmpfs -o mode=755 guide $folder; done
mkdir /var/lib/runbox
ip link set lo up
mkdir "$work/bin"
ln -s "$RUNBOX" "$work/bin/runbox"
export PATH="$work/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# The machine's own /usr, read-only, in the place of a Debian of the container's own.
rootfs=/var/lib/runbox/hello/rootfs
mkdir -p $rootfs/{usr,proc,dev,sys,run,tmp,srv,var}
mount --bind -o ro /usr $rootfs/usr
for link in bin lib lib64 sbin; do ln -sfn usr/$link $rootfs/$link; done

. "$project/Tests/Services/guide-sections.sh"
tree=/sys/fs/cgroup
[ -e $tree/cgroup.controllers ] || tree=$tree/unified
if ! grep -qw memory $tree/cgroup.controllers || ! grep -qw pids $tree/cgroup.controllers; then
    echo "skipped: the limits of section 3: no controllers memory and pids in the cgroup v2 tree of this host"
    sed -i "/memory.limit =/d; s/| .linux.resources.pids.limit = 64'/'/" "$work/03"
fi
sections_without_systemd
[ -z "$(runbox list --quiet)" ] || { echo "FAILED: guide: containers are left"; runbox delete --force hello; failed=1; }
rm -rf "$work"
exit $failed
