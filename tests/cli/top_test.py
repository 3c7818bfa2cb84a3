"""`weft top` on a terminal: what it shows, what its keys do, and that it leaves the terminal as it was.

    top_test.py WEFT
"""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

SECONDS = 60
WEFT = sys.argv.pop(1)


class Screen:
    """A terminal with a program on it."""

    def __init__(self, command, columns=100, lines=30):
        self.own, self.its = pty.openpty()
        self.resize(columns, lines)
        self.before = termios.tcgetattr(self.its)
        self.running = subprocess.Popen(command, stdin=self.its, stdout=self.its, stderr=subprocess.PIPE,
                                        env=dict(os.environ, TERM='xterm'))
        self.seen = ''

    def resize(self, columns, lines):
        fcntl.ioctl(self.its, termios.TIOCSWINSZ, struct.pack('HHHH', lines, columns, 0, 0))

    def press(self, keys):
        os.write(self.own, keys)

    def read_until(self, text):
        """What it wrote up to the text."""
        until = time.monotonic() + SECONDS
        while text not in self.seen:
            ready, _, _ = select.select([self.own], [], [], until - time.monotonic())
            assert ready, f'no {text!r} in {self.seen!r}'
            self.seen += os.read(self.own, 65536).decode()
        at = self.seen.index(text) + len(text)
        found, self.seen = self.seen[:at], self.seen[at:]
        return found

    def end(self):
        status = self.running.wait(SECONDS)
        after = termios.tcgetattr(self.its)
        problem = self.running.stderr.read().decode()
        self.running.stderr.close()
        os.close(self.its)
        os.close(self.own)
        return status, after == self.before, problem


class Top(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.keys = os.path.join(self.folder.name, 'keys')
        self.db = 'sqlite:' + os.path.join(self.folder.name, 'jobs.db')
        subprocess.run([WEFT, 'keys', 'generate', self.keys], check=True, stdout=subprocess.DEVNULL)
        self.push()

    def tearDown(self):
        self.folder.cleanup()

    def push(self):
        subprocess.run([WEFT, 'jobs', 'push', '--exec', '--db', self.db, '--keys', self.keys, '--', 'true'], check=True,
                       stdout=subprocess.DEVNULL)

    def start(self, *options, **size):
        return Screen([WEFT, 'top', '--db', self.db, *options], **size)

    def test_shows_what_changes_and_ends_at_q(self):
        screen = self.start('--interval', '20ms')
        shown = screen.read_until('1 ready')
        self.assertIn('\x1b[?1049h', shown, 'a screen of its own')
        self.push()
        screen.read_until('2 ready')
        screen.press(b'q')
        screen.read_until('\x1b[?1049l')
        self.assertEqual(screen.end(), (0, True, ''))

    def test_holds_its_screen_and_goes_on(self):
        screen = self.start('--interval', '20ms')
        screen.read_until('1 ready')
        screen.press(b' ')
        screen.read_until('  held')
        self.push()
        screen.press(b's')  # shows it anew, as it was
        shown = screen.read_until('QUEUE')
        self.assertNotIn('2 ready', shown)
        screen.press(b' ')
        screen.read_until('2 ready')
        screen.press(b'\x03')
        self.assertEqual(screen.end(), (0, True, ''))

    def test_ends_at_sigterm_and_gives_the_terminal_back(self):
        screen = self.start()
        screen.read_until('1 ready')
        screen.running.send_signal(signal.SIGTERM)
        screen.read_until('\x1b[?1049l')
        self.assertEqual(screen.end(), (0, True, ''))

    def test_fits_a_screen_that_becomes_smaller(self):
        screen = self.start('--interval', '1h')
        screen.read_until('1 ready')
        screen.resize(20, 3)
        screen.running.send_signal(signal.SIGWINCH)
        screen.read_until('\x1b[H')
        shown = screen.read_until('\x1b[J')
        self.assertEqual(shown.count('\r\n'), 2)
        screen.press(b'q')
        self.assertEqual(screen.end(), (0, True, ''))


if __name__ == '__main__':
    unittest.main()
