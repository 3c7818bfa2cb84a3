#include "cli/limits.hpp"

#include <string>
#include <vector>

#include <weft/jobs/limits.hpp>

#include "cli/jobs_change.hpp"
#include "cli/jobs_fixture.hpp"

namespace {

using weft::cli::change_report;
using weft::cli::shown_limits;
using weft::jobs::limit_options;
using weft::wire::from_json;

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

class weft_limits : public weft_test::jobs_commands {
 protected:
  weft_test::command_outcome limits(const std::string& name, std::vector<std::string> rest = {}) {
    return command("limits", name, std::move(rest));
  }
  void push(const std::string& key, int max = 1, const weft::jobs::rate_options& rate = {}) {
    queue().push(weft::closure{weft::named_closure<"cli.limited">([] {})},
                 {.limit = limit_options{key, max, rate}});
  }
};

TEST_F(weft_limits, are_listed_by_key) {
  push("mail", 7, {30, std::chrono::minutes(1), 5});
  push("disk");
  ASSERT_EQ(limits("set", {"a b", "--unlimited"}).status, 0);
  EXPECT_EQ(limits("list").out,
            "KEY   RUNNING  MAX  RATE              HELD BACK  SAID BY\n"
            "a b   0        any  any               0          set\n"
            "disk  0        1    any               0          pushes\n"
            "mail  0        7    30/1m, 5 at once  0          pushes\n");
  EXPECT_EQ(limits("list", {"--json", "--after", "disk"}).out,
            R"({"schema":1,"limits":[{"key":"mail","max":7,"running":0,"held_back":0,"rate_count":30,)"
            R"("rate_seconds":60.0,"rate_burst":5,"pinned":false}],"next":null})"
            "\n");
}

TEST_F(weft_limits, are_listed_page_by_page) {
  for (const char* const key : {"a", "b", "c"}) push(key);
  const auto first = from_json<shown_limits>(limits("list", {"--json", "--limit", "2"}).out);
  ASSERT_EQ(first.limits.size(), 2U);
  ASSERT_TRUE(first.next);
  const auto second =
      from_json<shown_limits>(limits("list", {"--json", "--limit", "2", "--next", *first.next}).out);
  ASSERT_EQ(second.limits.size(), 1U);
  EXPECT_EQ(second.limits[0].key, "c");
  EXPECT_FALSE(second.next);
}

TEST_F(weft_limits, are_listed_page_by_page_whatever_bytes_their_keys_have) {
  const auto store = weft::jobs::open_store(url());
  for (const char* const key : {"\xfe\xfe", "\xfe\xff", "\xff"})
    weft::jobs::set_limit(*store, {.key = key, .max = 1});
  std::vector<std::string> options{"--json", "--limit", "1"};
  for (int pages = 1; pages <= 3; ++pages) {
    const auto page = from_json<shown_limits>(limits("list", options).out);
    ASSERT_EQ(page.limits.size(), 1U) << pages;
    options = {"--json", "--limit", "1", "--next", page.next.value()};
  }
  EXPECT_TRUE(from_json<shown_limits>(limits("list", options).out).limits.empty());
  EXPECT_EQ(limits("list", {"--next", "x"}).status, 2);
  EXPECT_EQ(limits("list", {"--next", "61", "--after", "a"}).status, 2);
}

TEST_F(weft_limits, so_many_are_read_in_parts) {
  const auto store = weft::jobs::open_store(url());
  for (int i = 0; i < 120; ++i)
    weft::jobs::set_limit(*store, {.key = std::to_string(1000 + i), .max = i + 1});
  const auto all = from_json<shown_limits>(limits("list", {"--json", "--limit", "115"}).out);
  ASSERT_EQ(all.limits.size(), 115U);
  for (int i = 0; i < 115; ++i) EXPECT_EQ(all.limits[static_cast<std::size_t>(i)].max, i + 1);
  EXPECT_EQ(limits("list", {"--limit", "501"}).status, 2) << "each counts what it holds back";
  EXPECT_EQ(limits("release", {"--all", "--dry-run"}).out, "120 limits would be released\n");
  EXPECT_EQ(limits("release", {"1119", "--dry-run"}).out, "1 limit would be released\n");
}

TEST_F(weft_limits, are_set_over_what_pushes_say_and_released) {
  push("mail");
  const auto set = limits("set", {"mail", "--max", "3", "--rate", "10/1s", "--burst", "2"});
  EXPECT_EQ(set.status, 0) << set.err;
  EXPECT_EQ(set.out, "");
  push("mail", 9);
  const auto shown = [&] { return from_json<shown_limits>(limits("list", {"--json"}).out).limits.at(0); };
  EXPECT_EQ(shown().max, 3);
  EXPECT_EQ(shown().rate_count, 10);
  EXPECT_EQ(shown().rate_burst, 2);
  EXPECT_TRUE(shown().pinned);
  const auto released = limits("release", {"mail"});
  EXPECT_EQ(released.status, 0) << "named ones are not asked about: " << released.err;
  EXPECT_EQ(released.out, "1 limit released\n");
  EXPECT_FALSE(shown().pinned);
  EXPECT_EQ(shown().max, 3) << "until the next push";
  push("mail", 9);
  EXPECT_EQ(shown().max, 9);
}

TEST_F(weft_limits, are_released_all_at_once_only_where_that_is_confirmed) {
  push("pushed");
  for (const char* const key : {"a", "b"}) ASSERT_EQ(limits("set", {key, "--max", "2"}).status, 0);
  EXPECT_EQ(limits("release", {"--all", "--dry-run"}).out, "2 limits would be released\n");
  const auto unasked = limits("release", {"--all"});
  EXPECT_EQ(unasked.status, 2);
  EXPECT_TRUE(has(unasked.err, "say --yes")) << unasked.err;
  const auto done = limits("release", {"--all", "--yes", "--json"});
  EXPECT_EQ(done.out, R"({"schema":1,"matched":2,"changed":2,"dry_run":false,"left":[]})"
                      "\n");
  EXPECT_EQ(limits("release", {"--all", "--yes"}).status, 1) << "there are none left";
}

TEST_F(weft_limits, that_nobody_has_set_would_not_be_released) {
  push("mail");
  for (const char* const key : {"mail:a", "mail:\xc3\xa4", "\xff"})
    ASSERT_EQ(limits("set", {key, "--max", "1"}).status, 0);
  const auto asked =
      limits("release", {"mail", "mail:a", "mail:\xc3\xa4", "mail:b", "nobody's", "\xff", "--dry-run"});
  EXPECT_EQ(asked.status, 1);
  EXPECT_EQ(asked.out, "3 limits would be released\n");
  EXPECT_EQ(
      asked.err,
      "limit mail: nobody has set it\nlimit mail:b: nobody has set it\nlimit nobody's: nobody has set it\n");
  EXPECT_EQ(limits("release", {"mail:a", "\xff", "--dry-run"}).status, 0);
}

TEST_F(weft_limits, that_nobody_has_set_are_named) {
  push("mail");
  EXPECT_EQ(from_json<change_report>(limits("release", {"\xff", "--json"}).out).left.at(0).id,
            "\xef\xbf\xbd");
  const auto done = limits("release", {"mail", "x\x1b[2J"});
  EXPECT_EQ(done.status, 1);
  EXPECT_EQ(done.err, "limit mail: nobody has set it\nlimit x\\x1b[2J: nobody has set it\n");
  const auto report = from_json<change_report>(limits("release", {"mail", "--json"}).out);
  ASSERT_EQ(report.left.size(), 1U);
  EXPECT_EQ(report.left[0].id, "mail");
}

TEST_F(weft_limits, that_make_no_sense_are_wrong_usage) {
  (void)queue();
  for (const std::vector<std::string>& wrong : {std::vector<std::string>{"mail"},
                                                {"mail", "--max", "0"},
                                                {"mail", "--rate", "10"},
                                                {"mail", "--rate", "x/1s"},
                                                {"mail", "--burst", "3"},
                                                {"mail", "--max", "1", "--unlimited"},
                                                {"--max", "1"}})
    EXPECT_EQ(limits("set", wrong).status, 2) << wrong.back();
  EXPECT_EQ(limits("set", {std::string(300, 'k'), "--max", "1"}).status, 1) << "the key is too long";
  EXPECT_EQ(limits("release").status, 2);
  EXPECT_EQ(limits("release", {"mail", "--all"}).status, 2);
  EXPECT_TRUE(from_json<shown_limits>(limits("list", {"--json"}).out).limits.empty());
}

}  // namespace
