#!/usr/bin/env python3
"""captures_test.py SCRIPT CLANG_QUERY INCLUDE CASES: the script finds the marked lines of CASES and no others."""

import re
import subprocess
import sys

script, program, include, cases = sys.argv[1:]
with open(cases, encoding='utf-8') as source:
    marked = {number for number, line in enumerate(source, 1) if line.rstrip().endswith('// found')}
done = subprocess.run(
    [sys.executable, script, '--clang-query', program, cases, '--', '-std=c++20', '-I' + include],
    stdout=subprocess.PIPE, text=True, check=False)
found = {int(match.group(1)) for match in re.finditer(r':(\d+):\d+: warning: ', done.stdout)}
print(done.stdout)
if not marked or done.returncode != 1 or found != marked:
    sys.exit(f'status {done.returncode}; marked but not found: {sorted(marked - found)}; '
             f'found but not marked: {sorted(found - marked)}')

unreadable = subprocess.run(
    [sys.executable, script, '--clang-query', program, cases, '--', '-std=c++20'],
    stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
if unreadable.returncode == 0:
    sys.exit('a file that cannot be compiled was called clean')
