#!/usr/bin/env python3
"""Compares the fault points in weft's sources with the list in the code and the table in the document.

Usage: fault_points.py SOURCES LIST DOCUMENT
"""

import pathlib
import re
import sys


def main(sources, list_file, document):
    used = {}
    for path in sorted(pathlib.Path(sources).rglob("*.cpp")) + sorted(pathlib.Path(sources).rglob("*.hpp")):
        for name in re.findall(r'fault_(?:point|errno)\("([^"]+)"\)', path.read_text(encoding="utf-8")):
            used.setdefault(name, str(path))
    entries = re.findall(r'\{"(weft\.[^"]+)",\s*"([^"]+)",\s*(true|false)\}',
                         pathlib.Path(list_file).read_text(encoding="utf-8"))
    listed = {name: place + (" (errno only)" if errno_only == "true" else "") for name, place, errno_only in entries}
    shown = dict(re.findall(r"^\| `(weft\.[^`]+)` \| (.+) \|$", pathlib.Path(document).read_text(encoding="utf-8"), re.M))
    wrong = [f"{used[name]} has the point {name}, which {list_file} has not" for name in used if name not in listed]
    wrong += [f"{list_file} has the point {name}, which no source has" for name in listed if name not in used]
    wrong += [f"{document} says {shown.get(name)!r} of {name}, and {list_file} {place!r}"
              for name, place in listed.items() if shown.get(name) != place]
    wrong += [f"{document} has the point {name}, which is none" for name in shown if name not in listed]
    if list(listed) != sorted(listed):
        wrong.append(f"{list_file}: the points are not in the order of their names")
    if not used:
        wrong.append(f"{sources} has no fault point")
    print("\n".join(wrong) or f"{len(used)} fault points")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
