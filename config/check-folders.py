#!/usr/bin/env python3
"""Compares docs/architecture.md with the sources: which module uses which other one, and which folder of a module.

The arrows of modules are those of Package.swift and of config/check-sources.sh, which must be the same.

A folder uses another where one of its files names something that a file of the other declares, be it a type, a function or a
member of an extension. What names what is read from the index that the compiler writes beside every debug build
(libIndexStore of the toolchain). A circle of folders is refused, and so is a folder or an arrow that the document does not
have, or has although there is none.

    config/check-folders.py            checks; `swift build` must have run
    config/check-folders.py --print    prints the block of folders for docs/architecture.md
"""

import ctypes
import json
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DOCUMENT = "docs/architecture.md"
FOLDERS, MODULES = "folders", "modules"
DEFINITION, REFERENCE, RECORD = 1 << 1, 1 << 2, 2


class Text(ctypes.Structure):
    """indexstore_string_ref_t"""

    _fields_ = [("data", ctypes.c_void_p), ("length", ctypes.c_size_t)]

    def __str__(self):
        return ctypes.string_at(self.data, self.length).decode() if self.length else ""


ON_TEXT = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, Text)
ON_POINTER = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, ctypes.c_void_p)


class Index:
    """The index store of a debug build."""

    def __init__(self, path):
        swift = os.path.realpath(shutil.which("swiftc") or sys.exit("there is no swiftc"))
        library = os.path.join(os.path.dirname(swift), "..", "lib", "libIndexStore.so")
        self.library = ctypes.CDLL(library)
        pointer, text, string = ctypes.c_void_p, Text, ctypes.c_char_p
        for name, result, arguments in [
            ("store_create", pointer, [string, pointer]),
            ("store_units_apply_f", ctypes.c_bool, [pointer, ctypes.c_uint, pointer, pointer]),
            ("unit_reader_create", pointer, [pointer, string, pointer]),
            ("unit_reader_dispose", None, [pointer]),
            ("unit_reader_get_main_file", text, [pointer]),
            ("unit_reader_get_modification_time", None, [pointer, pointer, pointer]),
            ("unit_reader_dependencies_apply_f", ctypes.c_bool, [pointer, pointer, pointer]),
            ("unit_dependency_get_kind", ctypes.c_int, [pointer]),
            ("unit_dependency_get_name", text, [pointer]),
            ("unit_dependency_get_filepath", text, [pointer]),
            ("record_reader_create", pointer, [pointer, string, pointer]),
            ("record_reader_dispose", None, [pointer]),
            ("record_reader_occurrences_apply_f", ctypes.c_bool, [pointer, pointer, pointer]),
            ("occurrence_get_symbol", pointer, [pointer]),
            ("occurrence_get_roles", ctypes.c_uint64, [pointer]),
            ("symbol_get_usr", text, [pointer]),
        ]:
            function = getattr(self.library, "indexstore_" + name)
            function.restype, function.argtypes = result, arguments
        self.store = self.library.indexstore_store_create(path.encode(), None)
        if not self.store:
            sys.exit(f"there is no index at {path}: swift build writes it")

    def call(self, name, *arguments):
        return getattr(self.library, "indexstore_" + name)(*arguments)

    def records(self):
        """For each source file of today the newest record of it."""
        names = []
        self.call("store_units_apply_f", self.store, 0, None, ON_TEXT(lambda _, name: names.append(str(name)) or True))
        newest = {}
        for name in names:
            unit = self.call("unit_reader_create", self.store, name.encode(), None)
            if not unit:
                continue
            file = str(self.call("unit_reader_get_main_file", unit))
            seconds, nanoseconds = ctypes.c_int64(), ctypes.c_int64()
            self.call("unit_reader_get_modification_time", unit, ctypes.byref(seconds), ctypes.byref(nanoseconds))
            time = (seconds.value, nanoseconds.value)
            known = newest.get(file)
            if file.startswith(HERE + "/Sources/") and os.path.exists(file) and (not known or known[0] < time):
                newest[file] = (time, self.record_names(unit, file))
            self.call("unit_reader_dispose", unit)
        return {file: records for file, (_, records) in newest.items()}

    def record_names(self, unit, file):
        names = []

        def collect(_, dependency):
            if self.call("unit_dependency_get_kind", dependency) == RECORD:
                if str(self.call("unit_dependency_get_filepath", dependency)) == file:
                    names.append(str(self.call("unit_dependency_get_name", dependency)))
            return True

        self.call("unit_reader_dependencies_apply_f", unit, None, ON_POINTER(collect))
        return names

    def symbols(self, record):
        """Each symbol of a record with what happens to it there."""
        found = []
        reader = self.call("record_reader_create", self.store, record.encode(), None)
        if not reader:
            return found

        def collect(_, occurrence):
            symbol = self.call("occurrence_get_symbol", occurrence)
            found.append((str(self.call("symbol_get_usr", symbol)), self.call("occurrence_get_roles", occurrence)))
            return True

        self.call("record_reader_occurrences_apply_f", reader, None, ON_POINTER(collect))
        self.call("record_reader_dispose", reader)
        return found


def folder(file):
    """The module and the folder of a file; `.` for the module's own."""
    parts = os.path.relpath(file, os.path.join(HERE, "Sources")).split("/")
    return parts[0], "/".join(parts[1:-1]) or "."


