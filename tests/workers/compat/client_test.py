"""A pool of weft before a server of the older protocol, and before one of its own kind."""

import json
import os
import signal
import sys
import unittest

import harness

PROGRAM = []
FOLDER = os.path.dirname(os.path.abspath(__file__))
OFFER = " \t\r\n\t \r\n"


class OldServer:
    """old_server.py, with its diary."""

    def __init__(self, test, *options, transport="unix"):
        self.folder = harness.Folder(test)
        self.diary = os.path.join(self.folder.path, "diary")
        open(self.diary, "w").close()
        self.program = harness.Program(test, sys.executable, "-B", os.path.join(FOLDER, "old_server.py"),
                                       self.folder.address(transport), self.diary, *options)
        self.address = self.program.address

    def entries(self, word=None):
        with open(self.diary) as diary:
            return [entry for entry in map(json.loads, diary) if word in (None, entry[1])]

    def workers(self):
        return [pid for pid, _, _ in self.entries("begin")]

    def heard(self, pid=None):
        """All that the worker read; of the first one unless said."""
        wanted = pid or self.workers()[0]
        return "".join(value for of, _, value in self.entries("heard") if of == wanted).encode("latin-1").decode()

    def wait_for_ends(self, client):
        """Ends the client and with it all workers, so that the diary is complete."""
        client.program.end()
        for pid in self.workers():
            assert harness.wait_until_gone(pid)


class Client:
    """client_program, led by commands."""

    def __init__(self, test, address, **pool):
        self.program = harness.Program(test, PROGRAM[0], address)
        self.tell("pool", pool)

    def tell(self, *command):
        self.program.process.stdin.write((json.dumps(command) + "\n").encode())
        self.program.process.stdin.flush()
        line = self.program.line()
        assert line, self.program.said()
        return json.loads(line)

    def call(self, *arguments, on=None):
        return self.tell("call", on, *arguments)

    def ok(self, *arguments, on=None):
        answer = self.call(*arguments, on=on)
        assert "ok" in answer, answer
        return answer["ok"]


class Case(unittest.TestCase):
    transport = "unix"

    def start(self, *options, **pool):
        self.server = OldServer(self, *options, transport=self.transport)
        self.client = Client(self, self.server.address, **pool)
        return self.server, self.client


class Values(Case):
    def test_every_value_comes_back(self):
        _, client = self.start()
        for value in (None, True, False, 0, -1, 1, "1", 1.5, "", "λ😀\n\"\\/\u0000", [], {}, [[], {"a": [1, "1"]}],
                      2**63 - 1, -2**63, 2**63, 2**64 - 1, 0.1, 1e22, {"b": 1, "a": {"": None}}):
            with self.subTest(value):
                self.assertEqual(client.ok("echo", value), value)
                self.assertEqual(type(client.ok("echo", value)), type(value))

    def test_an_integer_beyond_64_bits_is_the_text_of_its_digits(self):
        _, client = self.start()
        self.assertEqual(client.ok("raw", '["ok",{},18446744073709551616]'), "18446744073709551616")

    def test_typed_values_come_back(self):
        _, client = self.start()
        self.assertEqual(client.tell("typed"), {"ok": True})

    def test_any_number_of_arguments(self):
        _, client = self.start()
        self.assertEqual(client.ok("echo_args"), [])
        self.assertEqual(client.ok("echo_args", 1, "two", [3]), [1, "two", [3]])

    def test_nesting(self):
        _, client = self.start()
        for depth in (64, 65, 500):
            deep = {"a": 1}
            for _ in range(depth):
                deep = [deep]
            self.assertEqual(client.ok("echo", deep), deep)
        self.assertEqual(client.call("raw", "[" * 511 + "]" * 511)["error"], "malformed")
        self.assertEqual(client.call("raw", '["ok",{},' + "[" * 512 + "]" * 512 + "]")["error"], "too_large")
        self.assertEqual(client.ok("echo", 1), 1)

    def test_what_cannot_be_sent_costs_no_worker(self):
        _, client = self.start(bytes_max=5000)
        client.tell("checkout", "a")
        pid = client.ok("pid", on="a")
        self.assertEqual(client.tell("nested", 511), {"ok": True})
        self.assertEqual(client.tell("nested", 512)["error"], "too_large")
        self.assertEqual(client.tell("bad name")["error"], "invalid_argument")
        # The bound is the whole message's, which is 5000 bytes here.
        most = 5000 - len('["do",{},"echo",""]')
        self.assertEqual(len(client.ok("echo", "x" * most, on="a")), most)
        self.assertEqual(client.call("echo", "x" * (most + 1), on="a")["error"], "too_large")
        self.assertEqual(client.ok("pid", on="a"), pid)

    def test_large_values(self):
        _, client = self.start()
        text = "λ" * 300_000
        self.assertEqual(client.ok("echo", text), text)


