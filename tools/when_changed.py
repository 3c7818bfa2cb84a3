#!/usr/bin/env python3
"""Runs a check on each C++ source that has changed since it passed that check.

    when_changed.py -p BUILD_FOLDER [--rules FILE]... COMMAND... -- SOURCE...

COMMAND is run once for each source, which is added to it as the last argument; as many run at once as there are
processors. A source that passed is not checked again until the text it is compiled from (its own, and that of all
it includes), its compiler options, the command, the program behind it or one of the rules files change. What
passed is remembered in ${XDG_CACHE_HOME:-~/.cache}/weft/checked, by digests, so that other clones of the project
share it; a month after its last use a digest is forgotten. Output is that of the command. The status is 1 if a
check fails, and 2 if a source cannot be preprocessed or is not in the build folder's compile_commands.json.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import time

MONTH = 30 * 24 * 3600


class Unreadable(Exception):
    pass


def compile_commands(build):
    with open(os.path.join(build, 'compile_commands.json'), encoding='utf-8') as file:
        return {os.path.realpath(os.path.join(entry['directory'], entry['file'])): entry for entry in json.load(file)}


def preprocessing(entry):
    """The entry's command as one that prints the text with its comments and macros; without the launcher."""
    words = entry.get('arguments') or shlex.split(entry['command'])
    if os.path.basename(words[0]) == 'ccache':
        words = words[1:]
    kept, skip = [], False
    for word in words:
        if not skip and word not in ('-o', '-c'):
            kept.append(word)
        skip = word == '-o'
    return kept + ['-E', '-C', '-P', '-dD']


class Checks:
    def __init__(self, build, rules, command):
        self.entries = compile_commands(build)
        self.command = command
        self.root = os.getcwd()
        program = shutil.which(command[0])
        if program is None:
            raise Unreadable(f'{command[0]} is not installed')
        common = hashlib.sha256('\0'.join(command).encode())
        common.update(f'\0{os.path.getsize(program)} {os.path.getmtime(program)}\0'.encode())
        for name in rules:
            common.update(pathlib.Path(name).read_bytes() + b'\0')
        self.common = common
        cache = os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache')
        self.folder = pathlib.Path(cache, 'weft', 'checked')

    def digest(self, source):
        entry = self.entries.get(os.path.realpath(source))
        if entry is None:
            raise Unreadable(f'{source}: not in compile_commands.json')
        words = preprocessing(entry)
        done = subprocess.run(words, cwd=entry['directory'], capture_output=True, check=False)
        if done.returncode != 0:
            raise Unreadable(f'{source}: cannot be preprocessed:\n{done.stderr.decode(errors="replace")}')
        of = self.common.copy()
        root = self.root.encode()
        of.update('\0'.join(words).encode().replace(root, b'.') + b'\0')
        of.update(os.path.relpath(source, self.root).encode() + b'\0')
        of.update(done.stdout.replace(root, b'.'))
        return of.hexdigest()

    def check(self, source):
        """Status and output of the check of one source."""
        try:
            passed = self.folder / self.digest(source)
        except Unreadable as error:
            return 2, f'{error}\n'
        if passed.exists():
            try_to(lambda: os.utime(passed))
            return 0, ''
        done = subprocess.run(self.command + [source], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              errors='replace', check=False)
        if done.returncode == 0:
            try_to(lambda: (self.folder.mkdir(parents=True, exist_ok=True), passed.touch()))
            return 0, done.stdout
        return 1, done.stdout + done.stderr

    def forget_old(self):
        for passed in self.folder.glob('*'):
            if passed.stat().st_mtime < time.time() - MONTH:
                passed.unlink()


def try_to(remember):
    """A folder that cannot be written costs time, no result."""
    try:
        remember()
    except OSError:
        pass


def main():
    if '--' not in sys.argv:
        sys.exit(__doc__)
    end = sys.argv.index('--')
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('-p', dest='build', required=True)
    parser.add_argument('--rules', action='append', default=[])
    parser.add_argument('command', nargs=argparse.REMAINDER)
    arguments = parser.parse_args(sys.argv[1:end])
    try:
        checks = Checks(arguments.build, arguments.rules, arguments.command)
    except (Unreadable, OSError) as error:
        print(f'when_changed: {error}', file=sys.stderr)
        return 2
    status = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as threads:
        for result, output in threads.map(checks.check, sys.argv[end + 1:]):
            status = max(status, result)
            sys.stdout.write(output)
            sys.stdout.flush()
    try_to(checks.forget_old)
    return status


if __name__ == '__main__':
    sys.exit(main())
