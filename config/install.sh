#!/bin/sh
# install.sh install EXECUTABLE | install.sh uninstall: puts runbox, its manual pages, completions and configuration
# where Debian has such things, or takes them away. PREFIX (default /usr/local) is where they will be found, DESTDIR the
# folder that is / for now (a package in the making).
set -eu
umask 022
cd "$(dirname "$0")/.."
prefix=${PREFIX:-/usr/local}
case $prefix in
/*) ;;
*)
    echo "PREFIX must be an absolute path: $prefix" >&2
    exit 1
    ;;
esac
root=${DESTDIR:-}$prefix
man=$root/share/man/man1
share=$root/share/runbox
doc=$root/share/doc/runbox
unit=$root/lib/systemd/system/runbox@.service
bash=$root/share/bash-completion/completions
fish=$root/share/fish/vendor_completions.d
# The folder that zsh searches: packages have one of their own.
case $prefix in
/usr) zsh=$root/share/zsh/vendor-completions ;;
*) zsh=$root/share/zsh/site-functions ;;
esac

# put FILE: writes standard input there, readable for all. What was there is replaced as a whole: it may be running.
put() {
    mkdir -p "$(dirname "$1")"
    cat >"$1.new"
    chmod "${2:-0644}" "$1.new"
    mv -f "$1.new" "$1"
}

# found_here FILE: the file, with the executable where it will be found.
found_here() { sed "s|/usr/local/bin/runbox|$prefix/bin/runbox|g" "$1"; }

install_all() {
    # Asked once, before anything is written: an executable that does not run here would leave half an installation.
    pages=$("$1" man --list)
    put "$root/bin/runbox" 0755 <"$1"
    for page in $pages; do
        text=$("$1" man "$page")
        # Without a name and a time, as Debian packs them: the same text is the same file.
        printf '%s\n' "$text" | gzip -9n | put "$man/$page.1.gz"
    done
    for shell in bash zsh fish; do
        text=$("$1" completion $shell)
        case $shell in
        bash) printf '%s\n' "$text" | put "$bash/runbox" ;;
        zsh) printf '%s\n' "$text" | put "$zsh/_runbox" ;;
        fish) printf '%s\n' "$text" | put "$fish/runbox.fish" ;;
        esac
    done
    put "$share/seccomp.json" <config/seccomp.json
    for file in containers.conf.d/runbox.conf docker/daemon.json containerd/runbox.toml containerd/runbox-v3.toml crio/10-runbox.conf \
        k3s/config.toml.tmpl k3s/config-v3.toml.tmpl kubernetes/runbox.yaml; do
        found_here "config/$file" | put "$share/$file"
    done
    found_here config/systemd/runbox@.service | put "$unit"
    # The licences of what the executable is made of go wherever it goes.
    for file in LICENSE NOTICE LICENSES/LGPL-2.1.txt CHANGELOG.md docs/service.md; do put "$doc/${file##*/}" <"$file"; done
}

uninstall_all() {
    rm -f "$root/bin/runbox" "$man/runbox.1.gz" "$bash/runbox" "$zsh/_runbox" "$fish/runbox.fish"
    # Only pages of this version or of an earlier one have such names.
    rm -f "$man"/runbox-*.1.gz
    rm -f "$unit"
    rm -rf "$share" "$doc"
}

case ${1:-} in
install) install_all "${2:?which executable?}" ;;
uninstall) uninstall_all ;;
*)
    echo "usage: install.sh install EXECUTABLE | uninstall" >&2
    exit 2
    ;;
esac
