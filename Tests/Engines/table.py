#!/usr/bin/env python3
"""table.py LOG...: writes the table of docs/engines.md anew from what engines.py printed."""

import os
import re
import sys

DOCUMENT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../docs/engines.md")
WORDS = {"ok": "the same", "FAILED": "**differs**", "skipped": "not run"}


def read(logs):
    """Outcomes by engine and case, and in their order the titles and the cases of either engine."""
    outcomes, titles, cases = {}, {}, {}
    for log in logs:
        with open(log) as file:
            for line in file:
                found = re.match(r"(ok|FAILED|skipped) +((ctr|podman)[a-z ]*): ([^:]*)(: |$)", line)
                if found:
                    word, title, engine, case, _ = found.groups()
                    titles.setdefault(engine, {})[title] = True
                    cases.setdefault(engine, {})[case] = True
                    outcomes[title, case] = WORDS[word]
    return outcomes, titles, cases


def main():
    outcomes, titles, cases = read(sys.argv[1:])
    text = []
    for engine in cases:
        heads = list(titles[engine])
        text += ["| Case | " + " | ".join(heads) + " |", "|---|" + "---|" * len(heads)]
        for case in cases[engine]:
            found = [outcomes.get((title, case), "–") for title in heads]
            if case.startswith("killed"):
                found = ["recovers" if word == "the same" else word for word in found]
            text.append(f"| {case} | " + " | ".join(found) + " |")
        text.append("")
    with open(DOCUMENT) as file:
        before, rest = file.read().split("<!-- cases -->\n", 1)
        after = rest.split("<!-- end of the cases -->", 1)[1]
    with open(DOCUMENT, "w") as file:
        file.write(before + "<!-- cases -->\n" + "\n".join(text) + "<!-- end of the cases -->" + after)


if __name__ == "__main__":
    main()
