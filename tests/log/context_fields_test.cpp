#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include <weft/context/context.hpp>
#include <weft/log/context_fields.hpp>
#include <weft/log/context_source.hpp>

namespace weft::log {
namespace {

struct unreadable {};

}  // namespace
}  // namespace weft::log

template <>
struct weft::context_codec<weft::log::unreadable> {
  static std::string to_text(const weft::log::unreadable&) { throw std::runtime_error("no text"); }
  static std::optional<weft::log::unreadable> from_text(std::string_view) { return {}; }
};

namespace weft::log {
namespace {

inline constexpr key_spec user_spec{.name = "fields.user", .log = true};
inline const key<int> user{user_spec};
inline constexpr key_spec note_spec{.name = "fields.note", .log = true};
inline const key<std::string> note{note_spec};
inline constexpr key_spec password_spec{.name = "fields.password", .log = true, .redact = true};
inline const key<std::string> password{password_spec};
inline constexpr key_spec unmarked_spec{.name = "fields.unmarked"};
inline const key<int> unmarked{unmarked_spec};
inline constexpr key_spec unreadable_spec{.name = "fields.unreadable", .log = true};
inline const key<unreadable> unreadable_key{unreadable_spec};

void add_doubled(std::vector<context_field>& into) {
  if (unmarked.find() != nullptr) into.push_back({"aa.doubled", std::to_string(2 * *unmarked.find())});
}

TEST(log_context_fields, are_those_of_a_record_made_here) {
  EXPECT_TRUE(context_fields().empty());
  const scoped_value one(user, 7);
  const scoped_value two(password, "hunter2");
  const scoped_value three(note, "two words");
  EXPECT_EQ(context_fields(),
            (std::vector<context_field>{
                {"fields.note", "two words"}, {"fields.password", "***"}, {"fields.user", "7"}}));
}

TEST(log_context_fields, have_what_context_sources_add) {
  add_context_source(&add_doubled);
  const scoped_value one(user, 7);
  const scoped_value two(unmarked, 4);
  EXPECT_EQ(context_fields(), (std::vector<context_field>{{"aa.doubled", "8"}, {"fields.user", "7"}}));
}

TEST(log_context_fields, name_a_value_that_cannot_be_read) {
  const scoped_value one(unreadable_key, unreadable());
  EXPECT_EQ(context_fields(), (std::vector<context_field>{{"weft.context", "unreadable: no text"}}));
}

TEST(log_context_fields, are_shown_as_in_the_text_of_a_record) {
  std::string shown = "| ";
  format_context({}, shown);
  EXPECT_EQ(shown, "| ");
  format_context({{"app.note", "two\nwords"}, {"app.user", "7"}}, shown);
  EXPECT_EQ(shown, R"(| app.note="two\nwords" app.user=7)");
}

}  // namespace
}  // namespace weft::log
