#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <limits>
#include <stdexcept>
#include <string>
#include <thread>

#include <weft/context/context.hpp>
#include <weft/core/task_block.hpp>
#include <weft/log/context_source.hpp>
#include <weft/log/log.hpp>

#include "log/memory_sink.hpp"

namespace weft::log {
namespace {

using testing::memory_sink;
using testing::only_sink;

inline constexpr key_spec request_spec{.name = "test.request", .log = true};
inline const key<std::string> request{request_spec};
inline constexpr key_spec secret_spec{.name = "test.secret", .log = true, .redact = true};
inline const key<std::string> secret{secret_spec};
inline constexpr key_spec quiet_spec{.name = "test.quiet"};
inline const key<int> quiet{quiet_spec};

struct broken {};

}  // namespace
}  // namespace weft::log

template <>
struct weft::context_codec<weft::log::broken> {
  static std::string to_text(const weft::log::broken&) { throw std::runtime_error("no text"); }
  static std::optional<weft::log::broken> from_text(std::string_view) { return {}; }
};

namespace weft::log {
namespace {

inline constexpr key_spec broken_spec{.name = "test.broken", .log = true};
inline const key<broken> broken_key{broken_spec};

void add_quiet_in_words(std::vector<context_field>& into) {
  const int* const found = quiet.find();
  if (found == nullptr) return;
  into.push_back({"zz.last", std::to_string(*found)});
  into.push_back({"aa.first", std::to_string(*found)});
}

TEST(log, a_record_carries_time_level_message_place_task_and_process) {
  only_sink sink;
  const auto before = now();
  warn("disk nearly full");
  const auto line = static_cast<std::uint32_t>(__LINE__ - 1);
  const auto records = sink->take();
  ASSERT_EQ(records.size(), 1U);
  const auto& one = records[0];
  EXPECT_LE(before, one.time);
  EXPECT_LE(one.time, now());
  EXPECT_EQ(one.level, level::warn);
  EXPECT_EQ(one.message, "disk nearly full");
  EXPECT_NE(one.file.find("log_test.cpp"), std::string::npos);
  EXPECT_EQ(one.line, line);
  EXPECT_EQ(one.task_id, weft::detail::task_block::current().id());
  EXPECT_EQ(one.task_name, weft::detail::task_block::current().name());
  EXPECT_EQ(one.process_id, getpid());
}

TEST(log, fields_keep_their_order_names_and_types) {
  only_sink sink;
  const std::string owned = "owned";
  const unsigned long long most = std::numeric_limits<unsigned long long>::max();
  info("fields", {{"text", "literal"},
                  {"owned", owned},
                  {"view", std::string_view("view")},
                  {"int", -3},
                  {"most", most},
                  {"half", 0.5F},
                  {"yes", true}});
  const auto records = sink->take();
  ASSERT_EQ(records.size(), 1U);
  const std::vector<field> expected{{"text", std::string("literal")},
                                    {"owned", std::string("owned")},
                                    {"view", std::string("view")},
                                    {"int", std::int64_t{-3}},
                                    {"most", std::uint64_t{most}},
                                    {"half", 0.5},
                                    {"yes", true}};
  EXPECT_EQ(records[0].fields, expected);
}

TEST(log, a_record_carries_the_context_values_marked_for_logs_and_no_others) {
  only_sink sink;
  const scoped_value one(request, "r1");
  const scoped_value two(secret, "hunter2");
  const scoped_value three(quiet, 7);
  info("here");
  const auto records = sink->take();
  ASSERT_EQ(records.size(), 1U);
  const std::vector<context_field> expected{{"test.request", "r1"}, {"test.secret", "***"}};
  EXPECT_EQ(records[0].context, expected);
}

TEST(log, a_context_value_without_text_does_not_cost_the_record) {
  only_sink sink;
  const scoped_value bound(broken_key, broken{});
  info("kept");
  const auto records = sink->take();
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].message, "kept");
  ASSERT_EQ(records[0].context.size(), 1U);
  EXPECT_EQ(records[0].context[0].text, "unreadable: no text");
}

TEST(log, a_level_below_the_threshold_is_off_and_its_message_is_not_built) {
  only_sink sink;
  set_level(level::warn);
  int built = 0;
  const auto build = [&] {
    ++built;
    return std::string("built");
  };
  EXPECT_FALSE(enabled(level::info));
  info("no");
  info(build);
  EXPECT_EQ(built, 0);
  EXPECT_TRUE(enabled(level::warn));
  warn(build, {{"n", 1}});
  const auto records = sink->take();
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(built, 1);
  EXPECT_EQ(records[0].message, "built");
  EXPECT_NE(records[0].file.find("log_test.cpp"), std::string::npos);
}

TEST(log, the_level_off_lets_nothing_through_and_is_no_level_to_write_at) {
  only_sink sink;
  write(level::off, "never");
  set_level(level::off);
  critical("no");
  EXPECT_TRUE(sink->take().empty());
}

