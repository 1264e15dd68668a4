#!/usr/bin/env python3
"""check-coverage.py RUNBOX: compares docs/coverage.md with the sources, the tests and the executable, and the paths that the
other documents name with the files that there are.

Every file and test that a row names must exist; every key that the decoders of Sources/OCISpec read, every command and
every flag of the executable's help, every mount option of `features` and every annotation must have a row; no cell may be
empty and nothing may be planned. Every command that is defined must be in the table of commands, and every flag that is
declared must be read somewhere."""

import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCES = ROOT / "Sources"
COVERAGE = ROOT / "docs" / "coverage.md"
FILE = r"[A-Za-z0-9_/.+-]+\.(?:swift|c|h)\b"
FOLDER = r"[A-Za-z0-9_-]+/(?:[A-Za-z0-9_-]+/)*(?![A-Za-z0-9_])"
mistakes = []


def mistake(line, text):
    mistakes.append((line, f"docs/coverage.md:{line}: {text}" if line else f"docs/coverage.md: {text}"))


class Row:
    def __init__(self, line, section, cells):
        self.line, self.section, self.cells = line, section, cells
        self.subject, self.source, self.test, self.state = cells
        self.words = set(re.findall(r"[A-Za-z][A-Za-z0-9]*", self.subject))
        self.flags = set(re.findall(r"(?<![\w-])--([a-z0-9][a-z0-9-]*)", self.subject))


def read_rows():
    rows, section = [], ""
    for number, line in enumerate(COVERAGE.read_text().splitlines(), 1):
        if line.startswith("## "):
            section = line[3:].strip()
        if not line.startswith("|") or re.fullmatch(r"[|\- ]+", line):
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        if len(cells) != 4:
            mistake(number, f"{len(cells)} cells instead of 4")
        elif cells[1:] != ["Source", "Test", "State"]:
            rows.append(Row(number, section, cells))
    return rows


# --- cells -----------------------------------------------------------------------------------------------------------


def check_cells(row):
    for name, cell in zip(("subject", "source", "test", "state"), row.cells):
        if not cell:
            mistake(row.line, f"{row.subject}: the {name} is empty")
    # Without a test there is only what the specification ignores by nature, or what needs another machine.
    if row.test == "–" and "needs" not in row.state:
        mistake(row.line, f"{row.subject}: no test, and the state does not say what one needs")
    for cell in row.cells:
        if re.search(r"\bplanned\b|\bno test\b", cell):
            mistake(row.line, f"{row.subject}: {cell}")


def check_sources(row):
    """`Module/Folder/One.swift, Other/Two.swift (member), Three.swift; Module/`: what a path leaves out is that of the one
    before."""
    folder = None
    for name, member in re.findall(rf"({FILE}|{FOLDER})(?: \((\w+)\))?", row.source):
        places = [name] + ([f"{folder.split('/')[0]}/{name}", f"{folder}/{name}"] if folder else [])
        found = next((place for place in places if (SOURCES / place).exists()), None)
        if found is None:
            mistake(row.line, f"{row.subject}: there is no source {name}")
            continue
        folder = str(pathlib.PurePosixPath(found).parent)
        if member and (SOURCES / found).is_file() and not re.search(rf"\b{member}\b", (SOURCES / found).read_text()):
            mistake(row.line, f"{row.subject}: {found} does not have {member}")


# --- tests -----------------------------------------------------------------------------------------------------------


def read_tests():
    """Suites by name, each with its test functions; a type is the last one that was opened further to the left."""
    suites = {}
    for path in sorted((ROOT / "Tests").rglob("*.swift")):
        types, is_test = [], False
        for line in path.read_text().splitlines():
            indent = len(line) - len(line.lstrip(" "))
            opened = re.match(r" *(?:@\w+(?:\(.*\))? )*(?:(?:private|final|fileprivate) )*(struct|enum|class|extension|actor) (\w+)", line)
            if opened:
                types = [(depth, name) for depth, name in types if depth < indent] + [(indent, opened.group(2))]
                suites.setdefault(opened.group(2), set())
            is_test = is_test or "@Test" in line
            function = re.search(r"\bfunc (\w+)", line)
            if function and is_test:
                owners = [name for depth, name in types if depth < indent]
                if owners:
                    suites[owners[-1]].add(function.group(1))
                is_test = False
    return {name: tests for name, tests in suites.items() if tests}


