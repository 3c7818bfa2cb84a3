"""`weft call` with a server of the older protocol, that of AnyEvent::Task."""

import json
import os
import subprocess
import sys
import unittest

FOLDER = os.path.dirname(os.path.abspath(__file__))
COMPAT = os.path.join(FOLDER, "..", "workers", "compat")
sys.path.insert(0, COMPAT)
import harness  # noqa: E402

WEFT = []


class Call(unittest.TestCase):
    transport = "unix"

    def setUp(self):
        folder = harness.Folder(self)
        self.server = harness.Program(self, sys.executable, "-B", os.path.join(COMPAT, "old_server.py"),
                                      folder.address(self.transport), os.path.join(folder.path, "diary"))

    def call(self, *arguments):
        return subprocess.run([WEFT[0], "call", *arguments], capture_output=True, text=True, timeout=60)

    def test_values_come_back(self):
        for value in (None, 7, "1", 1.5, [1, {"λ": "😀"}], {"a": []}, 2**64 - 1):
            with self.subTest(value):
                done = self.call(self.server.address, "echo", json.dumps(value))
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertEqual(json.loads(done.stdout), value)
        self.assertEqual(self.call("--compatible", self.server.address, "sum", "-40", "-2").stdout, "-42\n")

    def test_errors(self):
        failed = self.call(self.server.address, "fail", '"boom"')
        self.assertEqual((failed.returncode, failed.stdout), (1, ""))
        self.assertIn("boom", failed.stderr)
        raised = self.call("--json", self.server.address, "fail", '{"code":42}')
        self.assertEqual(json.loads(raised.stderr)["value"], {"code": 42})
        died = self.call(self.server.address, "exit_now", "1")
        self.assertEqual(died.returncode, 1)
        self.assertIn("died", died.stderr)

    def test_a_function_without_a_name(self):
        self.assertIn("subroutine reference", self.call(self.server.address, "").stderr)

    def test_a_timeout(self):
        late = self.call("--timeout", "1.5", self.server.address, "sleep", "60")
        self.assertEqual(late.returncode, 1)
        self.assertIn("no answer within 1.5 s", late.stderr)

    def test_logs(self):
        self.assertEqual(self.call(self.server.address, "logs").stderr, "")
        said = self.call("-v", self.server.address, "logs").stderr
        for text in ("e tag", "w tag", "i tag", "d tag", "several items 3"):
            self.assertIn(text, said)


class CallOverTcp(Call):
    transport = "tcp"


if __name__ == "__main__":
    WEFT.append(os.path.abspath(sys.argv.pop(1)))
    unittest.main()
