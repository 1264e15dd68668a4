#!/bin/sh
# In the Debian of package.sh: /tmp/runbox.deb is installed, used, updated and removed.
set -eu
fail() {
    echo "package: $*" >&2
    exit 1
}
# Everything but what dpkg keeps for itself. Folders above may get other times, so names and contents only.
files() {
    find / -xdev \( -path /proc -o -path /tmp -o -path /var/lib/dpkg -o -path /var/log -o -path /var/cache \) -prune -o -print | sort
}
files >/tmp/before

dpkg -i /tmp/runbox.deb >/tmp/log 2>&1 || { cat /tmp/log >&2; fail "it cannot be installed"; }
! grep -i warning /tmp/log >&2 || fail "dpkg warns"
[ -z "$(dpkg -V runbox)" ] || fail "files differ from their sums: $(dpkg -V runbox)"
for file in /usr/bin/runbox /usr/share/man/man1/runbox-run.1.gz /usr/lib/systemd/system/runbox@.service /usr/share/doc/runbox/copyright \
    /usr/share/doc/runbox/service.md /usr/share/bash-completion/completions/runbox; do
    [ -s "$file" ] || fail "$file is missing"
done
grep -q '^ExecStart=/usr/bin/runbox run ' /usr/lib/systemd/system/runbox@.service || fail "the unit names another executable"
[ -d /var/lib/runbox ] || fail "/var/lib/runbox is missing"
echo "package: installs $(dpkg -L runbox | wc -l) names, $(runbox --version | head -1)"

bundle=/var/lib/runbox/web
mkdir -p $bundle/rootfs/bin
cp /tmp/busybox $bundle/rootfs/bin/busybox
ln -s busybox $bundle/rootfs/bin/sh
runbox spec --bundle $bundle
tr '\n' ' ' <$bundle/config.json | sed -E 's/"terminal": *true/"terminal": false/; s|"args": *\[[^]]*\]|"args": ["sh", "-c", "echo in $(hostname)"]|' >/tmp/config.json
mv /tmp/config.json $bundle/config.json
sed -i 's/"resources": *{[^}]*}[^}]*}/"resources": {}/' $bundle/config.json
said=$(runbox --cgroup-manager disabled run --bundle $bundle web 2>&1) || fail "a container does not run: $said"
[ "$said" = "in runbox" ] || fail "a container says: $said"
echo "package: a container runs"

dpkg -i /tmp/runbox.deb >/tmp/log 2>&1 || { cat /tmp/log >&2; fail "it cannot be updated"; }
dpkg -r runbox >/tmp/log 2>&1 || { cat /tmp/log >&2; fail "it cannot be removed"; }
[ -e $bundle/config.json ] || fail "the bundle went away with the package"
rm -rf /var/lib/runbox
files >/tmp/after
diff /tmp/before /tmp/after >&2 || fail "something is left, or went away, by its removal"
[ -z "$(ls -A /run)" ] || fail "left in /run: $(ls -A /run)"
dpkg -i /tmp/runbox.deb >/tmp/log 2>&1
dpkg -P runbox >/tmp/log 2>&1 || { cat /tmp/log >&2; fail "it cannot be purged"; }
files >/tmp/after
diff /tmp/before /tmp/after >&2 || fail "something is left by its purge"
[ -z "$(dpkg -l 'runbox*' 2>/dev/null | grep runbox)" ] || fail "dpkg still knows it"
echo "package: updates, and is removed without a trace; bundles stay"
