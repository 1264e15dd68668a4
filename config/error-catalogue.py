#!/usr/bin/env python3
"""Compares docs/errors.md with the code: every sentence that the code can say in an error or warning must be in the catalogue, and nothing else.

    error-catalogue.py            fails where the two differ, and prints the rows to add
    error-catalogue.py --list     prints every sentence of the code with its files

A sentence is a string literal of at least four words, outside of help texts. What is put in, `\\(…)`, counts as `…`. A row of the catalogue begins
with the sentence, or a part of it, in backquotes, and may name several; `…` in it stands for anything. So a row may cover a family of sentences.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MODULES = [
    "JSON", "OCISpec", "KernelTypes", "Errors", "DBus", "CgroupPlanning", "Planning", "Kernel", "Criu", "DBusTransport", "Cgroups",
    "ContainerRuntime", "Services", "Diagnosis", "runbox",
]
# What stands in these calls and arguments is help, or not for people.
HELP = re.compile(r'(?:\bFlag\(|\bsummary: |\bdetails: |\barguments: )\s*$')
# Files whose sentences are no errors: help, manual pages, completions, tables of names, and the report of `doctor`,
# which says of each gap what it costs and what fixes it.
OTHER = (
    "Sources/OCISpec/DefaultSpec.swift", "Sources/OCISpec/Clause.swift", "Sources/runbox/CommandLine/Help.swift",
    "Sources/runbox/CommandLine/ServiceFlags.swift", "Sources/runbox/Manual/", "Sources/runbox/Completion/",
    "Sources/Diagnosis/Doctor/", "Sources/runbox/Commands/Doctor.swift",
    "Sources/Planning/Annotations/AnnotationName.swift", "Sources/Planning/Confinement/NewerSystemCalls.swift",
)


def literals(text):
    """Yields (place, literal with … for interpolations) of a Swift file, comments left out."""
    i, n = 0, len(text)
    while i < n:
        if text.startswith("//", i):
            i = text.find("\n", i) if "\n" in text[i:] else n
        elif text.startswith("/*", i):
            i = text.index("*/", i) + 2
        elif text[i] == '"' or (text[i] == "#" and i + 1 < n and text[i + 1] == '"'):
            start = i
            value, i = literal(text, i)
            yield start, value
        else:
            i += 1


def literal(text, i):
    raw = text[i] == "#"
    i += raw
    multi = text.startswith('"""', i)
    i += 3 if multi else 1
    end = ('"""' if multi else '"') + ("#" if raw else "")
    escape = "\\#" if raw else "\\"
    out = []
    while not text.startswith(end, i):
        if text.startswith(escape, i):
            i += len(escape)
            if text[i] == "(":
                i = closing(text, i)
                out.append("…")
            else:
                out.append({"n": "\n", "t": "\t", "r": "\\r", "0": ""}.get(text[i], text[i]))
                i = text.index("}", i) + 1 if text[i] == "u" else i + 1
        else:
            out.append(text[i])
            i += 1
    return "".join(out), i + len(end)


def closing(text, i):
    """The place behind the parenthesis that ends an interpolation; strings inside it may hold parentheses themselves."""
    depth = 0
    while True:
        if text[i] == '"':
            _, i = literal(text, i)
            continue
        depth += {"(": 1, ")": -1}.get(text[i], 0)
        i += 1
        if depth == 0:
            return i


def in_help(text, place):
    """Whether a literal is an argument of Flag(…) or a help text of a command."""
    before = text[max(0, place - 400):place]
    if HELP.search(before):
        return True
    flag = before.rfind("Flag(")
    return flag >= 0 and before[flag:].count("(") > before[flag:].count(")")


def sentences(words=4):
    """The sentences of so many words and more, each with its files."""
    found = {}
    for module in MODULES:
        for path in sorted((ROOT / "Sources" / module).rglob("*.swift")):
            name = str(path.relative_to(ROOT))
            if name.startswith(OTHER):
                continue
            text = path.read_text()
            for place, value in literals(text):
                count = sum(1 for word in value.replace("…", " ").split() if re.search("[A-Za-z]{2}", word) and "=" not in word)
                if count < words or " " not in value.strip() or "\n" in value or in_help(text, place):
                    continue
                found.setdefault(value.strip(), set()).add(name)
    return found


def pattern(row):
    return re.compile(".*".join(re.escape(part) for part in row.split("…")), re.S)


def rows():
    """The sentences of the catalogue: the code spans in the first cell of each row of a table."""
    text = (ROOT / "docs" / "errors.md").read_text()
    cells = re.findall(r"^\| (`.*?`) \| ", text, re.M)
    return [span for cell in cells for span in re.findall(r"`([^`]+)`", cell)]


def main():
    found = sentences()
    if "--list" in sys.argv:
        for text, files in sorted(found.items(), key=lambda item: (min(item[1]), item[0])):
            print(f"{', '.join(sorted(files))}: {text}")
        return 0
    known = [(row.replace("\\|", "|"), pattern(row.replace("\\|", "|"))) for row in rows()]
    used = set()
    missing = []
    for text, files in sorted(found.items()):
        hits = [row for row, regex in known if regex.search(text)]
        used.update(hits)
        if not hits:
            missing.append((text, files))
    for text, files in missing:
        print(f"{', '.join(sorted(files))}: not in docs/errors.md: {text}", file=sys.stderr)
        print(f"    | `{text}` | why | what to do |", file=sys.stderr)
    # A row may also tell of a shorter sentence.
    said = sentences(1)
    stale = [row for row, regex in known if row not in used and not any(map(regex.search, said))]
    for row in stale:
        print(f"docs/errors.md: the code does not say this any more: {row}", file=sys.stderr)
    if missing or stale:
        print("Each sentence needs a row of docs/errors.md: what it says, why it happens, what to do. Short of a better place: the table of its part.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
