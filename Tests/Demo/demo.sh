#!/bin/bash
# `make demo`: one web server in a container, and another one as a service that is woken, watched over, restarted and sent to sleep. From an empty folder to
# nothing left, in less than 20 seconds.
#
#     [RUNBOX=PATH] [HELLO=PATH] demo.sh       PATH is build/runbox and build/hello (hello.c) by default
#
# Needs root, Debian's busybox-static, and nsenter (util-linux).
set -euo pipefail

project=$(cd "$(dirname "$0")/../.." && pwd)
binary=${RUNBOX:-$project/build/runbox}
hello=${HELLO:-$project/build/hello}
busybox=$(command -v busybox) || { echo "demo: busybox is missing: apt-get install busybox-static" >&2; exit 1; }
command -v "$binary" >/dev/null || { echo "demo: $binary is not there: run make first" >&2; exit 1; }
[ -x "$hello" ] || { echo "demo: $hello is not there: cc -O2 -static -o $hello $project/Tests/Demo/hello.c makes it" >&2; exit 1; }
[ "$(id -u)" = 0 ] || { echo "demo: this container belongs to root: run it as root" >&2; exit 1; }

work=$(mktemp -d -t runbox-demo-XXXXXX)
bundle=$work/hello-web
id=hello-web # `runbox run` names a container after the folder of its bundle
supervisor=
service=hello-service

# A state folder of our own, so that the demo neither sees nor disturbs other containers.
runbox() { "$binary" --root "$work/state" "$@"; }

bold='' plain=''
[ ! -t 1 ] || bold=$'\033[1m' plain=$'\033[0m'
say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
show() {
    echo "\$ $*"
    "$@"
}

clean_up() {
    if [ -n "$supervisor" ]; then
        runbox delete --force "$id" >/dev/null 2>&1 || true
        wait "$supervisor" 2>/dev/null || true
    fi
    runbox delete --force "$service" >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# until_it SECONDS COMMAND…: waits until the command succeeds
until_it() {
    local end=$((SECONDS + $1)) doing="${*:2}"
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -le $end ] || { echo "demo: waited in vain: $doing" >&2; runbox state "$service" >&2; exit 1; }
        sleep 0.05
    done
}
field() { runbox state "$service" | sed -n "s/.*\"$1\": *\"\{0,1\}\([^\",]*\).*/\1/p" | head -n 1; }
has_status() { runbox list | grep -q "$service .* $1 "; }
gone() { ! kill -0 "$1"; }
restarted() { [ "$(field restarts)" = "$1" ] && has_status healthy; }

say "1. A bundle: a folder with a root file system and a config.json"
mkdir -p "$bundle"/rootfs/{bin,dev,proc,sys,www}
cp "$busybox" "$bundle/rootfs/bin/busybox"
ln -s busybox "$bundle/rootfs/bin/sh"
chroot "$bundle/rootfs" /bin/busybox true 2>/dev/null || { echo "demo: $busybox is not static: apt-get install busybox-static" >&2; exit 1; }
echo "Hello from a container that runbox runs." >"$bundle/rootfs/www/index.html"
# The first process of a pid namespace gets only those signals it has a handler for, and busybox's httpd has none: by
# itself it would not notice SIGTERM. So a shell waits beside it and ends when asked; the kernel then ends whatever else
# is in the namespace.
cat >"$bundle/rootfs/bin/serve" <<'SERVE'
#!/bin/sh
trap 'echo "asked to stop, stopping"; exit 0' TERM
busybox httpd -f -p 80 -h /www &
echo "serving on port 80"
wait
SERVE
chmod +x "$bundle/rootfs/bin/serve"
show runbox spec --bundle "$bundle"
# Two words differ from the default: no terminal, and our program for the shell.
tr '\n' ' ' <"$bundle/config.json" | sed -E 's/"terminal": *true/"terminal": false/; s|"args": *\[[^]]*\]|"args": ["/bin/serve"]|' >"$work/config.json"
mv "$work/config.json" "$bundle/config.json"
(cd "$work" && find hello-web | sort | sed 's/^/    /')

