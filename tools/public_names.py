#!/usr/bin/python3
"""Lists what weft's public headers declare for users, one name a line: "kind name".

    public_names.py [--check FILE]

Prints the list, or compares it with FILE and says what came and what went; the status is then 1 if anything did. Names
in a namespace `detail`, private members, and macros that begin with WEFT_DETAIL are no user's business and left
out. The inline namespace of the ABI is left out of the names, as users leave it out.
"""

import argparse
import pathlib
import sys

import headers


def public_names():
    names = {f'{kind} {name}' for kind, name, _ in headers.declarations() if kind != 'constructor'}
    return sorted(names, key=lambda line: (line.split(' ', 1)[1], line))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--check', metavar='FILE')
    arguments = parser.parse_args()
    found = public_names()
    if arguments.check is None:
        print('\n'.join(found))
        return 0
    kept = pathlib.Path(arguments.check).read_text(encoding='utf-8').splitlines()
    gone, new = sorted(set(kept) - set(found)), sorted(set(found) - set(kept))
    for line in gone:
        print(f'-{line}')
    for line in new:
        print(f'+{line}')
    if not gone and not new:
        return 0
    print(f'what headers declare is not what {arguments.check} lists; where it is meant so:\n'
          f'  tools/public_names.py > {arguments.check}')
    return 1


if __name__ == '__main__':
    sys.exit(main())
