#include "cli/call.hpp"

#include <csignal>
#include <stdexcept>
#include <thread>

#include <gtest/gtest.h>

#include <weft/codec/codec.hpp>
#include <weft/log/log.hpp>
#include <weft/process/child.hpp>
#include <weft/wire/json_value.hpp>
#include <weft/workers/errors.hpp>
#include <weft/workers/server.hpp>

#include "cli/run_weft.hpp"
#include "support/scratch_folder.hpp"

// `weft call` with a server of weft.

namespace {

using namespace std::chrono_literals;
using weft::wire::json_value;
using weft_test::command_outcome;

void throw_nested() {
  try {
    throw std::out_of_range("no brie");
  } catch (...) {
    std::throw_with_nested(std::runtime_error("no dinner"));
  }
}

class call_command : public testing::Test {
 protected:
  call_command() {
    address = "unix:" + folder_ / "socket";
    weft::workers::server_options options{.listen = address};
    auto& offered = options.interface;
    offered.add("echo", [](json_value value) { return value; });
    offered.add("sum", [](std::int64_t one, std::int64_t other) { return one + other; });
    offered.add("nothing", [] {});
    offered.add("", [] { return std::string("no name"); });
    offered.add("say", [](std::string text) { weft::log::info(text, {{"from", "worker"}}); });
    offered.add("throw_nested", &throw_nested);
    offered.add("throw_value", [](json_value value) { throw weft::workers::raised_value(std::move(value)); });
    offered.add("throw_text", [](std::string text) { throw std::runtime_error(text); });
    offered.add("die", [] { ::raise(SIGKILL); });
    offered.add("block_ms", [](int time) { std::this_thread::sleep_for(std::chrono::milliseconds(time)); });
    server_ = weft::workers::server::fork(std::move(options));
  }

  /// `weft call OPTIONS ADDRESS WHAT`.
  command_outcome call(std::vector<std::string> what, std::vector<std::string> options = {}) const {
    std::vector<std::string> all{"call"};
    all.insert(all.end(), options.begin(), options.end());
    all.push_back(address);
    all.insert(all.end(), what.begin(), what.end());
    return weft_test::run_weft(std::move(all));
  }

  std::string address;

