"""The recipes for vcpkg and Conan fit the tree: version, licence, dependencies and options. (Their tools are not run:
they would fetch from networks.)"""

import ast
import json
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def text_of(path):
    return (ROOT / path).read_text(encoding='utf-8')


def version():
    return '.'.join(re.findall(r'#define WEFT_VERSION_\w+ (\d+)', text_of('include/weft/core/version.hpp')))


def needed():
    """What the build looks for, by names of the recipes."""
    found = text_of('cmake/weft_dependencies.cmake')
    names = {name.lower() for name in re.findall(r'find_package\((\w+)', found)} - {'threads'}
    names |= {name.lower() for name in re.findall(r'find_path\(WEFT_(\w+?)_HEADERS?\b', found)}
    return names


class Recipes(unittest.TestCase):
    # How each recipe calls what the build calls otherwise; None: it comes from the system.
    VCPKG = {'boost': 'boost-json', 'libdw': None}
    CONAN = {'libdw': 'elfutils'}

    def test_vcpkg_names_version_and_all_that_is_needed(self):
        port = json.loads(text_of('packaging/vcpkg/vcpkg.json'))
        self.assertEqual(port['version-semver'], version())
        listed = [one for one in port['dependencies'] if isinstance(one, str)]
        for feature in port['features'].values():
            listed += feature['dependencies']
        self.assertEqual(sorted(listed), sorted(filter(None, (self.VCPKG.get(one, one) for one in needed()))))

    def test_vcpkg_sets_options_that_there_are(self):
        portfile = text_of('packaging/vcpkg/portfile.cmake')
        features = json.loads(text_of('packaging/vcpkg/vcpkg.json'))['features']
        for feature in features:
            option = re.search(rf'^ +{feature} (\w+)', portfile, re.MULTILINE).group(1)
            self.assertIn(option, text_of('CMakeLists.txt'))

    def test_conan_requires_all_that_is_needed(self):
        recipe = text_of('packaging/conan/conanfile.py')
        ast.parse(recipe)
        required = re.findall(r"self\.requires\('([\w-]+)/", recipe)
        self.assertEqual(sorted(required), sorted(self.CONAN.get(one, one) for one in needed()))

    def test_conan_sets_options_that_there_are(self):
        for option in re.findall(r"cache_variables\['(\w+)'\]", text_of('packaging/conan/conanfile.py')):
            self.assertIn(option, text_of('CMakeLists.txt'))

    def test_licences_are_that_of_the_tree(self):
        words = text_of('LICENSE').split()
        name = f"{words[0]}-{words[words.index('Version') + 1].rstrip(',')}"
        self.assertEqual(json.loads(text_of('packaging/vcpkg/vcpkg.json'))['license'], name)
        self.assertIn(f"license = '{name}'", text_of('packaging/conan/conanfile.py'))


if __name__ == '__main__':
    unittest.main()
