"""`weft top` on a terminal: what it shows, what its keys do, and that it leaves the terminal as it was.

    top_test.py WEFT [POSTGRES-PROGRAMS]
"""

import fcntl
import os
import pty
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
import unittest

SECONDS = 60
WEFT = sys.argv.pop(1)
POSTGRES = sys.argv.pop(1) if len(sys.argv) > 1 and os.path.isdir(sys.argv[1]) else None


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


class Postgres:
    """A server in a folder of its own, on a Unix socket there."""

    def __init__(self):
        self.folder = tempfile.mkdtemp()
        self.other = {}
        if os.geteuid() == 0:  # which it refuses
            shutil.chown(self.folder, 'postgres', 'postgres')
            self.other = {'user': 'postgres', 'group': 'postgres', 'extra_groups': []}
        data = os.path.join(self.folder, 'data')
        subprocess.run([f'{POSTGRES}/initdb', '-D', data, '-U', 'weft', '-A', 'trust', '--no-sync', '--no-locale', '-E', 'UTF8'],
                       check=True, stdout=subprocess.DEVNULL, cwd='/', **self.other)
        self.running = subprocess.Popen([f'{POSTGRES}/postgres', '-D', data, '-k', self.folder, '-h', '', '-F'], cwd='/',
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **self.other)
        self.socket = os.path.join(self.folder, '.s.PGSQL.5432')
        until = time.monotonic() + SECONDS
        while not self.is_ready(os.path.join(data, 'postmaster.pid')):
            assert self.running.poll() is None and time.monotonic() < until, 'PostgreSQL does not start'
            time.sleep(0.05)

    @staticmethod
    def is_ready(state):
        """What pg_ctl waits for, too."""
        try:
            with open(state, encoding='utf-8') as lines:
                return lines.read().splitlines()[7].strip() == 'ready'
        except (FileNotFoundError, IndexError):
            return False

    def end(self):
        self.running.send_signal(signal.SIGQUIT)
        self.running.wait(SECONDS)
        shutil.rmtree(self.folder)


class Line:
    """A port that leads to that server, until it falls silent: then it accepts, takes what comes, and says nothing."""

    def __init__(self, server):
        self.server = server
        self.silent = threading.Event()
        self.unheard = threading.Event()  # something was asked since
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        self.open = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX)
            far.connect(self.server.socket)
            self.open += [near, far]
            threading.Thread(target=self.forward, args=(near, far, True), daemon=True).start()
            threading.Thread(target=self.forward, args=(far, near, False), daemon=True).start()

    def forward(self, source, target, is_question):
        try:
            while piece := source.recv(65536):
                if not self.silent.is_set():
                    target.sendall(piece)
                elif is_question:
                    self.unheard.set()
        except OSError:
            pass

    def end(self):
        self.listener.close()
        for one in self.open:
            one.close()


@unittest.skipIf(POSTGRES is None, 'no PostgreSQL')
class SilentDatabase(unittest.TestCase):
    """Nobody has to wait for a database that says nothing any more."""

    @classmethod
    def setUpClass(cls):
        cls.server = Postgres()
        cls.folder = tempfile.TemporaryDirectory()
        keys = os.path.join(cls.folder.name, 'keys')
        own = f'postgres:///postgres?host={cls.server.folder}&user=weft'
        subprocess.run([WEFT, 'keys', 'generate', keys], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([WEFT, 'db', 'migrate', '--db', own], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([WEFT, 'jobs', 'push', '--exec', '--db', own, '--keys', keys, '--', 'true'], check=True,
                       stdout=subprocess.DEVNULL)

    @classmethod
    def tearDownClass(cls):
        cls.server.end()
        cls.folder.cleanup()

    def setUp(self):
        self.line = Line(self.server)
        self.command = [WEFT, 'top', '--interval', '20ms', '--db', f'postgres://weft@127.0.0.1:{self.line.port}/postgres']

    def tearDown(self):
        self.line.end()

    def start_and_fall_silent(self):
        screen = Screen(self.command)
        screen.read_until('1 ready')
        self.line.silent.set()
        self.assertTrue(self.line.unheard.wait(SECONDS), 'it asks nothing')
        return screen

    def left_at_once(self, screen, begun):
        screen.read_until('\x1b[?1049l')
        self.assertEqual(screen.end(), (0, True, ''))
        self.assertLess(time.monotonic() - begun, 10)

    def test_keys_end_it(self):
        for key in (b'q', b'\x03'):
            self.line.silent.clear()
            self.line.unheard.clear()
            screen = self.start_and_fall_silent()
            begun = time.monotonic()
            screen.press(key)
            self.left_at_once(screen, begun)

    def test_a_key_is_obeyed_meanwhile(self):
        screen = self.start_and_fall_silent()
        screen.press(b' ')
        screen.read_until('  held')
        screen.press(b'q')
        self.left_at_once(screen, time.monotonic())

    def test_signals_end_it(self):
        screen = self.start_and_fall_silent()
        begun = time.monotonic()
        screen.running.send_signal(signal.SIGINT)
        self.left_at_once(screen, begun)

    def test_without_a_terminal_it_ends_too(self):
        running = subprocess.Popen([*self.command, '--json'], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        self.assertTrue(running.stdout.readline())
        self.line.silent.set()
        self.assertTrue(self.line.unheard.wait(SECONDS))
        running.send_signal(signal.SIGTERM)
        out, problem = running.communicate(timeout=SECONDS)
        self.assertEqual((running.returncode, problem), (0, b''))
        self.assertTrue(out == b'' or out.endswith(b'}\n'), 'whole lines')

    def test_a_database_that_was_never_heard_of_can_be_given_up(self):
        self.line.silent.set()
        screen = Screen(self.command)
        self.assertTrue(self.line.unheard.wait(SECONDS))
        screen.running.send_signal(signal.SIGINT)  # the terminal is not changed yet, so Ctrl-C is one
        status, restored, _ = screen.end()
        self.assertEqual((status, restored), (-signal.SIGINT, True))


if __name__ == '__main__':
    unittest.main()
