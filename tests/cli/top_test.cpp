// What `weft top` prints; its keys on a terminal are tried by top_test.py.
#include "cli/top_screen.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <weft/closure/closure.hpp>
#include <weft/wire/json.hpp>

#include "cli/jobs_fixture.hpp"

namespace weft::cli {
namespace {

jobs::shown_queue queue_of(const std::string& name, std::int64_t ready, std::int64_t done) {
  jobs::shown_queue made;
  made.queue = name;
  made.ready = ready;
  made.done = done;
  return made;
}

std::size_t lines_of(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

TEST(top_screen, shows_how_many_jobs_of_each_queue_end_in_a_second) {
  top_view view;
  view.before = top_look{.queues = {queue_of("mail", 9, 100), queue_of("night", 0, 50)}};
  view.now = top_look{.time = "now", .queues = {queue_of("mail", 5, 130), queue_of("night", 0, 10)}};
  view.between = std::chrono::seconds(2);
  const std::string text = top_screen(view, 200, 100);
  EXPECT_NE(text.find("5 ready"), std::string::npos) << text;
  EXPECT_NE(text.find("15.0 end each second"), std::string::npos) << text;
  EXPECT_NE(text.find("mail   15.0 "), std::string::npos) << text;
  EXPECT_NE(text.find("night  0.0 "), std::string::npos) << "what was deleted did not un-end: " << text;
}

TEST(top_screen, sorts_queues_as_asked) {
  top_view view;
  view.now.queues = {queue_of("a", 1, 0), queue_of("b", 3, 0), queue_of("c", 2, 0)};
  const auto order = [&] {
    const std::string text = top_screen(view, 200, 100);
    std::vector<std::pair<std::size_t, char>> places;
    for (const char name : {'a', 'b', 'c'})
      places.emplace_back(text.find(std::string("\n") + name + ' '), name);
    std::ranges::sort(places);
    std::string found;
    for (const auto& one : places) found += one.second;
    return found;
  };
  EXPECT_EQ(order(), "abc");
  view.order = top_order::ready;
  EXPECT_EQ(order(), "bca");
}

TEST(top_screen, stays_in_its_bounds_and_escapes_what_others_wrote) {
  top_view view;
  view.database = "jobs.db";
  view.now.queues = {queue_of("\x1b[2Jevil\nqueue", 1, 0), queue_of(std::string(300, 'x'), 1, 0),
                     queue_of("\xc3\xa4\xc3\xb6\xc3\xbc", 1, 0)};
  for (int i = 0; i < 100; ++i) view.now.running.emplace_back().id = std::to_string(i);
  const std::string text = top_screen(view, 40, 12);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(lines_of(text), 12U);
  for (std::size_t at = 0; at < text.size();) {
    const auto end = text.find('\n', at);
    const auto line = text.substr(at, end - at);
    const auto characters = std::ranges::count_if(line, [](char one) { return (one & 0xC0) != 0x80; });
    EXPECT_LE(characters, 40) << line;
    at = end + 1;
  }
  EXPECT_EQ(top_screen(view, 1, 1), "w\n");
}

TEST(top_screen, says_why_the_last_look_failed) {
  top_view view;
  view.problem = "the server is away";
  EXPECT_NE(top_screen(view, 80, 24).find("\n! the server is away\n"), std::string::npos);
}

class weft_top : public weft_test::jobs_commands {};

TEST_F(weft_top, prints_one_look_where_there_is_no_terminal) {
  queue().push(weft::closure{weft::named_closure<"top.fine">([](int n) { return n; }), 1});
  const auto done = weft_test::run_weft({"top", "--db", url()});
  EXPECT_EQ(done.status, 0) << done.err;
  EXPECT_NE(done.out.find("0 running, 1 ready"), std::string::npos) << done.out;
  EXPECT_EQ(done.out.find('\x1b'), std::string::npos) << done.out;
}

TEST_F(weft_top, prints_a_line_of_json_for_each_look) {
  queue();
  const auto done =
      weft_test::run_weft({"top", "--db", url(), "--json", "--count", "3", "--interval", "10ms"});
  EXPECT_EQ(done.status, 0) << done.err;
  ASSERT_EQ(lines_of(done.out), 3U) << done.out;
  const auto first = wire::from_json<top_look>(done.out.substr(0, done.out.find('\n')));
  EXPECT_EQ(first.schema, 1);
  EXPECT_EQ(first.running.size(), 0U);
}

TEST_F(weft_top, of_a_database_that_is_not_there_fails) {
  const auto done = weft_test::run_weft({"top", "--db", url() + "-not"});
  EXPECT_EQ(done.status, 1);
  EXPECT_NE(done.err.find("weft top: "), std::string::npos) << done.err;
}

}  // namespace
}  // namespace weft::cli