class Wire(Case):
    """What an old server hears, byte for byte."""

    def test_a_call_and_a_release(self):
        server, client = self.start()
        client.ok("echo", "λ")
        client.ok("echo_args", 1, "1", 1.0)
        both = OFFER + '["do",{},"echo","λ"]["dn",{}]["do",{},"echo_args",1,"1",1]["dn",{}]'
        server.wait_for_ends(client)
        self.assertEqual(server.heard(), both)

    def test_told_to_be_compatible_it_says_nothing_else(self):
        server, client = self.start(protocol="compatible")
        client.ok("null")
        both = '["do",{},"null"]["dn",{}]'
        server.wait_for_ends(client)
        self.assertEqual(server.heard(), both)

    def test_a_reply_may_come_byte_by_byte(self):
        _, client = self.start()
        self.assertEqual(client.ok("bytewise", {"λ": ["😀", "\"]"]}), {"λ": ["😀", "\"]"]})
        self.assertEqual(client.ok("echo", 1), 1)

    def test_a_function_without_a_name(self):
        server, client = self.start()
        self.assertEqual(client.call("")["error"], "remote_error")
        self.assertIn('["do",{}]', server.heard())

    def test_keys_of_meta_that_nobody_knows_are_passed_over(self):
        _, client = self.start()
        self.assertEqual(client.ok("raw", '["ok",{"sk":1,"x":[{}]},7]'), 7)
        self.assertEqual(client.ok("raw", ' ["ok" , null , 8] '), 8)


class Errors(Case):
    def test_a_text_and_a_value(self):
        _, client = self.start()
        self.assertEqual(client.call("fail", "no newline at x line 1.\n"),
                         {"error": "remote_error", "text": "no newline at x line 1.\n"})
        self.assertEqual(client.call("fail", {"code": 42}), {"error": "raised_value", "value": {"code": 42}})
        self.assertEqual(client.call("no_such")["error"], "remote_error")

    def test_a_checkout_goes_on_after_an_error_and_ends_without_release(self):
        server, client = self.start()
        client.tell("checkout", "a")
        pid = client.ok("pid", on="a")
        client.call("fail", "x", on="a")
        self.assertEqual(client.ok("pid", on="a"), pid)
        client.tell("drop", "a")
        self.assertTrue(harness.wait_until_gone(pid))
        self.assertEqual(server.entries("done"), [])
        self.assertNotEqual(client.ok("pid"), pid)

    def test_a_worker_may_be_kept_after_an_error(self):
        server, client = self.start(keep=True)
        pid = client.ok("pid")
        client.call("fail", "x")
        self.assertEqual(client.ok("pid"), pid)
        self.assertEqual(len(server.workers()), 1)

    def test_setup_is_tried_again(self):
        _, client = self.start("--setup-failures", "1", keep=True)
        self.assertEqual(client.call("echo", 1),
                         {"error": "remote_error", "text": "setup exception: no database at setup line 1.\n"})
        self.assertEqual(client.ok("echo", 1), 1)

    def test_closures_are_refused(self):
        _, client = self.start()
        client.ok("null")
        answer = client.tell("closure")
        self.assertEqual(answer["error"], "unsupported")
        self.assertIn("compatible protocol", answer["text"])
        self.assertEqual(client.ok("echo", 1), 1)

    def test_a_closure_that_has_no_time_to_find_out_is_counted(self):
        _, client = self.start(timeout_ms=1000)
        self.assertEqual(client.tell("closure")["error"], "call_timed_out")
        self.assertEqual(client.tell("statistics")["timeouts"], 1)


