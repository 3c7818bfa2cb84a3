"""A worker of weft's server before a client of the older protocol."""

import json
import os
import socket
import threading
import unittest

import harness
from peer import RELEASE, Connection, Ended, call, encode

PROGRAM = []


class Case(unittest.TestCase):
    transport = "unix"

    def start(self, kind="map", hung_ms=60_000, bytes_max=1_000_000, environment=None):
        self.server = harness.Program(self, PROGRAM[0], harness.Folder(self).address(self.transport), kind,
                                      str(hung_ms), str(bytes_max), environment=environment)
        return self.server

    def connect(self):
        one = Connection(self.server.address)
        self.addCleanup(one.close)
        return one

    def assert_said(self, text):
        """A worker's last words pass through the server, which may be a little behind its end."""
        self.server.end()
        self.assertIn(text, self.server.said())


class Captured(Case):
    """The exchanges that were captured between a Perl client and a Perl server, byte for byte."""

    def exchange(self, said, heard):
        with Connection(self.server.address) as one:
            one.send(said.encode())
            one.receive()
            self.assertEqual(one.heard, heard.encode())

    def test_values(self):
        self.start()
        for said, heard in (
                (r'["do",{},"echo","hello"]', r'["ok",{},"hello"]'),
                (r'["do",{},"null"]', r'["ok",{},null]'),
                (r'["do",{},"echo_args",1,"1",1.5,null,true,[],{"a":1}]',
                 r'["ok",{},[1,"1",1.5,null,true,[],{"a":1}]]'),
                (r'["do",{},"echo","λ😀\n\"\\/\u0000"]', r'["ok",{},"λ😀\n\"\\/\u0000"]'),
                (r'["do",{},"fail","newline\n"]', r'["er",{},"newline\n"]'),
                (r'["do",{},"fail_data",{"code":42}]', r'["er",{},{"code":42}]'),
                (r'["do",{},"echo_args",1.0,1e3,-0]', r'["ok",{},[1,1000,0]]'),
                (r'["do",{},"echo_args",18446744073709551615,18446744073709551616]',
                 r'["ok",{},[18446744073709551615,"18446744073709551616"]]'),
                ('["do",{},"echo_args",1e-400,%s]' % ("7" * 400), '["ok",{},[0,"%s"]]' % ("7" * 400)),
                ('["do",{},"echo","/\x7f"]', '["ok",{},"/\x7f"]'),
                (r'["do",{},"echo_args",{"a":1,"a":2}]', r'["ok",{},[{"a":2}]]'),
                (r'["do",{},"echo","\ud83d\ude00"]', r'["ok",{},"😀"]'),
                (r'["do",{"x":1},"echo",1]', r'["ok",{},1]'),
                (r'["do",null,"echo",1]', r'["ok",{},1]')):
            with self.subTest(said):
                self.exchange(said, heard)

    def test_function_calls(self):
        self.start("single")
        for said, heard in ((r'["do",{}]', r'["ok",{},"no-args"]'), (r'["do"]', r'["ok",{},"no-args"]'),
                            (r'["do",{},"hash","pw"]', r'["ok",{},["hash","pw"]]'),
                            (r'["do","echo",1]', r'["ok",{},[1]]'),
                            (r'["do",{},{"any":[1]}]', r'["ok",{},[{"any":[1]}]]')):
            with self.subTest(said):
                self.exchange(said, heard)

    def test_a_worker_goes_on_after_an_error_until_its_client_ends(self):
        self.start()
        with self.connect() as one:
            self.assertEqual(one.ask("fail", "one"), ["er", {}, "one"])
            self.assertEqual(one.ok("echo", "still same worker"), "still same worker")
            one.end_writing()
            self.assertTrue(one.receive_end())

    def test_worker_death_is_the_end_of_the_connection(self):
        self.start()
        for arguments in (("exit_now", 1), ("weft_exit", 0), ("die",)):
            with self.subTest(arguments), self.connect() as one:
                one.send(call(*arguments))
                self.assertTrue(one.receive_end())

    def test_max_checkouts(self):
        self.start()
        with self.connect() as one:
            pid = one.ok("pid")
            one.send(RELEASE)
            self.assertEqual(one.ok("pid"), pid)
            one.send(RELEASE)
        self.assertTrue(harness.wait_until_gone(pid))