 private:
  weft_test::scratch_folder folder_;
  weft::process::child server_;
};

TEST_F(call_command, prints_the_result_as_json) {
  for (const char* const how : {"--native", "--compatible", "-v"}) {
    const auto done = call({"sum", "40", "2"}, {how});
    EXPECT_EQ(done.status, 0) << done.err;
    EXPECT_EQ(done.out, "42\n") << how;
    EXPECT_EQ(call({"nothing"}, {how}).out, "null\n") << how;
    EXPECT_EQ(call({""}, {how}).out, "\"no name\"\n") << how;
  }
}

TEST_F(call_command, takes_json_arguments_whatever_they_look_like) {
  for (const std::string value :
       {R"([1,"two",{"a":null}])", "-5", "\"--json\"", "true", "18446744073709551615"}) {
    EXPECT_EQ(call({"echo", value}).out, value + "\n");
  }
  EXPECT_EQ(call({"sum", "-5", "-6"}).out, "-11\n");
  EXPECT_EQ(weft_test::run_weft({"call", "--strings", "--", address, "echo", "-v"}).out, "\"-v\"\n");
}

TEST_F(call_command, takes_text_that_is_no_json_only_where_it_is_told_to) {
  const auto refused = call({"echo", "hello world"});
  EXPECT_EQ(refused.status, 2);
  EXPECT_EQ(refused.out, "");
  EXPECT_NE(refused.err.find("argument 1, hello world, is no JSON"), std::string::npos) << refused.err;
  EXPECT_NE(refused.err.find("--strings"), std::string::npos) << refused.err;
  EXPECT_EQ(call({"echo", "hello world"}, {"--strings"}).out, "\"hello world\"\n");
  EXPECT_EQ(call({"echo", "7"}, {"--strings"}).out, "7\n");
}

TEST_F(call_command, says_what_an_error_was) {
  const auto failed = call({"throw_nested"});
  EXPECT_EQ(failed.status, 1);
  EXPECT_EQ(failed.out, "");
  for (const char* const part :
       {"weft call: ", "runtime_error", "no dinner", "caused by: ", "out_of_range", "no brie"}) {
    EXPECT_NE(failed.err.find(part), std::string::npos) << part << " in " << failed.err;
  }
  const auto unknown = call({"no_such"});
  EXPECT_EQ(unknown.status, 1);
  EXPECT_NE(unknown.err.find("no_such"), std::string::npos) << unknown.err;
  const auto died = call({"die"});
  EXPECT_EQ(died.status, 1);
  EXPECT_NE(died.err.find("SIGKILL"), std::string::npos) << died.err;
}

TEST_F(call_command, prints_errors_as_json_where_wanted) {
  const auto failed = call({"throw_nested"}, {"--json"});
  EXPECT_EQ(failed.status, 1);
  const auto error = weft::wire::parse_json(failed.err);
  ASSERT_NE(error.if_object(), nullptr);
  EXPECT_EQ(*error.if_object()->find("message"), json_value("no dinner"));
  EXPECT_EQ(*error.if_object()->find("type"), json_value("std.runtime_error"));
  const auto* const causes = error.if_object()->find("causes")->if_list();
  ASSERT_EQ(causes->size(), 1U);
  EXPECT_EQ(*causes->front().if_object()->find("message"), json_value("no brie"));
  const auto raised =
      weft::wire::parse_json(call({"throw_value", R"({"code":42})"}, {"--json", "--compatible"}).err);
  EXPECT_EQ(to_text(*raised.if_object()->find("value")), R"({"code":42})");
}

TEST_F(call_command, an_error_cannot_drive_the_terminal) {
  const auto failed = call({"throw_text", R"("red \u001b[31m")"});
  EXPECT_EQ(failed.err.find('\x1b'), std::string::npos) << failed.err;
  EXPECT_NE(failed.err.find("\\x1b[31m"), std::string::npos) << failed.err;
}

TEST_F(call_command, shows_what_the_function_logged_only_where_wanted) {
  for (const char* const protocol : {"--native", "--compatible"}) {
    EXPECT_EQ(call({"say", "\"inside\""}, {protocol}).err, "");
    const auto shown = call({"say", "\"inside\""}, {protocol, "--verbose"});
    EXPECT_EQ(shown.out, "null\n");
    EXPECT_NE(shown.err.find("inside from=worker"), std::string::npos) << shown.err;
  }
}

TEST_F(call_command, gives_up_in_time) {
  const auto late = call({"block_ms", "60000"}, {"--timeout", "0.1"});
  EXPECT_EQ(late.status, 1);
  EXPECT_NE(late.err.find("deadline_exceeded"), std::string::npos) << late.err;
}

TEST_F(call_command, says_at_once_that_nobody_listens) {
  const auto failed = weft_test::run_weft({"call", "--timeout", "1000000", "unix:/no/such/socket", "echo"});
  EXPECT_EQ(failed.status, 1);
  EXPECT_NE(failed.err.find("unix:/no/such/socket: there is no such socket"), std::string::npos)
      << failed.err;
}

TEST_F(call_command, waits_for_a_server_where_wanted) {
  const weft_test::scratch_folder folder;
  const std::string later = "unix:" + folder / "socket";
  const auto running = weft::process::child::fork([&] {
    weft::workers::server_options options{.listen = later};
    options.interface.add("echo", [](json_value value) { return value; });
    return weft::workers::server(std::move(options)).run();
  });
  EXPECT_EQ(weft_test::run_weft({"call", "--wait", later, "echo", "7"}).out, "7\n");
}

TEST_F(call_command, a_wrong_command_line_is_told_apart) {
  EXPECT_EQ(weft_test::run_weft({"call"}).status, 2);
  EXPECT_EQ(weft_test::run_weft({"call", address}).status, 2);
  EXPECT_EQ(weft_test::run_weft({"call", "nowhere", "echo"}).status, 2);
  EXPECT_EQ(weft_test::run_weft({"call", "", "echo"}).status, 2);
  EXPECT_EQ(call({"nothing"}, {"--native", "--compatible"}).status, 2);
  EXPECT_EQ(call({"nothing"}, {"--timeout", "-1"}).status, 2);
  EXPECT_EQ(weft_test::run_weft({"call", "--wait", "--timeout", "0.15", "unix:/no/such/socket", "x"}).status,
            1);
}

}  // namespace
