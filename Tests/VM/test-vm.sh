#!/bin/bash
# test-vm.sh [MODE...]: runs the tests of the binary in virtual machines that have what this host may lack: every
# controller of cgroup v2, systemd as PID 1, an ordinary user with a delegated cgroup, AppArmor. One boot for each mode;
# output comes as it is made; at the end one count of all. RUNBOX and RUNBOX_PROBE name the programs; `swift build
# --build-tests` must have been done. Which suites run where stands in the file `suites`. The mode checkpoint saves,
# restores and moves containers by CRIU (Tests/Checkpoint), which need not fit this host's kernel; checkpoint-all runs
# the whole table, beside runc and crun. The mode selinux is a machine that enforces a small policy of SELinux. A mode
# engines-NAME boots for a part of an engine's whole table (Tests/Engines), `engines` for each of them; VM_SUITE is the
# release of Debian that the machine is made of (bookworm; trixie and forky have newer engines), and what
# docs/engines.md is made of is put into .build/engines. With VM_ROOM=1 rooms of this host's kernel take the place of
# the machines (room-run). VM_JOBS=2 runs two of them at a time, which have two processors and up to 4 GB each.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
project=$(cd "$here/../.." && pwd)
modes=("$@")
[ ${#modes[@]} -gt 0 ] || modes=(root systemd user checkpoint selinux)
engines=(docker docker-flags docker-many docker-systemd docker-daemons containerd cri buildah podman podman-ends podman-flags
  podman-exec rootless rootless-ends rootless-flags rootless-exec rootless-buildah)
[ "${modes[*]}" != engines ] || modes=("${engines[@]/#/engines-}")
run=$here/vm-run kind=
[ -z "${VM_ROOM:-}" ] || run=$here/room-run kind=-room
suite=${VM_SUITE:-bookworm} jobs=${VM_JOBS:-1}
export VM_IMAGE=${VM_IMAGE:-$project/.build/vm$([ "$suite" = bookworm ] || echo "-$suite")} VM_SUITE=$suite
tests=$project/.build/debug/runboxPackageTests.xctest
for file in "$RUNBOX" "$RUNBOX_PROBE" "$tests"; do
  [ -x "$file" ] || { echo "test-vm: $file is not there; use make test-vm" >&2; exit 2; }
done
"$here/image.sh" "$VM_IMAGE" || exit 1

# The test program brings no libraries; those that are not the disk's come from where the host has them.
mapfile -t libraries < <(ldd "$tests" | awk '$3 ~ /^\// { print $3 }' | xargs -n1 dirname | sort -u | grep -vE '^(/usr)?/lib(64)?(/|$)')
shares=(--share "$project")
for folder in "${libraries[@]}"; do shares+=(--share "$folder"); done

swift='^. Test [^ ]+\(.*\)'
left='(with [0-9]+ test cases? )?(skipped|was cancelled)'
shown='^. (Test|Suite) .*(passed|failed|skipped|cancelled|recorded)|^. Test run|^↳|^  std|^vm-run|error|^(ok|FAILED|skipped)[: ]|^    ([|]|part|docker|ctr|cri|podman|buildah|engines)'
passed=0 failed=0 skipped=0 broken=0 summary=()
results=$(mktemp -d "${TMPDIR:-/tmp}/test-vm.XXXXXX")
trap 'rm -rf "$results"' EXIT
began=$SECONDS

filter_of() { sed -n "s/^$1: *//p" "$here/suites" | paste -sd'|'; }
for mode in "${modes[@]}"; do
  case $mode in
    checkpoint | checkpoint-all | selinux | engines-*) ;;
    *) [ -n "$(filter_of "$mode")" ] || { echo "test-vm: no suites for the mode $mode" >&2; exit 2; } ;;
  esac
done

# run_mode MODE: boots for it; all that is printed there is kept as $results/MODE, what it came to as $results/MODE.end.
run_mode() {
  local mode=$1 machine=$1 memory=2048 last=engines append=${VM_APPEND-} broken=0 filter start code ok bad out
  local table=$project/.build/engines/$suite$kind-${mode#engines-}.json
  # The user of the machine is nobody that the host knows.
  mkdir -p "${table%/*}" && : > "$table" && chmod 666 "$table"
  filter=$(filter_of "$mode")
  case $mode in
    checkpoint*) machine=root memory=3072 filter=none last=checkpoint ;;
    selinux) machine=root filter=none last=selinux append+=" security=selinux selinux=1" ;;
    engines-*)
      machine=systemd memory=4096 filter=none
      [[ $mode != engines-rootless* ]] || machine=user
      ;;
  esac
  echo "=== $mode: booting"
  start=$SECONDS
  # Escapes of colours would only be in the way.
  VM_APPEND=$append "$run" --mode "$machine" --mem "$memory" --timeout "${VM_TIMEOUT:-1500}" "${shares[@]}" -- \
    env NO_COLOR=1 RUNBOX="$RUNBOX" RUNBOX_PROBE="$RUNBOX_PROBE" RUNBOX_VM="$machine" ENGINES_RESULTS="$table" \
    "$here/guest-tests" "$mode" "$tests" "^RuntimeTests\\.AllTests/($filter)/" 2>&1 |
    tee "$results/$mode" | grep --line-buffered -E "$shown" | grep --line-buffered -v 'Test case' | sed -u "s/^/$([ "$jobs" = 1 ] || echo "$mode: ")/"
  code=${PIPESTATUS[0]}
  ok=$(grep -cE "$swift (with [0-9]+ test cases? )?passed|^ok[: ]" "$results/$mode")
  bad=$(grep -cE "$swift (with [0-9]+ test cases? )?failed|^FAILED[: ]" "$results/$mode")
  out=$(grep -cE "$swift $left|^skipped[: ]" "$results/$mode")
  # A test program that ends without its last line has not run to its end, nor has a machine without its last part.
  if { [ "$filter" != none ] && ! grep -qE '^. Test run with' "$results/$mode"; } || ! grep -q "^    part $last" "$results/$mode" || { [ "$code" != 0 ] && [ "$bad" = 0 ]; }; then
    broken=1
  fi
  echo "$ok $bad $out $broken $((SECONDS - start)) $code" > "$results/$mode.end"
}

if [ "$jobs" -gt 1 ]; then
  # Groups of their own, to end what they started too.
  set -m
  trap 'for job in $(jobs -p); do kill -- "-$job"; done 2> /dev/null; exit 130' INT TERM
fi
for mode in "${modes[@]}"; do
  while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; done
  if [ "$jobs" -gt 1 ]; then run_mode "$mode" < /dev/null & else run_mode "$mode"; fi
done
wait
for mode in "${modes[@]}"; do
  read -r ok bad out end seconds code < "$results/$mode.end" || { broken=$((broken + 1)); continue; }
  passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + out)) broken=$((broken + end))
  summary+=("$mode: $ok passed, $bad failed, $out skipped, ${seconds} s, status $code$([ "$end" = 0 ] || echo ", not run to its end")")
done
echo "=== virtual machines: ${#modes[@]} boots, $(((SECONDS - began) / 60)) min $(((SECONDS - began) % 60)) s"
printf '    %s\n' "${summary[@]}"
if [ "$skipped" -gt 0 ]; then
  echo "    skipped there:"
  grep -hE "$swift $left|^skipped[: ]" "${modes[@]/#/$results/}" | sed -E 's/^. Test ([^ ]+) .*(skipped|was cancelled[^:]*):? ?/\1: /; s/^skipped:? +//; s/^/      /' | sort | uniq -c | sort -rn | head -40
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$broken" = 0 ]