class Order(Case):
    def test_replies_come_in_order_one_for_each_call(self):
        self.start()
        with self.connect() as one:
            one.send(b"".join(call("echo", i) for i in range(500)))
            self.assertEqual([one.receive()[2] for _ in range(500)], list(range(500)))

    def test_a_slow_call_is_answered_before_the_next(self):
        self.start()
        with self.connect() as one:
            one.send(call("sleep_ms", 50) + call("echo", 2))
            self.assertEqual([one.receive()[2], one.receive()[2]], [None, 2])

    def test_releases_between_calls_are_not_answered(self):
        self.start()
        with self.connect() as one:
            one.send(call("echo", 1) + RELEASE + call("checkouts_done") + RELEASE + b'["dn"]' +
                     b'["dn",{},"more",1]' + call("checkouts_done"))
            self.assertEqual([one.receive()[2] for _ in range(3)], [1, 1, 4])

    def test_a_release_may_come_before_any_call(self):
        self.start()
        with self.connect() as one:
            one.send(RELEASE)
            self.assertEqual(one.ok("checkouts_done"), 1)
            self.assertEqual(one.ok("setups"), 1)

    def test_each_connection_has_a_worker_of_its_own(self):
        self.start()
        with self.connect() as one, self.connect() as other:
            self.assertNotEqual(one.ok("pid"), other.ok("pid"))
            self.assertEqual(one.ok("pid"), one.ok("pid"))

    def test_what_a_function_defers_is_done_when_it_ends(self):
        self.start()
        with self.connect() as one:
            one.ok("defer")
            self.assertEqual(one.ok("deferred"), "x")


class Framing(Case):
    several = (call("echo", "λ😀 ]}\"[{\\") + b" \n\t" + call("echo_args", [[], {}], {"a": "\\\""}) + RELEASE +
               b"\n [ \"do\" , {} , \"echo\" , [ 1 , 2.5 ] ] ")
    replies = [["ok", {}, "λ😀 ]}\"[{\\"], ["ok", {}, [[[], {}], {"a": "\\\""}]], ["ok", {}, [1, 2.5]]]

    def test_one_byte_at_a_time(self):
        self.start()
        with self.connect() as one:
            one.send_bytewise(self.several)
            self.assertEqual([one.receive() for _ in range(3)], self.replies)

    def test_cut_in_two_anywhere(self):
        self.start()
        with self.connect() as one:
            for cut in range(1, len(self.several)):
                one.send(self.several[:cut])
                one.send(self.several[cut:])
                self.assertEqual([one.receive() for _ in range(3)], self.replies, cut)

    def test_a_pause_inside_a_message_is_not_limited(self):
        self.start(hung_ms=2000)
        with self.connect() as one:
            one.send(b'["do",{},"ec')
            self.assertFalse(self.ends_within(one, 2.3))
            one.send(b'ho",1]')
            self.assertEqual(one.receive(), ["ok", {}, 1])

    def ends_within(self, one, seconds):
        one.socket.settimeout(seconds)
        try:
            return one.receive_end()
        except socket.timeout:
            return False
        finally:
            one.socket.settimeout(20)

    def test_nesting_is_limited_to_512_with_the_message_itself(self):
        self.start()
        with self.connect() as one:
            deep = "[" * 511 + "]" * 511
            one.send(('["do",{},"echo",' + deep + "]").encode())
            one.receive()
            self.assertEqual(one.heard, ('["ok",{},' + deep + "]").encode())
            one.send(('["do",{},"echo",[' + deep + "]]").encode())
            self.assertTrue(one.receive_end())

    def test_what_is_sent_has_no_more_than_512_levels(self):
        self.start()
        with self.connect() as one:
            deep = "[" * 511 + "1" + "]" * 511
            for name, code in (("nested", "ok"), ("fail_nested", "er")):
                self.assertEqual(one.ask(name, 511)[0], code)
                self.assertTrue(one.heard.endswith((f'["{code}",{{}},' + deep + "]").encode()))
                self.assertTrue(one.ask(name, 512)[2].startswith("error JSON encoding interface output: "))
                self.assertEqual(one.ok("echo", 1), 1)

    def test_many_values_of_few_bytes_end_the_worker(self):
        self.start(bytes_max=1_000_000)
        with self.connect() as one:
            some = [[]] * 120_000
            self.assertEqual(one.ok("echo", some), some)
            one.send(call("echo", [[]] * 300_000))
            self.assertTrue(one.receive_end())
        self.assert_said("more than 125000 values")

    def test_large_messages_pass_both_ways(self):
        self.start(bytes_max=6_000_000)
        text = "x" * 5_000_000
        with self.connect() as one:
            sender = threading.Thread(target=one.send, args=(call("echo", text),))
            sender.start()
            data = b""
            while not data.endswith(b'x"]'):
                data += one.socket.recv(1 << 20)
            sender.join()
            self.assertEqual(len(data), len(text) + len('["ok",{},""]'))

    def test_a_message_over_the_limit_ends_the_worker(self):
        self.start(bytes_max=1000)
        with self.connect() as one:
            self.assertEqual(one.ok("echo", "x" * 900), "x" * 900)
            one.send(call("echo", "x" * 1000))
            self.assertTrue(one.receive_end())
        self.assert_said("more than 1000 bytes")

    def test_all_bytes_come_back(self):
        self.start()
        characters = "".join(map(chr, range(256)))
        with self.connect() as one:
            self.assertEqual(one.ok("bytes", characters), characters)
            self.assertEqual(one.ask("bytes", "\u0100")[0], "er")


