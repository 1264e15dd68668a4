# Runs the commands of docs/service.md, section by section. Sourced, with `project` the checkout's folder, `work` an
# empty one, and `failed` 0.

# One script a section, so that each is judged by itself: 03 is that below "## 3.". What the page takes from a network
# or a checkout is left out: blocks below
# `<!-- elsewhere -->`.
awk -v work="$work" '
    /^## / { section = /^## [0-9]+\./ ? sprintf("%02d", $2) : "" }
    /^<!-- elsewhere -->$/ { elsewhere = 1 }
    /^```sh$/ { inside = !elsewhere; elsewhere = 0; next }
    /^```$/ { inside = 0 }
    inside && section != "" { print > (work "/" section) }
' "$project/docs/service.md"

# section NUMBER WORD...: runs it; all of it must succeed, and the words be in what it says.
section() {
    local number=$1 said status=0
    shift
    # To a file, which nobody waits for when something of a section that has failed still runs.
    (cd / && exec bash -euo pipefail -x "$work/$number") > "$work/said" 2>&1 || status=$?
    said=$(tr -d "\0" < "$work/said")
    [ $status = 0 ] || { echo "FAILED: guide $number: $said"; failed=1; return; }
    for word in "$@"; do
        case $said in
        *"$word"*) ;;
        *) echo "FAILED: guide $number: not \"$word\" in: $said"; failed=1; return ;;
        esac
    done
    echo "ok: guide $number"
}

# The part that needs no systemd.
sections_without_systemd() {
    section 02
    section 03 "0 errors, 0 warnings" serving
    section 04 running '"restarts": 1' hello
    section 05 serving stdout
    section 06 healthy
    section 07 sleeping "Hello from a container." running
    section 08 "0 errors, 0 warnings" serving
}
