"""Starts the service, pushes a job over HTTP, reads its metrics and health, and stops it as a service manager does."""
import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time


class unix_connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(self.path)


def ask(path, method, target):
    connection = unix_connection(path)
    connection.request(method, target)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def wait_for(what, claim):
    until = time.monotonic() + 60
    while not claim():
        assert time.monotonic() < until, f"it does not come true: {what}"
        time.sleep(0.01)


with tempfile.TemporaryDirectory() as folder:
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(f"{folder}/notify")
    manager.settimeout(60)
    front, admin = f"{folder}/front", f"{folder}/admin"
    service = subprocess.Popen(
        [sys.argv[1], folder, f"unix:{front}", f"unix:{admin}"],
        env={**os.environ, "NOTIFY_SOCKET": f"{folder}/notify"}, stderr=subprocess.PIPE, text=True)
    assert manager.recv(4096) == b"READY=1"

    status, text = ask(front, "POST", "/letters/Ada")
    assert status == 200 and text.startswith("job "), (status, text)
    wait_for("the letter is sent", lambda: "\nshop_letters_total 1\n" in ask(admin, "GET", "/metrics")[1])
    wait_for("the store is looked at", lambda: "\nweft_jobs_workers 1\n" in ask(admin, "GET", "/metrics")[1])
    assert ask(admin, "GET", "/readyz")[0] == 200

    service.send_signal(signal.SIGTERM)
    assert manager.recv(4096) == b"STOPPING=1"
    log = service.communicate(timeout=60)[1]
    assert service.returncode == 0, log
    line = next(one for one in log.splitlines() if 'msg="a letter is sent"' in one)
    assert " to=Ada " in line and " weft.job=" in line and line.startswith("time="), line
    print("the service ran in order")
