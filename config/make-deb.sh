#!/bin/sh
# make-deb.sh EXECUTABLE FOLDER: makes FOLDER/runbox_VERSION_ARCHITECTURE.deb by dpkg-deb. The version is the
# executable's own. DEB_MAINTAINER names who builds it; SOURCE_DATE_EPOCH is the time that the package's files bear, by
# default the commit's.
set -eu
umask 022
cd "$(dirname "$0")/.."
runbox=$1
folder=$2
command -v dpkg-deb >/dev/null || { echo "make deb: dpkg-deb is missing: it comes with Debian's dpkg" >&2; exit 1; }
version=$("$runbox" --version | sed -n '1s/.* //p')
architecture=$(dpkg --print-architecture)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH

mkdir -p "$folder"
work=$(mktemp -d "$folder/deb.XXXXXX")
trap 'rm -rf "$work"' EXIT
root=$work/root
doc=$root/usr/share/doc/runbox
mkdir -p "$root/DEBIAN" "$root/var/lib/runbox"
PREFIX=/usr DESTDIR=$root config/install.sh install "$runbox"

# Debian has the licences' texts in one place, and the changes compressed.
rm "$doc/LICENSE" "$doc/LGPL-2.1.txt"
gzip -9n <CHANGELOG.md >"$doc/changelog.gz"
rm "$doc/CHANGELOG.md"
{
    cat NOTICE
    printf '\nOn Debian systems the texts of the licences are /usr/share/common-licenses/Apache-2.0, LGPL-2.1, GPL-2 and GPL-3.\n'
} >"$doc/copyright"
rm "$doc/NOTICE"

# What a static executable is made of, so that its sources are kept as long as it is.
built_using=$(dpkg-query -W -f '${source:Package} (= ${source:Version})\n' libc6-dev libseccomp-dev libcap-dev | sort | paste -sd, | sed 's/,/, /g')
cat >"$root/DEBIAN/control" <<CONTROL
Package: runbox
Version: $version
Architecture: $architecture
Maintainer: ${DEB_MAINTAINER:-The authors of runbox}
Installed-Size: $(du -sk --apparent-size --exclude=DEBIAN "$root" | cut -f1)
Built-Using: $built_using
Suggests: uidmap, systemd
Section: admin
Priority: optional
Description: OCI container runtime
 runbox runs a process in a container from an OCI bundle: a folder with a config.json and a root file system. Engines (containerd, Docker,
 Podman, CRI-O) call it with the commands and flags of runc and crun; people call "runbox run bundle/".
 .
 It is one static executable without a daemon and without a configuration of its own. The package has manual pages, completions for
 bash, zsh and fish, drop-ins for engines, seccomp rules, and the systemd unit template runbox@.service for bundles in /var/lib/runbox.
CONTROL

cat >"$root/DEBIAN/postinst" <<'SCRIPT'
#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then systemctl daemon-reload || true; fi
SCRIPT
cat >"$root/DEBIAN/prerm" <<'SCRIPT'
#!/bin/sh
set -e
# Services that this package's unit runs end with it; containers of engines are theirs.
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then systemctl stop 'runbox@*.service' || true; fi
# What is kept of past containers, such as compiled seccomp programs; not where there are containers.
if [ "$1" = remove ] && [ -d /run/runbox ] && [ -z "$(runbox list --quiet 2>/dev/null || echo unknown)" ]; then rm -rf /run/runbox; fi
SCRIPT
cp "$root/DEBIAN/postinst" "$root/DEBIAN/postrm"
chmod 0755 "$root/DEBIAN/postinst" "$root/DEBIAN/prerm" "$root/DEBIAN/postrm"
(cd "$root" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"

package=$folder/runbox_${version}_$architecture.deb
dpkg-deb --root-owner-group -Zxz --build "$root" "$work/new.deb" >/dev/null
mv -f "$work/new.deb" "$package"
echo "$package"