class Life(Case):
    def test_a_worker_serves_one_checkout_after_the_other(self):
        server, client = self.start()
        pids = {client.ok("pid") for _ in range(20)}
        self.assertEqual(len(pids), 1)
        server.wait_for_ends(client)
        self.assertEqual(server.workers(), list(pids))
        self.assertEqual(len(server.entries("done")), 20)

    def test_a_checkout_has_its_worker_alone(self):
        _, client = self.start()
        client.tell("checkout", "a")
        client.tell("checkout", "b")
        one, other = client.ok("pid", on="a"), client.ok("pid", on="b")
        self.assertNotEqual(one, other)
        self.assertEqual(client.ok("pid", on="a"), one)

    def test_max_checkouts_releases_and_then_closes(self):
        server, client = self.start(max_checkouts=2)
        first = client.ok("pid")
        self.assertEqual(client.ok("pid"), first)
        self.assertNotEqual(client.ok("pid"), first)
        self.assertTrue(harness.wait_until_gone(first))
        self.assertEqual(server.heard(first), OFFER + '["do",{},"pid"]["dn",{}]' * 2)

    def test_death(self):
        _, client = self.start()
        client.tell("checkout", "a")
        for _ in range(2):  # broken for good
            self.assertEqual(client.call("exit_now", 1, on="a")["error"], "worker_died")
        self.assertEqual(client.ok("echo", 1), 1)

    def test_an_idle_worker_that_died_is_not_used(self):
        _, client = self.start()
        pid = client.ok("pid")
        os.kill(pid, signal.SIGKILL)
        self.assertTrue(harness.wait_until_gone(pid))
        self.assertNotEqual(client.ok("pid"), pid)

    def test_a_timeout_closes_without_a_word(self):
        server, client = self.start(timeout_ms=4000)
        client.ok("null")
        pid = client.ok("pid")
        self.assertEqual(client.call("sleep", 6)["error"], "call_timed_out")
        self.assertNotEqual(client.ok("pid"), pid)
        self.assertTrue(harness.wait_until_gone(pid))
        self.assertTrue(server.heard(pid).endswith('["do",{},"sleep",6]'))

    def test_a_hung_worker(self):
        _, client = self.start("--hung", "1")
        self.assertEqual(client.call("sleep", 60)["error"], "worker_died")

    def test_many_at_once_stay_within_the_limit(self):
        server, client = self.start(max_workers=4)
        self.assertEqual(client.tell("many", 40, 10), 400)
        self.assertLessEqual(len(server.workers()), 4)
        self.assertEqual(client.tell("statistics")["deaths"], 0)

    def test_workers_in_advance(self):
        _, client = self.start(min_workers=3)
        self.assertEqual(client.tell("statistics")["alive"], 3)
        self.assertEqual(client.tell("many", 10, 10), 100)

    def test_the_end_of_the_client_ends_all_workers(self):
        server, client = self.start(min_workers=2)
        client.tell("many", 4, 2)
        server.wait_for_ends(client)


class Malformed(Case):
    """What no worker says: the connection is given up, and the pool goes on."""

    def test_replies_that_cannot_be_read(self):
        _, client = self.start()
        for bad in ('["ok",{},inf]', '["xx",{},1]', '["ok"]', '["ok",{}]', "{}", "[]", "null", ",", '["ok",{},"\xff"]',
                    "[" * 600, "\x89]wrong\r\n"):
            with self.subTest(bad):
                self.assertIn(client.call("raw", bad)["error"], ("malformed", "too_large"))
                self.assertEqual(client.ok("echo", 1), 1)

    def test_half_a_reply_is_a_timeout_and_no_hang(self):
        _, client = self.start(timeout_ms=4000)
        client.ok("null")
        self.assertEqual(client.call("raw", '["ok",{},')["error"], "call_timed_out")
        self.assertEqual(client.ok("echo", 1), 1)


