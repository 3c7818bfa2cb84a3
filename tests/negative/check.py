"""Compiles one bad program and compares its first error with the one that the program's first line names.

usage: check.py COMPILER INCLUDE_FOLDER CASE.cpp
"""

import os
import subprocess
import sys

FLAGS = ["-std=c++20", "-fsyntax-only", "-fdiagnostics-color=never", "-Wno-unused"]


def main():
    compiler, include, case = sys.argv[1:]
    with open(case, encoding="utf-8") as source:
        expected = source.readline().removeprefix("// error: ").strip()
    done = subprocess.run(
        [compiler, *FLAGS, "-I", include, case],
        capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"})
    errors = [line for line in done.stderr.splitlines() if " error: " in line]
    if expected == "none":
        sys.exit(0 if done.returncode == 0 else "must compile, but:\n" + done.stderr)
    if done.returncode == 0:
        sys.exit(f"compiled, but must fail with: {expected}")
    if not errors or expected not in errors[0]:
        sys.exit(f"the first error is\n  {errors[0] if errors else done.stderr}\nbut must contain\n  {expected}")


main()
