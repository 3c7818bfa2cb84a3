#include "workers/compat/message.hpp"

#include <algorithm>
#include <limits>

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <weft/core/error.hpp>
#include <weft/process/self.hpp>
#include <weft/process/socket.hpp>

#include "workers/byte_stream.hpp"
#include "workers/compat/log_data.hpp"
#include "workers/compat/message_stream.hpp"
#include "workers/protocol.hpp"
#include "workers/recognition.hpp"

// The messages of the older protocol, as values and as bytes.

namespace {

using namespace weft::workers::detail;
using compat::log_from;
using compat::log_to_text;
using compat::message_stream;
using weft::wire::json_object;
using weft::wire::json_value;
using weft::wire::parse_json;

TEST(compat_message, a_call_has_its_arguments_behind_meta) {
  for (const char* text :
       {R"(["do",{},"echo",1])", R"(["do",null,"echo",1])", R"(["do",{"x":[]},"echo",1])"}) {
    const auto read = compat::read_request(parse_json(text));
    EXPECT_TRUE(read.is_call);
    EXPECT_EQ(read.arguments, (json_value::list{"echo", 1}));
  }
  EXPECT_TRUE(compat::read_request(parse_json(R"(["do"])")).arguments.empty());
  EXPECT_FALSE(compat::read_request(parse_json(R"(["dn",{},1])")).is_call);
}

TEST(compat_message, other_messages_are_refused) {
  for (const char* text : {"[]", "[1]", "{}", "[[\"do\"]]", "[\"DO\",{}]", "[\"ok\",{},1]", "null"}) {
    EXPECT_THROW((void)compat::read_request(parse_json(text)), weft::error) << text;
  }
  for (const char* text : {"[]", "[\"ok\"]", "[\"ok\",{}]", "[\"do\",{},1]", "{}", "[\"er\"]"}) {
    EXPECT_THROW((void)compat::read_reply(parse_json(text)), weft::error) << text;
  }
}

TEST(compat_message, what_is_written_is_what_perl_writes) {
  EXPECT_EQ(compat::write_call("hash", R"(["pw",1])"), R"(["do",{},"hash","pw",1])");
  EXPECT_EQ(compat::write_call("hash", "[]"), R"(["do",{},"hash"])");
  EXPECT_EQ(compat::write_call("", "[]"), R"(["do",{}])");
  EXPECT_EQ(compat::write_reply(true, "null", ""), R"(["ok",{},null])");
  EXPECT_EQ(compat::write_reply(false, R"("x")", R"({"start":1})"), R"(["er",{"ld":{"start":1}},"x"])");
}

TEST(compat_message, a_reply_is_read_with_its_log) {
  const auto read = compat::read_reply(parse_json(R"(["er",{"ld":{"start":1},"sk":2},{"code":42}])"));
  EXPECT_FALSE(read.ok);
  EXPECT_EQ(to_text(read.value), R"({"code":42})");
  EXPECT_EQ(to_text(read.log), R"({"start":1})");
  EXPECT_TRUE(compat::read_reply(parse_json(R"(["ok",null,1])")).log.is_null());
}

weft::log::collection a_log() {
  weft::log::collection log;
  log.start = weft::log::record_time(std::chrono::microseconds(1795229361677100));
  for (const auto level :
       {weft::log::level::error, weft::log::level::warn, weft::log::level::info, weft::log::level::debug}) {
    weft::log::record record;
    record.time = log.start + std::chrono::microseconds(189);
    record.level = level;
    record.message = "said";
    record.fields = {{"n", std::int64_t{1}}, {"s", std::string("x")}};
    log.records.push_back(record);
  }
  log.end = log.start + std::chrono::microseconds(20219);
  log.timers = {{"t", log.start, std::chrono::microseconds(20219)}, {"open", log.start, std::nullopt}};
  log.data = {{"a", std::uint64_t{1} << 63U}, {"b", true}};
  return log;
}

TEST(compat_message, a_log_comes_back_to_the_microsecond) {
  const auto log = a_log();
  EXPECT_EQ(log_from(parse_json(log_to_text(log))), log);
  EXPECT_EQ(log_to_text({}), "");
}

// As a stream of messages may have it.
TEST(compat_message, a_log_with_an_infinite_number_is_none) {
  constexpr double infinite = std::numeric_limits<double>::infinity();
  const json_value data =
      json_object{{"start", 1.5}, {"data", json_object{{"a", json_value::list{infinite}}}}};
  EXPECT_EQ(log_from(data), weft::log::collection());
}

TEST(compat_message, a_log_has_the_form_of_log_defer) {
  auto log = a_log();
  log.records.resize(1);
  EXPECT_EQ(log_to_text(log),
            R"({"data":{"a":9223372036854775808,"b":true},"logs":[[0.000189,10,"said",{"n":1,"s":"x"}]],)"
            R"("start":1795229361.6771,"timers":[["t",0,0.020219],["open",0]]})");
}

TEST(compat_message, a_text_is_shortened_between_characters) {
  EXPECT_EQ(compat::shortened("aλb", 1), "a");
  EXPECT_EQ(compat::shortened("aλb", 2), "a");
  EXPECT_EQ(compat::shortened("aλb", 3), "aλ");
  EXPECT_EQ(compat::shortened("aλb", 4), "aλb");
  EXPECT_EQ(compat::shortened("😀", 3), "");
  EXPECT_EQ(compat::shortened("\x80\x80", 1), "");
}

// Two ends of a connection; the one is written to as bytes.
class connected : public testing::Test {
 protected:
  connected() : connected(weft::process::stream_pair()) {}
  void say(std::string_view text) {
    EXPECT_EQ(::send(other_end.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  }
  stream_end read(message_stream& from, json_value& into) {
    return from.read(into, weft::deadline_after(std::chrono::milliseconds(1)));
  }

  weft::unique_fd other_end;
  byte_stream here;

 private:
  explicit connected(std::pair<weft::unique_fd, weft::unique_fd> ends)
      : other_end(std::move(ends.first)), here(std::move(ends.second)) {
    here.attach();
  }
};

TEST_F(connected, a_late_acceptance_is_passed_over_wherever_it_is_cut) {
  for (std::size_t cut = 0; cut <= native_magic.size(); ++cut) {
    message_stream messages(here, 1000);
    messages.expect_acceptance();
    json_value got;
    say("[1]");
    say(native_magic.substr(0, cut));
    EXPECT_EQ(read(messages, got), stream_end::ok);
    EXPECT_EQ(read(messages, got), stream_end::timed_out);
    EXPECT_EQ(messages.was_accepted(), cut == native_magic.size());
    say(native_magic.substr(cut));
    say("[2]");
    EXPECT_EQ(read(messages, got), stream_end::ok);
    EXPECT_EQ(to_text(got), "[2]");
    EXPECT_TRUE(messages.was_accepted());
    EXPECT_TRUE(messages.is_quiet());
  }
}

TEST_F(connected, an_acceptance_that_nobody_waits_for_is_no_message) {
  message_stream messages(here, 1000);
  json_value got;
  say(native_magic);
  EXPECT_FALSE(messages.is_quiet());
  EXPECT_THROW((void)read(messages, got), weft::error);
}

TEST_F(connected, what_is_no_acceptance_is_refused_with_its_first_wrong_byte) {
  message_stream messages(here, 1000);
  messages.expect_acceptance();
  json_value got;
  say("\x89]wx");
  EXPECT_THROW((void)read(messages, got), weft::error);
}

TEST_F(connected, a_client_is_recognised_by_its_first_wrong_byte) {
  say("\x89]wx");
  EXPECT_EQ(recognise(here), peer::compatible);
  message_stream messages(here, 1000);
  json_value got;
  EXPECT_THROW((void)read(messages, got), weft::error);
}

TEST_F(connected, descriptors_that_nobody_takes_are_closed) {
  const auto count = [] { return weft::process::open_descriptors().size(); };
  const auto send_some = [&] {
    for (int i = 0; i < 20; ++i) {
      ASSERT_EQ(weft::process::send_with_descriptors(other_end.get(), " ", {0, 1, 2}), 1);
      char got = 0;
      std::size_t length = 0;
      ASSERT_EQ(here.read_some({&got, 1}, length, weft::deadline_after(std::chrono::seconds(5))),
                stream_end::ok);
    }
  };
  const auto before = count();
  send_some();
  EXPECT_EQ(here.descriptors().size(), descriptors_max);
  EXPECT_EQ(count(), before + descriptors_max);
  here.refuse_descriptors();
  send_some();
  EXPECT_EQ(count(), before);
}

TEST_F(connected, only_an_acceptance_may_lie_unread_on_a_quiet_connection) {
  message_stream messages(here, 1000);
  messages.expect_acceptance();
  EXPECT_TRUE(messages.is_quiet());
  say(native_magic);
  EXPECT_TRUE(messages.is_quiet());
  say("x");
  EXPECT_FALSE(messages.is_quiet());
}

TEST_F(connected, an_acceptance_is_waited_for_and_a_part_of_it_kept) {
  const auto soon = [] { return weft::deadline_after(std::chrono::milliseconds(1)); };
  EXPECT_EQ(read_acceptance(here, soon()), stream_end::timed_out);
  say(native_magic.substr(0, 3));
  EXPECT_EQ(read_acceptance(here, soon()), stream_end::timed_out);
  say(native_magic.substr(3));
  EXPECT_EQ(read_acceptance(here, soon()), stream_end::ok);
  say("2");
  EXPECT_THROW((void)read_acceptance(here, soon()), weft::error);
  other_end.reset();
  EXPECT_EQ(read_acceptance(here, soon()), stream_end::closed);
}

TEST_F(connected, a_worker_recognises_whom_it_has_before_it) {
  const std::string offer(native_offer);
  const std::string magic(native_magic);
  struct {
    std::string said;
    peer who;
    std::string answered;
  } const cases[] = {
      {"[\"do\"]", peer::compatible, ""},
      {" [", peer::compatible, ""},
      {offer + "[", peer::compatible, magic},
      {offer.substr(0, 5) + "[", peer::compatible, ""},
      {magic, peer::native, ""},
      {offer + magic, peer::native, magic},
  };
  for (const auto& one : cases) {
    say(one.said);
    EXPECT_EQ(recognise(here), one.who) << one.said;
    char buffer[64];
    std::size_t got = 0;
    // What was not part of an offer is there for the next reader.
    const bool offered = one.said.starts_with(offer);
    const std::string rest = offered ? one.said.substr(offer.size()) : one.said;
    for (std::string read; read != rest; read.append(buffer, got)) {
      ASSERT_EQ(here.read_some(buffer, got, weft::deadline_after(std::chrono::seconds(5))), stream_end::ok);
    }
    const ssize_t answered = ::recv(other_end.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    EXPECT_EQ(std::string(buffer, static_cast<std::size_t>(std::max<ssize_t>(answered, 0))), one.answered);
  }
  other_end.reset();
  EXPECT_EQ(recognise(here), peer::gone);
}

}  // namespace
