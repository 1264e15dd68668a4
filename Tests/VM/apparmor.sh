#!/bin/bash
# process.apparmorProfile where AppArmor is enabled: what the kernel says that a process is confined by, and that it is.
# RUNBOX=… Tests/VM/apparmor.sh; needs root, AppArmor, apparmor_parser, busybox and python3. Loads two profiles and
# removes them.
# shellcheck source=Tests/VM/common.sh disable=SC2016
. "$(dirname "$0")/common.sh"
grep -q Y /sys/module/apparmor/parameters/enabled || { echo "skipped: AppArmor is not enabled"; exit 0; }

mountpoint -q /sys/kernel/security || mount -t securityfs securityfs /sys/kernel/security
cat > "$place/profiles" <<'P'
profile runbox-vm-a flags=(attach_disconnected,mediate_deleted) {
  file, capability, network, mount, umount, signal, ptrace, unix,
  deny /etc/secret rw,
}
profile runbox-vm-b flags=(attach_disconnected,mediate_deleted) {
  file, capability, network, mount, umount, signal, ptrace, unix,
}
P
apparmor_parser -r "$place/profiles" || exit 1
trap 'apparmor_parser -R "$place/profiles" 2>/dev/null; finish' EXIT

look='"cat /proc/self/attr/current; cat /etc/secret"'
args="c['process']['args'] = ['sh', '-c', $look]"

bundle plain "$args"
expect "without a profile" "*unconfined*secret*" "$(run plain)"

bundle confined "$args; c['process']['apparmorProfile'] = 'runbox-vm-a'"
expect "with no_new_privs" "*runbox-vm-a (enforce)*ermission denied*" "$(run confined)"

bundle privileged "$args; c['process']['apparmorProfile'] = 'runbox-vm-a'; c['process']['noNewPrivileges'] = False"
expect "without no_new_privs" "*runbox-vm-a (enforce)*ermission denied*" "$(run privileged)"

bundle other "$args; c['process']['apparmorProfile'] = 'runbox-vm-a'; c['process']['user'] = {'uid': 1000, 'gid': 1000}"
expect "another user" "*runbox-vm-a (enforce)*ermission denied*" "$(run other)"

bundle userns "$args; c['process']['apparmorProfile'] = 'runbox-vm-a'
c['linux']['namespaces'].append({'type': 'user'})
c['linux']['uidMappings'] = c['linux']['gidMappings'] = [{'containerID': 0, 'hostID': 100000, 'size': 65536}]"
chown -R 100000:100000 "$place/userns/rootfs"
chmod 755 "$place" "$place/userns"
expect "in a user namespace" "*runbox-vm-a (enforce)*ermission denied*" "$(run userns)"

bundle unconfined "$args; c['process']['apparmorProfile'] = 'unconfined'"
expect "unconfined" "*unconfined*secret*" "$(run unconfined)"

bundle seccomp "$args; c['process']['apparmorProfile'] = 'runbox-vm-a'
c['linux']['seccomp'] = {'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [{'names': ['getcwd'], 'action': 'SCMP_ACT_ERRNO'}]}"
expect "with a seccomp filter" "*runbox-vm-a (enforce)*ermission denied*" "$(run seccomp)"

bundle absent "$args; c['process']['apparmorProfile'] = 'runbox-vm-absent'"
expect "a profile that is not loaded" '*profile "runbox-vm-absent" is not loaded*apparmor_parser -r*' "$(run absent)"

bundle stacked "$args; c['process']['apparmorProfile'] = 'runbox-vm-a//&runbox-vm-b'"
expect "stacked profiles" "*process.apparmorProfile*stacked profiles are not supported*" "$(run stacked)"

# CVE-2019-16884: an image whose /proc is a folder of its own.
bundle fake "c['process']['args'] = ['sleep', '1000']; c['process']['apparmorProfile'] = 'runbox-vm-a'
c['mounts'] = [m for m in c['mounts'] if m['destination'] != '/proc']; c['linux']['maskedPaths'] = c['linux']['readonlyPaths'] = []"
mkdir -p "$place/fake/rootfs/proc/self/attr/apparmor" "$place/fake/rootfs/proc/thread-self/attr/apparmor"
for file in self/attr/exec self/attr/apparmor/exec thread-self/attr/exec thread-self/attr/apparmor/exec; do
    : > "$place/fake/rootfs/proc/$file"
done
rb create --bundle "$place/fake" fake > "$place/out" && rb start fake
expect "an image with a procfs of its own" "runbox-vm-a (enforce)" \
    "$(cat "/proc/$(rb state fake | python3 -c 'import json,sys; print(json.load(sys.stdin)["pid"])')/attr/current" 2>&1)"

bundle long "c['process']['args'] = ['sleep', '1000']; c['process']['apparmorProfile'] = 'runbox-vm-a'"
rb create --bundle "$place/long" long > "$place/out" && rb start long
expect "exec gets the container's" "*runbox-vm-a (enforce)*" "$(rb exec long cat /proc/self/attr/current)"
expect "exec --apparmor" "*runbox-vm-b (enforce)*" "$(rb exec --apparmor runbox-vm-b long cat /proc/self/attr/current)"
expect "exec with a profile that is not loaded" '*"runbox-vm-absent" is not loaded*' \
    "$(rb exec --apparmor runbox-vm-absent long true)"
result
