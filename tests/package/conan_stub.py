"""As much of Conan 2 as packaging/conan/conanfile.py uses: its steps run without Conan, on the libraries of the
system. What Conan itself would do with their results is not looked at."""

import fnmatch
import importlib.util
import os
import pathlib
import shutil
import subprocess
import sys
import types


class Options:
    """self.options of a recipe."""

    def __init__(self, allowed, chosen):
        for name, value in chosen.items():
            if value not in allowed[name]:
                raise ValueError(f'{name}={value} is not among {allowed[name]}')
            setattr(self, name, value)


class ConanFile:
    def requires(self, reference):
        self.required.append(reference)


def copy(recipe, pattern, src, dst):
    """Files below `src` whose path fits; a star stands for slashes, too."""
    found = 0
    for folder, folders, files in os.walk(src):
        folders[:] = [one for one in folders if one not in ('.git', 'build', 'node_modules')]
        for name in files:
            path = os.path.relpath(os.path.join(folder, name), src)
            if not fnmatch.fnmatchcase(path, pattern):
                continue
            found += 1
            target = os.path.join(dst, path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy2(os.path.join(src, path), target)
    if not found:
        raise FileNotFoundError(f'export_sources: nothing is called {pattern}')


class CMakeDeps:
    def __init__(self, recipe):
        pass

    def generate(self):
        pass


class CMakeToolchain:
    def __init__(self, recipe):
        self.recipe = recipe
        self.cache_variables = {}

    def generate(self):
        self.recipe.toolchain = dict(self.cache_variables)


class CMake:
    def __init__(self, recipe):
        self.recipe = recipe

    def configure(self):
        variables = {name: 'ON' if value is True else 'OFF' if value is False else value
                     for name, value in self.recipe.toolchain.items()}
        variables['BUILD_SHARED_LIBS'] = 'ON' if self.recipe.options.shared else 'OFF'
        subprocess.run(['cmake', '-S', self.recipe.export_sources_folder, '-B', self.recipe.build_folder, '-G', 'Ninja',
                        *(f'-D{name}={value}' for name, value in variables.items())],
                       check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def build(self):
        self.recipe.steps.append('build')

    def install(self):
        self.recipe.steps.append('install')


def module(name, **names):
    made = types.ModuleType(name)
    made.__dict__.update(names)
    sys.modules[name] = made


def load(path, work, **options):
    """The recipe in that file, as an object whose steps can be called."""
    module('conan', ConanFile=ConanFile)
    module('conan.tools')
    module('conan.tools.build', check_min_cppstd=lambda recipe, least: recipe.steps.append(f'C++{least}'))
    module('conan.tools.cmake', CMake=CMake, CMakeDeps=CMakeDeps, CMakeToolchain=CMakeToolchain,
           cmake_layout=lambda recipe: recipe.steps.append('layout'))
    module('conan.tools.files', copy=copy)
    spec = importlib.util.spec_from_file_location('conanfile', path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    [kind] = [one for one in vars(loaded).values()
              if isinstance(one, type) and issubclass(one, ConanFile) and one is not ConanFile]
    recipe = kind()
    recipe.options = Options(kind.options, {**kind.default_options, **options})
    recipe.required, recipe.steps = [], []
    recipe.export_sources_folder = str(pathlib.Path(work, 'sources'))
    recipe.build_folder = str(pathlib.Path(work, 'build'))
    recipe.cpp_info = types.SimpleNamespace(set_property=lambda name, value: recipe.steps.append(f'{name}={value}'))
    return recipe
