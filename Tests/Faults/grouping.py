#!/usr/bin/env python3
"""Sums up the report of faults.py: one entry for each cause, the most frequent first. grouping.py FILE"""
import json
import re
import sys


def plain(text):
    """Without numbers and names that differ from run to run."""
    return re.sub(r"\d+", "N", re.sub(r"/tmp/[^ :;,)]*", "PATH", text))


def who(role):
    return "runtime" if role == 0 else "process %d" % role


def group(path):
    groups = {}
    for line in open(path):
        entry = json.loads(line)
        key = (entry["kind"], who(entry["role"]), plain(entry["hit"] or entry["call"]), plain(entry["details"])[:160])
        groups.setdefault(key, []).append(entry)
    text = []
    for (kind, process, call, _), entries in sorted(groups.items(), key=lambda item: (item[0][0], -len(item[1]))):
        first = entries[0]
        text.append("%s: %s of the %s, %d points" % (kind, call, process, len(entries)))
        text.append("    commands %s; endings %s; n %s" % (" ".join(sorted({e["scenario"] for e in entries})), " ".join(sorted({e["ending"] for e in entries})),
                                                         " ".join(str(n) for n in sorted({e["n"] for e in entries})[:12])))
        text.append("    %s" % first["details"].replace("\n", "\n    "))
        text.append("    exit %s: %s" % (first["status"], first["stderr"].replace("\n", "\n    ") or "nothing said"))
    return "\n".join(text)


if __name__ == "__main__":
    print(group(sys.argv[1]))
