#!/bin/bash
# room.sh DISK COMMAND...: runs a command on a throw-away host made of namespaces: the root of a machine of Tests/VM (its disk), with a network, processes and a
# part of the cgroup v2 tree of its own, without emulation and without systemd. Engines can be measured here, and cases be tried quickly; what needs controllers
# that this host's tree lacks cannot. The project is shared; /var/scratch is a folder of the host's, for overlays.
set -euo pipefail
disk=$(realpath "$1") project=$(cd "$(dirname "$0")/../.." && pwd)
shift
tree=/sys/fs/cgroup
[ -e $tree/cgroup.controllers ] || tree=$tree/unified
place=$(mktemp -d "${TMPDIR:-/var/tmp}/runbox-room.XXXXXX")
group=$tree/${place##*/}
clean() {
  [ ! -d "$group" ] || { echo 1 > "$group/cgroup.kill"; for _ in $(seq 100); do find "$group" -depth -type d -exec rmdir {} + 2> /dev/null && break; sleep 0.1; done; }
  rm -rf --one-file-system "$place"
}
trap clean EXIT
unsquashfs -quiet -no-progress -dest "$place/root" "$disk"
mkdir -p "$place/scratch" "$group/room"
export disk project place group

# The view of a cgroup namespace begins where its maker is; nothing may stay there, or its controllers cannot be handed on.
bash -c 'echo $$ > "$group/cgroup.procs"; exec unshare --cgroup bash -c "echo \$\$ > \"\$group/room/cgroup.procs\"; exec \"\$@\"" room "$@"' room \
  unshare --mount --net --uts --ipc --pid --fork --propagation private bash -c '
set -e
root=$place/root
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"; mount -t sysfs sys "$root/sys"
mount -t cgroup2 cgroup "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 dev "$root/dev"
mkdir "$root"/dev/{pts,shm,mqueue}
for device in null zero full random urandom tty fuse kmsg; do : > "$root/dev/$device"; mount --bind "/dev/$device" "$root/dev/$device" 2> /dev/null || rm "$root/dev/$device"; done
mount -t devpts -o newinstance,gid=5,mode=620,ptmxmode=666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"; ln -s /proc/self/fd "$root/dev/fd"
for number in 0:stdin 1:stdout 2:stderr; do ln -s "/proc/self/fd/${number%%:*}" "$root/dev/${number#*:}"; done
mount -t tmpfs shm "$root/dev/shm"; mount -t mqueue mqueue "$root/dev/mqueue"
mount -t tmpfs -o mode=755 run "$root/run"; mount -t tmpfs -o mode=1777 tmp "$root/tmp"
mkdir -p "$root/var/scratch" "$root$project"
mount --bind "$place/scratch" "$root/var/scratch"; mount --bind "$project" "$root$project"
for controller in $(cat "$root/sys/fs/cgroup/cgroup.controllers"); do echo "+$controller" > "$root/sys/fs/cgroup/cgroup.subtree_control" || true; done
hostname room; ip link set lo up
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LANG=C.UTF-8 TMPDIR=/var/scratch
cd "$root"; mkdir .old; pivot_root . .old; cd "$project"; umount -l /.old; rmdir /.old
"$@"
' room "$@"
