#!/usr/bin/env python3
"""Compares the table of probes in a document with those that are in binaries.

Usage: probes.py DOCUMENT BINARY...
"""

import pathlib
import re
import subprocess
import sys


def main(document, *binaries):
    shown = set(re.findall(r'^\| `(weft:\w+)` \|', pathlib.Path(document).read_text(), re.M))
    notes = subprocess.run(['readelf', '--notes', '--wide', *binaries], check=True, capture_output=True, text=True).stdout
    made = {f'weft:{name}' for name in re.findall(r'Provider: weft\s+Name: (\w+)', notes)}
    for name in sorted(shown - made):
        print(f'{name} is in {document}, and in no binary')
    for name in sorted(made - shown):
        print(f'{name} is in a binary, and not in {document}')
    return 0 if shown == made and made else 1


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
