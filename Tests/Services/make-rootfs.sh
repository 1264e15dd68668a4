#!/bin/bash
# Makes the root file system that the services run from, once: Debian's essential packages, nginx, Redis and Python.
#
#     make-rootfs.sh [DIR]        DIR is build/services/rootfs by default; where it is complete already nothing happens
#
# Needs root and mmdebstrap. The packages come from where this machine's own apt gets its Debian packages.
set -euo pipefail

project=$(cd "$(dirname "$0")/../.." && pwd)
target=${1:-$project/build/services/rootfs}
stamp=$target.complete
packages=nginx-light,redis-server,python3-minimal,libpython3-stdlib

[ -e "$stamp" ] && exit 0
command -v mmdebstrap >/dev/null || { echo "make-rootfs: mmdebstrap is missing: apt-get install mmdebstrap" >&2; exit 1; }

# apt's own view of its sources, whatever files and formats they stand in, as classic "deb" lines.
sources=$(apt-get indextargets --format 'deb $(REPO_URI) $(CODENAME) $(COMPONENT) #$(ORIGIN)' 'Created-By: Packages' | sed -n 's/ #Debian$//p' | sort -u)
[ -n "$sources" ] || { echo "make-rootfs: apt has no Debian sources here: apt-get update" >&2; exit 1; }

rm -rf "$target"
mkdir -p "$(dirname "$target")"
trap 'rm -rf "$target" "$target.log"' EXIT # a half-made one must not be taken for a whole one
echo "making $target (about a minute)"
if ! mmdebstrap --variant=essential --include="$packages" --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
        '' "$target" - >"$target.log" 2>&1 <<<"$sources"; then
    tail -20 "$target.log" >&2
    exit 1
fi
touch "$stamp"
trap - EXIT
