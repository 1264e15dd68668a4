#!/bin/bash
# process.selinuxLabel and linux.mountLabel under an enforcing policy, which this loads itself: for a machine that is
# thrown away, booted with `security=selinux selinux=1` (test-vm.sh, mode selinux). RUNBOX=… RUNBOX_PROBE=…
# Tests/VM/selinux.sh; needs root, checkpolicy, criu, busybox, python3.
# shellcheck source=Tests/VM/common.sh disable=SC2016
here=$(cd "$(dirname "$0")" && pwd)
. "$here/common.sh"
grep -q selinux /sys/kernel/security/lsm 2>/dev/null || { echo "skipped: the kernel was not booted with SELinux"; exit 0; }

mountpoint -q /sys/fs/selinux || mount -t selinuxfs selinuxfs /sys/fs/selinux
mount -t tmpfs tmpfs "$place"
trap 'finish 2>/dev/null; umount -l "$place"' EXIT

bundle early "c['process']['selinuxLabel'] = 'user_u:base_r:box_t'"
expect "before a policy is loaded" "*process.selinuxLabel: SELinux is not enabled*" "$(run early)"
umount "$place"

checkpolicy -U allow -o "/tmp/policy.$$" "$here/selinux.te" > /dev/null || exit 1
python3 -c 'import sys; open("/sys/fs/selinux/load", "wb", 0).write(open(sys.argv[1], "rb").read())' "/tmp/policy.$$" || exit 1
echo 1 > /sys/fs/selinux/enforce
mount -t tmpfs tmpfs "$place"
chmod 755 "$place"
echo "policy loaded, enforcing: $(cat /sys/fs/selinux/enforce), own label: $(tr -d '\0' < /proc/self/attr/current)"

look='"cat /proc/self/attr/current; echo; cat /etc/secret"'
box="c['process']['args'] = ['sh', '-c', $look]; c['process']['selinuxLabel'] = 'user_u:base_r:box_t'"
hide() { setfattr -n security.selinux -v user_u:object_r:secret_t "$place/$1/rootfs/etc/secret" 2>/dev/null ||
    python3 -c 'import os, sys; os.setxattr(sys.argv[1], "security.selinux", b"user_u:object_r:secret_t\0")' "$place/$1/rootfs/etc/secret"; }

bundle plain "c['process']['args'] = ['sh', '-c', $look]"
hide plain
expect "without a label" "*user_u:base_r:base_t*secret*" "$(run plain | tr -d '\0')"

bundle labelled "$box"
hide labelled
expect "with no_new_privs" "*user_u:base_r:box_t*ermission denied*" "$(run labelled | tr -d '\0')"

bundle privileged "$box; c['process']['noNewPrivileges'] = False; c['process']['user'] = {'uid': 1000, 'gid': 1000}"
hide privileged
expect "another user" "*user_u:base_r:box_t*ermission denied*" "$(run privileged | tr -d '\0')"

bundle userns "$box
c['linux']['namespaces'].append({'type': 'user'})
c['linux']['uidMappings'] = c['linux']['gidMappings'] = [{'containerID': 0, 'hostID': 100000, 'size': 65536}]"
hide userns
chown -R 100000:100000 "$place/userns/rootfs"
chmod 755 "$place/userns"
expect "in a user namespace" "*user_u:base_r:box_t*ermission denied*" "$(run userns | tr -d '\0')"

bundle unknown "c['process']['selinuxLabel'] = 'user_u:base_r:nothing_t'"
expect "a label that the policy does not know" '*does not know the label "user_u:base_r:nothing_t"*' "$(run unknown)"

for kind in context rootcontext fscontext; do
    bundle "mount-$kind" "c['process']['args'] = ['cat', '/proc/mounts']; c['linux']['mountLabel'] = 'user_u:object_r:secret_t'
