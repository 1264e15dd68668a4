#!/bin/bash
# The smallest limit of memory under which /bin/true starts, with runbox and with crun and runc beside it; and what
# runbox says below it.
# RUNBOX=… Tests/VM/memory.sh; needs root and the memory controller of cgroup v2.
# shellcheck source=Tests/VM/common.sh disable=SC2016
. "$(dirname "$0")/common.sh"
grep -qw memory /sys/fs/cgroup/cgroup.controllers || { echo "skipped: memory: the memory controller is not in the v2 tree"; exit 0; }

bundle small "c['process']['args'] = ['/bin/busybox', 'true']
c['ociVersion'] = '1.0.2'  # as far as crun 1.8 goes
c['linux']['cgroupsPath'] = '/smallest'
c['linux']['resources']['memory'] = {'limit': 123456, 'swap': 123456}"
config=$place/small/config.json

# limit KIB
limit() { sed -i -E "s/\"(limit|swap)\": *[0-9]+/\"\1\": $(($1 * 1024))/g" "$config"; }

# starts RUNTIME KIB: most of five times. The kernel charges in portions that other processors may still hold, so that a
# few of a hundred starts fail under each small limit, with every runtime.
starts() {
    local good=0
    limit "$2"
    for _ in 1 2 3 4 5; do
        timeout 30 "$1" --root "$place/state-$(basename "$1")" run --bundle "$place/small" "small-$RANDOM" < /dev/null > "$place/said" 2>&1 && good=$((good + 1))
    done
    [ $good -ge 3 ]
}

smallest() {
    local kib
    for kib in 64 128 256 512 1024 2048 4096 8192 16384; do
        starts "$1" $kib && { echo $kib; return; }
    done
    echo 999999
}

own=$(smallest "$RUNBOX")
for other in crun runc; do
    theirs=$(smallest $other)
    expect "smallest memory limit, in KiB, beside $other" "yes *" \
        "$([ "$own" -le "$theirs" ] && echo yes || echo no) runbox $own, $other $theirs"
done
expect "256 KiB are enough" "yes *" "$([ "$own" -le 256 ] && echo yes || echo no) $own"
starts "$RUNBOX" 32
expect "below it the limit is named, and what was needed" "*linux.resources.memory.limit*32768 bytes, 229376 fewer*" "$(cat "$place/said")"
rmdir /sys/fs/cgroup/smallest 2> /dev/null
result
