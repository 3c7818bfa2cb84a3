"""The older worker protocol, that of Perl's AnyEvent::Task: a client's side of one connection.

Written from the protocol's description alone, with the standard library alone, so that what it agrees with
is the description and not weft. `Connection` is low on purpose: tests say each byte themselves.
"""

import json
import socket


def address_family(address):
    """("unix", path) or (host, port) of "unix:/path" and "host:port"."""
    if address.startswith("unix:"):
        return socket.AF_UNIX, address[len("unix:"):]
    host, _, port = address.rpartition(":")
    return socket.AF_INET, (host.strip("[]"), int(port))


def encode(message):
    """A message as the Perl client writes it: no white space, no escapes that need not be."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def call(*arguments):
    return encode(["do", {}, *arguments])


RELEASE = encode(["dn", {}])


class Ended(Exception):
    """The other side closed its end, or half a message came before it did."""


class Connection:
    """One connection, hence one worker."""

    def __init__(self, address, timeout=20):
        family, where = address_family(address)
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.socket.connect(where)
        self.buffer = ""
        self.raw = b""
        self.heard = b""  # all that came

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def send_bytewise(self, data):
        if self.socket.family == socket.AF_INET:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(len(data)):
            self.socket.sendall(data[at:at + 1])

    def end_writing(self):
        self.socket.shutdown(socket.SHUT_WR)

    def receive(self):
        """The next message."""
        decoder = json.JSONDecoder()
        while True:
            text = self.buffer.lstrip(" \t\r\n")
            if text:
                try:
                    value, end = decoder.raw_decode(text)
                    self.buffer = text[end:]
                    return value
                except json.JSONDecodeError:
                    pass
            self.fill()

    def fill(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionError:
            data = b""
        if not data:
            raise Ended(self.buffer)
        self.raw += data
        self.heard += data
        # What is cut inside a character waits for its rest.
        text = self.raw.decode("utf-8", errors="ignore")
        self.raw = self.raw[len(text.encode("utf-8")):]
        self.buffer += text

    def receive_end(self):
        """True if nothing but the end comes."""
        try:
            self.fill()
        except Ended:
            return self.buffer.strip() == ""
        return False

    def receive_until_end(self):
        """All messages until the end."""
        messages = []
        try:
            while True:
                messages.append(self.receive())
        except Ended:
            return messages

    def ask(self, *arguments):
        """Calls, and gives the whole reply."""
        self.send(call(*arguments))
        return self.receive()

    def ok(self, *arguments):
        """Calls what succeeds, and gives its value."""
        code, _, value = self.ask(*arguments)
        assert code == "ok", (code, value)
        return value
