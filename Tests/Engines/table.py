#!/usr/bin/env python3
"""table.py RESULTS.json...: writes the tables of docs/engines.md anew from what engines.py put into the files that ENGINES_RESULTS named, one for each run."""

import json
import os
import re
import sys

from explained import explanation

DOCUMENT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../docs/engines.md")
# What a title begins with, and whose version its column tells.
PROGRAMS = {"docker": "Docker", "ctr": "containerd", "cri": "containerd", "podman": "Podman", "buildah": "Buildah", "calls": "runbox"}


def read(files):
    """The runs' versions, and by column (title and version) and case what came of it, both in the order of the files."""
    runs, columns = [], {}
    for name in files:
        versions, room = {}, " (room)" if "-room-" in os.path.basename(name) else ""
        with open(name) as file:
            for entry in map(json.loads, file):
                if entry["kind"] == "versions":
                    versions = entry["versions"]
                    runs.append({**versions, "place": "room" if room else "machine"})
                elif entry["case"]:
                    explain(entry)
                    family = entry["engine"].split()[0]
                    column = (entry["engine"], versions.get(PROGRAMS.get(family, ""), "?") + room)
                    columns.setdefault(column, {})[entry["case"]] = entry
    return runs, columns


def explain(entry):
    """A difference that was explained since the run."""
    if not entry.get("different") or entry["why"]:
        return
    entry["why"] = explanation(entry["engine"], entry["case"])
    # What else is wrong with it stays wrong.
    if entry["why"] and re.match("DIFFERENT; (runbox|both)=", entry["text"]):
        entry["outcome"] = "ok"


def machines(runs):
    found = {json.dumps(run, sort_keys=True): run for run in runs}
    for run in found.values():
        programs = ", ".join(f"{name} {number}" for name, number in run.items() if name not in ("system", "kernel", "place"))
        yield f"- {run['place']}: {run['system']}, Linux {run['kernel'].split('-')[0]}: {programs}."


def sums(columns):
    """How many cases each engine had, passed with either runtime, and how many were not run."""
    yield "| Engine | Cases | Passed with runc | Passed with runbox | Different | Explained | Sudden deaths survived | Not run |"
    yield "|---|---|---|---|---|---|---|---|"
    total = [0] * 7
    for (title, version), cases in columns.items():
        judged = [entry for entry in cases.values() if "runbox" in entry]
        deaths = [entry for entry in cases.values() if "runbox" not in entry and entry["outcome"] != "skipped"]
        row = [len(judged), sum(entry["runc"] for entry in judged), sum(entry["runbox"] for entry in judged), sum(entry["different"] for entry in judged),
               sum(bool(entry["why"]) for entry in judged), sum(entry["outcome"] == "ok" for entry in deaths),
               sum(entry["outcome"] == "skipped" for entry in cases.values())]
        total = [a + b for a, b in zip(total, row)]
        row[5] = f"{row[5]} of {len(deaths)}"
        yield f"| {title} {version} | " + " | ".join(map(str, row)) + " |"
    yield "| all | " + " | ".join(map(str, total)) + " |"


def cell(entry):
    if entry is None:
        return "–"
    if entry["outcome"] == "skipped":
        return "not run"
    if "runbox" not in entry:
        return "recovers" if entry["outcome"] == "ok" else "**does not recover**"
    if entry["outcome"] != "ok":
        return "**differs**" if entry["different"] else "**fails**"
    return "explained" if entry["why"] else "the same"


def table(columns, family):
    heads = [column for column in columns if column[0].split()[0] == family]
    cases = {case: True for head in heads for case in columns[head]}
    yield "| Case | " + " | ".join(f"{title} {version}" for title, version in heads) + " |"
    yield "|---|" + "---|" * len(heads)
    for case in cases:
        yield f"| {case} | " + " | ".join(cell(columns[head].get(case)) for head in heads) + " |"


def listed(columns, wanted):
    """A line for each reason, with the engines and cases that it holds for."""
    found = {}
    for (title, version), cases in columns.items():
        for case, entry in cases.items():
            reason = wanted(entry)
            if reason:
                found.setdefault((case, reason), []).append(f"{title} {version}")
    for (case, reason), titles in sorted(found.items()):
        yield f"- {case} ({', '.join(titles)}): {reason}"


def skip_reason(entry):
    return entry["text"] if entry["outcome"] == "skipped" else None


def main():
    runs, columns = read(sys.argv[1:])
    text = ["Machines:", "", *machines(runs), "", "### Counts", "", *sums(columns), ""]
    for family in dict.fromkeys(title.split()[0] for title, _ in columns):
        text += [f"### {family}", "", *table(columns, family), ""]
    text += ["### Differences, explained", ""] + (list(listed(columns, lambda entry: entry.get("why"))) or ["None."]) + [""]
    text += ["### Not run", ""] + (list(listed(columns, skip_reason)) or ["Everything ran."]) + [""]
    with open(DOCUMENT) as file:
        document = file.read()
    written, count = re.subn(r"(?s)(<!-- cases -->\n).*(<!-- end of the cases -->)", lambda found: found[1] + "\n".join(text) + found[2], document)
    if count != 1:
        sys.exit(f"table: {DOCUMENT} has no place for the tables")
    with open(DOCUMENT, "w") as file:
        file.write(written)


if __name__ == "__main__":
    main()
