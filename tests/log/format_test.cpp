#include <weft/log/format.hpp>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <limits>

#include <weft/core/unique_fd.hpp>
#include <weft/log/log.hpp>
#include <weft/wire/json.hpp>
#include <weft/wire/json_value.hpp>

namespace weft::log {
namespace {

using namespace std::chrono_literals;

record sample() {
  record made;
  made.time = record_time(std::chrono::microseconds(1'772'366'400'000'123));
  made.level = level::warn;
  made.message = "mail sent";
  made.fields = {{"to", std::string("a@b.c")},
                 {"bytes", std::uint64_t{12}},
                 {"late", false},
                 {"ratio", 0.5},
                 {"all", json_text{R"({"a": [1, true, null]})"}}};
  made.context = {{"trace_id", "0af7"}, {"weft.job", "j-7"}};
  made.task_id = 7;
  made.task_name = "job j-7";
  made.process_id = 4242;
  made.file = "/src/app/mail.cpp";
  made.line = 31;
  return made;
}

std::string json_of(const record& from) {
  std::string out;
  format_json(from, out);
  return out;
}
std::string logfmt_of(const record& from) {
  std::string out;
  format_logfmt(from, out);
  return out;
}

/// As a reader of JSON lines sees it.
wire::json_value read(const record& from) { return wire::from_json<wire::json_value>(json_of(from)); }
std::string text_in(const record& from, const std::string& name) {
  const auto whole = read(from);
  const auto* const found = whole.if_object()->find(name);
  return found == nullptr || found->if_text() == nullptr ? "none" : *found->if_text();
}

TEST(log_json, is_one_object_with_all_that_the_record_has) {
  EXPECT_EQ(
      json_of(sample()),
      R"({"time":"2026-03-01T12:00:00.000123Z","level":"warn","msg":"mail sent","to":"a@b.c","bytes":12,)"
      R"("late":false,"ratio":0.5,"all":{"a":[1,true,null]},"trace_id":"0af7","weft.job":"j-7",)"
      R"("task":"job j-7","task_id":7,"pid":4242,"at":"mail.cpp:31"})"
      "\n");
}

TEST(log_logfmt, is_names_and_values_with_all_that_the_record_has) {
  EXPECT_EQ(
      logfmt_of(sample()),
      R"(time=2026-03-01T12:00:00.000123Z level=warn msg="mail sent" to=a@b.c bytes=12 late=false ratio=0.5)"
      R"( all="{\"a\": [1, true, null]}" trace_id=0af7 weft.job=j-7 task="job j-7" task_id=7 pid=4242)"
      " at=mail.cpp:31\n");
}

TEST(log_json, gives_hostile_text_back_as_it_was_in_one_line) {
  for (const std::string& hostile :
       {std::string("a\nb\r\t\"\\\"},{"), std::string("\x1b[2J\x7f"),
        std::string("\xc2\x9b"
                    "2J"),
        std::string("a\0b", 3), std::string("\xe2\x80\xa8 grüße 😀"), std::string("</script>")}) {
    auto from = sample();
    from.message = hostile;
    from.fields = {{hostile, hostile}};
    from.context = {{"who", hostile}};
    from.task_name = hostile;
    const auto line = json_of(from);
    EXPECT_EQ(line.find('\n'), line.size() - 1) << line;
    EXPECT_EQ(line.find_first_of("\x1b\x7f\r\t"), std::string::npos) << line;
    EXPECT_EQ(line.find("\xc2\x9b"), std::string::npos) << line;
    for (const std::string& name : {std::string("msg"), hostile, std::string("who"), std::string("task")})
      EXPECT_EQ(text_in(from, name), hostile) << line;
  }
}

TEST(log_json, shows_bytes_that_are_no_text_as_replaced) {
  auto from = sample();
  from.message =
      "a\xff"
      "b\xc3";
  EXPECT_EQ(text_in(from, "msg"),
            "a\xef\xbf\xbd"
            "b\xef\xbf\xbd");
}

TEST(log_json, a_structure_that_is_no_json_is_a_text) {
  for (const std::string& bad :
       {std::string("{\"a\":1"), std::string("1,\"level\":\"debug\""), std::string("{}\n{}"),
        std::string("01"), std::string("nan"), std::string(), std::string("{\"a\" 1}"),
        std::string("\"\x01\""), std::string("\"\\x\""), std::string("\"\xff\""), std::string("\"\xc2\x9b\""),
        std::string("[1,]"), std::string("tru"), std::string("1."), std::string("1e"),
        std::string("\"\\u12g4\""), std::string(100, '[') + std::string(100, ']')}) {
    auto from = sample();
    from.fields = {{"odd", json_text{bad}}};
    EXPECT_NE(text_in(from, "odd"), "none") << bad;
    EXPECT_EQ(text_in(from, "level"), "warn");
  }
  for (const char* const good :
       {"[]", "{}", " [ -0.5e+3 , \"\\u00e9\\n\" ] ", "null", "\"x\"", "0", "[{\"a\":{}}]"}) {
    auto from = sample();
    from.fields = {{"good", json_text{good}}};
    const auto whole = read(from);
    EXPECT_EQ(*whole.if_object()->find("good"), wire::from_json<wire::json_value>(good)) << good;
  }
}

TEST(log_json, numbers_that_json_lacks_are_texts) {
  auto from = sample();
  from.fields = {{"a", std::numeric_limits<double>::quiet_NaN()},
                 {"b", -std::numeric_limits<double>::infinity()}};
  EXPECT_EQ(text_in(from, "a"), "nan");
  EXPECT_EQ(text_in(from, "b"), "-inf");
}

TEST(log_formats, no_field_takes_the_place_of_what_the_record_says_itself) {
  auto from = sample();
  from.fields = {
      {"level", std::string("debug")}, {"msg", std::string("forged")}, {"weft.job", std::string("j-8")}};
  EXPECT_EQ(text_in(from, "level"), "warn");
  EXPECT_EQ(text_in(from, "msg"), "mail sent");
  EXPECT_EQ(text_in(from, "field.level"), "debug");
  EXPECT_EQ(text_in(from, "weft.job"), "j-8");
  EXPECT_EQ(text_in(from, "context.weft.job"), "j-7");
  EXPECT_NE(logfmt_of(from).find(" field.level=debug field.msg=forged weft.job=j-8 "), std::string::npos);
}

TEST(log_logfmt, neither_a_name_nor_a_value_can_begin_another_one) {
  auto from = sample();
  from.message = "x level=error\ntime=0";
  from.fields = {{"a b=\"c\"\n", std::string("d e=f \"g\"\x1b")}, {"", std::string()}};
  from.context = {{"two words", "a\nb"}};
  from.task_name.clear();
  EXPECT_NE(logfmt_of(from).find(
                R"(msg="x level=error\ntime=0" a_b__c__="d e=f \"g\"\x1b" _="" two_words="a\nb" task_id=7 )"),
            std::string::npos)
      << logfmt_of(from);
}

TEST(log_formats, have_names) {
  for (const auto one : {line_format::automatic, line_format::text, line_format::logfmt, line_format::json})
    EXPECT_EQ(line_format_from_string(to_string(one)), one);
  EXPECT_EQ(line_format_from_string("xml"), std::nullopt);
}

/// What a sink with these options writes of the sample, to a pipe.
std::string written(stream_sink_options how) {
  int ends[2];
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const unique_fd reader(ends[0]);
  const unique_fd writer(ends[1]);
  how.fd = writer.get();
  {
    stream_sink to(how);
    to.accept(std::make_shared<record>(sample()));
    EXPECT_TRUE(to.flush(20s));
  }
  std::string bytes(4096, '\0');
  const ssize_t got = ::read(reader.get(), bytes.data(), bytes.size());
  bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return bytes;
}

TEST(stream_sink, writes_logfmt_where_no_terminal_is_and_what_was_asked_for) {
  EXPECT_EQ(written({}), logfmt_of(sample()));
  EXPECT_EQ(written({.format = line_format::json}), json_of(sample()));
  EXPECT_TRUE(
      written({.format = line_format::text}).starts_with("2026-03-01T12:00:00.000123Z warn     mail sent"));
}

TEST(stream_sink, writes_text_on_a_terminal) {
  const unique_fd terminal(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  ASSERT_TRUE(terminal);
  ASSERT_EQ(::grantpt(terminal.get()), 0);
  ASSERT_EQ(::unlockpt(terminal.get()), 0);
  char name[128] = {};
  ASSERT_EQ(::ptsname_r(terminal.get(), name, sizeof name), 0);
  const unique_fd shown(::open(name, O_RDWR | O_NOCTTY | O_CLOEXEC));
  ASSERT_TRUE(shown);
  stream_sink to({.fd = shown.get(), .colour = colour::never});
  to.accept(std::make_shared<record>(sample()));
  EXPECT_TRUE(to.flush(20s));
  std::string bytes(4096, '\0');
  const ssize_t got = ::read(terminal.get(), bytes.data(), bytes.size());
  ASSERT_GT(got, 0);
  EXPECT_TRUE(bytes.starts_with("2026-03-01T12:00:00.000123Z warn     mail sent to=a@b.c")) << bytes;
}

TEST(stream_sink, gives_the_journal_priorities_where_it_reads) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const unique_fd reader(ends[0]);
  const unique_fd writer(ends[1]);
  struct stat of {};
  ASSERT_EQ(::fstat(writer.get(), &of), 0);
  const auto named = std::to_string(of.st_dev) + ':' + std::to_string(of.st_ino);
  for (const std::string& other : {std::string(), std::string("x"), named + "1", named + ":",
                                   std::string("1:2"), std::to_string(of.st_dev)}) {
    ::setenv("JOURNAL_STREAM", other.c_str(), 1);
    EXPECT_FALSE(leads_to_journal(writer.get())) << other;
  }
  ::setenv("JOURNAL_STREAM", named.c_str(), 1);
  EXPECT_TRUE(leads_to_journal(writer.get()));
  stream_sink to({.fd = writer.get()});
  std::string expected;
  for (const auto& [of_level, priority] : {std::pair{level::debug, '7'},
                                           {level::info, '6'},
                                           {level::warn, '4'},
                                           {level::error, '3'},
                                           {level::critical, '2'}}) {
    auto one = sample();
    one.level = of_level;
    one.message = "two\nlines";
    to.accept(std::make_shared<record>(one));
    expected += std::string("<") + priority + ">" + logfmt_of(one);
  }
  EXPECT_TRUE(to.flush(20s));
  std::string bytes(8192, '\0');
  const ssize_t got = ::read(reader.get(), bytes.data(), bytes.size());
  bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  EXPECT_EQ(bytes, expected);
  ::unsetenv("JOURNAL_STREAM");
}

}  // namespace
}  // namespace weft::log
