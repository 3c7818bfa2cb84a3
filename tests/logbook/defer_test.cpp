#include <gtest/gtest.h>

#include <limits>

#include <weft/core/error.hpp>
#include <weft/log/logger.hpp>
#include <weft/logbook/defer.hpp>

namespace weft::logbook {
namespace {

using namespace std::chrono_literals;
using log::record_time;

constexpr record_time start_time(1795229361677100us);

log::collection empty_log() {
  log::collection made;
  made.start = start_time;
  made.end = start_time + 20485us;
  return made;
}

log::record said(std::chrono::microseconds after, log::level level, std::string_view message) {
  log::record made;
  made.time = start_time + after;
  made.level = level;
  made.message = message;
  return made;
}

// As the Perl worker's log in the description of the protocol.
log::collection full_log() {
  auto made = empty_log();
  made.records = {said(189us, log::level::error, "e tag"), said(233us, log::level::warn, "w tag"),
                  said(259us, log::level::info, "c tag")};
  made.records[1].fields = {{"detail", log::json_text{R"([1,"two"])"}}};
  made.records[2].number = 25;
  made.timers = {{"worker tag", start_time + 266us, 20219us}, {"open", start_time + 148us, std::nullopt}};
  made.data = {{"shared", std::string("worker")}, {"tags", log::json_text{R"({"a":[]})"}}};
  return made;
}

constexpr auto full_line =
    R"({"data":{"shared":"worker","tags":{"a":[]}},"end":0.020485,)"
    R"("logs":[[0.000189,10,"e tag"],[0.000233,20,"w tag",{"detail":[1,"two"]}],[0.000259,25,"c tag"]],)"
    R"("start":1795229361.6771,"timers":[["worker tag",0.000266,0.020485],["open",0.000148,0.020485]]})";

TEST(logbook, an_empty_log_has_exactly_start_and_end) {
  EXPECT_EQ(to_line(empty_log()), R"({"end":0.020485,"start":1795229361.6771})");
}

TEST(logbook, a_log_is_one_minified_object) { EXPECT_EQ(to_line(full_log()), full_line); }

TEST(logbook, an_open_log_has_no_end_and_neither_have_timers_that_run) {
  EXPECT_EQ(wire::to_text(to_open_json(empty_log()), wire::perl_json_style), R"({"start":1795229361.6771})");
  const auto text = wire::to_text(to_open_json(full_log()), wire::perl_json_style);
  EXPECT_NE(text.find(R"(["open",0.000148]])"), std::string::npos) << text;
}

TEST(logbook, what_was_written_is_read_again) {
  auto expected = full_log();
  expected.timers[1].took = expected.end - expected.timers[1].start;
  EXPECT_EQ(from_line(to_line(full_log())), expected);
  EXPECT_EQ(to_line(from_line(full_line)), full_line);
  EXPECT_EQ(from_line(to_line(empty_log())), empty_log());
  EXPECT_EQ(from_json(to_open_json(full_log()))->timers[1].took, std::nullopt);
}

TEST(logbook, what_log_calls_collect_is_written_and_read_again) {
  log::collector mine;
  log::logger().add_log(25, "c", {{"n", 1}, {"ok", true}, {"ratio", 0.5}, {"name", "x"}});
  log::data({{"list", log::json_text{"[1]"}}});
  const auto all = mine.take_all();
  const auto read = from_line(to_line(all));
  EXPECT_EQ(read.start, all.start);
  EXPECT_EQ(read.records.at(0).time, all.records.at(0).time);
  EXPECT_EQ(read.records.at(0).number, 25);
  EXPECT_EQ(read.data, all.data);
  EXPECT_EQ(read.records.at(0).fields.size(), 4U);
}

TEST(logbook, microseconds_stay_exact) {
  for (const auto micros : {1us, 999'999us, 1'000'001us, 123'456'789us}) {
    auto one = empty_log();
    one.start += micros;
    one.end = one.start + micros;
    EXPECT_EQ(from_line(to_line(one)), one);
  }
}

TEST(logbook, no_time_is_negative) {
  auto odd = full_log();
  odd.records[0].time = start_time - 5s;
  odd.timers[0].start = record_time::min();
  odd.timers[1].start = record_time::max();
  odd.end = start_time - 1s;
  const auto text = to_line(odd);
  EXPECT_EQ(text.find('-'), std::string::npos) << text;
}

TEST(logbook, the_largest_times_come_back) {
  const auto text =
      R"({"start":-1000000000000,"end":1000000000000,"logs":[[1e12,30,"a"]],"timers":[["t",1e12,1e12]]})";
  const auto read = from_line(text);
  EXPECT_EQ(read.records.size(), 1U);
  EXPECT_EQ(from_line(to_line(read)), read);
}

TEST(logbook, old_logs_have_their_timers_as_an_object) {
  const auto read = from_line(R"({"start":1,"timers":{"b":[0.5,0.75],"a":[1,2],"runs":[0.25]}})");
  ASSERT_EQ(read.timers.size(), 3U);
  EXPECT_EQ(read.timers[0], (log::timing{"runs", record_time(1250ms), std::nullopt}));
  EXPECT_EQ(read.timers[1], (log::timing{"b", record_time(1500ms), 250ms}));
  EXPECT_EQ(read.timers[2], (log::timing{"a", record_time(2s), 1s}));
  EXPECT_EQ(read.end, record_time(3s));
}

TEST(logbook, several_items_make_one_message_and_objects_its_fields) {
  const auto read =
      from_line(R"({"start":1,"logs":[[0,30,"several","items",3,[true]],[0,30,{"a":1},{"a":2,"b":null}]]})");
  EXPECT_EQ(read.records.at(0).message, "several items 3 [true]");
  EXPECT_EQ(read.records.at(1).message, "");
  const std::vector<log::field> fields{{"a", std::int64_t{2}}, {"b", log::json_text{"null"}}};
  EXPECT_EQ(read.records.at(1).fields, fields);
}

TEST(logbook, entries_of_another_form_are_left_out) {
  for (const auto* const odd :
       {R"({"start":1,"logs":{},"timers":[1,[],["x"],["x",true]],"data":[]})",
        R"({"start":1,"logs":[[],[1],["x",30,"a"],[1e99,30,"b"],[0.5,true,"c"],[0,1e300,"d"],null]})",
        R"({"start":1,"timers":{"a":1,"b":[],"c":[null]},"other":[1]})"}) {
    const auto read = from_line(odd);
    EXPECT_TRUE(read.records.empty() && read.timers.empty() && read.data.empty()) << odd;
  }
}

TEST(logbook, a_line_that_is_no_log_is_refused) {
  for (const auto* const odd : {"", "1", "{}", "[]", "{", R"({"start":"x"})", R"({"start":1e300})"}) {
    EXPECT_THROW((void)from_line(odd), weft::error) << odd;
  }
}

TEST(logbook, what_json_cannot_hold_is_an_error) {
  auto odd = empty_log();
  odd.data = {{"a", std::numeric_limits<double>::infinity()}};
  EXPECT_THROW((void)to_line(odd), weft::error);
  odd.data = {{"a", std::string("\xff")}};
  EXPECT_THROW((void)to_line(odd), weft::error);
  odd.data = {{"a", log::json_text{"no json"}}};
  EXPECT_NE(to_line(odd).find(R"("a":"no json")"), std::string::npos);
}

}  // namespace
}  // namespace weft::logbook
