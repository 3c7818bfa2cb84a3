#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>

#include <weft/log/collector.hpp>
#include <weft/log/log.hpp>
#include <weft/log/record_codec.hpp>
#include <weft/log/sink.hpp>
#include <weft/wire/json.hpp>

namespace weft::log {
namespace {

record sample() {
  record made;
  made.time = record_time(std::chrono::microseconds(1'772'366'400'000'123));
  made.level = level::warn;
  made.message = "mail \"sent\"\n";
  made.fields = {{"to", std::string("a@b.c")},
                 {"bytes", std::uint64_t{18446744073709551615U}},
                 {"n", std::int64_t{-1}},
                 {"ratio", 0.5},
                 {"late", false}};
  made.context = {{"app.request", "r1"}};
  made.task_id = 7;
  made.task_name = "mailer";
  made.process_id = 4242;
  made.file = "mail.cpp";
  made.line = 31;
  return made;
}

TEST(record_codec, a_record_comes_back_from_another_process_as_it_was) {
  const auto text = wire::to_json(sample());
  EXPECT_EQ(wire::from_json<record>(text), sample());
}

TEST(record_codec, whatever_bytes_and_numbers_a_program_logs_its_records_can_travel) {
  collector mine;
  info("bad \xff bytes",
       {{"name\xc3", "\xed\xa0\x80 value"}, {"infinite", -1.0 / 0.0}, {"none", std::nan("")}});
  const auto records = mine.take();
  const auto read = wire::from_json<std::vector<record>>(wire::to_json(records));
  EXPECT_EQ(read, records);
  EXPECT_EQ(read.at(0).message, "bad \uFFFD bytes");
  const std::vector<field> expected{{"name\uFFFD", std::string("\uFFFD\uFFFD\uFFFD value")},
                                    {"infinite", std::string("-inf")},
                                    {"none", std::string("nan")}};
  EXPECT_EQ(read.at(0).fields, expected);
}

TEST(record_codec, writes_the_members_that_the_format_page_names) {
  auto from = sample();
  from.message = "mail sent";
  from.level = level::info;
  from.fields = {{"to", std::string("a@b.c")}, {"bytes", std::uint64_t{12}}};
  EXPECT_EQ(wire::to_json(from),
            R"({"time":1772366400000123000,"level":"info","message":"mail sent",)"
            R"("fields":[{"name":"to","value":[0,"a@b.c"]},{"name":"bytes","value":[2,12]}],)"
            R"("context":[{"name":"app.request","text":"r1"}],)"
            R"("task_id":7,"task_name":"mailer","process_id":4242,"file":"mail.cpp","line":31,"number":0})");
}

TEST(record_codec, a_whole_log_comes_back_as_it_was) {
  collection whole;
  {
    collector mine;
    info("one", {{"n", 1}});
    emit(sample());
    timer running("hash");
    { timer done("open"); }
    data({{"user", "ada"}});
    whole = mine.take_all();
  }
  EXPECT_EQ(wire::from_json<collection>(wire::to_json(whole)), whole);
}

TEST(record_codec, members_that_are_missing_or_unknown_do_not_cost_a_record) {
  const auto read = wire::from_json<record>(R"({"message":"short","from_the_future":[1,2]})");
  EXPECT_EQ(read.message, "short");
  EXPECT_EQ(read.level, level::info);
}

TEST(record_codec, a_line_sink_may_write_json) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  {
    line_sink sink({.fd = ends[1]},
                   [](const record& from, std::string& out) { out += wire::to_json(from) + "\n"; });
    sink.accept(std::make_shared<const record>(sample()));
  }
  close(ends[1]);
  std::string all(65536, '\0');
  all.resize(static_cast<std::size_t>(read(ends[0], all.data(), all.size())));
  close(ends[0]);
  ASSERT_EQ(all.back(), '\n');
  all.pop_back();
  EXPECT_EQ(all.find('\n'), std::string::npos);
  EXPECT_EQ(wire::from_json<record>(all), sample());
}

}  // namespace
}  // namespace weft::log