class Malformed(Case):
    """The worker ends without a reply, after the replies that were due, and says why in its log."""

    def test_what_is_no_message(self):
        self.start()
        for bad in (b",", b"1", b'"do"', b"{}", b"null", b"[]", b'[1]', b'["xx",{}]', b'["do",{},"echo",]',
                    b'["do",{},"echo",tru]', b'["do",{},"echo",inf]', b'["do",{},"echo","\\ud800"]',
                    b'["do",{},"echo","\xff"]', b'["do",{},"echo","\xc0\x80"]', b'["do"}', b"\xef\xbb\xbf[]",
                    b"\x89]wrong\r\n", b"\x89X", b"\x89]wef\xff", b"\0", b"GET / HTTP/1.1\r\n\r\n", RELEASE + b"," + RELEASE):
            with self.subTest(bad), self.connect() as one:
                one.send(bad)
                self.assertTrue(one.receive_end())
        with self.connect() as one:
            self.assertEqual(one.ok("echo", 1), 1)
        self.assert_said("a message cannot be read")

    def test_replies_that_are_due_are_sent_before(self):
        self.start()
        with self.connect() as one:
            one.send(call("echo", 1) + call("echo", 2) + b"," + call("echo", 3))
            self.assertEqual(one.receive_until_end(), [["ok", {}, 1], ["ok", {}, 2]])

    def test_half_a_message_and_the_end(self):
        self.start()
        with self.connect() as one:
            one.send(call("echo", 1) + b'["do",{},"echo","')
            one.end_writing()
            self.assertEqual(one.receive_until_end(), [["ok", {}, 1]])
        self.assert_said("ended inside a message")


