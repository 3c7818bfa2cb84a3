"""layering.py finds each thing it looks for, in small trees made for it, and nothing in a good one."""

import pathlib
import tempfile
import unittest

import layering

COMPONENTS = 'low: | \nmiddle: low | fmt::fmt\nhigh: middle | \n'

GOOD = {
    'include/weft/weft.hpp': '#include <weft/high/a.hpp>\n',
    'include/weft/low/a.hpp': '#include <vector>\n#include <sys/epoll.h>\n',
    'include/weft/middle/a.hpp': '#include <weft/low/a.hpp>\n',
    'include/weft/high/a.hpp': '#include <weft/low/a.hpp>\n#include <weft/middle/a.hpp>\n',
    'src/middle/a.cpp': '#include <weft/middle/a.hpp>\n#include <fmt/core.h>\n#include "middle/private.hpp"\n',
    'src/middle/private.hpp': '#include "sibling.hpp"\n',
    'src/middle/sibling.hpp': '',
    'src/high/a.cpp': '',
}


class layering_test(unittest.TestCase):
    def findings(self, changed=None, components=COMPONENTS):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, text in {**GOOD, **(changed or {})}.items():
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            (root / 'components.txt').write_text(components)
            return layering.check(root, root / 'components.txt')

    def one(self, expected, changed=None, components=COMPONENTS):
        found = self.findings(changed, components)
        self.assertEqual(len(found), 1, found)
        self.assertIn(expected, found[0])

    def test_a_good_tree_has_no_findings(self):
        self.assertEqual(self.findings(), [])

    def test_an_include_upwards_is_found_with_its_line(self):
        self.one('include/weft/low/a.hpp:2: includes weft/high/a.hpp: low does not use high',
                 {'include/weft/low/a.hpp': '\n#include <weft/high/a.hpp>\n'})

    def test_a_source_is_read_like_a_header(self):
        self.one('middle does not use high', {'src/middle/a.cpp': '#  include <weft/high/a.hpp>\n'})

    def test_a_circle_is_found(self):
        found = self.findings({'include/weft/low/a.hpp': ''}, 'low: high | \nmiddle: low | fmt::fmt\nhigh: middle | \n')
        self.assertEqual(len(found), 3, found)
        self.assertIn('component low uses itself', found[0])

    def test_a_use_of_nothing_is_found(self):
        self.one('uses lost, which does not exist', components=COMPONENTS.replace('low: ', 'low: lost '))

    def test_a_third_party_header_in_a_public_header_is_found(self):
        self.one('a public header may include only', {'include/weft/middle/a.hpp': '#include <weft/low/a.hpp>\n#include <fmt/core.h>\n'})

    def test_an_undeclared_library_is_found(self):
        self.one('high does not declare fmt::', {'src/high/a.cpp': '#include <fmt/core.h>\n'})

    def test_an_unknown_library_is_found(self):
        self.one('neither weft, standard', {'src/high/a.cpp': '#include <lzma.h>\n'})

    def test_a_private_header_of_another_component_is_found(self):
        self.one('a private header of middle', {'src/high/a.cpp': '#include "middle/private.hpp"\n'})

    def test_a_path_upwards_is_found(self):
        self.one('a path upwards', {'src/high/a.cpp': '#include "../middle/private.hpp"\n'})

    def test_a_private_header_in_a_public_one_is_found(self):
        self.one('must not include a private one', {'include/weft/middle/a.hpp': '#include <weft/low/a.hpp>\n#include "middle/private.hpp"\n'})

    def test_the_header_for_users_is_not_for_components(self):
        self.one('a component includes what it needs', {'src/high/a.cpp': '#include <weft/weft.hpp>\n'})


if __name__ == '__main__':
    unittest.main()
