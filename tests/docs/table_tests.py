#!/usr/bin/env python3
"""Checks that each row of a table in a document has a test.

The table is the one below the heading `## HEADING`; the last column of a row names a test of SUITE, or, as suite.name,
one of another suite, or several in backticks with commas between; each must be a TEST in one of the files, or, as Class.test_name, of a
Python file. Every test of SUITE is in a row. A row that no test can show says why, behind "no test: ".

Usage: table_tests.py DOCUMENT HEADING SUITE ROWS_MIN TEST...
"""

import re
import sys


def rows(document, heading):
    inside = False
    for number, line in enumerate(open(document, encoding="utf-8"), 1):
        if line.startswith("## "):
            inside = line.strip() == "## " + heading
        elif inside and line.startswith("|"):
            yield number, [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]


def tests_in(path):
    text = open(path, encoding="utf-8").read()
    if not path.endswith(".py"):
        return {f"{of}.{name}" for of, name in re.findall(r"^TEST(?:_F|_P)?\((\w+),\s*(\w+)\)", text, re.M)}
    found, of = set(), None
    for line in text.splitlines():
        if match := re.match(r"class (\w+)", line):
            of = match[1]
        elif match := re.match(r"    def (test_\w+)", line):
            found.add(f"{of}.{match[1]}")
    return found


def main(document, heading, suite, rows_min, *tests):
    there = set().union(*map(tests_in, tests))
    table = list(rows(document, heading))
    problems, named = [], set()
    columns = len(table[0][1]) if table else 0
    for number, cells in table[2:]:  # the first two are the heads
        where = f"{document}:{number}"
        if len(cells) != columns or not all(cells):
            problems.append(f"{where}: a row has {columns} columns with text")
            continue
        if re.match(r"no test: \w.{9}", cells[-1]):
            continue
        for cell in cells[-1].split(", "):
            name = cell.strip("`")
            name = name if "." in name else f"{suite}.{name}"
            named.add(name)
            if name not in there:
                problems.append(f"{where}: no test is named {name}")
    count = max(0, len(table) - 2)
    if count < int(rows_min):  # a row is not dropped by mistake
        problems.append(f"{document}: {count} rows of at least {rows_min} below {heading}")
    problems += [f"{name} is in no row" for name in sorted(there - named) if name.startswith(suite + ".")]
    print("\n".join(problems) or f"{count} rows have a test")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
