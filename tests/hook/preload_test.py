"""Preloads libweft_hook.so into programs without weft, and expects that they do what they do without it.

Usage: preload_test.py LIBRARY [PROGRAM-WITH-WEFT]
"""

import os
import subprocess
import sys
import unittest

LIBRARY, *WITH_WEFT = sys.argv[1:]

PYTHON = r'''
import os, select, signal, socket, subprocess, threading, time
a, b = socket.socketpair()
threading.Timer(0.01, lambda: b.sendall(b"x" * 300000)).start()
got = 0
while got < 300000: got += len(a.recv(65536))
print(got)
a.settimeout(0.01)
try: a.recv(1)
except TimeoutError: print("timeout")
a.setblocking(False)
try: a.recv(1)
except BlockingIOError: print("would block")
print(select.select([a], [b], [], 0.01)[1] == [b])
r, w = os.pipe()
p = select.poll(); p.register(r, select.POLLIN)
print(p.poll(5)); os.write(w, b"1"); print(p.poll()[0][1]); print(os.read(r, 9))
os.dup2(a.fileno(), 99); os.close(99)
print(subprocess.run(["sh", "-c", "echo from the shell; exit 3"], capture_output=True))
for call, number in (("first", signal.SIGUSR1), ("second", signal.SIGUSR2)):
    signal.signal(number, lambda n, frame, call=call: print(call, n))
    os.kill(os.getpid(), number)
signal.signal(signal.SIGALRM, lambda n, frame: print("alarm"))
signal.setitimer(signal.ITIMER_REAL, 0.01); time.sleep(0.05)
if os.fork() == 0: time.sleep(0.001); os._exit(7)
print(os.waitstatus_to_exitcode(os.wait()[1]))
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
print(server.accept()[1][0], sorted({x[0].name for x in socket.getaddrinfo("127.0.0.1", 80)}))
'''

SHELL = r'''
printf 'b\na\n' | sort | while read -r x; do echo "$x"; done
sleep 0.01; (exit 4); echo $?
trap 'echo trapped' USR1; kill -USR1 $$
seq 1 20000 | cat | tail -1
'''


def outcome(command, library=None):
    environment = dict(os.environ)
    environment.pop("LD_PRELOAD", None)
    if library:
        environment["LD_PRELOAD"] = library
    done = subprocess.run(command, capture_output=True, env=environment, timeout=100)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


class Preloaded(unittest.TestCase):
    maxDiff = None

    def test_python_does_the_same(self):
        plain = outcome([sys.executable, "-c", PYTHON])
        self.assertEqual(plain[0], 0, plain)
        self.assertEqual(outcome([sys.executable, "-c", PYTHON], LIBRARY), plain)

    def test_a_shell_and_its_tools_do_the_same(self):
        plain = outcome(["sh", "-c", SHELL])
        self.assertEqual(plain, (0, "a\nb\n4\ntrapped\n20000\n", ""))
        self.assertEqual(outcome(["sh", "-c", SHELL], LIBRARY), plain)

    def test_a_program_with_weft_suspends_only_with_it(self):
        if not WITH_WEFT:
            self.skipTest("not with a sanitizer, whose runtime would have to come first")
        self.assertEqual(outcome(WITH_WEFT), (0, "blocks\n", ""))
        self.assertEqual(outcome(WITH_WEFT, LIBRARY), (0, "suspends\n", ""))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
