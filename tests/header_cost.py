"""Fails where compiling weft/weft.hpp alone takes g++ 12 more memory than it may.

Usage: header_cost.py COMPILER INCLUDE_FOLDER

The time that it takes goes with the memory, which is the same in each run: from about 315 MB on the compiler
collects garbage as well, which takes a fifth of the time. See `./dev bench first-contact` for the time.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

MEGABYTES_MAX = 310


def megabytes(compiler, include):
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / 'one.cpp'
        source.write_text('#include <weft/weft.hpp>\n')
        report = subprocess.run([compiler, '-std=c++20', '-O0', f'-I{include}', '-ftime-report', '-c', source, '-o',
                                 source.with_suffix('.o')], check=True, text=True, stderr=subprocess.PIPE).stderr
    return int(re.search(r'^ TOTAL .* (\d+)M$', report, re.MULTILINE).group(1))


def main():
    taken = megabytes(*sys.argv[1:])
    print(f'weft/weft.hpp: {taken} MB of {MEGABYTES_MAX}')
    if taken > MEGABYTES_MAX:
        sys.exit('a header that weft.hpp brings has grown; -H and -ftime-report of g++ show which')


if __name__ == '__main__':
    main()
