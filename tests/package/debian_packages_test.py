"""debian-packages.txt fits ./dev and docs/dependencies.md."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def text_of(path):
    return (ROOT / path).read_text(encoding='utf-8')


def listed():
    """Lines of the list as (group, package, reason)."""
    lines = [line for line in text_of('debian-packages.txt').splitlines() if line and not line.startswith('#')]
    return [line.split(None, 2) for line in lines]


def asked_for():
    """The groups that each command of ./dev asks for."""
    commands = {}
    for name, body in re.findall(r'^command_(\w+)\(\) \{\n(.*?)^\}', text_of('dev'), re.MULTILINE | re.DOTALL):
        asked = re.findall(r'need_packages ([a-z ]+?) *(?:$|;)', body, re.MULTILINE)
        commands[name] = {group for groups in asked for group in groups.split()}
    return commands


def of_documents(heading):
    """Packages in the tables of docs/dependencies.md below a heading."""
    section = text_of('docs/dependencies.md').split(f'\n## {heading}\n')[1].split('\n## ')[0]
    rows = [row.split('|') for row in section.splitlines() if row.startswith('| ')]
    return {name for row in rows for name in re.findall(r'`([a-z0-9.+-]+)`', row[4])}


class DebianPackages(unittest.TestCase):
    def test_each_line_has_a_group_that_is_explained_a_package_and_a_reason(self):
        explained = set(re.findall(r'^#   (\w+)  ', text_of('debian-packages.txt'), re.MULTILINE))
        for line in listed():
            self.assertEqual(len(line), 3, line)
            self.assertIn(line[0], explained)
        self.assertEqual(explained, {line[0] for line in listed()})

    def test_commands_ask_for_groups_that_there_are_and_each_is_asked_for(self):
        asked = asked_for()
        self.assertEqual(set().union(*asked.values()), {group for group, _, _ in listed()})
        self.assertEqual(asked['demo'], {'build'})

    def test_no_package_is_twice_in_what_a_command_asks_for(self):
        for command, groups in asked_for().items():
            names = [package for group, package, _ in listed() if group in groups and package != 'git']
            self.assertEqual(len(names), len(set(names)), command)

    def test_libraries_are_in_the_group_build_and_all_that_is_documented_is_listed(self):
        groups = {}
        for group, package, _ in listed():
            groups.setdefault(package, set()).add(group)
        for package in of_documents('In the library'):
            self.assertIn('build', groups.get(package, ()), package)
        for package in of_documents('In examples, tests and benchmarks only'):
            self.assertIn(package, groups)

    def test_the_demo_needs_no_servers_browsers_or_frameworks_of_tests(self):
        build = {package for group, package, _ in listed() if group == 'build'}
        self.assertFalse(build & {'chromium', 'postgresql-15', 'redis-server', 'nodejs', 'libgtest-dev', 'valgrind', 'gdb'})


if __name__ == '__main__':
    unittest.main()
