"""tools/when_changed.py checks what changed, all of it, and nothing else."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROGRAM = os.path.abspath(sys.argv.pop(1))
COMPILER = sys.argv.pop(1)

# Writes down what it was run on; a source that says BAD does not pass.
CHECK = '''#!/bin/sh
echo "$2" >> "$1"
if grep BAD "$2"; then exit 1; fi
'''


class when_changed_test(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name, 'first')
        self.make(self.root)

    def make(self, root):
        root.mkdir()
        (root / 'a.hpp').write_text('#define UNUSED 1\nint from_header();\n')
        (root / 'a.cpp').write_text('#include "a.hpp"\nint a = from_header();  // a comment\n')
        (root / 'b.cpp').write_text('int b = 2;\n')
        (root / 'rules').write_text('first\n')
        (root / 'check').write_text(CHECK)
        (root / 'check').chmod(0o755)
        self.compile_with(root, '-O1')

    def compile_with(self, root, option):
        entries = [{'directory': str(root), 'file': str(root / name),
                    'command': f'ccache {COMPILER} {option} -I{root} -o {name}.o -c {root / name}'}
                   for name in ('a.cpp', 'b.cpp')]
        (root / 'compile_commands.json').write_text(json.dumps(entries))

    def run_on(self, *sources, root=None, cache='cache'):
        """Status, output, and the sources that were checked."""
        root = root or self.root
        log = root / 'log'
        log.write_text('')
        done = subprocess.run(
            [sys.executable, PROGRAM, '-p', '.', '--rules', 'rules', './check', 'log', '--', *sources], cwd=root,
            env={**os.environ, 'XDG_CACHE_HOME': str(pathlib.Path(self.folder.name, cache))},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return done.returncode, done.stdout, sorted(log.read_text().split())

    def expect_checked(self, *sources):
        status, output, checked = self.run_on('a.cpp', 'b.cpp')
        self.assertEqual((status, checked), (0, list(sources)), output)

    def test_what_passed_is_not_checked_again(self):
        self.expect_checked('a.cpp', 'b.cpp')
        self.expect_checked()

    def test_a_source_that_changed_is_checked_again_even_if_only_a_comment_did(self):
        self.expect_checked('a.cpp', 'b.cpp')
        (self.root / 'a.cpp').write_text('#include "a.hpp"\nint a = from_header();  // NOLINT\n')
        self.expect_checked('a.cpp')

    def test_a_header_that_changed_has_what_includes_it_checked(self):
        self.expect_checked('a.cpp', 'b.cpp')
        (self.root / 'a.hpp').write_text('#define NEVER_USED 1\nint from_header();\n')
        self.expect_checked('a.cpp')

    def test_rules_options_and_command_count(self):
        self.expect_checked('a.cpp', 'b.cpp')
        (self.root / 'rules').write_text('second\n')
        self.expect_checked('a.cpp', 'b.cpp')
        self.compile_with(self.root, '-DNAME=1')
        self.expect_checked('a.cpp', 'b.cpp')
        (self.root / 'check').write_text(CHECK + '# another\n')
        self.expect_checked('a.cpp', 'b.cpp')

    def test_a_clone_elsewhere_shares_what_passed(self):
        self.expect_checked('a.cpp', 'b.cpp')
        clone = pathlib.Path(self.folder.name, 'second')
        self.make(clone)
        check = self.root / 'check'
        os.utime(clone / 'check', ns=(check.stat().st_atime_ns, check.stat().st_mtime_ns))
        self.assertEqual(self.run_on('a.cpp', 'b.cpp', root=clone), (0, '', []))

    def test_what_fails_is_checked_and_told_each_time(self):
        (self.root / 'b.cpp').write_text('int b = 2;  // BAD\n')
        for _ in range(2):
            status, output, checked = self.run_on('b.cpp')
            self.assertEqual((status, checked), (1, ['b.cpp']))
            self.assertIn('BAD', output)

    def test_what_cannot_be_read_fails(self):
        (self.root / 'b.cpp').write_text('#include "missing.hpp"\n')
        status, output, checked = self.run_on('b.cpp')
        self.assertEqual((status, checked), (2, []))
        self.assertIn('missing.hpp', output)
        status, output, checked = self.run_on('c.cpp')
        self.assertEqual((status, checked), (2, []))
        self.assertIn('c.cpp: not in compile_commands.json', output)

    def test_without_a_place_to_remember_everything_is_checked(self):
        pathlib.Path(self.folder.name, 'file').write_text('')
        for _ in range(2):
            status, output, checked = self.run_on('a.cpp', 'b.cpp', cache='file')
            self.assertEqual((status, checked), (0, ['a.cpp', 'b.cpp']), output)


if __name__ == '__main__':
    unittest.main()
