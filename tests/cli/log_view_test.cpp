#include "cli/log_view.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>
#include <unistd.h>

#include <weft/logbook/defer.hpp>
#include <weft/process/exec.hpp>

#include "cli/log_input.hpp"
#include "cli/run_weft.hpp"
#include "cli/timer_chart.hpp"
#include "support/scratch_folder.hpp"

// `weft log view`.

namespace {

using weft_test::command_outcome;

constexpr const char* line_of_perl =
    R"({"start":1795229361.6771,"end":0.0205,"logs":[[0.000189,10,"e tag"],[0.000233,20,"w tag",{"detail":[1,"two"]}],)"
    R"([0.000244,30,"i tag"],[0.000253,40,"d tag"],[0.000259,25,"several","items",3]],)"
    R"("timers":[["worker tag",0.000266,0.020485],["short",0.0101,0.0102]],"data":{"user":"alice","size":7}})";

class log_view : public testing::Test {
 protected:
  log_view() { ::setenv("TZ", "UTC", 1); }

  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder / name) << text;
    return folder / name;
  }

  static command_outcome view(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"log", "view"});
    return weft_test::run_weft(std::move(arguments));
  }

  // The lines of the output that have this text.
  static std::size_t lines_with(const std::string& out, std::string_view text) {
    std::size_t count = 0;
    std::istringstream lines(out);
    for (std::string one; std::getline(lines, one);) count += one.find(text) != std::string::npos ? 1 : 0;
    return count;
  }

  weft_test::scratch_folder folder;
};

TEST_F(log_view, shows_a_log_of_perl) {
  const auto shown = view({"--width", "60", write("log", std::string(line_of_perl) + "\n")});
  EXPECT_EQ(shown.status, 0);
  EXPECT_EQ(shown.err, "");
  EXPECT_EQ(shown.out, R"(------ Sat 2026-11-21 02:49:21.677100 UTC (20.5 ms) ------
       0.2 error    e tag
       0.2 warn     w tag detail=[1,"two"]
       0.2 info     i tag
       0.3 25       several items 3
 worker tag |=============================================|
      short                       X
___________________________________________________________
times in ms 0.3                   10.1
                                  10.2                 20.5
data: {
  "size": 7,
  "user": "alice"
}

)");
}

TEST_F(log_view, shows_as_much_as_was_asked_for) {
  const auto file = write("log", line_of_perl);
  EXPECT_EQ(lines_with(view({"--quiet", file}).out, " tag"), 3U);  // two records and a timer
  EXPECT_EQ(lines_with(view({"--verbose", file}).out, " tag"), 5U);
  EXPECT_EQ(lines_with(view({"--verbosity", "10", file}).out, " tag"), 2U);
  EXPECT_EQ(view({"--no-logs", "--no-timers", "--no-data", file}).out,
            "------ Sat 2026-11-21 02:49:21.677100 UTC (20.5 ms) ------\n\n");
}

TEST_F(log_view, says_how_long_ago_where_wanted) {
  const auto shown =
      view({"--since-now", "--no-logs", "--no-timers", write("log", R"({"start":1000000000,"end":0})")});
  EXPECT_NE(shown.out.find(" days ago (0.0 ms)"), std::string::npos) << shown.out;
}

TEST_F(log_view, takes_the_older_form_of_timers) {
  const auto shown = view({write("log", R"({"start":1,"end":2,"timers":{"one":[0,1],"other":[1,2]}})")});
  EXPECT_EQ(lines_with(shown.out, "one |==="), 1U) << shown.out;
  EXPECT_EQ(lines_with(shown.out, "other"), 1U);
}