class Life(Case):
    def test_half_close_is_answered_and_then_the_end(self):
        self.start()
        with self.connect() as one:
            one.send(call("sleep_ms", 50) + call("echo", "last"))
            one.end_writing()
            self.assertEqual(one.receive_until_end(), [["ok", {}, None], ["ok", {}, "last"]])

    def test_a_client_that_goes_ends_its_worker(self):
        self.start()
        with self.connect() as one:
            pid = one.ok("pid")
        self.assertTrue(harness.wait_until_gone(pid))

    def test_setup_fails_for_one_call_and_is_tried_again(self):
        self.start(environment={"WEFT_TEST_SETUP_FAILURES": "2"})
        with self.connect() as one:
            for _ in range(2):
                self.assertEqual(one.ask("echo", 1), ["er", {}, "setup exception: no database"])
            self.assertEqual(one.ok("echo", 1), 1)
            self.assertEqual(one.ok("setups"), 3)

    def test_checkout_done_that_fails_ends_the_worker(self):
        self.start()
        with self.connect() as one:
            one.ok("fail_at_done")
            one.send(RELEASE + call("echo", 1))
            self.assertTrue(one.receive_end())
        self.assert_said("rollback failed")

    def test_a_hung_worker_is_killed(self):
        self.start(hung_ms=2000)
        with self.connect() as one:
            one.send(call("echo", 1) + call("block_ms", 60_000))
            self.assertEqual(one.receive_until_end(), [["ok", {}, 1]])
        self.assert_said("hung_worker_timeout")

    def test_the_limit_is_for_each_call(self):
        self.start(hung_ms=4000)
        with self.connect() as one:
            one.send(call("block_ms", 1100) * 4)
            self.assertEqual([one.receive()[0] for _ in range(4)], ["ok"] * 4)

    def test_many_connections_leave_nothing_behind(self):
        self.start()
        with self.connect() as one:
            one.ok("pid")
        descriptors = f"/proc/{self.server.process.pid}/fd"
        before = len(os.listdir(descriptors))
        for _ in range(50):
            with Connection(self.server.address) as each:
                pid = each.ok("pid")
            self.assertTrue(harness.wait_until_gone(pid))
        with self.connect() as one:
            one.ok("pid")
            self.assertLessEqual(len(os.listdir(descriptors)), before + 6)


class Errors(Case):
    def test_what_a_function_throws(self):
        self.start()
        with self.connect() as one:
            self.assertEqual(one.ask("fail", "no newline"), ["er", {}, "no newline"])
            self.assertEqual(one.ask("fail", ""), ["er", {}, ""])
            self.assertEqual(one.ask("fail_data", [1, None]), ["er", {}, [1, None]])
            self.assertEqual(one.ask("fail_number")[0], "er")

    def test_what_cannot_be_called(self):
        self.start()
        with self.connect() as one:
            for arguments in ((), ("no_such",), (1,), ("",), ("sum", 1), ("sum", 1, 2, 3), ("sum", "1", 2),
                              ("text", 1), ("raw_text",)):
                with self.subTest(arguments):
                    self.assertEqual(one.ask(*arguments)[0], "er")
            self.assertRegex(one.ask("no_such")[2],
                             r"^Can't use an undefined value as a subroutine reference at .*\"no_such\"\.\n$")
            self.assertIn('"' + "λ" * 32 + '"', one.ask("λ" * 50)[2])
            self.assertIn('"x' + "λ" * 31 + '"', one.ask("x" + "λ" * 50)[2])
            self.assertEqual(one.ok("sum", 40, 2), 42)
            self.assertEqual(one.ok("real", 2), 2)


    def test_what_cannot_be_written(self):
        self.start()
        with self.connect() as one:
            for name in ("raw_text", "infinite"):
                code, _, error = one.ask(name)
                self.assertEqual(code, "er")
                self.assertTrue(error.startswith("error JSON encoding interface output: "), error)
            self.assertEqual(one.ok("echo", 1), 1)

    def test_a_number_that_no_double_holds_costs_its_call_only(self):
        self.start()
        with self.connect() as one:
            for number in (b"1e400", b"-1e400", b"[1e400]", b'{"a":1.5e99999}'):
                one.send(b'["do",{},"echo",' + number + b"]")
                code, _, error = one.receive()
                self.assertEqual(code, "er")
                self.assertTrue(error.startswith("error JSON encoding interface output: "), error)
            one.send(b'["do",{},"null",1e400]')
            self.assertEqual(one.receive()[0], "er")
            self.assertEqual(one.ok("echo", 1), 1)


