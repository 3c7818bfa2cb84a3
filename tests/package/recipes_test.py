"""The recipes for vcpkg and Conan fit the tree: version, licence, dependencies and options, and their steps run. (Their
tools do not: they would fetch from networks. Stubs are in their place.)"""

import ast
import json
import pathlib
import re
import subprocess
import tempfile
import unittest

import conan_stub

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
    CONAN = {'libdw': 'elfutils', 'nghttp2': 'libnghttp2'}

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

    def test_the_documents_name_the_same_libraries(self):
        section = text_of('docs/dependencies.md').split('\n## In the library\n')[1].split('\n## ')[0]
        documented = {row.split('|')[1].strip().split(' ')[0].split('.')[0].lower().replace('++', 'plusplus')
                      for row in section.splitlines() if re.match(r'\| (?!Library)\w', row)}
        called = {'elfutils': 'libdw', 'sqlite': 'sqlite3', 'systemtap\'s': None}
        self.assertEqual({called.get(one, one) for one in documented} - {None}, needed())

    def test_the_least_versions_are_those_that_the_build_asks_for(self):
        found = text_of('cmake/weft_dependencies.cmake')
        recipe = text_of('packaging/conan/conanfile.py')
        for name, least in re.findall(r'find_package\((\w+) ([\d.]+)', found):
            self.assertRegex(recipe, rf"'{name.lower()}/\[>={re.escape(least)}[ \]]")
        for said, name in (('libdw of elfutils', 'elfutils'), ('libpq', 'libpq'), ('cctz', 'cctz'),
                           ('nghttp2', 'libnghttp2'), (r'toml\+\+', 'tomlplusplus')):
            least = re.search(rf'needs {said} ([\d.]+) or newer', found).group(1)
            self.assertRegex(recipe, rf"'{name}/\[>={re.escape(least)}[ \]]")

    def test_licences_are_that_of_the_tree(self):
        words = text_of('LICENSE').split()
        name = f"{words[0]}-{words[words.index('Version') + 1].rstrip(',')}"
        self.assertEqual(json.loads(text_of('packaging/vcpkg/vcpkg.json'))['license'], name)
        self.assertIn(f"license = '{name}'", text_of('packaging/conan/conanfile.py'))


class ConanSteps(unittest.TestCase):
    """The recipe's own steps, on the libraries of the system."""

    def setUp(self):
        self.work = tempfile.TemporaryDirectory()

    def tearDown(self):
        self.work.cleanup()

    def load(self, **options):
        return conan_stub.load(ROOT / 'packaging/conan/conanfile.py', self.work.name, **options)

    def test_the_version_is_that_of_the_tree(self):
        recipe = self.load()
        recipe.set_version()
        self.assertEqual(recipe.version, version())

    def test_options_decide_what_is_required(self):
        recipe = self.load(with_http2=False, with_postgres=False, with_tool=False)
        recipe.requirements()
        names = {one.split('/')[0] for one in recipe.required}
        self.assertEqual(names & {'libnghttp2', 'libpq', 'cli11'}, set())
        everything = self.load()
        everything.requirements()
        self.assertEqual({one.split('/')[0] for one in everything.required} - names, {'libnghttp2', 'libpq', 'cli11'})

    def test_the_exported_sources_are_enough_and_take_the_options(self):
        recipe = self.load(shared=True, with_http2=False, with_postgres=False)
        recipe.export_sources()
        recipe.validate()
        recipe.layout()
        recipe.generate()
        recipe.build()
        recipe.package()
        recipe.package_info()
        self.assertEqual(recipe.steps, ['C++20', 'layout', 'build', 'install', 'cmake_find_mode=none'])
        cache = pathlib.Path(recipe.build_folder, 'CMakeCache.txt').read_text(encoding='utf-8')
        for line in ('WEFT_DEVELOPER:BOOL=OFF', 'WEFT_BUILD_CLI:BOOL=ON', 'WEFT_WITH_HTTP2:STRING=OFF',
                     'WEFT_WITH_POSTGRES:STRING=OFF'):
            self.assertIn(line, cache)
        # What the build reads only later is there, too, and so is what it installs.
        dry = subprocess.run(['ninja', '-C', recipe.build_folder, '-n', 'all'], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, check=False, text=True)
        self.assertEqual(dry.returncode, 0, dry.stdout[-2000:])
        for script in pathlib.Path(recipe.build_folder).rglob('cmake_install.cmake'):
            for source in re.findall(rf'"({re.escape(recipe.export_sources_folder)}/[^"]+)"',
                                     script.read_text(encoding='utf-8')):
                self.assertTrue(pathlib.Path(source).exists(), source)
        self.assertEqual(recipe.cpp_info.builddirs, ['lib/cmake/weft'])


class VcpkgSteps(unittest.TestCase):
    """What the port asks vcpkg for."""

    def steps(self, *features):
        with tempfile.TemporaryDirectory() as work:
            done = subprocess.run(['cmake', f'-DPORT={ROOT}/packaging/vcpkg', f'-DFEATURES={";".join(features)}',
                                   f'-DWORK={work}', '-P', str(pathlib.Path(__file__).parent / 'vcpkg_stub.cmake')],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, text=True)
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout.splitlines()

    def test_features_become_options(self):
        steps = self.steps('postgres')
        self.assertEqual([one for one in steps if one.startswith('option ')],
                         ['option -DWEFT_WITH_HTTP2=OFF', 'option -DWEFT_WITH_POSTGRES=ON', 'option -DWEFT_BUILD_CLI=OFF',
                          'option -DWEFT_DEVELOPER=OFF'])
        self.assertIn(f'source {ROOT}', steps)
        self.assertFalse([one for one in steps if one.startswith('vcpkg_copy_tools')])

    def test_the_command_is_a_tool_and_the_package_is_where_it_is_installed(self):
        steps = self.steps('postgres', 'tool')
        self.assertIn('option -DWEFT_BUILD_CLI=ON', steps)
        self.assertIn('vcpkg_copy_tools TOOL_NAMES weft AUTO_CLEAN', steps)
        self.assertIn('vcpkg_cmake_config_fixup CONFIG_PATH lib/cmake/weft', steps)
        self.assertIn('set(package_folder "${CMAKE_INSTALL_LIBDIR}/cmake/weft")', text_of('cmake/weft_install.cmake'))
        licence = next(one for one in steps if one.startswith('vcpkg_install_copyright')).split()[-1]
        self.assertTrue(pathlib.Path(licence).is_file())


if __name__ == '__main__':
    unittest.main()
