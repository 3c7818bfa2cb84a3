#!/usr/bin/env python3
"""Checks that each row of the table of operations in docs/futures.md has a test.

A row is `| Java | meaning | weft | test |` below the heading "## All operations". Its last column names a test of
the suite future_rows, or, as suite.name, one of another suite; each must be a TEST in one of the files. Every test of
future_rows is in a row.

Usage: future_rows.py DOCUMENT TEST...
"""

import re
import sys


def rows(document):
    inside = False
    for number, line in enumerate(open(document, encoding="utf-8"), 1):
        if line.startswith("## "):
            inside = line.strip() == "## All operations"
        elif inside and line.startswith("|") and not line.startswith("| Java") and not line.startswith("| ---"):
            yield number, [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]


def main(arguments):
    document, tests = arguments[0], arguments[1:]
    there = set()
    for path in tests:
        text = open(path, encoding="utf-8").read()
        there |= {f"{suite}.{name}" for suite, name in re.findall(r"^TEST(?:_F)?\((\w+),\s*(\w+)\)", text, re.M)}
    problems, named, count = [], set(), 0
    for number, cells in rows(document):
        count += 1
        where = f"{document}:{number}"
        if len(cells) != 4 or not all(cells):
            problems.append(f"{where}: a row has four columns: Java, meaning, weft, test")
            continue
        name = cells[3].strip("`")
        name = name if "." in name else "future_rows." + name
        named.add(name)
        if name not in there:
            problems.append(f"{where}: no test is named {name}")
    rows_min = 37  # of the table; a row is not dropped by mistake
    if count < rows_min:
        problems.append(f"{document}: {count} rows of at least {rows_min}")
    problems += [f"{name} is in no row" for name in sorted(there - named) if name.startswith("future_rows.")]
    print("\n".join(problems) or f"{count} rows have a test")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
