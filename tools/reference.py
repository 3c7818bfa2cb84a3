#!/usr/bin/python3
"""Writes the reference: a page of Markdown for each component, made of the doc comments of its public headers.

    reference.py FOLDER
"""

import pathlib
import re
import sys

import headers


def text_of(comment):
    """A doc comment without its marks; what is indented in it is a block of code."""
    lines = []
    for line in (comment or '').splitlines():
        line = re.sub(r'^///<? ?', '', line.strip())
        is_code = line.startswith('    ')
        if is_code and lines and lines[-1] and not lines[-1].startswith('    '):
            lines.append('')
        lines.append(line)
    return '\n'.join(lines).strip()


def without_body(text):
    """A declaration up to its body, its initializers or its semicolon."""
    depth = 0
    for at, one in enumerate(text):
        if one in '([':
            depth += 1
        elif one in ')]':
            depth -= 1
        elif depth == 0 and (one in '{;' or re.match(r' : \w+_?[({]', text[at:])):
            return text[:at].rstrip()
    return text.rstrip()


def signature_of(cursor, lines_of):
    """The declaration as it stands in its header, up to its body."""
    extent = cursor.extent
    lines = lines_of(extent.start.file.name)[extent.start.line - 1:extent.end.line]
    if not lines:
        return ''
    lines = [line.rstrip() for line in lines]
    indent = len(lines[0]) - len(lines[0].lstrip())
    return without_body('\n'.join(line[indent:] if not line[:indent].strip() else line for line in lines))


class Reference:
    def __init__(self):
        self.pages = {}  # component -> header -> [text]
        self.files = {}

    def lines_of(self, name):
        if name not in self.files:
            self.files[name] = pathlib.Path(name).read_text(encoding='utf-8').splitlines()
        return self.files[name]

    def add(self, kind, name, cursor):
        path = pathlib.Path(cursor.location.file.name).resolve().relative_to(headers.HEADERS)
        component = path.parts[1] if len(path.parts) > 2 else 'weft'
        comment = text_of(cursor.raw_comment)
        page = self.pages.setdefault(component, {}).setdefault(str(path), [])
        is_member = cursor.semantic_parent is not None and headers.KINDS.get(cursor.semantic_parent.kind) in (
            headers.WITH_MEMBERS)
        if kind in ('field', 'enumerator'):
            page.append(f'- `{cursor.spelling}`' + (f': {" ".join(comment.split())}' if comment else ''))
            return
        if is_member:
            if comment:
                page.append(f'\n```cpp\n{signature_of(cursor, self.lines_of)}\n```\n\n{comment}\n')
            return
        if not comment:
            return  # what belongs to another declaration
        page.append(f'\n### {name}\n')
        if kind in ('function', 'variable', 'type'):
            page.append(f'```cpp\n{signature_of(cursor, self.lines_of)}\n```\n')
        page.append(comment + '\n')

    def write(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        index = ['# Reference\n', 'Made of the doc comments of the headers; what is not here is not for users.\n']
        for component, by_header in sorted(self.pages.items()):
            index.append(f'- [{component}]({component}.md)')
            text = [f'# {component}\n']
            for header, parts in sorted(by_header.items()):
                text.append(f'\n## `<{header}>`\n')
                text += parts
            (folder / f'{component}.md').write_text('\n'.join(text) + '\n', encoding='utf-8')
        (folder / 'index.md').write_text('\n'.join(index) + '\n', encoding='utf-8')


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    reference = Reference()
    for kind, name, cursor in headers.declarations():
        reference.add(kind, name, cursor)
    reference.write(pathlib.Path(sys.argv[1]))


if __name__ == '__main__':
    main()