TEST(log, each_level_function_writes_its_level) {
  only_sink sink;
  debug("a");
  info("b");
  warn("c");
  error("d");
  critical("e");
  std::vector<level> levels;
  for (const auto& each : sink->take()) levels.push_back(each.level);
  EXPECT_EQ(levels, (std::vector{level::debug, level::info, level::warn, level::error, level::critical}));
}

TEST(log, an_exception_is_written_with_its_causes_code_and_type) {
  only_sink sink;
  try {
    try {
      throw std::out_of_range("row 7");
    } catch (...) {
      std::throw_with_nested(weft::error(errc::malformed, "import people.csv"));
    }
  } catch (...) {
    write_exception(level::critical, "task failed", std::current_exception(), {{"task", "import"}});
  }
  const auto records = sink->take();
  ASSERT_EQ(records.size(), 1U);
  const std::vector<field> expected{{"task", std::string("import")},
                                    {"error", std::string("import people.csv: caused by: row 7")},
                                    {"code", std::string("malformed")},
                                    {"type", std::string("weft.error")}};
  EXPECT_EQ(records[0].fields, expected);
  EXPECT_EQ(records[0].level, level::critical);
}

TEST(log, an_emitted_record_arrives_as_it_was_written) {
  only_sink sink;
  record foreign;
  foreign.time = record_time(std::chrono::microseconds(1));
  foreign.level = level::error;
  foreign.message = "from afar";
  foreign.process_id = 1;
  foreign.context = {{"test.request", "theirs"}};
  const scoped_value mine(request, "mine");
  emit(foreign);
  EXPECT_EQ(sink->take(), std::vector{foreign});
}

TEST(log, a_sink_gets_records_of_its_level_and_above) {
  only_sink all;
  const auto some = std::make_shared<memory_sink>(level::error);
  add_sink(some);
  info("small");
  error("big");
  EXPECT_EQ(all->messages(), (std::vector<std::string>{"small", "big"}));
  EXPECT_EQ(some->messages(), std::vector<std::string>{"big"});
}

TEST(log, a_removed_sink_gets_nothing_more) {
  only_sink all;
  const auto other = std::make_shared<memory_sink>();
  add_sink(other);
  info("both");
  remove_sink(other);
  info("one");
  EXPECT_EQ(other->messages(), std::vector<std::string>{"both"});
  EXPECT_EQ(all->messages(), (std::vector<std::string>{"both", "one"}));
}

TEST(log, sinks_may_change_while_threads_write) {
  only_sink sink;
  constexpr int writes = 500;
  std::thread writer([&] {
    for (int n = 0; n < writes; ++n) info("n", {{"n", n}});
  });
  for (int n = 0; n < 50; ++n) {
    const auto other = std::make_shared<memory_sink>();
    add_sink(other);
    remove_sink(other);
  }
  writer.join();
  EXPECT_EQ(sink->take().size(), static_cast<std::size_t>(writes));
}

TEST(log, level_names_round_trip) {
  for (const auto each :
       {level::debug, level::info, level::warn, level::error, level::critical, level::off}) {
    EXPECT_EQ(level_from_string(to_string(each)), each);
  }
  EXPECT_EQ(level_from_string("INFO"), std::nullopt);
  EXPECT_EQ(level_from_string(""), std::nullopt);
}

class log_exit : public ::testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(log_exit, without_a_sink_records_of_info_go_to_stderr_and_are_there_after_exit) {
  EXPECT_EXIT(
      {
        debug("hidden");
        info("shown", {{"n", 1}});
        std::exit(0);
      },
      ::testing::ExitedWithCode(0), "^[^\n]* info     shown n=1 [^\n]*\n$");
}

TEST_F(log_exit, a_record_written_by_a_late_destructor_is_not_lost) {
  EXPECT_EXIT(
      {
        std::atexit([] { info("last words"); });  // runs after the log's own exit handler, or before it
        info("first");
        std::atexit([] { info("middle words"); });
        std::exit(0);
      },
      ::testing::ExitedWithCode(0), "first[^\n]*\n[^\n]*middle words[^\n]*\n[^\n]*last words");
}

TEST(log, what_a_context_source_adds_is_among_the_context_of_each_record) {
  add_context_source(&add_quiet_in_words);
  add_context_source(&add_quiet_in_words);
  only_sink sink;
  warn("without");
  {
    const scoped_value one(quiet, 7);
    const scoped_value two(request, "r");
    warn("with");
  }
  const auto records = sink->take();
  ASSERT_EQ(records.size(), 2U);
  EXPECT_TRUE(records[0].context.empty());
  EXPECT_EQ(records[1].context,
            (std::vector<context_field>{{"aa.first", "7"}, {"test.request", "r"}, {"zz.last", "7"}}));
}

}  // namespace
}  // namespace weft::log
