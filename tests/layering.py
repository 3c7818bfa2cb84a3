"""Compares the #include lines of include/ and src/ with what the components declare in CMake.

Usage: layering.py SOURCE_FOLDER COMPONENTS_FILE

COMPONENTS_FILE has a line `name: used used ... | library library ...` for each component. Found are:
  - a component that includes one it does not use, directly or through those it uses;
  - components that use each other in a circle;
  - a header under include/ that includes something other than weft, the standard library and the system;
  - a third-party header included by a component that does not declare the library;
  - a private header included from another component, or by a path with `..`.
"""

import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')

STANDARD = set("""
algorithm any array atomic barrier bit bitset cassert cctype cerrno cfenv cfloat charconv chrono cinttypes
climits clocale cmath codecvt compare complex concepts condition_variable coroutine csetjmp csignal cstdarg
cstddef cstdint cstdio cstdlib cstring ctime cuchar cwchar cwctype cxxabi.h deque exception execution filesystem
forward_list fstream functional future initializer_list iomanip ios iosfwd iostream istream iterator latch
limits list locale map memory memory_resource mutex new numbers numeric optional ostream queue random ranges
ratio regex scoped_allocator semaphore set shared_mutex source_location span sstream stack stdexcept stop_token
streambuf string string_view syncstream system_error thread tuple type_traits typeindex typeinfo unordered_map
unordered_set utility valarray variant vector version
""".split())

SYSTEM = re.compile(
    r'^((sys|linux|netinet|arpa|net|asm|sanitizer|bits)/.*'
    r'|(dirent|dlfcn|immintrin|x86intrin|arm_acle|elf|errno|execinfo|fcntl|grp|ifaddrs|limits|link|malloc|netdb|poll|pthread|pwd|sched|semaphore|signal'
    r'|spawn|stdint|stdio|stdlib|string|syslog|termios|time|ucontext|unistd|unwind|valgrind/valgrind)\.h)$')

# Private headers that are for all components: they have no source.
FOR_ALL_COMPONENTS = {'core/counted.hpp', 'core/hex.hpp', 'core/probe.hpp'}

# Start of an include -> the CMake target that a component must name in PRIVATE_LIBRARIES.
THIRD_PARTY = {
    'boost/': 'Boost::',
    'fmt/': 'fmt::',
    'openssl/': 'OpenSSL::',
    'elfutils/': 'weft::libdw',
    'dwarf.h': 'weft::libdw',
    'sqlite3': 'weft::sqlite',
    'cctz/': 'weft::cctz',
    'toml++/': 'weft::tomlplusplus',
    'libpq': 'weft::libpq',
    'nghttp2/': 'weft::nghttp2',
    'zlib.h': 'ZLIB::',
    'CLI/': 'CLI11::',
    'gtest/': 'GTest::',
}


def read_components(path):
    uses, libraries = {}, {}
    for line in path.read_text().splitlines():
        name, _, rest = line.partition(':')
        used, _, linked = rest.partition('|')
        uses[name.strip()] = used.split()
        libraries[name.strip()] = linked.split()
    return uses, libraries


def reachable(uses, start):
    seen, todo = set(), list(uses.get(start, []))
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo.extend(uses.get(name, []))
    return seen


def source_files(root):
    for folder in (root / 'include' / 'weft', root / 'src'):
        for path in sorted(folder.rglob('*')):
            if path.suffix in ('.hpp', '.cpp', '.h', '.S', '.ipp') and path.is_file():
                yield path, folder


def includes(path):
    for number, line in enumerate(path.read_text(errors='replace').splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(2)


class checker:
    def __init__(self, root, uses, libraries):
        self.root, self.uses, self.libraries = root, uses, libraries
        self.below = {name: reachable(uses, name) for name in uses}
        self.findings = []

    def run(self):
        for name in self.uses:
            if name in self.below[name]:
                self.findings.append(f'component {name} uses itself, through {", ".join(sorted(self.below[name]))}')
            for used in self.uses[name]:
                if used not in self.uses:
                    self.findings.append(f'component {name} uses {used}, which does not exist')
        for path, folder in source_files(self.root):
            parts = path.relative_to(folder).parts
            owner = parts[0] if len(parts) > 1 else None
            if owner is not None and owner not in self.uses:
                continue
            for number, included in includes(path):
                problem = self.problem(owner, folder.name == 'weft', path, included)
                if problem:
                    self.findings.append(f'{path.relative_to(self.root)}:{number}: includes {included}: {problem}')
        return self.findings

    def problem(self, owner, public, path, included):
        if included.startswith('weft/'):
            return self.weft_problem(owner, included)
        if '..' in included.split('/'):
            return 'a path upwards; write it from include/ or src/'
        if (path.parent / included).is_file():
            return None
        first = included.split('/')[0]
        if '/' in included and (self.root / 'src' / included).is_file():
            if public:
                return 'a public header must not include a private one'
            return None if first == owner or included in FOR_ALL_COMPONENTS else f'a private header of {first}'
        if included in STANDARD or SYSTEM.match(included):
            return None
        if public:
            return 'a public header may include only weft, the standard library and the system'
        for start, library in THIRD_PARTY.items():
            if included.startswith(start):
                if any(linked.startswith(library) for linked in self.libraries[owner]):
                    return None
                return f'{owner} does not declare {library}... in PRIVATE_LIBRARIES'
        return 'neither weft, standard, system nor a known third-party header (tests/layering.py lists them)'

    def weft_problem(self, owner, included):
        parts = included.split('/')
        if not (self.root / 'include' / included).is_file():
            return 'there is no such header'
        if owner is None:
            return None
        if len(parts) == 2:
            return 'the header for users; a component includes what it needs'
        if parts[1] == owner or parts[1] in self.below[owner]:
            return None
        return f'{owner} does not use {parts[1]} (USES in src/{owner}/CMakeLists.txt)'


def check(root, components_file):
    root = pathlib.Path(root)
    uses, libraries = read_components(pathlib.Path(components_file))
    return checker(root, uses, libraries).run()


def main():
    findings = check(sys.argv[1], sys.argv[2])
    for finding in findings:
        print(finding)
    print(f'layering: {len(findings)} findings')
    return 1 if findings else 0


if __name__ == '__main__':
    sys.exit(main())
