#!/usr/bin/python3
"""Lists what weft's public headers declare for users, one name a line: "kind name".

    public_names.py [--check FILE]

Prints the list, or compares it with FILE and says what came and what went; the status is then 1 if anything did. Names
in a namespace `detail`, private members, and macros that begin with WEFT_DETAIL are no user's business and left
out. The inline namespace of the ABI is left out of the names, as users leave it out. Read by libclang 16 (Debian:
python3-clang-16), so declarations count, not text.
"""

import argparse
import os
import pathlib
import sys
import tempfile

from clang import cindex
from clang.cindex import AccessSpecifier, CursorKind

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEADERS = ROOT / 'include'

CONCEPT_DECL = CursorKind(604)  # the bindings of 16 do not know it, the library does

KINDS = {
    CursorKind.CLASS_DECL: 'class',
    CursorKind.CLASS_TEMPLATE: 'class',
    CursorKind.STRUCT_DECL: 'class',
    CursorKind.UNION_DECL: 'class',
    CursorKind.ENUM_DECL: 'enum',
    CursorKind.ENUM_CONSTANT_DECL: 'enumerator',
    CursorKind.FUNCTION_DECL: 'function',
    CursorKind.FUNCTION_TEMPLATE: 'function',
    CursorKind.CXX_METHOD: 'function',
    CursorKind.CONVERSION_FUNCTION: 'function',
    CursorKind.FIELD_DECL: 'field',
    CursorKind.VAR_DECL: 'variable',
    CursorKind.TYPE_ALIAS_DECL: 'type',
    CursorKind.TYPE_ALIAS_TEMPLATE_DECL: 'type',
    CursorKind.TYPEDEF_DECL: 'type',
    CONCEPT_DECL: 'concept',
    CursorKind.MACRO_DEFINITION: 'macro',
}
WITH_MEMBERS = {'class', 'enum'}


def is_ours(cursor):
    file = cursor.location.file
    return file is not None and os.path.realpath(file.name).startswith(str(HEADERS) + os.sep)


def is_hidden(cursor, name):
    if cursor.access_specifier in (AccessSpecifier.PRIVATE, AccessSpecifier.PROTECTED):
        return True
    return not name or name == 'detail' or '(unnamed' in name or '(anonymous' in name or name.startswith('<')


def walk(cursor, prefix, names):
    for child in cursor.get_children():
        name = child.spelling
        if child.kind == CursorKind.LINKAGE_SPEC or (child.kind == CursorKind.NAMESPACE and name == 'v1'):
            walk(child, prefix, names)
        elif child.kind == CursorKind.NAMESPACE:
            if name != 'detail' and (prefix or name == 'weft'):
                walk(child, f'{prefix}{name}::', names)
        elif child.kind in KINDS and is_ours(child):
            add(child, name, prefix, names)


def add(child, name, prefix, names):
    kind = KINDS[child.kind]
    if kind == 'macro':
        if name.startswith('WEFT_') and not name.startswith('WEFT_DETAIL'):
            names.add(f'macro {name}')
        return
    # A definition outside of its class, a friend's first declaration and a specialization are named elsewhere.
    if is_hidden(child, name) or not prefix or child.semantic_parent != child.lexical_parent:
        return
    names.add(f'{kind} {prefix}{name.split("<")[0] if kind == "class" else name}')
    if kind in WITH_MEMBERS:
        walk(child, f'{prefix}{name}::', names)


def public_names():
    if not cindex.Config.loaded:
        cindex.Config.set_library_file('/usr/lib/llvm-16/lib/libclang.so.1')
    headers = sorted(HEADERS.glob('weft/**/*.hpp'))
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder, 'all.cpp')
        source.write_text(''.join(f'#include <{header.relative_to(HEADERS)}>\n' for header in headers), encoding='utf-8')
        unit = cindex.Index.create().parse(
            str(source),
            args=['-std=c++20', f'-I{HEADERS}'],
            options=cindex.TranslationUnit.PARSE_DETAILED_PROCESSING_RECORD
            | cindex.TranslationUnit.PARSE_SKIP_FUNCTION_BODIES)
    faults = [one for one in unit.diagnostics if one.severity >= cindex.Diagnostic.Error]
    if faults:
        sys.exit('\n'.join(str(one) for one in faults))
    names = set()
    walk(unit.cursor, '', names)
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