TEST_F(log_view, cannot_be_driven_by_a_log) {
  const auto shown = view({write(
      "log",
      R"({"start":1,"logs":[[0,10,"\u001b[31m\u009b\u007f\n",{"a\u001b":"b\u001b","c":["\u009b\u007f"]}]],)"
      R"("timers":[["t\u001b",0,1]],"data":{"d\u0007":"e\u009b"}})")});
  for (const std::string bad : {"\x1b", "\x7f", "\a", "\xc2\x9b"}) {
    EXPECT_EQ(shown.out.find(bad), std::string::npos) << shown.out;
  }
  EXPECT_EQ(lines_with(shown.out, "\\x1b[31m"), 1U) << shown.out;
}

TEST_F(log_view, is_coloured_on_terminals_only) {
  weft::log::collection log;
  log.records.emplace_back().message = "m";
  weft::cli::log_style style;
  EXPECT_EQ(weft::cli::log_text(log, style, {}).find('\x1b'), std::string::npos);
  style.coloured = true;
  EXPECT_NE(weft::cli::log_text(log, style, {}).find("\x1b[32minfo"), std::string::npos);
}

class log_filters : public log_view {
 protected:
  // The starts of the logs that are shown.
  std::string starts(std::vector<std::string> options) {
    const auto file = write("log", R"({"start":3,"end":0.6,"data":{"user":"alice","n":3}})"
                                   "\n"
                                   R"({"start":1,"end":0.1,"data":{"user":"bob","deep":[{"x":"y"}]}})"
                                   "\n\n"
                                   R"({"start":2,"end":0.2,"logs":[[0,30,"needle"]]})");
    options.insert(options.end(), {"--map", "start", file});
    const auto shown = view(std::move(options));
    EXPECT_EQ(shown.status, 0) << shown.err;
    return shown.out;
  }
};

TEST_F(log_filters, choose_by_text_and_by_condition) {
  EXPECT_EQ(starts({}), "3\n1\n2\n");
  EXPECT_EQ(starts({"--grep", "needle"}), "2\n");
  EXPECT_EQ(starts({"--where", "data.user=alice"}), "3\n");
  EXPECT_EQ(starts({"--where", "data.user!=alice"}), "1\n2\n");
  EXPECT_EQ(starts({"--where", "data.user"}), "3\n1\n");
  EXPECT_EQ(starts({"--where", "end>0.15"}), "3\n2\n");
  EXPECT_EQ(starts({"--where", "end>=0.2", "--where", "end<0.6"}), "2\n");
  EXPECT_EQ(starts({"--where", "data.n=3"}), "3\n");
  EXPECT_EQ(starts({"--where", "data.deep.0.x=y"}), "1\n");
  EXPECT_EQ(starts({"--where", "data.deep.1.x"}), "");
}

TEST_F(log_filters, count_and_sum) {
  const auto file = write("log", R"({"start":1,"end":0.5,"data":{"user":"bob"}})"
                                 "\n"
                                 R"({"start":2,"end":1.5,"data":{"user":"alice"}})"
                                 "\n"
                                 R"({"start":3,"end":4,"data":{"user":"alice"}})"
                                 "\n"
                                 R"({"start":4})");
  EXPECT_EQ(view({"--count", "data.user", file}).out, "       2 alice\n       1 (none)\n       1 bob\n");
  EXPECT_EQ(view({"--sum", "end", file}).out, "count 3, sum 6, mean 2, least 0.5, most 4\n");
}

TEST_F(log_filters, sort_by_start) {
  const auto one = write("one", "{\"start\":30,\"end\":0}\n{\"start\":10,\"end\":0}\n");
  const auto other = write("other", "{\"start\":20,\"end\":0}\n");
  const auto out = view({"--sort", one, other}).out;
  EXPECT_LT(out.find("00:00:10"), out.find("00:00:20"));
  EXPECT_LT(out.find("00:00:20"), out.find("00:00:30"));
}

TEST_F(log_filters, a_wrong_one_is_told_apart) {
  for (const char* const wrong : {"end>much", "end!much", "end<"}) {
    EXPECT_EQ(view({"--where", wrong, write("log", "")}).status, 2) << wrong;
  }
  EXPECT_EQ(weft_test::run_weft({"log"}).status, 2);
  EXPECT_EQ(view({"--follow", "--sort", "x"}).status, 2);
}

class log_input : public log_view {};

TEST_F(log_input, may_be_packed) {
  const auto file = write("log", std::string(line_of_perl) + "\n" + line_of_perl + "\n");
  const auto plain = view({file}).out;
  for (const auto& [packer, ending] : {std::pair("gzip", ".gz"), std::pair("bzip2", ".bz2")}) {
    ASSERT_TRUE(weft::exec({packer, "-k", file}).ok());
    EXPECT_EQ(view({file + ending}).out, plain);
  }
  const auto broken = view({write("broken.gz", "no gzip")});
  EXPECT_EQ(broken.status, 1);
}

TEST_F(log_input, that_cannot_be_read_is_said_and_the_rest_is_shown) {
  const auto file = write("log", "no json\n{\"start\":1}\n[]\n{\"begin\":1}\n\n");
  const auto shown = view({"--map", "start", folder / "missing", file});
  EXPECT_EQ(shown.status, 1);
  EXPECT_EQ(shown.out, "1\n");
  for (const char* const part : {"missing", "log:1 is no log", "log:3 is no log", "log:4 is no log"}) {
    EXPECT_NE(shown.err.find(part), std::string::npos) << part << " in " << shown.err;
  }
}

// Each line is handed to the reader, which does the next thing to the file.
TEST_F(log_input, is_followed_as_it_grows_is_cut_off_and_replaced) {
  const auto file = write("log", "one\n");
  std::vector<std::string> seen;
  weft::cli::follow_lines({file}, [&](const weft::cli::input_line& line) {
    seen.emplace_back(line.text);
    if (line.text == "one") std::ofstream(file, std::ios::app) << "two\nth" << std::flush << "ree\n";
    if (line.text == "three") write("log", "four\n");
    if (line.text == "four") std::filesystem::rename(write("another", "five\n"), file);
    return line.text != "five";
  });
  EXPECT_EQ(seen, (std::vector<std::string>{"one", "two", "three", "four", "five"}));
}

TEST_F(log_input, is_followed_as_another_process_writes) {
  const auto file = write("log", "one\n");
  std::thread writer;
  std::vector<std::string> seen;
  weft::cli::follow_lines({file}, [&](const weft::cli::input_line& line) {
    seen.emplace_back(line.text);
    if (line.text == "one") writer = std::thread([&] { std::ofstream(file, std::ios::app) << "two\n"; });
    return line.text != "two";
  });
  writer.join();
  EXPECT_EQ(seen.size(), 2U);
}

TEST(timer_chart, is_scaled_to_the_width) {
  weft::log::collection log;
  for (int i = 0; i < 3; ++i) {
    log.timers.push_back({"t" + std::to_string(i), log.start + std::chrono::milliseconds(10 * i),
                          std::chrono::milliseconds(10)});
  }
  log.timers.push_back({"runs", log.start + std::chrono::milliseconds(15), std::nullopt});
  log.end = log.start + std::chrono::milliseconds(30);
  for (const std::size_t width : {30U, 50U, 120U}) {
    std::istringstream lines(weft::cli::timer_chart(log, width));
    std::size_t longest = 0;
    for (std::string one; std::getline(lines, one);) {
      if (one.find_first_of("|_") != std::string::npos) longest = std::max(longest, one.size());
    }
    EXPECT_EQ(longest, width - 1);
  }
  const auto text = weft::cli::timer_chart(log, 50);
  EXPECT_LT(text.find("t1 "), text.find("runs "));
  EXPECT_LT(text.find("runs "), text.find("t2 "));
  EXPECT_NE(text.find("=>\n"), std::string::npos) << text;
  EXPECT_EQ(weft::cli::timer_chart({}, 50), "");
}

TEST(timer_chart, stands_odd_timers) {
  weft::log::collection log;
  log.timers.push_back({"", log.start, std::chrono::microseconds(0)});
  log.timers.push_back(
      {std::string(500, 'x'), log.start - std::chrono::seconds(1), std::chrono::microseconds(0)});
  log.timers.push_back({"λ", log.start, std::nullopt});
  EXPECT_NE(weft::cli::timer_chart(log, 20).find("X\n"), std::string::npos);
  log.timers.push_back({"long", log.start, std::chrono::hours(1'000'000)});
  EXPECT_NE(weft::cli::timer_chart(log, 1).find("|=="), std::string::npos);
}

}  // namespace
