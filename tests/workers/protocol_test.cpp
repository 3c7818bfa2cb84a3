#include "workers/protocol.hpp"

#include <gtest/gtest.h>

#include <weft/core/error.hpp>

namespace {

using namespace weft::workers::detail;

// What is written is one whole frame.
template <typename Frame>
weft::wire::frame written(const Frame& from) {
  weft::bytes out;
  write_frame(out, from);
  weft::wire::frame_reader reader;
  reader.append(out);
  auto one = reader.next();
  EXPECT_TRUE(one);
  EXPECT_EQ(reader.pending_bytes(), 0U);
  return one.value_or(weft::wire::frame{});
}

TEST(protocol, no_json_begins_as_a_native_hello_does) {
  EXPECT_EQ(static_cast<unsigned char>(native_magic.front()), 0x89);
  EXPECT_EQ(native_magic.size(), 8U);
  EXPECT_NE(native_magic.find(']'), std::string_view::npos);
}

TEST(protocol, a_hello_keeps_its_settings) {
  hello_frame hello;
  hello.message_bytes_max = 123;
  hello.build_id = "abc";
  hello.same_build_only = true;
  hello.settings.name = "mail";
  hello.settings.hung_after = std::chrono::seconds(5);
  hello.settings.stack_bytes = 65536;
  hello.settings.limits.cpu_time = std::chrono::seconds(9);
  hello.settings.limits.memory_bytes = 1U << 30U;
  hello.settings.restrictions = {.niceness = -3, .oom_score_adj = 7, .no_new_privileges = true};
  hello.settings.restrictions.calls = weft::process::system_calls::no_network;
  hello.settings.recycle = {.checkouts_max = 4, .age_max = std::chrono::hours(1), .resident_bytes_max = 99};
  const auto back = read_hello(written(hello));
  EXPECT_EQ(back.message_bytes_max, 123U);
  EXPECT_EQ(back.build_id, "abc");
  EXPECT_TRUE(back.same_build_only);
  EXPECT_EQ(back.settings.name, "mail");
  EXPECT_EQ(back.settings.hung_after, std::chrono::seconds(5));
  EXPECT_EQ(back.settings.stack_bytes, 65536U);
  EXPECT_EQ(back.settings.limits, hello.settings.limits);
  EXPECT_EQ(back.settings.restrictions, hello.settings.restrictions);
  EXPECT_EQ(back.settings.recycle, hello.settings.recycle);
}

TEST(protocol, a_hello_of_another_version_is_read_as_far_as_its_number) {
  hello_frame hello;
  hello.version = 2;
  auto frame = written(hello);
  frame.payload.resize(4);
  EXPECT_EQ(read_hello(frame).version, 2U);
}

TEST(protocol, a_call_keeps_all_byte_values) {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  const call_frame call{7, std::chrono::nanoseconds(5), all, call_kind::closure, true, "target", all};
  const auto frame = written(call);
  const auto back = read_call(frame);
  EXPECT_EQ(back.id, 7U);
  EXPECT_EQ(back.remaining, call.remaining);
  EXPECT_EQ(back.context, all);
  EXPECT_EQ(back.kind, call_kind::closure);
  EXPECT_TRUE(back.has_link);
  EXPECT_EQ(back.target, "target");
  EXPECT_EQ(back.arguments, all);
}

reply_frame a_reply_with_everything() {
  reply_frame reply;
  reply.type = frame_type::failed;
  reply.id = 9;
  reply.failure = {weft::errc::busy, "app.busy", "message",
                   "there",          {},         {{weft::errc::io_error, "", "cause", "", {}, {}}}};
  weft::log::record record;
  record.message = "said";
  record.fields = {
      {"s", std::string("x")}, {"i", std::int64_t{-1}}, {"u", std::uint64_t{1}}, {"d", 0.5}, {"b", true}};
  record.context = {{"k", "v"}};
  record.time = weft::log::record_time(std::chrono::microseconds(1234567));
  record.line = 77;
  reply.log.records.push_back(record);
  reply.failure.stack = {"serve() at a.cpp:1", "main"};
  reply.log.timers.push_back({"t", record.time, std::chrono::microseconds(5)});
  reply.log.timers.push_back({"running", record.time, std::nullopt});
  reply.log.data.push_back({"n", std::int64_t{3}});
  reply.log.dropped = 2;
  return reply;
}

TEST(protocol, a_failure_comes_with_its_causes_and_log) {
  const auto reply = a_reply_with_everything();
  const auto back = read_reply(written(reply));
  EXPECT_EQ(back.id, 9U);
  EXPECT_EQ(back.failure.code, weft::errc::busy);
  EXPECT_EQ(back.failure.type, "app.busy");
  ASSERT_EQ(back.failure.causes.size(), 1U);
  EXPECT_EQ(back.failure.causes[0].message, "cause");
  EXPECT_EQ(back.failure.stack, (std::vector<std::string>{"serve() at a.cpp:1", "main"}));
  EXPECT_EQ(back.log, reply.log);
}

TEST(protocol, a_frame_cut_anywhere_is_malformed_and_nothing_worse) {
  const auto whole = written(a_reply_with_everything());
  for (std::size_t length = 0; length < whole.payload.size(); ++length) {
    auto cut = whole;
    cut.payload.resize(length);
    EXPECT_THROW(read_reply(cut), weft::error) << length;
  }
}

TEST(protocol, a_count_beyond_the_frame_is_malformed) {
  auto frame = written(a_reply_with_everything());
  for (auto& byte : frame.payload) byte = std::byte{0xff};
  EXPECT_THROW(read_reply(frame), weft::error);
}

}  // namespace