class Logs(Case):
    """Merging, as the description of the protocol says it in 1.5."""

    def logged(self, *calls, where="in force", own=False):
        answers, around, its_own = self.client.tell("log", where, *calls)
        return answers, its_own if own else around

    def test_what_the_worker_logged_joins_the_callers_log(self):
        self.start()
        [answer], log = self.logged(["logs"])
        self.assertEqual(answer, {"ok": "tag"})
        self.assertEqual([entry[1:] for entry in log["logs"]],
                         [[10, "e tag"], [20, "w tag", {"detail": [1, "two"]}], [30, "i tag"], [40, "d tag"],
                          [25, "several items 3"]])
        self.assertEqual(log["data"], {"worker_tag": "tag", "shared": "worker", "caller": 1, "count": 7, "deep": [1]})

    def test_the_clients_timer_comes_before_those_of_the_worker(self):
        self.start()
        answers, log = self.logged(["logs"], ["null"], [""], ["logs"])
        self.assertEqual(len(answers), 4)
        self.assertEqual([timer[0] for timer in log["timers"]],
                         ["logs", "worker tag", "open", "null", "->()", "logs", "worker tag", "open"])

    def test_a_timer_that_runs_ends_with_its_call(self):
        self.start()
        _, log = self.logged(["logs"])
        [call, worker, runs] = log["timers"]
        self.assertAlmostEqual(worker[2] - worker[1], 0.020219, places=5)
        self.assertLessEqual(call[1], runs[1])
        self.assertLessEqual(runs[1], runs[2])
        self.assertEqual(runs[2], call[2])

    def test_clocks_that_differ(self):
        for skew in (-3600, 3600, -0.5, 0.5, 1e9):
            with self.subTest(skew):
                self.start("--clock", str(skew))
                _, log = self.logged(["null"], ["logs"])
                call = log["timers"][1]
                times = [entry[0] for entry in log["logs"]] + [time for timer in log["timers"] for time in timer[1:]]
                self.assertEqual(log["timers"][2][0], "worker tag")
                self.assertTrue(all(call[1] <= entry[0] <= call[2] for entry in log["logs"]), log)
                self.assertGreaterEqual(log["timers"][2][1], call[1])
                self.assertGreaterEqual(min(times), 0)
                # What the worker claims to have measured is longer than its call may have been.
                self.assertLessEqual(max(times), log["end"] + 0.021)

    def test_also_with_an_error(self):
        self.start()
        [answer], log = self.logged(["logs_and_fails"])
        self.assertEqual(answer, {"error": "remote_error", "text": "boom\n"})
        self.assertEqual([entry[1:] for entry in log["logs"]], [[20, "about to fail"]])
        self.assertEqual([timer[0] for timer in log["timers"]], ["logs_and_fails"])

    def test_a_call_that_logs_nothing_leaves_its_timer_alone(self):
        self.start()
        _, log = self.logged(["echo", 1])
        self.assertEqual(set(log), {"start", "end", "timers", "data"})
        [[name, begin, end]] = log["timers"]
        self.assertEqual(name, "echo")
        self.assertTrue(0 <= begin <= end <= log["end"])

    def test_a_checkout_may_have_a_log_of_its_own_or_none(self):
        self.start()
        _, around, own = self.client.tell("log", "own", ["logs"])
        self.assertEqual(set(around), {"start", "end", "data"})
        self.assertEqual(len(own["logs"]), 5)
        self.assertEqual([timer[0] for timer in own["timers"]], ["logs", "worker tag", "open"])
        self.assertEqual(own["data"]["shared"], "worker")
        _, around, own = self.client.tell("log", "none", ["logs"])
        self.assertEqual(set(around), {"start", "end", "data"})
        self.assertEqual(around["data"], {"shared": "caller", "caller": 1})
        self.assertEqual(set(own), {"start", "end"})

    def test_a_log_of_another_form_is_left_out(self):
        self.start()
        for odd in ("1", "{}", '{"start":"x"}', '{"start":1e300}', '{"start":1,"logs":{},"timers":[1,[]],"data":[]}',
                    '{"start":1,"logs":[[],[1],["x",30,"a"],[1e99,30,"b"],[0.5,true,"c"],null]}'):
            with self.subTest(odd):
                [answer], log = self.logged(["raw", f'["ok",{{"ld":{odd}}},5]'])
                self.assertEqual(answer, {"ok": 5})
                self.assertEqual(set(log), {"start", "end", "timers", "data"})


