"""What a test framework says of cases that run in weft::testing: report_test.py PROGRAM OPTION-BEFORE-A-TITLE..."""

import os
import subprocess
import sys
import unittest

PROGRAM, *CHOOSE = sys.argv[1:]


def run_case(title):
    """Status and output of one case; its lines are joined, as some frameworks break them where they like."""
    environment = {key: value for key, value in os.environ.items() if key != 'WEFT_TEST_DEADLINE'}
    chosen = [*CHOOSE[:-1], CHOOSE[-1] + title] if CHOOSE else [title]
    done = subprocess.run([PROGRAM, *chosen], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=100, check=False, text=True)
    return done.returncode, ' '.join(done.stdout.split())


class Report(unittest.TestCase):
    def expect(self, title, *parts, without=()):
        """The case alone fails, in an orderly way, and its report has all parts."""
        status, text = run_case(title)
        self.assertGreater(status, 0, text)  # below: a signal ended it
        self.assertIn(title, text)
        for part in parts:
            self.assertIn(part, text)
        for part in without:
            self.assertNotIn(part, text)

    def test_cases_pass(self):
        for title in ('passes on a fiber', 'passes where time jumps', 'passes in a runtime of its own'):
            status, text = run_case(title)
            self.assertEqual(status, 0, text)
            self.assertRegex(text, r'1 test case\b|test cases: +1 ')

    def test_a_failed_check_is_reported_where_it_is(self):
        self.expect('fails and goes on', 'cases.hpp', 'seats == 8', 'seats == 9', '7 == 8')

    def test_a_failed_requirement_ends_the_case(self):
        self.expect('fails and stops', 'cases.hpp', '7 == 8', without=['it went on', 'exception of unknown'])
        self.expect('fails where time jumps', 'cases.hpp', '7 == 8', without=['it went on'])

    def test_what_the_body_throws_is_reported(self):
        self.expect('throws', 'no seat in row 7')

    def test_a_hanging_case_says_where_each_fiber_waits(self):
        self.expect('hangs', 'hangs: did not end within 300 ms', '"test" waits in event::wait',
                    '"sleeper" waits in sleep')
        self.expect('hangs where time jumps', 'did not end within 300 ms', '"waiter" waits in event::wait',
                    'WEFT_SEED=1')

    def test_what_is_left_over_is_reported(self):
        self.expect('leaves a fiber', '1 fiber is left', '"forgotten" waits in sleep')

    def test_the_next_case_runs_after_one_that_failed(self):
        done = subprocess.run([PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=100, check=False,
                              text=True)
        self.assertGreater(done.returncode, 0)
        self.assertRegex(done.stdout, r'test cases: +10 \| +3 passed \| +7 failed')


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])
