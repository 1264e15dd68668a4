#!/bin/sh
# Shows what this host lacks for tests that were skipped on it, and who runs them.
tree=/sys/fs/cgroup
[ -f $tree/cgroup.controllers ] || tree=$tree/unified
lacking=
for controller in cpu cpuset io memory pids; do
  grep -qw $controller $tree/cgroup.controllers 2>/dev/null || lacking="$lacking the cgroup v2 controller $controller,"
done
[ -d /run/systemd/system ] || lacking="$lacking systemd as process 1,"
grep -q Y /sys/module/apparmor/parameters/enabled 2>/dev/null || lacking="$lacking AppArmor,"
[ -z "$lacking" ] || echo "This host lacks${lacking%,}: what needs it was skipped; \`make test-vm\` runs it in virtual machines."
