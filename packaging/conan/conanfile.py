"""Conan 2 recipe. From the root of the tree: conan create packaging/conan --build=missing"""

import pathlib
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


class WeftConan(ConanFile):
    name = 'weft'
    description = 'Run a function somewhere else and keep its context attached'
    license = 'Apache-2.0'
    topics = ('fibers', 'jobs', 'context', 'worker-processes')
    package_type = 'library'
    settings = 'os', 'arch', 'compiler', 'build_type'
    options = {'shared': [True, False], 'with_http2': [True, False], 'with_postgres': [True, False],
               'with_tool': [True, False]}
    default_options = {'shared': False, 'with_http2': True, 'with_postgres': True, 'with_tool': True}

    def set_version(self):
        text = (ROOT / 'include/weft/core/version.hpp').read_text(encoding='utf-8')
        self.version = '.'.join(re.findall(r'#define WEFT_VERSION_\w+ (\d+)', text))

    def export_sources(self):
        for pattern in ('CMakeLists.txt', 'LICENSE', 'README.md', 'CHANGELOG.md', 'cmake/*', 'include/*', 'src/*',
                        'apps/*', 'docs/*', 'tools/*', 'packaging/*'):
            copy(self, pattern, str(ROOT), self.export_sources_folder)

    def requirements(self):
        self.requires('boost/[>=1.81 <2]')
        self.requires('cctz/[>=2.3]')
        self.requires('elfutils/[>=0.188]')
        self.requires('openssl/[>=3.0 <4]')
        self.requires('sqlite3/[>=3.40 <4]')
        self.requires('tomlplusplus/[>=3.3 <4]')
        self.requires('zlib/[>=1.2.13 <2]')
        if self.options.with_http2:
            self.requires('libnghttp2/[>=1.52 <2]')
        if self.options.with_postgres:
            self.requires('libpq/[>=14]')
        if self.options.with_tool:
            self.requires('cli11/[>=2.1 <3]')

    def validate(self):
        check_min_cppstd(self, 20)

    def layout(self):
        cmake_layout(self)

    def generate(self):
        CMakeDeps(self).generate()
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables['WEFT_DEVELOPER'] = False
        toolchain.cache_variables['WEFT_BUILD_CLI'] = bool(self.options.with_tool)
        toolchain.cache_variables['WEFT_WITH_HTTP2'] = 'ON' if self.options.with_http2 else 'OFF'
        toolchain.cache_variables['WEFT_WITH_POSTGRES'] = 'ON' if self.options.with_postgres else 'OFF'
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        CMake(self).install()

    def package_info(self):
        # weft's own CMake package, with its components and functions, not one made by Conan.
        self.cpp_info.set_property('cmake_find_mode', 'none')
        self.cpp_info.builddirs = ['lib/cmake/weft']