def arrows():
    """module -> folder -> the folders that it uses, each with one example."""
    index = Index(os.path.join(HERE, ".build/debug/index/store"))
    declared, used, files = {}, {}, index.records()
    for file, records in files.items():
        for record in records:
            for symbol, roles in index.symbols(record):
                if roles & DEFINITION:
                    declared.setdefault(symbol, file)
                if roles & REFERENCE:
                    used.setdefault(file, set()).add(symbol)
    result = {}
    for file in files:
        module, place = folder(file)
        result.setdefault(module, {}).setdefault(place, {})
    for file, symbols in used.items():
        module, place = folder(file)
        for symbol in symbols:
            other = declared.get(symbol)
            if other and folder(other)[0] == module and folder(other)[1] != place:
                example = f"{os.path.basename(file)} uses {os.path.basename(other)}"
                targets = result[module][place]
                targets[folder(other)[1]] = min(example, targets.get(folder(other)[1], example))
    # What lies in one folder has no arrows.
    return {module: folders for module, folders in result.items() if len(folders) > 1}


def circle(folders):
    """A circle of folders; nothing where there is none."""
    done, path = set(), []

    def visit(place):
        if place in path:
            return path[path.index(place):] + [place]
        if place in done:
            return None
        path.append(place)
        for other in sorted(folders[place]):
            found = visit(other)
            if found:
                return found
        done.add(path.pop())
        return None

    for place in sorted(folders):
        found = visit(place)
        if found:
            return found
    return None


def ordered(folders):
    """From those that use nothing upward."""
    rest, result = dict(folders), []
    while rest:
        free = sorted(place for place in rest if not any(other in rest for other in rest[place]))
        result += free or sorted(rest)
        for place in free or list(rest):
            del rest[place]
    return result


def block(modules):
    lines = ["```"]
    for module in sorted(modules):
        lines.append(module)
        width = max(len(place) for place in modules[module])
        for place in ordered(modules[module]):
            targets = " ".join(sorted(modules[module][place]))
            lines.append(f"  {place:{width}}  → {targets}".rstrip() if targets else f"  {place}")
    return lines + ["```"]


def documented(block):
    """The lines between the marks of a block of the document."""
    text = open(os.path.join(HERE, DOCUMENT)).read()
    begin, end = f"<!-- {block} -->", f"<!-- end of {block} -->"
    if begin not in text or end not in text:
        sys.exit(f"{DOCUMENT} has no block of {block} ({begin} to {end})")
    return text[text.index(begin) + len(begin):text.index(end)].strip().split("\n")


def package():
    """What each module below Sources/ may import, as Package.swift has it."""
    described = subprocess.run(
        ["swift", "package", "--package-path", HERE, "dump-package"], check=True, capture_output=True, text=True)
    return {
        target["name"]: {dependency["byName"][0] for dependency in target["dependencies"]}
        for target in json.loads(described.stdout)["targets"]
        if target["type"] != "test" and not (target.get("path") or "").startswith("Tests/")
    }


def allowed():
    """The same, as config/check-sources.sh has it; of the C library only the fuzzer asks for everything."""
    text = open(os.path.join(HERE, "config/check-sources.sh")).read()
    return {line.split()[1]: set(line.split()[2:]) - {"Glibc"} for line in re.findall(r"^allow .*$", text, re.M)}


def tabled():
    """The same, as the document's table has it."""
    rows = [re.fullmatch(r"\| `([\w-]+)` \| [^|]+ \| ([^|]+) \|", line) for line in documented(MODULES)]
    return {row[1]: set(row[2].split()) - {"–"} for row in rows if row}


def check_modules():
    """Whether all three say the same; C modules import nothing of ours and are not in the script."""
    wanted, failed = package(), False
    for place, there, names in [
        (DOCUMENT, tabled(), set(wanted)),
        ("config/check-sources.sh", allowed(), {name for name in wanted if not re.match(r"C[A-Z]", name)}),
    ]:
        for name in sorted(names | set(there)):
            if name not in wanted or name not in there:
                failed = True
                print(f"{place} {'lacks' if name in wanted else 'has, and there is not:'} {name}", file=sys.stderr)
            elif wanted[name] != there[name]:
                failed = True
                print(
                    f"{place}: {name} imports {' '.join(sorted(there[name]))}; in Package.swift: "
                    f"{' '.join(sorted(wanted[name]))}", file=sys.stderr)
    return failed


def main():
    modules = arrows()
    if "--print" in sys.argv[1:]:
        print("\n".join(block(modules)))
        return 0
    failed = check_modules()
    for module, folders in sorted(modules.items()):
        found = circle(folders)
        if found:
            failed = True
            print(f"Sources/{module}: folders use each other in a circle: {' → '.join(found)}", file=sys.stderr)
            for place, other in zip(found, found[1:]):
                print(f"  {place} → {other}: {folders[place][other]}", file=sys.stderr)
    # Any order of the lines is right.
    wanted, there = block(modules), documented(FOLDERS)
    if sorted(wanted) != sorted(there):
        failed = True
        for line in [line for line in wanted if line not in there]:
            print(f"{DOCUMENT} lacks: {line}", file=sys.stderr)
        for line in [line for line in there if line not in wanted]:
            print(f"{DOCUMENT} has, and there is not: {line}", file=sys.stderr)
        print("config/check-folders.py --print shows the block as it is", file=sys.stderr)
    return 1 if failed else 0


sys.exit(main())
