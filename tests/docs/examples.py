#!/usr/bin/env python3
"""Compares the folders of examples with docs/examples.md, and those it calls short with their length.

Usage: examples.py EXAMPLES DOCUMENT
"""

import pathlib
import re
import sys

LINES_MAX = 80


def main(folder, document):
    folder = pathlib.Path(folder)
    text = pathlib.Path(document).read_text(encoding="utf-8")
    short, longer = (re.findall(r"^\| `(\w+)` \|", part, re.M) for part in text.split("Longer ones:"))
    there = sorted(one.parent.name for one in folder.glob("*/CMakeLists.txt"))
    built = re.findall(r"^add_subdirectory\((\w+)\)", (folder / "CMakeLists.txt").read_text(encoding="utf-8"), re.M)
    wrong = []
    for name in sorted(set(there) ^ set(short + longer)):
        wrong.append(f"{name} is in {folder if name in there else document} only")
    wrong += [f"{name} is not built" for name in there if name not in built]
    tests = "".join(one.read_text(encoding="utf-8") for one in (folder.parent / "tests").rglob("CMakeLists.txt"))
    for name in there:
        cmake = (folder / name / "CMakeLists.txt").read_text(encoding="utf-8")
        if f"add_test(NAME example.{name} " not in cmake and f"$<TARGET_FILE:{name}>" not in tests:
            wrong.append(f"{name} is run by no test")
    for name in set(short) & set(there):
        sources = list((folder / name).glob("*.?pp"))
        lines = sum(len(one.read_text(encoding="utf-8").splitlines()) for one in sources)
        if len(sources) != 1 or lines > LINES_MAX:
            wrong.append(f"{name} has {lines} lines in {len(sources)} files; short are {LINES_MAX} lines in one")
    for names, which in ((short, "short"), (longer, "longer")):
        if names != sorted(names):
            wrong.append(f"{document}: the {which} ones are not in the order of their names")
    print("\n".join(wrong) or f"{len(short)} short examples, {len(longer)} longer ones")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
