#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <weft/log/sink.hpp>

namespace weft::log {
namespace {

record sample() {
  record made;
  made.time = record_time(std::chrono::microseconds(1'772'366'400'000'123));
  made.level = level::info;
  made.message = "mail sent";
  made.fields = {{"to", std::string("a@b.c")},
                 {"bytes", std::uint64_t{12}},
                 {"late", false},
                 {"ratio", 0.5},
                 {"n", std::int64_t{-1}}};
  made.context = {{"app.request", "r1"}, {"app.user", "7"}};
  made.task_id = 7;
  made.task_name = "mailer";
  made.process_id = 4242;
  made.file = "/src/app/mail.cpp";
  made.line = 31;
  return made;
}

std::string text_of(const record& from, bool coloured = false) {
  std::string out;
  format_text(from, out, coloured);
  return out;
}

std::string message_text(std::string message) {
  record made;
  made.message = std::move(message);
  const auto text = text_of(made);
  const auto begin = text.find("info     ") + 9;
  return text.substr(begin, text.find(" | ") - begin);
}

TEST(log_text, is_one_line_with_time_level_message_fields_context_and_origin) {
  EXPECT_EQ(text_of(sample()),
            "2026-03-01T12:00:00.000123Z info     mail sent to=a@b.c bytes=12 late=false ratio=0.5 n=-1"
            " | app.request=r1 app.user=7 | mailer #7 in 4242 at mail.cpp:31\n");
}

TEST(log_text, quotes_values_that_are_not_one_word) {
  auto from = sample();
  from.fields = {{"a", std::string()},
                 {"b", std::string("two words")},
                 {"c", std::string("a=\"b\"")},
                 {"d", std::string("\\")}};
  EXPECT_NE(text_of(from).find(R"(a="" b="two words" c="a=\"b\"" d="\\" |)"), std::string::npos)
      << text_of(from);
}

TEST(log_text, quotes_json_task_and_file_that_could_forge_other_values) {
  const std::string forged = "1 user=root | trace_id=abc";
  auto from = sample();
  from.fields = {{"a", json_text{forged}}, {"b", json_text{"[1,2]"}}, {"c", json_text{R"({"d": 1})"}}};
  from.task_name = forged;
  from.file = "/src/a | b=c";
  EXPECT_EQ(text_of(from),
            "2026-03-01T12:00:00.000123Z info     mail sent a=\"1 user=root | trace_id=abc\" b=[1,2]"
            R"( c="{\"d\": 1}" | app.request=r1 app.user=7)"
            " | \"1 user=root | trace_id=abc\" #7 in 4242 at \"a | b=c\":31\n");
}

TEST(log_text, escapes_what_could_forge_a_line_or_move_the_cursor) {
  EXPECT_EQ(message_text("a\nb\r\tc"), "a\\nb\\r\\tc");
  EXPECT_EQ(message_text("\033[2J\x7f"), "\\x1b[2J\\x7f");
  EXPECT_EQ(message_text("\xc2\x9b"
                         "2J"),
            "\\xc2\\x9b2J");  // U+009B, the one-character CSI
  EXPECT_EQ(message_text(std::string("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(message_text("a\\n"), "a\\\\n");
}

TEST(log_text, keeps_utf8_and_escapes_bytes_that_are_not) {
  EXPECT_EQ(message_text("grüße λ 😀"), "grüße λ 😀");
  EXPECT_EQ(message_text("\xff"), "\\xff");
  EXPECT_EQ(message_text("\xc3"), "\\xc3");                             // cut short
  EXPECT_EQ(message_text("\xc0\xaf"), "\\xc0\\xaf");                    // overlong
  EXPECT_EQ(message_text("\xed\xa0\x80"), "\\xed\\xa0\\x80");           // surrogate
  EXPECT_EQ(message_text("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // above U+10FFFF
}

TEST(log_text, times_before_1970_and_at_midnight_are_right) {
  record from;
  from.time = record_time(std::chrono::microseconds(-1));
  EXPECT_EQ(text_of(from).substr(0, 27), "1969-12-31T23:59:59.999999Z");
  from.time = record_time(std::chrono::microseconds(0));
  EXPECT_EQ(text_of(from).substr(0, 27), "1970-01-01T00:00:00.000000Z");
}

TEST(log_text, coloured_text_differs_only_by_escape_sequences) {
  std::string coloured = text_of(sample(), true);
  EXPECT_NE(coloured.find("\033[32minfo\033[0m"), std::string::npos);
  for (auto begin = coloured.find('\033'); begin != std::string::npos; begin = coloured.find('\033')) {
    coloured.erase(begin, coloured.find('m', begin) - begin + 1);
  }
  EXPECT_EQ(coloured, text_of(sample()));
}

class log_colour : public ::testing::Test {
 protected:
  void SetUp() override {
    unsetenv("NO_COLOR");
    setenv("TERM", "xterm", 1);
    terminal_ = posix_openpt(2);
  }
  void TearDown() override { close(terminal_); }
  int terminal_ = -1;
};

TEST_F(log_colour, is_automatic_on_a_terminal_only) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ASSERT_EQ(isatty(terminal_), 1);
  EXPECT_TRUE(use_colour(colour::automatic, terminal_));
  EXPECT_FALSE(use_colour(colour::automatic, ends[1]));
  EXPECT_TRUE(use_colour(colour::always, ends[1]));
  close(ends[0]);
  close(ends[1]);
}

TEST_F(log_colour, is_off_where_no_color_is_set_and_not_empty) {
  setenv("NO_COLOR", "", 1);
  EXPECT_TRUE(use_colour(colour::automatic, terminal_));
  setenv("NO_COLOR", "1", 1);
  EXPECT_FALSE(use_colour(colour::automatic, terminal_));
  EXPECT_TRUE(use_colour(colour::always, terminal_));
}

TEST_F(log_colour, is_off_on_a_dumb_terminal_and_where_never_is_asked) {
  EXPECT_FALSE(use_colour(colour::never, terminal_));
  setenv("TERM", "dumb", 1);
  EXPECT_FALSE(use_colour(colour::automatic, terminal_));
}

}  // namespace
}  // namespace weft::log