class Recognition(Case):
    def test_an_acceptance_that_comes_late_is_passed_over_and_remembered(self):
        server, client = self.start("--accept-late")
        self.assertEqual(client.ok("echo", 1), 1)
        # The next connection is for the native protocol, which this server only pretends to speak: nothing is called
        # before it has accepted.
        self.assertEqual(client.call("echo", 2)["error"], "unavailable")
        first, second = server.workers()
        self.assertEqual(server.heard(first), OFFER + '["do",{},"echo",1]["dn",{}]')
        self.assertEqual(server.heard(second), OFFER)
        self.assertEqual(client.ok("echo", 3), 3)

    def test_a_client_before_its_server(self):
        folder = harness.Folder(self)
        address = folder.address("unix")
        client = Client(self, address, timeout_ms=50)
        self.assertEqual(client.call("echo", 1)["error"], "unavailable")
        diary = os.path.join(folder.path, "diary")
        harness.Program(self, sys.executable, "-B", os.path.join(FOLDER, "old_server.py"), address, diary)
        client.tell("pool", {})
        self.assertEqual(client.ok("echo", 1), 1)

    def test_a_server_of_weft_is_spoken_to_natively(self):
        server = harness.Program(self, PROGRAM[1], harness.Folder(self).address(self.transport))
        client = Client(self, server.address)
        self.assertEqual(client.ok("sum", 40, 2), 42)
        pid = client.ok("pid")
        os.kill(pid, signal.SIGKILL)
        self.assertTrue(harness.wait_until_gone(pid))
        self.assertNotEqual(client.ok("pid"), pid)
        if self.transport == "unix":
            # Known only by the native protocol: how a worker died, and closures.
            self.assertIn("SIGABRT", client.call("die")["text"])
        for choice in ("native", "compatible", "automatic"):
            with self.subTest(choice):
                client.tell("pool", {"protocol": choice, "min_workers": 2})
                self.assertEqual(client.tell("many", 8, 20), 160)
                self.assertEqual(client.call("fail", "x")["text"], "x")

    def test_a_server_that_becomes_another_kind(self):
        folder = harness.Folder(self)
        address = folder.address("unix")
        diary = os.path.join(folder.path, "diary")
        old = (sys.executable, "-B", os.path.join(FOLDER, "old_server.py"), address, diary)
        first = harness.Program(self, *old)
        client = Client(self, address)
        pid = client.ok("pid")
        first.end()
        self.end_worker(pid)
        os.unlink(address[len("unix:"):])
        second = harness.Program(self, PROGRAM[1], address)
        # Known as an old one it is not waited for, but its acceptance is remembered.
        self.assertEqual(client.ok("sum", 1, 2), 3)
        self.assertIn("SIGABRT", client.call("die")["text"])
        pid = client.ok("pid")
        second.end()
        self.assertTrue(harness.wait_until_gone(pid))
        harness.Program(self, *old)
        self.assertEqual(client.call("sum", 1, 2)["error"], "unavailable")
        self.assertEqual(client.ok("sum", 1, 2), 3)
        self.assertEqual(client.call("die")["error"], "remote_error")

    def end_worker(self, pid):
        os.kill(pid, signal.SIGKILL)
        self.assertTrue(harness.wait_until_gone(pid))


def over_tcp(case):
    return type(case.__name__ + "OverTcp", (case,), {"transport": "tcp"})


ValuesOverTcp = over_tcp(Values)
WireOverTcp = over_tcp(Wire)
LifeOverTcp = over_tcp(Life)
RecognitionOverTcp = over_tcp(Recognition)

if __name__ == "__main__":
    harness.main(PROGRAM)
