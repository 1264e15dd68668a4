#!/bin/bash
# Runs real services in containers, asks each something, stops it, and looks that nothing is left.
#
#     [RUNBOX=PATH] services.sh [SERVICE…]        nginx, redis, python, tools; all of them by default
#
# The services run under a user of their own, with what Docker gives such a user: 14 capabilities in the bounding set
# and none in hand, the default seccomp profile, and ports below 1024 free to bind. `tools` is root with those 14
# capabilities, working with the common tools of a Debian system. Prints one line a service and exits with 0 only if all
# are ok. Needs root; makes the root file system by make-rootfs.sh when it is not there.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
project=$(cd "$here/../.." && pwd)
runbox=${RUNBOX:-$project/build/runbox}
lower=${ROOTFS:-$project/build/services/rootfs}
profile=$project/config/seccomp.json
work=       # folder of all that is made
id=         # container that is there now, if any
supervisor= # the `run` that watches it, if any

fail() {
    echo "    $*" >&2
    return 1
}

runtime() { "$runbox" --root "$work/state" "$@"; }

# From first to last thing made, backwards. Called at every exit, so each step is for what may not be there.
remove_service() {
    [ -z "$id" ] || runtime delete --force "$id" >/dev/null 2>&1 || true
    if [ -n "$supervisor" ]; then
        timeout 5 tail --pid="$supervisor" -f /dev/null || kill -KILL "$supervisor" 2>/dev/null || true
        wait "$supervisor" 2>/dev/null || true
    fi
    ! mountpoint -q "$work/bundle/rootfs" || umount "$work/bundle/rootfs"
    rm -rf "$work/bundle" "$work/overlay"
    id='' supervisor=''
}

clean_up() {
    [ -n "$work" ] || return 0
    remove_service
    umount "$work" 2>/dev/null || true
    rmdir "$work" 2>/dev/null || true
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# write_config UID GID CAPABILITIES-IN-HAND ARGUMENTS: the arguments as a JSON list
write_config() {
    local bounding='["CAP_CHOWN","CAP_DAC_OVERRIDE","CAP_FSETID","CAP_FOWNER","CAP_MKNOD","CAP_NET_RAW","CAP_SETGID","CAP_SETUID","CAP_SETFCAP",
        "CAP_SETPCAP","CAP_NET_BIND_SERVICE","CAP_SYS_CHROOT","CAP_KILL","CAP_AUDIT_WRITE"]'
    local held='[]'
    [ "$3" = none ] || held=$bounding
    cat <<JSON
{
  "ociVersion": "1.0.0",
  "process": {
    "user": {"uid": $1, "gid": $2},
    "args": $4,
    "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"],
    "cwd": "/",
    "capabilities": {"bounding": $bounding, "effective": $held, "permitted": $held}
  },
  "root": {"path": "rootfs"},
  "hostname": "service",
  "mounts": [
    {"destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid", "noexec", "nodev"]},
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
    {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
     "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]},
    {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]},
    {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": ["nosuid", "noexec", "nodev"]},
    {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]}
  ],
  "linux": {
    "resources": {"devices": [{"allow": false, "access": "rwm"}]},
    "namespaces": [{"type": "mount"}, {"type": "network"}, {"type": "uts"}, {"type": "pid"}, {"type": "ipc"}],
    "sysctl": {"net.ipv4.ip_unprivileged_port_start": "0"},
    "maskedPaths": ["/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi",
                    "/proc/timer_list", "/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware"],
    "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
    "seccomp": $(cat "$profile")
  }
}
JSON
}

# make_bundle UID GID CAPABILITIES-IN-HAND ARGUMENTS: a bundle on a layer of its own above the shared root file system
make_bundle() {
    mkdir -p "$work/bundle/rootfs" "$work/overlay/upper" "$work/overlay/work"
    mount -t overlay overlay -o "lowerdir=$lower,upperdir=$work/overlay/upper,workdir=$work/overlay/work" "$work/bundle/rootfs"
    mkdir -p "$work/bundle/rootfs/srv"
    echo "hello from $id" >"$work/bundle/rootfs/srv/index.html"
    write_config "$@" >"$work/bundle/config.json"
}

uid_of() { awk -F: -v name="$1" '$1 == name { print $3 }' "$lower/etc/passwd"; }
gid_of() { awk -F: -v name="$1" '$1 == name { print $4 }' "$lower/etc/passwd"; }

