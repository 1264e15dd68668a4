"""Why runbox and runc may differ in a case: what explained.json says of it."""

import json
import os
import re

with open(os.path.join(os.path.dirname(os.path.realpath(__file__)), "explained.json")) as file:
    ENTRIES = json.load(file)


def explanation(title, case):
    """The reason for an engine's title and a case; None where there is none."""
    for entry in ENTRIES:
        if entry["case"] == case and re.search(entry["engine"], title):
            return entry["why"]
    return None
