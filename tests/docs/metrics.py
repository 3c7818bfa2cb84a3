#!/usr/bin/env python3
"""Compares the table of metrics in a document with those that the sources register.

Usage: metrics.py DOCUMENT SOURCE_FOLDER
"""

import pathlib
import re
import sys

# Literals that are all of a name, in sources that use the component metrics: nothing else looks so there.
NAME = re.compile(r'"(weft_(?:blocking|fibers|jobs|log|metrics|pool)_[a-z0-9_]+)"')
ROW = re.compile(r"^\| `(\w+)` \| ([cgh]) \|", re.MULTILINE)


def in_sources(folder):
    found = set()
    for path in pathlib.Path(folder).rglob("*.[ch]pp"):
        text = path.read_text(encoding="utf-8")
        if "metrics" in text:
            found |= set(NAME.findall(text))
    return found


def kind_fits(name, kind):
    return name.endswith("_total") == (kind == "c") and (kind != "h" or name.endswith("_seconds"))


def main(document, folder):
    rows = ROW.findall(pathlib.Path(document).read_text(encoding="utf-8"))
    shown, there = {name for name, _ in rows}, in_sources(folder)
    problems = [f"{document}: there is no metric {name}" for name in sorted(shown - there)]
    problems += [f"{document}: does not have {name}" for name in sorted(there - shown)]
    problems += [f"{document}: {name} is there twice" for name in sorted(shown) if [one for one, _ in rows].count(name) > 1]
    problems += [f"{document}: {name} is no {kind}, by its name" for name, kind in rows if not kind_fits(name, kind)]
    if len(there) < 40:
        problems.append(f"{folder}: only {len(there)} metrics were found")
    print("\n".join(problems) or f"{len(shown)} metrics are in the document and in the sources")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