class Logs(Case):
    def test_a_reply_brings_what_was_logged(self):
        self.start()
        with self.connect() as one:
            code, meta, value = one.ask("log", "tag")
            self.assertEqual((code, value), ("ok", "tag"))
            log = meta["ld"]
            self.assertEqual(set(meta), {"ld"})
            self.assertEqual(set(log), {"start", "logs", "timers", "data"})
            self.assertGreater(log["start"], 1.7e9)
            self.assertEqual([entry[1:] for entry in log["logs"]],
                             [[10, "e tag"], [20, "w tag", {"detail": 1}], [30, "i tag"], [40, "d tag"]])
            times = [entry[0] for entry in log["logs"]]
            self.assertEqual(times, sorted(times))
            self.assertTrue(all(0 <= time < 20 for time in times))
            [(name, begin, end)] = log["timers"]
            self.assertEqual(name, "worker tag")
            self.assertLessEqual(begin, end)
            self.assertEqual(log["data"], {"worker": "tag"})

    def test_levels_of_their_own_structures_and_timers(self):
        self.start()
        with self.connect() as one:
            log = one.ask("log_by_handle")[1]["ld"]
            self.assertEqual([entry[1:] for entry in log["logs"]],
                             [[25, "custom", {"detail": [1, "two"]}], [10, "made when kept"]])
            self.assertEqual([timer[0] for timer in log["timers"]], ["same", "same", "running"])
            self.assertEqual([len(timer) for timer in log["timers"]], [3, 3, 2])
            self.assertEqual(log["data"], {"shape": {"a": []}, "n": 1})

    def test_verbosity(self):
        self.start()
        with self.connect() as one:
            for verbosity, kept in ((10, [10]), (25, [10, 20, 25]), (100, [10, 20, 25, 30, 40])):
                log = one.ask("log_up_to", verbosity)[1]["ld"]
                self.assertEqual([entry[1] for entry in log["logs"]], kept)
            self.assertEqual(one.ask("log_up_to", 5), ["ok", {}, None])

    def test_a_log_that_json_cannot_hold_is_left_out(self):
        self.start()
        with self.connect() as one:
            self.assertEqual(one.ask("log_unwritable"), ["ok", {}, 1])

    def test_an_error_brings_it_too_and_the_next_call_none(self):
        self.start()
        with self.connect() as one:
            code, meta, error = one.ask("log_and_fail")
            self.assertEqual((code, error), ("er", "boom"))
            self.assertEqual(set(meta["ld"]), {"start", "logs"})
            self.assertEqual(one.ask("echo", 1), ["ok", {}, 1])


class Recognition(Case):
    """How a client of weft finds out that this server speaks its own protocol, too."""

    offer = b" \t\r\n\t \r\n"
    accepted = b"\x89]weft\r\n"

    def read(self, one, count):
        data = b""
        while len(data) < count:
            data += one.socket.recv(count - len(data))
        return data

    def test_an_offer_is_accepted_at_once(self):
        self.start()
        with self.connect() as one:
            one.send_bytewise(self.offer)
            self.assertEqual(self.read(one, 8), self.accepted)

    def test_json_may_follow_an_offer(self):
        self.start()
        with self.connect() as one:
            one.send(self.offer + call("echo", 1))
            self.assertEqual(self.read(one, 8), self.accepted)
            self.assertEqual(one.receive(), ["ok", {}, 1])

    def test_other_white_space_is_no_offer(self):
        self.start()
        for space in (b" ", self.offer[:7], b"\n" * 9, self.offer[:4] + b" " + self.offer[4:]):
            with self.subTest(space), self.connect() as one:
                one.send(space + call("echo", 1))
                self.assertEqual(one.receive(), ["ok", {}, 1])
                self.assertEqual(one.heard, b'["ok",{},1]')


def over_tcp(case):
    return type(case.__name__ + "OverTcp", (case,), {"transport": "tcp"})


CapturedOverTcp = over_tcp(Captured)
OrderOverTcp = over_tcp(Order)
FramingOverTcp = over_tcp(Framing)
MalformedOverTcp = over_tcp(Malformed)
LifeOverTcp = over_tcp(Life)
RecognitionOverTcp = over_tcp(Recognition)

if __name__ == "__main__":
    harness.main(PROGRAM)