def check_tests(row, suites):
    text = re.sub(r"\([^)]*\)", "", row.test)
    if text == "–" or text.startswith("see "):
        return
    for part in text.split(";"):
        part = part.strip()
        if part.startswith("Tests/"):
            check_scripts(row, part)
            continue
        suite, _, names = part.partition("/")
        if suite not in suites:
            mistake(row.line, f"{row.subject}: there is no suite {suite}")
            continue
        for name in filter(None, (word.strip() for word in names.split(","))):
            if name not in suites[suite]:
                mistake(row.line, f"{row.subject}: there is no test {suite}/{name}")


def check_scripts(row, part):
    """`Tests/VM/one.sh, two.sh`: tests that are no Swift."""
    folder = None
    for name in (word.strip() for word in part.split(",")):
        path = ROOT / name if folder is None or name.startswith("Tests/") else folder / name
        folder = path.parent
        if not path.is_file():
            mistake(row.line, f"{row.subject}: there is no {path.relative_to(ROOT)}")


# --- keys of the configuration ---------------------------------------------------------------------------------------


def read_decoders():
    """For each type its keys, and for each key the type of its value."""
    types, keys = {}, {}
    for path in sorted((ROOT / "Sources" / "OCISpec").glob("*.swift")):
        current = None
        for line in path.read_text().splitlines():
            opened = re.match(r"(?:package )?(?:struct|extension) (\w+)", line)
            if opened:
                current = opened.group(1)
            declared = re.match(r" +package var (\w+): \[?(\w+)", line)
            if declared and current:
                types.setdefault(current, {})[declared.group(1)] = declared.group(2)
            read = re.match(r" +(?:self\.)?(\w+) = (?:try )?fields\.\w+\(\s*\"(\w+)\"", line)
            if read and current:
                keys.setdefault(current, {})[read.group(2)] = read.group(1)
    return types, keys


def paths(types, keys, name="Spec", above=(), depth=0):
    for key, variable in sorted(keys.get(name, {}).items()):
        inner = types.get(name, {}).get(variable, "")
        if name == "Hooks":
            yield above + (key,)  # a moment, beside the keys that every hook has
        if inner in keys and depth < 8:
            yield from paths(types, keys, inner, above + (key,), depth + 1)
        else:
            yield above + (key,)


def check_keys(rows):
    types, keys = read_decoders()
    every = list(paths(types, keys))
    if len(every) < 120:
        mistake(0, f"only {len(every)} keys were found in the decoders: check-coverage.py no longer understands them")
    for path in every:
        parent = path[-2] if len(path) > 1 else None

        def tells(row):
            if path[-1] not in row.words or "--" in row.subject:
                return False
            near = row.words | set(re.findall(r"\w+", row.section))
            return parent is None or parent in near or "*" in row.subject and path[0] in near

        if not any(tells(row) for row in rows):
            mistake(0, f"no row for {'.'.join(path)}")


# --- the command line ------------------------------------------------------------------------------------------------


def help_text(runbox, *words):
    return subprocess.run([runbox, "help", *words], check=True, capture_output=True, text=True).stdout


def part(text, title):
    return re.findall(r"^   (.*)$", text.split(f"{title}:\n", 1)[1].split("\n\n")[0], re.M)


def flags_of(lines):
    return [match.group(1) for match in (re.match(r"--([a-z0-9-]+)", line) for line in lines) if match]


def check_commands(rows, runbox):
    overview = help_text(runbox)
    check_flags(rows, flags_of(part(overview, "GLOBAL OPTIONS")), None)
    for line in part(overview, "COMMANDS"):
        command = line.split()[0]
        if not any(row.section == "Commands" and re.search(rf"`{command}\b", row.subject) for row in rows):
            mistake(0, f"no row for the command {command}")
        if command != "help":
            check_flags(rows, flags_of(part(help_text(runbox, command), "OPTIONS")), command)


def check_flags(rows, flags, command):
    for flag in flags:

        def tells(row):
            if flag not in row.flags:
                return False
            if command is None:
                return row.section == "Global flags"
            of = re.search(rf"\bFlags of\b.*\b{command}\b", row.section)
            return bool(of) or re.search(rf"`{command}\b", row.subject) is not None

        # Every command has --help.
        if (command is None or flag != "help") and not any(tells(row) for row in rows):
            mistake(0, f"no row for {command or 'the global flag'} --{flag}")


