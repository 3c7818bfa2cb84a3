"""The older worker protocol, that of Perl's AnyEvent::Task: a fork server and its workers.

Written from the protocol's description alone, with the standard library alone. As there, a worker that meets
anything it cannot read ends without a word, and nobody is told.

    old_server.py ADDRESS DIARY [--setup-failures N] [--hung SECONDS] [--clock SECONDS] [--accept-late]

It prints its address, and writes into DIARY what each worker heard and did, a JSON array a line: [pid, word, value].
"""

import argparse
import json
import os
import select
import signal
import socket
import sys
import time

OPTIONS = None
SETUPS = 0
LOG = None


def note(word, value=None):
    line = json.dumps([os.getpid(), word, value]) + "\n"
    try:
        descriptor = os.open(OPTIONS.diary, os.O_WRONLY | os.O_APPEND)
    except FileNotFoundError:
        return  # the test is over and its folder goes: a worker may be a little behind its client's end
    os.write(descriptor, line.encode())
    os.close(descriptor)


def end(why):
    """Always with status 1, and without a word."""
    note("end", why)
    os._exit(1)


class Raised(Exception):
    """What an interface raises: any value."""


# --- the interface ---

def now():
    """By a clock that may be ahead or behind."""
    return time.time() + OPTIONS.clock


def logger():
    """The log of the running call, made at its first use."""
    global LOG
    if LOG is None:
        LOG = {"start": now()}
    return LOG


def log(level, *items):
    entry = logger()
    entry.setdefault("logs", []).append([now() - entry["start"], level, *items])


def logs_of_all_kinds():
    log(10, "e tag")
    log(20, "w tag", {"detail": [1, "two"]})
    log(30, "i tag")
    log(40, "d tag")
    log(25, "several", "items", 3)
    logger()["timers"] = [["worker tag", 0.000266, 0.020485], ["open", now() - logger()["start"]]]
    logger()["data"] = {"worker_tag": "tag", "shared": "worker", "count": 7, "deep": [1]}
    return "tag"


def logs_and_fails():
    log(20, "about to fail")
    raise Raised("boom\n")


def fail(value):
    raise Raised(value)


def sleep(seconds):
    time.sleep(seconds)
    return "slept"


def answer_raw(text):
    os.write(CONNECTION.fileno(), text.encode("utf-8", "surrogatepass"))
    return None


INTERFACE = {
    "echo": lambda value: value,
    "echo_args": lambda *values: list(values),
    "null": lambda: None,
    "sum": lambda one, other: one + other,
    "pid": os.getpid,
    "fail": fail,
    "exit_now": lambda status: os._exit(status),
    "sleep": sleep,
    "setups": lambda: SETUPS,
    "logs": logs_of_all_kinds,
    "logs_and_fails": logs_and_fails,
    "bytewise": None,
    "raw": None,
}


def serve_call(arguments):
    """("ok" or "er", value)."""
    global SETUPS
    SETUPS += 1 if SETUPS <= OPTIONS.setup_failures else 0
    if 0 < SETUPS <= OPTIONS.setup_failures:
        return "er", "setup exception: no database at setup line 1.\n"
    name = arguments[0] if arguments else None
    if not isinstance(name, str) or INTERFACE.get(name) is None:
        return "er", "Can't use an undefined value as a subroutine reference at Server.pm line 123.\n"
    try:
        return "ok", INTERFACE[name](*arguments[1:])
    except Raised as raised:
        return "er", raised.args[0]


# --- messages ---

class Incremental:
    """Values that follow each other, found by counting brackets, whatever the cuts."""

    def __init__(self):
        self.data = bytearray()
        self.seen = self.depth = 0
        self.in_text = self.escaped = False

    def add(self, data):
        self.data += data

    def next(self):
        """The next array; None while it is not complete; ValueError where it can never be one."""
        if self.depth == 0:
            while self.data and self.data[0] in b" \t\r\n":
                del self.data[0]
            if self.data and self.data[0] != ord("["):
                raise ValueError("no array")
        while self.seen < len(self.data):
            byte = self.data[self.seen]
            self.seen += 1
            if self.escaped:
                self.escaped = False
            elif self.in_text:
                self.in_text = byte != ord('"')
                self.escaped = byte == ord("\\")
            elif byte == ord('"'):
                self.in_text = True
            elif byte in b"[{":
                self.depth += 1
                if self.depth > 512:
                    raise ValueError("too deep")
            elif byte in b"]}":
                self.depth -= 1
                if self.depth == 0:
                    value = json.loads(self.data[:self.seen].decode("utf-8"))
                    del self.data[:self.seen]
                    self.seen = 0
                    return value
        return None


def write(data):
    CONNECTION.sendall(data)


def reply(code, value):
    global LOG
    meta = {"ld": LOG} if LOG is not None else {}
    LOG = None
    write(json.dumps([code, meta, value], ensure_ascii=False, separators=(",", ":")).encode())


def serve(message):
    if message[:1] == ["dn"]:
        note("done")
        return
    if message[:1] != ["do"]:
        raise ValueError("another word")
    arguments = message[2:]
    if arguments[:1] == ["bytewise"]:
        for byte in json.dumps(["ok", {}, arguments[1]], ensure_ascii=False).encode():
            write(bytes([byte]))
            time.sleep(0.0005)
    elif arguments[:1] == ["raw"]:
        write(arguments[1].encode("latin-1"))
    else:
        reply(*serve_call(arguments))


def hung(*_):
    sys.stderr.write(f"Killing hung worker ({os.getpid()})\n")
    end("hung")


def work(connection):
    global CONNECTION
    CONNECTION = connection
    signal.signal(signal.SIGALRM, hung)
    messages = Incremental()
    accepts = OPTIONS.accept_late
    note("begin")
    while True:
        select.select([connection], [], [])
        signal.alarm(OPTIONS.hung)
        data = connection.recv(4096)
        if not data:
            end("gone")
        note("heard", data.decode("latin-1"))
        messages.add(data)
        try:
            while (message := messages.next()) is not None:
                if accepts:
                    # As a worker of weft under load: it accepts the offer when nobody waits for that any more.
                    write(b"\x89]weft\r\n")
                    accepts = False
                serve(message)
        except (ValueError, IndexError) as bad:
            end(f"malformed: {bad}")
        signal.alarm(0)


def listen(address):
    if address.startswith("unix:"):
        path = address[len("unix:"):]
        if os.path.exists(path):
            os.unlink(path)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(path)
        listener.listen(128)
        return listener, address
    host, _, port = address.rpartition(":")
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, int(port)))
    listener.listen(128)
    return listener, f"{host}:{listener.getsockname()[1]}"


def main():
    global OPTIONS
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("diary")
    parser.add_argument("--setup-failures", type=int, default=0)
    parser.add_argument("--hung", type=int, default=300)
    parser.add_argument("--clock", type=float, default=0)
    parser.add_argument("--accept-late", action="store_true")
    OPTIONS = parser.parse_args()
    open(OPTIONS.diary, "a").close()
    listener, address = listen(OPTIONS.address)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print(address, flush=True)
    while True:
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            work(connection)
        connection.close()


if __name__ == "__main__":
    main()
