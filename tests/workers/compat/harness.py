"""Runs the programs that the tests of the older protocol talk to."""

import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

TRANSPORTS = ("unix", "tcp")


class Folder:
    """A folder that goes with the test."""

    def __init__(self, test):
        self.path = tempfile.mkdtemp(prefix="weft-compat-")
        test.addCleanup(shutil.rmtree, self.path)

    def address(self, transport):
        return "unix:" + os.path.join(self.path, "socket") if transport == "unix" else "127.0.0.1:0"


class Program:
    """A program whose first line says where it listens; ended with the test."""

    def __init__(self, test, *arguments, environment=None):
        self.errors = tempfile.TemporaryFile()
        test.addCleanup(self.errors.close)
        self.process = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, env={**os.environ, **(environment or {})})
        test.addCleanup(self.end)
        self.address = self.line()

    def line(self):
        return self.process.stdout.readline().decode().rstrip("\n")

    def said(self):
        """What it and its workers wrote to standard error so far."""
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace")

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(20)
        self.process.stdin.close()
        self.process.stdout.close()
        return status


def wait_until_gone(pid, seconds=20):
    """True once the process has ended; it need not be a child."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)


def main(programs):
    """unittest's main; the arguments before "--" are the programs to test."""
    end = sys.argv.index("--")
    programs.extend(map(os.path.abspath, sys.argv[1:end]))
    unittest.main(argv=[sys.argv[0], *sys.argv[end + 1:]])
