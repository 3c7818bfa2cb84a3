"""weft's public headers as libclang 16 reads them (Debian: python3-clang-16): what is declared for users, and what is not."""

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
    CursorKind.CONSTRUCTOR: 'constructor',
    CursorKind.FIELD_DECL: 'field',
    CursorKind.VAR_DECL: 'variable',
    CursorKind.TYPE_ALIAS_DECL: 'type',
    CursorKind.TYPE_ALIAS_TEMPLATE_DECL: 'type',
    CursorKind.TYPEDEF_DECL: 'type',
    CONCEPT_DECL: 'concept',
    CursorKind.MACRO_DEFINITION: 'macro',
}
WITH_MEMBERS = {'class', 'enum'}


def _is_ours(cursor):
    file = cursor.location.file
    return file is not None and os.path.realpath(file.name).startswith(str(HEADERS) + os.sep)


def _is_hidden(cursor, name):
    if cursor.access_specifier in (AccessSpecifier.PRIVATE, AccessSpecifier.PROTECTED):
        return True
    return not name or name == 'detail' or '(unnamed' in name or '(anonymous' in name or name.startswith('<')


def _walk(cursor, prefix):
    for child in cursor.get_children():
        name = child.spelling
        if child.kind == CursorKind.LINKAGE_SPEC or (child.kind == CursorKind.NAMESPACE and name == 'v1'):
            yield from _walk(child, prefix)
        elif child.kind == CursorKind.NAMESPACE:
            if name != 'detail' and (prefix or name == 'weft'):
                yield from _walk(child, f'{prefix}{name}::')
        elif child.kind in KINDS and _is_ours(child):
            yield from _declared(child, name, prefix)


def _declared(child, name, prefix):
    kind = KINDS[child.kind]
    if kind == 'macro':
        if name.startswith('WEFT_') and not name.startswith('WEFT_DETAIL'):
            yield kind, name, child
        return
    # A definition outside of its class, a friend's first declaration and a specialization are named elsewhere.
    if _is_hidden(child, name) or not prefix or child.semantic_parent != child.lexical_parent:
        return
    yield kind, prefix + (name.split('<')[0] if kind == 'class' else name), child
    if kind in WITH_MEMBERS:
        yield from _walk(child, f'{prefix}{name}::')


def declarations():
    """(kind, name, cursor) of each declaration for users, in the order of the headers' names."""
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
    return list(_walk(unit.cursor, ''))
