#include <gtest/gtest.h>

#include <string>

#include <weft/core/error.hpp>
#include <weft/trace/baggage.hpp>
#include <weft/trace/propagation.hpp>

#include "trace/keys.hpp"

namespace weft::trace {
namespace {

using testing::secret;
using testing::tenant;
using testing::user;
using headers = std::vector<header>;

std::string baggage_of(const context& of) { return to_header(current_baggage(of)); }

context came(std::string text) { return from_headers(headers{{"baggage", std::move(text)}}, context()); }

TEST(baggage, values_are_percent_decoded) {
  const auto all = read_baggage("a=caf%C3%A9,b=%20%2c%22,c=100%,d=%zz,e=x=y,f=,g=%ff%fe");
  ASSERT_EQ(all.size(), 7U);
  EXPECT_EQ(all[0].value(), "caf\u00e9");
  EXPECT_EQ(all[1].value(), " ,\"");
  EXPECT_EQ(all[2].value(), "100%");
  EXPECT_EQ(all[3].value(), "%zz");
  EXPECT_EQ(all[4].value(), "x=y");
  EXPECT_EQ(all[5].value(), "");
  EXPECT_EQ(all[6].value(), "\ufffd\ufffd");
}

TEST(baggage, what_is_encoded_is_decoded_to_the_same) {
  std::string text;
  for (int byte = 1; byte < 128; ++byte) text += static_cast<char>(byte);
  text += "caf\u00e9 100% \U0001f600";
  const auto one = make_baggage_entry("name", text);
  EXPECT_EQ(one.value(), text);
  EXPECT_EQ(read_baggage(to_header({one})), std::vector{one});
}

TEST(baggage, blanks_around_are_left_out_and_properties_kept_word_by_word) {
  const auto all = read_baggage(" a = 1 ; p1 = x ;p2,\tb=2 ,, c=3;q");
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0], (baggage_entry{"a", "1", "p1 = x ;p2"}));
  EXPECT_EQ(all[1], (baggage_entry{"b", "2", ""}));
  EXPECT_EQ(to_header(all), "a=1;p1 = x ;p2,b=2,c=3;q");
}

TEST(baggage, malformed_entries_are_left_out_and_counted) {
  const auto before = baggage_dropped();
  EXPECT_EQ(to_header(read_baggage("a=1,b,=2,c d=3,e=4\"5,f=6;p=\\,g=7 8,h=9")), "a=1,h=9");
  EXPECT_EQ(baggage_dropped() - before, 6U);
}

TEST(baggage, at_most_64_entries) {
  std::string text;
  for (int number = 100; number < 170; ++number) text += "k" + std::to_string(number) + "=v,";
  const auto before = baggage_dropped();
  const auto all = read_baggage(text);
  EXPECT_EQ(all.size(), 64U);
  EXPECT_EQ(all.back().name, "k163");
  EXPECT_EQ(baggage_dropped() - before, 6U);
}

TEST(baggage, at_most_8192_bytes_of_whole_entries) {
  const std::string large = "a=" + std::string(8190, 'x');
  EXPECT_EQ(to_header(read_baggage(large)), large);
  EXPECT_EQ(to_header(read_baggage(large + "x,b=1")), "b=1");
  EXPECT_EQ(to_header(read_baggage(large.substr(0, 8188) + ",b=1")), large.substr(0, 8188) + ",b=1");
  EXPECT_EQ(to_header(read_baggage(large.substr(0, 8189) + ",b=1")), large.substr(0, 8189));
}

TEST(baggage, entries_are_bound_to_the_keys_that_are_named_so) {
  const auto made = came("test.user=42,test.tenant=a%20b,other=1");
  EXPECT_EQ(*made.find(user), 42);
  EXPECT_EQ(*made.find(tenant), "a b");
  EXPECT_EQ(baggage_of(made), "test.tenant=a%20b,test.user=42,other=1");
}

TEST(baggage, keys_of_another_policy_are_neither_written_nor_bound) {
  EXPECT_EQ(baggage_of(context().with(secret, "s").with(user, 1)), "test.user=1");
  const auto made = came("test.secret=forged");
  EXPECT_EQ(made.find(secret), nullptr);
  EXPECT_EQ(baggage_of(made), "test.secret=forged");  // a name like any other
}

TEST(baggage, unknown_names_are_handed_on_as_they_came) {
  EXPECT_EQ(baggage_of(came("X=%c3%A9;p=1;q,y=")), "X=%c3%A9;p=1;q,y=");
}

TEST(baggage, properties_go_on_with_the_value_they_belong_to) {
  const auto made = came("test.user=42;ttl=3,test.tenant=a;x");
  EXPECT_EQ(baggage_of(made), "test.tenant=a;x,test.user=42;ttl=3");
  EXPECT_EQ(baggage_of(made.with(user, 7)), "test.tenant=a;x,test.user=7");
  EXPECT_EQ(baggage_of(made.without(user)), "test.tenant=a;x");
}

TEST(baggage, of_a_name_that_came_twice_the_last_one_is_bound) {
  EXPECT_EQ(*came("test.user=1;p,test.user=2").find(user), 2);
  EXPECT_EQ(baggage_of(came("test.user=1;p,test.user=2")), "test.user=2");
}

TEST(baggage, a_value_that_its_key_cannot_read_leaves_it_absent_and_is_counted) {
  const auto before = weft::detail::wire_values_unreadable.load();
  const auto made = came("test.user=many,a=1");
  EXPECT_EQ(made.find(user), nullptr);
  EXPECT_EQ(baggage_of(made), "a=1");
  EXPECT_EQ(weft::detail::wire_values_unreadable.load(), before + 1);
}

TEST(baggage, of_a_new_request_takes_the_place_of_the_one_before) {
  const auto made = from_headers(headers{{"baggage", "b=2"}}, came("a=1"));
  EXPECT_EQ(baggage_of(made), "b=2");
  EXPECT_EQ(baggage_of(from_headers(headers{}, made)), "");
}

TEST(baggage, travels_with_jobs_and_to_workers) {
  const auto made = came("test.user=42;ttl=3,X=%c3%A9;p");
  for (const auto hop : {wire_policy::worker, wire_policy::job}) {
    const auto there = context::from_wire(made.to_wire(hop));
    EXPECT_EQ(*there.find(user), 42);
    EXPECT_EQ(baggage_of(there), "test.user=42;ttl=3,X=%c3%A9;p");
    EXPECT_EQ(there.to_wire(hop), made.to_wire(hop));
  }
}

TEST(baggage, a_name_with_other_characters_is_refused) {
  EXPECT_THROW(make_baggage_entry("a b", "1"), error);
  EXPECT_THROW(make_baggage_entry("", "1"), error);
}

}  // namespace
}  // namespace weft::trace