c['annotations'] = {'run.oci.mount_context_type': '$kind'}"
    mounts=$(run "mount-$kind")
    expect "mountLabel as $kind" "tmpfs /dev *$kind=user_u:object_r:secret_t*" "$(echo "$mounts" | grep ' /dev ')"
    [ "$kind" = context ] || continue
    expect "mountLabel on devpts" "*context=user_u:object_r:secret_t*" "$(echo "$mounts" | grep ' /dev/pts ')"
    expect "no context on proc" "0" "$(echo "$mounts" | grep ' /proc ' | grep -c context)"
done

bundle mqueue "c['process']['args'] = ['sleep', '1000']; c['linux']['mountLabel'] = 'user_u:object_r:secret_t'"
rb create --bundle "$place/mqueue" mqueue && rb start mqueue
pid=$(rb state mqueue | python3 -c 'import json, sys; print(json.load(sys.stdin)["pid"])')
expect "the label of a message queue's root" "user_u:object_r:secret_t" \
    "$(python3 -c 'import os, sys; print(os.getxattr(sys.argv[1], "security.selinux").decode().rstrip("\0"))' "/proc/$pid/root/dev/mqueue")"

bundle key "c['process']['args'] = ['/probe', 'keyring']; c['process']['selinuxLabel'] = 'user_u:base_r:box_t'"
cp "$RUNBOX_PROBE" "$place/key/rootfs/probe"
expect "the session keyring's label" "*keyring.label=user_u:base_r:box_t*" "$(run key | tr -d '\0')"

bundle long "c['process']['args'] = ['sleep', '1000']; c['process']['selinuxLabel'] = 'user_u:base_r:box_t'"
rb create --bundle "$place/long" long && rb start long
expect "exec gets the container's" "user_u:base_r:box_t*" "$(rb exec long cat /proc/self/attr/current | tr -d '\0')"
expect "exec --process-label" "user_u:base_r:other_t*" \
    "$(rb exec --process-label user_u:base_r:other_t long cat /proc/self/attr/current | tr -d '\0')"

# What a checkpoint keeps of the labels, and what a restore is told to change of them. Debian's CRIU knows of mounts'
# labels only.
state() { rb state moved | python3 -c 'import json, sys; print(json.load(sys.stdin).get(sys.argv[1]))' "$1"; }
labels() { echo "$(tr -d '\0' < "/proc/$(state pid)/attr/current") $(grep ' /scratch ' "/proc/$(state pid)/mountinfo" | grep -o 'context=[^,]*')"; }
restored() { rb restore -d --bundle "$place/moved" --image-path "$place/image" --work-path "$place/work" "$@" moved > "$place/out" < /dev/null || cat "$place/out"; }
moved="c['process']['args'] = ['sleep', '1000']; c['process']['noNewPrivileges'] = False; c['linux']['mountLabel'] = 'user_u:object_r:file_t'
c['mounts'].append({'destination': '/scratch', 'type': 'tmpfs', 'source': 'tmpfs'})"
bundle moved "$moved; c['process']['selinuxLabel'] = 'user_u:base_r:box_t'"
rb run -d --bundle "$place/moved" moved > "$place/out" < /dev/null || cat "$place/out"
expect "labels before a checkpoint" "user_u:base_r:box_t context=user_u:object_r:file_t" "$(labels)"
rb checkpoint --image-path "$place/image" --work-path "$place/work" moved
told=$(restored)
if ldd "$(command -v criu)" | grep -q libselinux; then
    expect "labels after a restore" "user_u:base_r:box_t context=user_u:object_r:file_t" "$(labels)"
    rb delete --force moved
    restored --lsm-profile selinux:user_u:base_r:other_t
    expect "restore --lsm-profile" "user_u:base_r:other_t context=user_u:object_r:file_t" "$(labels)"
    rb delete --force moved
else
    expect "a label that this CRIU loses is no success" '*label "user_u:base_r:box_t" is lost*built without*' "$told"
    expect "and nothing is left of that" "" "$(rb list -q | grep -x moved)"
    bundle moved "$moved"
fi
restored --lsm-mount-context user_u:object_r:secret_t
expect "restore --lsm-mount-context" "user_u:base_r:* context=user_u:object_r:secret_t" "$(labels)"
result