pid_of() { runtime state "$id" 2>/dev/null | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p'; }

# ask PID PORT REQUEST: what the service answers, asked in the container's network namespace
ask() {
    timeout 5 nsenter --target "$1" --net bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$0" && printf "$1" >&3 && cat <&3' "$2" "$3" 2>/dev/null
}

# What the kernel says about the process, against what config.json asked for.
check_confinement() {
    local status=/proc/$1/status
    grep -q "^Uid:	$2	$2	$2	$2\$" "$status" || fail "runs as $(grep ^Uid "$status")" || return
    grep -q '^CapEff:	0*$' "$status" || fail "holds capabilities: $(grep ^CapEff "$status")" || return
    grep -q '^CapBnd:	00000000a80425fb$' "$status" || fail "has another bounding set: $(grep ^CapBnd "$status")" || return
    grep -q '^Seccomp:	2$' "$status" || fail "runs without a seccomp filter" || return
}

check_nothing_left() {
    ! runtime state "$id" >/dev/null 2>&1 || fail "is still known after its end" || return
    [ -z "$(runtime list --quiet)" ] || fail "is still listed after its end" || return
    [ -z "$(find /sys/fs/cgroup -type d -name "*$id*" 2>/dev/null)" ] || fail "left a cgroup: $(find /sys/fs/cgroup -type d -name "*$id*")" || return
    [ "$(grep -c "$work/bundle/" /proc/self/mountinfo)" = 1 ] || fail "left mounts below the bundle" || return
}

# check_service NAME USER PORT REQUEST EXPECTED ARGUMENTS
check_service() {
    local name=$1 uid gid port=$3 request=$4 expected=$5 pid answer='' status=0
    uid=$(uid_of "$2") gid=$(gid_of "$2")
    id=services-$$-$name
    make_bundle "$uid" "$gid" none "$6"
    runtime run --bundle "$work/bundle" "$id" >"$work/bundle/output" 2>&1 &
    supervisor=$!

    for _ in $(seq 100); do # ten seconds
        pid=$(pid_of)
        [ -z "$pid" ] || answer=$(ask "$pid" "$port" "$request") || true
        [ -z "$answer" ] || break
        kill -0 "$supervisor" 2>/dev/null || break
        sleep 0.1
    done
    if ! grep -q "$expected" <<<"$answer"; then
        fail "did not answer as expected: '$answer'; its output: $(tail -5 "$work/bundle/output")" || return
    fi
    check_confinement "$pid" "$uid" || return
    runtime kill "$id" TERM || fail "kill failed" || return
    timeout 10 tail --pid="$supervisor" -f /dev/null || fail "did not stop within ten seconds of SIGTERM" || return
    wait "$supervisor" || status=$?
    supervisor=
    [ "$status" = 0 ] || fail "ended with status $status: $(tail -5 "$work/bundle/output")" || return
    check_nothing_left
}

check_nginx() {
    # /tmp for all that nginx writes: under another user than root it may not write to its own folders.
    local settings='pid /tmp/nginx.pid; error_log stderr; daemon off; events {} http { access_log off; client_body_temp_path /tmp/body; proxy_temp_path /tmp/proxy; '
    settings+='fastcgi_temp_path /tmp/fastcgi; uwsgi_temp_path /tmp/uwsgi; scgi_temp_path /tmp/scgi; server { listen 80; root /srv; } }'
    check_service nginx www-data 80 'GET / HTTP/1.0\r\n\r\n' "hello from services-$$-nginx" \
        '["sh", "-c", "echo \"$0\" >/tmp/nginx.conf && exec nginx -c /tmp/nginx.conf", "'"$settings"'"]'
}

check_redis() {
    check_service redis redis 6379 'SET greeting hello\r\nGET greeting\r\nQUIT\r\n' hello \
        '["redis-server", "--save", "", "--dir", "/tmp", "--port", "6379"]'
}

check_python() {
    # The first process of a pid namespace gets only signals it handles, and http.server handles SIGINT alone: hence the
    # handler.
    local program='import runpy, signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); '
    program+='sys.argv = [\"http.server\", \"--directory\", \"/srv\", \"80\"]; runpy.run_module(\"http.server\", run_name=\"__main__\")'
    check_service python nobody 80 'GET / HTTP/1.0\r\n\r\n' "hello from services-$$-python" '["python3", "-c", "'"$program"'"]'
}

# What a person at a shell does, as root with Docker's capabilities; and what the profile must refuse.
check_tools() {
    id=services-$$-tools
    make_bundle 0 0 all '["sh", "/srv/tools.sh"]'
    cp "$here/tools.sh" "$work/bundle/rootfs/srv/tools.sh"
    runtime run --bundle "$work/bundle" "$id" >"$work/bundle/output" 2>&1 </dev/null || fail "$(tail -5 "$work/bundle/output")" || return
    check_nothing_left
}

[ $# -gt 0 ] || set -- nginx redis python tools
for name in "$@"; do
    case $name in
        nginx | redis | python | tools) ;;
        *) echo "services: no service $name; there are nginx redis python tools" >&2 && exit 2 ;;
    esac
done
[ "$(id -u)" = 0 ] || { echo "services: run as root" >&2; exit 1; }
command -v "$runbox" >/dev/null || { echo "services: $runbox is not there: make it first, or set RUNBOX" >&2; exit 1; }
"$here/make-rootfs.sh" "$lower"
lower=$(cd "$lower" && pwd)
work=$(mktemp -d -t runbox-services-XXXXXX)
mount -t tmpfs -o mode=755 tmpfs "$work" # an overlay's upper layer cannot itself be on an overlay, which /tmp is in many containers

passed=0 failed=0
for name in "$@"; do
    if "check_$name"; then
        echo "ok      $name"
        passed=$((passed + 1))
    else
        echo "FAILED  $name"
        failed=$((failed + 1))
    fi
    remove_service
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
