#!/usr/bin/env python3
"""Finds functions that capture by reference and are given to a fiber or timer that nobody joins.

    weft_captures.py [--clang-query PROGRAM] -p BUILD_FOLDER FILE...
    weft_captures.py [--clang-query PROGRAM] FILE... -- COMPILER_OPTIONS

weft::go, go_now, after and every run a function later, and a handle that is dropped or detached lets it
outlive what it captured by reference: its variables, or the object of a captured `this`. Each such place is
printed as FILE:LINE:COLUMN: warning: ..., and the status is 1 if there is one. Not looked at: handles that
are kept (they may be joined) and scope::go (it is joined). A line with NOLINT is left out.

Needs clang-query (Debian: clang-tools-16) and, with -p, the build folder's compile_commands.json.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile

# A closure with a member of reference type; a closure that captures `this`, not `*this`.
QUERY = '''
set output diag
set bind-root false
set traversal AsIs
let closure cxxRecordDecl(isLambda(), has(fieldDecl(hasType(referenceType()))))
let pointer cxxRecordDecl(has(fieldDecl(hasType(pointerType()))))
let self lambdaExpr(hasAnyCapture(lambdaCapture(capturesThis())), hasType(hasUnqualifiedDesugaredType(recordType(hasDeclaration(pointer)))))
let refers hasAnyArgument(anyOf(expr(hasType(hasUnqualifiedDesugaredType(recordType(hasDeclaration(closure))))), ignoringImplicit(self)))
let starts callExpr(callee(functionDecl(hasAnyName("::weft::go", "::weft::go_now", "::weft::after", "::weft::every"))), refers)
let place stmt(anyOf(compoundStmt(), ifStmt(), forStmt(), cxxForRangeStmt(), whileStmt(), doStmt(), caseStmt(), defaultStmt(), labelStmt()))
m exprWithCleanups(hasParent(place), has(cxxBindTemporaryExpr(has(starts)))).bind("capture")
m cxxMemberCallExpr(callee(cxxMethodDecl(hasName("detach"))), on(ignoringImplicit(starts))).bind("capture")
'''
MATCH = re.compile(r'^(.*?):(\d+):(\d+): note: "capture" binds here$')
MESSAGE = ('warning: this function captures by reference, and nobody joins what runs it; capture by value, '
           'keep the handle and join it, or use a weft::scope')


def find_program(wanted):
    for name in [wanted] if wanted else ['clang-query-16', 'clang-query']:
        found = shutil.which(name)
        if found:
            return found
    sys.exit('weft_captures: clang-query is not installed (Debian: apt-get install clang-tools-16)')


def run(program, files, build, options):
    with tempfile.NamedTemporaryFile('w', suffix='.query') as query:
        query.write(QUERY)
        query.flush()
        command = [program, '-f', query.name] + (['-p', build] if build else []) + files
        if options is not None:
            command += ['--'] + options
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0 or ' error: ' in done.stdout + done.stderr:
        sys.stderr.write(done.stderr + done.stdout)
        sys.exit(f'weft_captures: {program} could not read all of: {" ".join(files)}')
    return done.stdout


def is_silenced(path, line):
    with open(path, encoding='utf-8', errors='replace') as source:
        lines = source.read().splitlines()
    return 'NOLINT' in lines[line - 1]


def main():
    arguments = sys.argv[1:]
    options = None
    if '--' in arguments:
        options = arguments[arguments.index('--') + 1:]
        arguments = arguments[:arguments.index('--')]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--clang-query', default=None)
    parser.add_argument('-p', dest='build', default=None)
    parser.add_argument('files', nargs='+')
    given = parser.parse_args(arguments)
    if given.build is None and options is None:
        parser.error('say how the files are compiled: -p BUILD_FOLDER, or -- COMPILER_OPTIONS')
    found = set()
    for text in run(find_program(given.clang_query), given.files, given.build, options).splitlines():
        match = MATCH.match(text)
        if match and not is_silenced(match.group(1), int(match.group(2))):
            found.add((match.group(1), int(match.group(2)), int(match.group(3))))
    for path, line, column in sorted(found):
        print(f'{path}:{line}:{column}: {MESSAGE}')
    sys.exit(1 if found else 0)


if __name__ == '__main__':
    main()