say "2. Run it. The container has its own network: no port of this machine is taken"
echo "\$ runbox run $bundle/ &"
runbox run "$bundle/" &
supervisor=$!

pid=
page=
for _ in $(seq 50); do # five seconds
    pid=$(runbox state "$id" 2>/dev/null | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p') || true # not yet there
    [ -z "$pid" ] || [ "$pid" = 0 ] || page=$(nsenter --target "$pid" --net "$busybox" wget -q -O - http://127.0.0.1/ 2>/dev/null) || true
    [ -z "$page" ] || break
    kill -0 "$supervisor" 2>/dev/null || break # it has said why
    sleep 0.1
done
[ -n "$page" ] || { echo "demo: the web server does not answer" >&2; exit 1; }

say "3. Ask it for its page, from inside that network"
echo "\$ nsenter --target $pid --net busybox wget -q -O - http://127.0.0.1/"
echo "$page"

say "4. Look at it"
show runbox list
show runbox state "$id"
cgroup=$(sed -n 's/^0:://p' "/proc/$pid/cgroup")

say "5. Stop it, the way a service manager does"
show runbox kill "$id" TERM
status=0
wait "$supervisor" || status=$?
supervisor=
echo "runbox run ended with the service's own exit status: $status"
[ "$status" = 0 ] || exit 1

say "6. A service: it may sleep, has a health check, and is restarted when that fails"
port=8080
while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done # somebody has it
mkdir -p "$work/$service"/rootfs/{bin,dev,proc,sys}
cp "$busybox" "$work/$service/rootfs/bin/busybox"
cp "$hello" "$work/$service/rootfs/bin/hello"
show runbox spec --bundle "$work/$service" --no-terminal \
    --listen "tcp:127.0.0.1:$port" --on-demand --idle 4s \
    --health-cmd '["/bin/busybox", "test", "!", "-e", "/dev/shm/broken"]' --health-interval 300ms --health-retries 2 --health-action restart \
    --log-path "$work/$service.log" -- /bin/hello
show runbox run --detach "$work/$service/"
show runbox list
echo "No container runs. A supervisor waits at port $port:"
watcher=$(runbox state "$service" | tr -d ' \n' | sed 's/.*"supervisor":{"pid":\([0-9]*\).*/\1/')
grep -E '^(Name|VmRSS):' "/proc/$watcher/status" | sed 's/^/    /'

say "7. The first connection wakes it, though its network is its own"
page() { "$busybox" wget -q -O - "http://127.0.0.1:$port/"; }
echo "\$ busybox wget -q -O - http://127.0.0.1:$port/"
page
show runbox wait --healthy --timeout 10s "$service"
show runbox list
page >/dev/null # it may have slept on a machine that is busy
show runbox stats --once "$service"

say "8. It breaks: the check fails twice, and another container takes its place"
page >/dev/null
show runbox exec "$service" /bin/busybox touch /dev/shm/broken
until_it 10 restarted 1
show runbox list
page >/dev/null

say "9. What it has said, in all its containers"
show runbox logs --timestamps "$service"

say "10. Nobody comes for four seconds: it goes to sleep, and the port stays open"
until_it 10 has_status sleeping
show runbox list
echo "\$ busybox wget -q -O - http://127.0.0.1:$port/"
page
show runbox stop "$service"
show runbox delete "$service"

say "11. Nothing is left"
left=
[ -z "$(runbox list --quiet)" ] || left+=" a container"
for process in "$pid" "$watcher"; do until_it 5 gone "$process"; done # it may wait for somebody to take notice
for tree in /sys/fs/cgroup /sys/fs/cgroup/unified; do
    [ "$cgroup" = / ] || [ ! -e "$tree$cgroup" ] || left+=" a cgroup"
done
! grep -q "$work" /proc/self/mountinfo || left+=" a mount"
[ -z "$left" ] || { echo "demo: left behind:$left" >&2; exit 1; }
show runbox list
echo "No container, no process, no cgroup, no mount."
