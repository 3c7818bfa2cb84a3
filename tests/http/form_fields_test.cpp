#include <weft/http/form.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <weft/http/request.hpp>
#include <weft/http/status_error.hpp>

namespace weft::http {

enum class order { newest, oldest };
WEFT_DESCRIBE_ENUM(order, newest, oldest);

struct search {
  std::string words;
  int page = 0;
  bool exact = true;
  std::optional<double> price;
  std::vector<std::string> tags;
  http::order order = order::newest;
};
WEFT_DESCRIBE(search, words, page, exact, price, tags, order);

struct lenient {
  int page = 7;
  bool exact = true;
};
WEFT_DESCRIBE(lenient, page, exact);
WEFT_MISSING_IS_DEFAULT(lenient);

namespace {

template <typename Body>
int status_of(Body&& body) {
  try {
    body();
    return 200;
  } catch (const status_error& refused) {
    return refused.status();
  }
}

TEST(form_fields, are_decoded_in_their_order) {
  const form_fields got = form_fields::parse("a=1&b=two+words&a=%41%26&&=x&c&d=e=f");
  std::string all;
  for (const form_field& one : got) all += one.name + "[" + one.value + "]";
  EXPECT_EQ(all, "a[1]b[two words]a[A&][x]c[]d[e=f]");
  EXPECT_EQ(got.first("a"), "1");
  EXPECT_EQ(got.all("a"), (std::vector<std::string_view>{"1", "A&"}));
  EXPECT_EQ(got.first("z"), std::nullopt);
  EXPECT_EQ(got.value<int>("a"), 1);
  EXPECT_EQ(got.value("b"), "two words");
  EXPECT_EQ(status_of([&] { got.value<int>("b"); }), 400);
  EXPECT_TRUE(form_fields::parse("").empty());
}

TEST(form_fields, that_are_badly_encoded_or_too_much_are_refused) {
  for (const char* const text : {"a=%", "a=%4", "a=%zz", "%=1"})
    EXPECT_EQ(status_of([&] { form_fields::parse(text); }), 400) << text;
  EXPECT_EQ(status_of([] { form_fields::parse("a&b&c", {.fields_max = 3}); }), 200);
  EXPECT_EQ(status_of([] { form_fields::parse("a&b&c&d", {.fields_max = 3}); }), 413);
  EXPECT_EQ(status_of([] { form_fields::parse("a=bcd&x", {.field_bytes_max = 5}); }), 200);
  EXPECT_EQ(status_of([] { form_fields::parse("x&a=bcde", {.field_bytes_max = 5}); }), 413);
  EXPECT_EQ(status_of([] { form_fields::parse("a=bcde", {.memory_bytes_max = 5}); }), 413);
}

TEST(form_fields, are_read_as_a_struct) {
  const auto got =
      form_fields::parse("words=a+b&page=3&price=1.5&tags=x&tags=y&order=oldest&other=1").as<search>();
  EXPECT_EQ(got.words, "a b");
  EXPECT_EQ(got.page, 3);
  EXPECT_FALSE(got.exact);  // a box that is not ticked is not sent
  EXPECT_EQ(got.price, 1.5);
  EXPECT_EQ(got.tags, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(got.order, order::oldest);
  const auto less = form_fields::parse("words=&page=-1&price=&exact=on&order=newest").as<search>();
  EXPECT_EQ(less.price, std::nullopt);
  EXPECT_TRUE(less.exact);
  EXPECT_TRUE(less.tags.empty());
}

TEST(form_fields, that_do_not_fit_a_struct_are_refused_by_name) {
  const auto why = [](std::string_view text) -> std::string {
    try {
      form_fields::parse(text).as<search>();
      return "it fits";
    } catch (const status_error& refused) {
      EXPECT_EQ(refused.status(), 400);
      return refused.what();
    }
  };
  EXPECT_NE(why("words=a&order=newest").find("field page is missing"), std::string::npos);
  EXPECT_NE(why("words=a&page=x&order=newest").find("page: \"x\""), std::string::npos);
  EXPECT_NE(why("words=a&page=1&order=best").find("order: \"best\""), std::string::npos);
  EXPECT_NE(why("words=a&page=1&order=newest&price=much").find("price: \"much\""), std::string::npos);
  EXPECT_NE(why("words=a&page=99999999999&order=newest").find("page"), std::string::npos);
}

TEST(form_fields, that_are_missing_keep_their_default_where_the_struct_says_so) {
  const auto got = form_fields::parse("").as<lenient>();
  EXPECT_EQ(got.page, 7);
  EXPECT_TRUE(got.exact);
}

TEST(request, has_all_values_of_its_query) {
  const request in(detail::request_parts{.query = "page=2&page=3"});
  EXPECT_EQ(in.query_fields().all("page").size(), 2u);
  EXPECT_EQ(in.query_fields().as<lenient>().page, 2);
}

}  // namespace
}  // namespace weft::http