def check_words(rows, runbox):
    """Mount options and annotations."""
    features = json.loads(subprocess.run([runbox, "features"], check=True, capture_output=True, text=True).stdout)
    options = {word for row in rows if row.section == "Mount options" for word in re.findall(r"[a-z][a-z-]*", row.subject)}
    for word in features["mountOptions"]:
        if word not in options:
            mistake(0, f"no row for the mount option {word}")
    subjects = " ".join(row.subject for row in rows)
    for name in re.findall(r"case \w+ = \"(.+)\"", (SOURCES / "Planning/Annotations/AnnotationName.swift").read_text()):
        if name not in subjects:
            mistake(0, f"no row for the annotation {name}")


def check_definitions(runbox):
    """What is defined for the command line, and would be dropped without a word where nothing else names it."""
    texts = {path: path.read_text() for path in (SOURCES / "runbox").rglob("*.swift")}
    for path, text in texts.items():
        for name in re.findall(r"\bCommand\(\s*name: \"(\w+)\"", text):
            if subprocess.run([runbox, "help", name], capture_output=True).returncode:
                mistakes.append((0, f"{path.relative_to(ROOT)}: the table of commands lacks {name}"))
        for name in re.findall(r"\bFlag\(\s*\"([a-z0-9-]+)\"", text):
            if not any(re.search(rf"(?<!Flag\()\"{name}\"", other) for other in texts.values()):
                mistakes.append((0, f"{path.relative_to(ROOT)}: nobody reads the flag {name}"))


# --- paths of all documents ------------------------------------------------------------------------------------------


def check_paths(suites):
    """In every document, what stands in backquotes and looks like a path of this repository, from its root or from Sources/,
    or like a test."""
    tops = {path.name for folder in (ROOT, SOURCES) for path in folder.iterdir() if path.is_dir() and path.name != "build"}
    names = {path.name for folder in ("Sources", "Tests", "Examples", "config") for path in (ROOT / folder).rglob("*.*")}

    def exists(path):
        is_source = path.endswith((".swift", ".c", ".h", ".py", ".sh"))
        if "/" not in path:
            return not is_source or path in names
        if path.split("/")[0] not in tops and not is_source:
            return True
        return (ROOT / path).exists() or (SOURCES / path).exists()

    for document in sorted((ROOT / "docs").glob("*.md")):
        for number, line in enumerate(document.read_text().splitlines(), 1):
            for member, path in re.findall(r"`(\w+)` in `([\w/.-]+\.swift)`", line):
                if (SOURCES / path).is_file() and not re.search(rf"\b{member}\b", (SOURCES / path).read_text()):
                    mistakes.append((number, f"docs/{document.name}:{number}: {path} does not have {member}"))
            for span in re.findall(r"`([^`]+)`", line):
                test = re.fullmatch(r"(\w+)/([a-z]\w+)", span)
                if test and test[1] in suites and test[2] not in suites[test[1]]:
                    mistakes.append((number, f"docs/{document.name}:{number}: there is no test {span}"))
                for path in re.findall(r"(?<![\w./-])[A-Za-z][\w.+-]*(?:/[\w.+-]+)*", span):
                    if not exists(path):
                        mistakes.append((number, f"docs/{document.name}:{number}: there is no {path}"))


def check_folder_rows():
    """`| `Module/Folder` | `Type`, … |`: a row of docs/architecture.md about a folder names files or words of that folder."""
    for number, line in enumerate((ROOT / "docs" / "architecture.md").read_text().splitlines(), 1):
        cells = line.split(" | ")
        folders = [SOURCES / name for name in re.findall(r"`(\w+/\w+|CgroupPlanning)`", cells[0])]
        if len(cells) != 2 or not folders or not all(folder.is_dir() for folder in folders):
            continue
        files = [path for folder in folders for path in folder.rglob("*.swift")]
        words = {path.stem for path in files}.union(*(re.findall(r"\w+", path.read_text()) for path in files))
        for name in re.findall(r"`([A-Z]\w+)`", cells[1]):
            if name not in words:
                mistakes.append((number, f"docs/architecture.md:{number}: there is no {name} in these folders"))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    rows = read_rows()
    suites = read_tests()
    for row in rows:
        check_cells(row)
        check_sources(row)
        check_tests(row, suites)
    check_keys(rows)
    check_commands(rows, sys.argv[1])
    check_words(rows, sys.argv[1])
    check_definitions(sys.argv[1])
    check_paths(suites)
    check_folder_rows()
    for _, text in sorted(mistakes, key=lambda entry: entry[0]):
        print(text, file=sys.stderr)
    sys.exit(1 if mistakes else 0)


main()
