"""Runs the program of a new project, as its README.md says: a request makes a job, which runs.

    new_project.py WEFT PROGRAM FOLDER
"""

import http.client
import os
import pathlib
import signal
import socket
import subprocess
import sys

SECONDS = 60


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__('localhost', timeout=SECONDS)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(SECONDS)
        self.sock.connect(self.path)


def ask(path, method, target, body=None):
    connection = UnixConnection(path)
    connection.request(method, target, body)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    assert answer.status == 200, f'{method} {target}: {answer.status} {text}'
    return text


def wait_until_ready(service_manager):
    while 'READY=1' not in service_manager.recv(4096).decode().splitlines():
        pass


def main():
    weft, program, folder = sys.argv[1:]
    pathlib.Path(folder).mkdir()
    os.chdir(folder)  # paths of sockets are short
    service_manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    service_manager.bind('notify')
    service_manager.settimeout(SECONDS)
    subprocess.run([weft, 'keys', 'generate', 'web-shop.keys'], check=True, stdout=subprocess.DEVNULL)
    environment = dict(os.environ, WEB_SHOP_LISTEN='unix:web', WEB_SHOP_ADMIN='unix:admin',
                       NOTIFY_SOCKET=os.path.abspath('notify'))
    with subprocess.Popen([program], env=environment, stdout=subprocess.PIPE, text=True) as running:
        try:
            wait_until_ready(service_manager)
            job = ask('web', 'POST', '/greetings', 'Ada').strip()
            said = running.stdout.readline()
            assert said == 'hello, Ada\n', said
            ask('admin', 'GET', '/readyz')
            running.send_signal(signal.SIGTERM)
            assert running.wait(SECONDS) == 0, running.returncode
        finally:
            if running.poll() is None:
                running.kill()
    shown = subprocess.run([weft, 'jobs', 'show', job, '--db', 'sqlite:web-shop.db', '--keys', 'web-shop.keys'],
                           check=True, capture_output=True, text=True).stdout
    assert 'done' in shown, shown


main()
