#include "workers/reply_bounds.hpp"

#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "workers/protocol.hpp"

namespace {

using namespace weft::workers::detail;

std::string much(std::size_t bytes = std::size_t{10} << 20U) { return std::string(bytes, 'x'); }

weft::failure failure_of(std::string message) {
  weft::failure one;
  one.message = std::move(message);
  return one;
}

std::size_t payload_of(const reply_frame& reply) {
  weft::bytes out;
  write_frame(out, reply);
  return out.size() - weft::wire::frame_header_bytes;
}

TEST(reply_bounds, a_text_that_is_cut_says_how_long_it_was) {
  EXPECT_EQ(fit("as it is", 8), "as it is");
  EXPECT_EQ(fit(std::string(1000, 'x'), 40), std::string(17, 'x') + "... (1000 bytes in all)");
}

TEST(reply_bounds, a_text_is_cut_between_characters) {
  const std::string text = "x" + [] {
    std::string all;
    for (int i = 0; i < 100; ++i) all += "λ";
    return all;
  }();
  for (std::size_t max = 40; max < 60; ++max) {
    const auto cut = fit(text, max);
    EXPECT_LE(cut.size(), max);
    const auto kept = cut.substr(0, cut.find("..."));
    EXPECT_EQ(kept.size() % 2, 1U) << max;
  }
}

TEST(reply_bounds, what_is_within_stays_as_it_is) {
  reply_frame reply;
  reply.type = frame_type::failed;
  reply.failure.message = much(text_bytes_max);
  reply.failure.causes.push_back(failure_of("cause"));
  reply.failure.causes[0].stack = {"main"};
  weft::log::record said;
  said.message = much(text_bytes_max);
  said.fields = {{"name", much(field_bytes_max)}, {"number", 0.5}};
  reply.log.records.assign(3, said);
  reply.log.data.push_back({"list", weft::log::json_text{"[1]"}});
  const auto log = reply.log;
  fit(reply);
  EXPECT_EQ(reply.failure.message, much(text_bytes_max));
  ASSERT_EQ(reply.failure.causes.size(), 1U);
  EXPECT_EQ(reply.failure.causes[0].message, "cause");
  EXPECT_EQ(reply.failure.causes[0].stack.size(), 1U);
  EXPECT_EQ(reply.log, log);
}

TEST(reply_bounds, a_failure_is_cut_from_the_inside_out) {
  auto one = failure_of(much());
  for (int i = 0; i < 16; ++i) {
    auto outer = failure_of(much());
    outer.causes.push_back(std::move(one));
    one = std::move(outer);
  }
  fit(one);
  EXPECT_EQ(one.message.size(), text_bytes_max);
  EXPECT_TRUE(one.message.ends_with("... (10485760 bytes in all)"));
  EXPECT_TRUE(one.causes.at(0).message.ends_with("... (10485760 bytes in all)"));
}

TEST(reply_bounds, records_beyond_are_dropped_and_counted) {
  weft::log::collection log;
  weft::log::record long_one;
  long_one.message = much();
  weft::log::record short_one;
  short_one.message = "said";
  log.records.assign(20, long_one);
  log.records.push_back(short_one);
  log.dropped = 1;
  fit(log);
  EXPECT_EQ(log.records.size(), 8U);
  EXPECT_EQ(log.records.back().message, "said");
  EXPECT_TRUE(log.records.front().message.ends_with("... (10485760 bytes in all)"));
  EXPECT_EQ(log.dropped, 14U);
}

TEST(reply_bounds, a_structure_that_is_cut_is_a_text) {
  weft::log::collection log;
  log.data.push_back({"list", weft::log::json_text{much()}});
  fit(log);
  EXPECT_EQ(std::get<std::string>(log.data[0].value).size(), field_bytes_max);
}

// As much of everything as a collector takes, and more.
TEST(reply_bounds, together_they_fit_into_a_frame) {
  reply_frame reply;
  reply.type = frame_type::failed;
  reply.failure.type = reply.failure.where = much(100'000);
  reply.failure.message = much();
  reply.failure.stack.assign(100'000, "a line");
  reply.failure.causes.assign(100'000, failure_of("cause"));
  weft::log::record said;
  said.fields = {{"name", std::string("text")}};
  reply.log.records.assign(100'000, said);
  for (int i = 0; i < 1000; ++i) {
    reply.log.data.push_back({much(1000), much(100'000)});
    reply.log.timers.push_back({much(1000), {}, {}});
  }
  EXPECT_GT(payload_of(reply), frame_extra_bytes);
  fit(reply);
  EXPECT_LT(payload_of(reply), frame_extra_bytes);
  reply.type = frame_type::declined;
  reply.refusal = {weft::closure_refusal_reason::services_missing, much(), much(), much(), much()};
  fit(reply);
  EXPECT_LT(payload_of(reply), frame_extra_bytes);
}

}  // namespace
