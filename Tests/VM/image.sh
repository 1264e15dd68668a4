#!/bin/bash
# image.sh DIR: makes the machine's disk, kernel and first file system in DIR, or leaves them when nothing they are made of has changed.
# VM_SUITE is the release of Debian; of the host's own the sources are the host's own package sources. Nothing on the host is changed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
to=$1
packages=systemd,systemd-sysv,dbus,dbus-user-session,libpam-systemd,uidmap,kmod,procps,iproute2,util-linux,busybox-static,python3
packages+=,apparmor,libseccomp2,libcap2,libstdc++6,strace,jq,e2fsprogs,linux-image-cloud-amd64
# The runtimes that runbox is compared with, the engines that call it, and what those need for networks, pods and the container runtime interface.
packages+=,crun,runc,podman,conmon,containerd,catatonit,fuse-overlayfs,docker.io,buildah
packages+=,netavark,aardvark-dns,containernetworking-plugins,iptables,nftables,slirp4netns,python3-grpcio,criu,checkpolicy
home=$(. /etc/os-release && echo "$VERSION_CODENAME")
suite=${VM_SUITE:-$home}
if [ "$suite" = bookworm ]; then packages+=,libxml2,libcurl4; else packages+=,docker-cli,docker-buildx,passt,libcriu2; fi
key=$( (echo "$suite $packages"; cat "$here/image.sh" "$here/guest-init") | sha256sum | cut -c1-16)
[ "$(cat "$to/key" 2>/dev/null)" = "$key" ] && exit 0

work=$(mktemp -d "${TMPDIR:-/var/tmp}/runbox-image.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$to"
echo "making the virtual machine's disk (once)" >&2
sources=(/etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list /etc/apt/sources.list)
usable=()
for file in "${sources[@]}"; do [ -s "$file" ] && grep -qi debian "$file" && usable+=("$file"); done
options=()
if [ "$suite" != "$home" ]; then
  # From where the host's own release comes. Mirrors keep the lists of a release that is still in the making for longer than those are valid.
  mirror=$(cat "${usable[@]}" | grep -oE 'https?://[^ ]+' | grep -v -- -security | grep -v snapshot | head -1)
  usable=("deb ${mirror:?no mirror of Debian in the package sources} $suite main")
  options=(--keyring=/usr/share/keyrings --aptopt='Acquire::Check-Valid-Until false')
fi
mmdebstrap --quiet "${options[@]}" --variant=minbase --mode=root --include="$packages" \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
  --customize-hook='rm -f "$1"/boot/initrd*' \
  --skip=cleanup/apt "$suite" "$work/root" "${usable[@]}"
kernel=$(basename "$work"/root/boot/vmlinuz-*-cloud-amd64)
cp "$work/root/boot/$kernel" "$to/vmlinuz"
version=${kernel#vmlinuz-}

# The first file system: busybox, guest-init, and the modules that lead to the disk.
first=$work/first
mkdir -p "$first"/{bin,dev,proc,sys,disk,shares,over,new,mod}
cp "$work/root/bin/busybox" "$first/bin/busybox"
install -m 755 "$here/guest-init" "$first/init"
chroot "$work/root" depmod "$version"
for module in virtio_pci virtio_console virtio_blk virtiofs overlay squashfs; do
  chroot "$work/root" modprobe -S "$version" --show-depends "$module" 2>/dev/null | awk '$1 == "insmod" { print $2 }'
done | awk '!seen[$0]++' | while read -r module; do
  cp "$work/root$module" "$first/mod/"
  basename "$module"
done > "$first/mod/order"
(cd "$first" && find . | cpio -o -H newc --quiet -R 0:0) > "$to/initrd"

rm -rf "$work"/root/boot/* "$work"/root/var/cache/apt/* "$work"/root/var/lib/apt/lists/*
rm -f "$to/disk"
mksquashfs "$work/root" "$to/disk" -comp lz4 -noappend -quiet -no-progress -e 'dev/*'
echo "$key" > "$to/key"
