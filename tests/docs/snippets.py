#!/usr/bin/env python3
"""Compares the C++ in the documents with tests that compile and run it.

A block ```cpp in a document stands below a line `<!-- example: NAME -->`. A test has the same lines
between `// example: NAME` and `// end of example`, indented as they may be. Every block has an
example, and every example is shown.

Usage: snippets.py DOCUMENT... -- TEST...
"""

import re
import sys
import textwrap


def shown(path):
    blocks, name, lines = [], None, None
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        line = line.rstrip("\n")
        if lines is not None:
            if line == "```":
                blocks.append((name, "\n".join(lines), f"{path}:{start}"))
                name, lines = None, None
            else:
                lines.append(line)
        elif line == "```cpp":
            start, lines = number, []
        elif match := re.fullmatch(r"<!-- example: (\w+) -->", line):
            name = match[1]
        elif line:
            name = None
    return blocks


def tested(path):
    found, name, lines = {}, None, []
    for line in open(path, encoding="utf-8"):
        line = line.rstrip("\n")
        if match := re.fullmatch(r"\s*// example: (\w+)", line):
            name, lines = match[1], []
        elif line.strip() == "// end of example":
            found[name] = textwrap.dedent("\n".join(lines))
            name = None
        elif name is not None:
            lines.append(line)
    return found


def main(arguments):
    split = arguments.index("--")
    documents, tests = arguments[:split], arguments[split + 1:]
    examples = {}
    for path in tests:
        examples.update(tested(path))
    problems, used = [], set()
    for path in documents:
        for name, text, where in shown(path):
            used.add(name)
            if name is None:
                problems.append(f"{where}: a block of C++ without an example that compiles it")
            elif name not in examples:
                problems.append(f"{where}: no test has the example {name}")
            elif examples[name] != text:
                problems.append(f"{where}: differs from the example {name}, which reads\n{examples[name]}")
    problems += [f"the example {name} is not shown anywhere" for name in sorted(set(examples) - used)]
    print("\n".join(problems) or f"{len(used)} examples are the same in documents and tests")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
