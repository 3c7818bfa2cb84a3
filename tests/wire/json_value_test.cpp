#include <weft/wire/json_value.hpp>

#include <limits>

#include <gtest/gtest.h>
#include <pthread.h>

#include <weft/codec/describe.hpp>
#include <weft/core/error.hpp>
#include <weft/wire/binary.hpp>
#include <weft/wire/json.hpp>

namespace {

using weft::value_kind;
using weft::wire::json_object;
using weft::wire::json_value;
using weft::wire::parse_json;
using weft::wire::to_text;

// What comes out when a text is read and written again.
std::string echo(std::string_view text) { return to_text(parse_json(text)); }

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

weft::errc refusal_of(std::string_view text) {
  try {
    (void)parse_json(text);
  } catch (const weft::error& refused) {
    return refused.code();
  }
  return weft::errc::unknown;
}

TEST(json_value, numbers_and_texts_are_kept_apart) {
  EXPECT_EQ(echo(R"([1,"1",1.5,null,true,[],{"a":1}])"), R"([1,"1",1.5,null,true,[],{"a":1}])");
  EXPECT_NE(parse_json("1"), parse_json("\"1\""));
  EXPECT_NE(parse_json("1"), parse_json("1.0"));
}

TEST(json_value, integers_of_64_bits_are_exact) {
  for (const char* text : {"0", "-1", "9223372036854775807", "-9223372036854775808", "9223372036854775808",
                           "18446744073709551615", "9007199254740993"}) {
    EXPECT_EQ(echo(text), text);
  }
  EXPECT_EQ(*parse_json("18446744073709551615").if_unsigned(), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(*parse_json("9223372036854775807").if_integer(), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(echo("-0"), "0");
}

TEST(json_value, an_integer_beyond_64_bits_becomes_the_text_of_its_digits) {
  EXPECT_EQ(echo("18446744073709551616"), "\"18446744073709551616\"");
  EXPECT_EQ(echo("-9223372036854775809"), "\"-9223372036854775809\"");
  const std::string long_one(100, '7');
  EXPECT_EQ(echo("[" + long_one + "]"), "[\"" + long_one + "\"]");
  EXPECT_EQ(weft::wire::from_json<double>("18446744073709551616"), 18446744073709551616.0);
}

TEST(json_value, an_integer_that_no_double_holds_is_the_text_of_its_digits_too) {
  for (const std::size_t length : {309U, 310U, 5000U}) {
    const std::string digits(length, '7');
    EXPECT_EQ(echo("[-" + digits + "]"), "[\"-" + digits + "\"]");
    EXPECT_THROW((void)weft::wire::from_json<double>(digits), weft::error);
  }
}

TEST(json_value, a_number_too_small_for_a_double_is_zero) {
  const std::string zeros(400, '0');
  for (const std::string& text :
       {std::string("1e-400"), std::string("-1E-400"), "0." + zeros + "1", "1" + zeros + "e-1000",
        "0." + zeros + "1e10", std::string("12.5e-99999")}) {
    EXPECT_EQ(*parse_json(text).if_number(), 0) << text;
  }
  EXPECT_EQ(weft::wire::from_json<double>("1e-400"), 0);
  EXPECT_EQ(*parse_json("5e-324").if_number(), 5e-324);
  EXPECT_EQ(*parse_json("1" + zeros + "e-400").if_number(), 1);
  EXPECT_EQ(*parse_json("0." + zeros + "1e401").if_number(), 1);
  for (const std::string& text : {std::string("1e400"), "1" + zeros + ".0", "0." + zeros + "1e2000"}) {
    EXPECT_EQ(refusal_of(text), weft::errc::malformed) << text;
  }
}

// A list of nothing is two bytes of text and far more as a value.
TEST(json_value, more_values_than_their_bytes_allow_are_refused) {
  const auto lists = [](std::size_t count, const std::string& one) {
    std::string text = "[" + one;
    for (std::size_t i = 1; i < count; ++i) text += "," + one;
    return text + "]";
  };
  constexpr std::size_t bytes_max = 1024 * 1024;
  constexpr std::size_t values_max = weft::wire::json_values_max(bytes_max);
  for (const char* const one : {"[]", "0", "{}", "\"\""}) {
    EXPECT_EQ(parse_json(lists(values_max - 1, one), bytes_max).if_list()->size(), values_max - 1);
    try {
      (void)parse_json(lists(values_max, one), bytes_max);
      ADD_FAILURE() << one;
    } catch (const weft::error& refused) {
      EXPECT_EQ(refused.code(), weft::errc::too_large);
      EXPECT_NE(refused.message().find("values"), std::string::npos);
    }
  }
  EXPECT_THROW((void)parse_json(nested(100) + lists(values_max, "0"), bytes_max), weft::error);
  const std::string deep = std::string(100, '[') + lists(values_max, "0") + std::string(100, ']');
  EXPECT_THROW((void)parse_json(deep, bytes_max), weft::error);
  // Few bytes may have as many values as they like.
  EXPECT_EQ(parse_json(lists(400, "0"), 1000).if_list()->size(), 400U);
}

TEST(json_value, whole_doubles_are_written_as_the_style_says) {
  EXPECT_EQ(echo("[1.0,1e3,2.5,1e22]"), "[1.0,1000.0,2.5,1e+22]");
  EXPECT_EQ(to_text(parse_json("[1.0,1e3,2.5,1e22]"), {.whole_doubles_as_integers = true}),
            "[1,1000,2.5,1e+22]");
}

TEST(json_value, text_keeps_every_character) {
  const std::string text = "\"λ😀\\n\\\"\\\\/\\u0000\"";
  const auto value = parse_json(text);
  EXPECT_EQ(*value.if_text(), std::string("λ😀\n\"\\/\0", 11));
  EXPECT_EQ(to_text(value), text);
  EXPECT_EQ(*parse_json(R"("\ud83d\ude00")").if_text(), "😀");
}

TEST(json_value, what_is_no_json_or_no_utf8_is_refused) {
  for (const char* bad : {R"("\ud800")", R"("\ude00x")", "\"\xff\"", "\"\xc0\x80\"", "[1,]", "[1 2]", "inf",
                          "nan", "{\"a\":1,}", "", "[1]]", "'a'", "tru"}) {
    EXPECT_EQ(refusal_of(bad), weft::errc::malformed) << bad;
  }
  EXPECT_THROW((void)to_text(std::string("\xff")), weft::error);
  EXPECT_THROW((void)to_text(std::numeric_limits<double>::infinity()), weft::error);
}

TEST(json_value, of_members_with_one_name_the_last_wins) {
  EXPECT_EQ(echo(R"({"b":1,"a":2,"b":3,"a":{},"b":4})"), R"({"a":{},"b":4})");
}

TEST(json_value, is_nested_512_deep_and_no_deeper) {
  EXPECT_EQ(echo(nested(512)), nested(512));
  EXPECT_EQ(refusal_of(nested(513)), weft::errc::malformed);
  json_value deep;
  for (int i = 0; i < 513; ++i) deep = json_value::list{std::move(deep)};
  EXPECT_THROW((void)to_text(deep), weft::error);
}

TEST(json_value, what_is_around_it_counts_among_its_512_levels) {
  const auto deep = parse_json(nested(511));
  EXPECT_EQ(to_text(deep, {}, 1), nested(511));
  EXPECT_THROW((void)to_text(deep, {}, 2), weft::error);
  // As the items of a list of a known type.
  std::string out;
  weft::wire::json_encoder encoder(out);
  weft::encode(encoder, std::vector<json_value>{deep, deep});
  EXPECT_EQ(out, "[" + nested(511) + "," + nested(511) + "]");
  const std::vector<std::vector<json_value>> deeper{{deep}};
  EXPECT_THROW((void)weft::wire::to_json(deeper), weft::error);
}

// What a fiber has, and what every level of nesting must do without.
constexpr std::size_t small_stack_bytes = 64 * 1024;

template <typename Work>
void on_small_stack(Work work) {
  pthread_attr_t small;
  ::pthread_attr_init(&small);
  ::pthread_attr_setstacksize(&small, small_stack_bytes);
  pthread_t thread;
  const auto run = [](void* given) -> void* {
    (*static_cast<Work*>(given))();
    return nullptr;
  };
  ASSERT_EQ(::pthread_create(&thread, &small, run, &work), 0);
  ::pthread_join(thread, nullptr);
  ::pthread_attr_destroy(&small);
}

TEST(json_value, what_is_nested_deep_takes_no_stack) {
  std::string objects = "1";
  for (std::size_t i = 0; i < 256; ++i) objects = "{\"a\":[0," + objects + "],\"b\":2}";
  for (const std::string& text : {nested(512), objects}) {
    on_small_stack([&] {
      const auto value = parse_json(text);
      auto copy = value;
      EXPECT_EQ(copy, value);
      EXPECT_EQ(to_text(copy), text);
      copy = json_value::list{copy, 1};
      EXPECT_NE(copy, value);
      copy = json_value((*copy.if_list())[0]);
      EXPECT_EQ(copy, value);
    });
  }
}

// Deeper values are read by other code, which has to agree with what reads the flat ones.
TEST(json_value, deep_and_flat_texts_are_read_alike) {
  for (const char* text : {"1",
                           "\"x\"",
                           "{}",
                           "[]",
                           " [ 1 , 2.5e1 ,\"]\" ] ",
                           R"({"a":{"b":[]},"a":null, "c" : true})",
                           "[1,]",
                           "[,1]",
                           "[1 2]",
                           "{\"a\":1,}",
                           "{\"a\"}",
                           "{1:2}",
                           "{\"a\" 1}",
                           "[tru]",
                           "[truefalse]",
                           "[1\"x\"]",
                           "[\"\xff\"]",
                           "[\"\\ud800\"]",
                           "[1}",
                           "{\"a\":1]",
                           "[",
                           "]",
                           "[1]]",
                           "",
                           "\"",
                           "[\"",
                           "[-]",
                           "[18446744073709551616]",
                           "{\"a\":}",
                           "{,}",
                           "[[]",
                           "[]1",
                           "[\"a\\",
                           "\x01",
                           "[01]",
                           "[1.]",
                           "[nulll]"}) {
    const std::string deep = std::string(100, '[') + text + std::string(100, ']');
    EXPECT_EQ(refusal_of(deep), refusal_of("[" + std::string(text) + "]")) << text;
    if (refusal_of(text) != weft::errc::unknown) continue;
    auto inner = parse_json(deep);
    for (int i = 0; i < 100; ++i) inner = json_value((*inner.if_list())[0]);
    EXPECT_EQ(inner, parse_json(text)) << text;
  }
}

TEST(json_value, an_object_finds_and_replaces_its_members) {
  json_object object{{"b", 1}, {"a", "x"}};
  object.set("c", nullptr);
  object.set("b", json_value::list{true});
  EXPECT_EQ(to_text(object), R"({"a":"x","b":[true],"c":null})");
  EXPECT_EQ(*object.find("a"), json_value("x"));
  EXPECT_EQ(object.find("d"), nullptr);
}

struct order {
  std::int64_t id = 0;
  std::vector<std::string> items;
  std::optional<double> price;
  bool operator==(const order&) const = default;
};
WEFT_DESCRIBE(order, id, items, price);

TEST(json_value, typed_values_are_read_from_it) {
  const auto value = parse_json(R"({"price":2,"id":18,"items":["a","b"],"more":[[{}]]})");
  weft::wire::json_value_decoder in(value);
  EXPECT_EQ(weft::decode<order>(in), (order{18, {"a", "b"}, 2.0}));
  try {
    const auto wrong = parse_json(R"({"id":1,"items":["a",7]})");
    weft::wire::json_value_decoder from_wrong(wrong);
    (void)weft::decode<order>(from_wrong);
    ADD_FAILURE() << "read";
  } catch (const weft::error& refused) {
    EXPECT_STREQ(refused.what(), "decode: $.items[1]: expected text, found an integer");
  }
}

TEST(json_value, it_travels_in_every_form) {
  const auto value = parse_json(R"([1,-1,18446744073709551615,0.5,"x",{"a":[null,false]}])");
  EXPECT_EQ(weft::wire::from_json<json_value>(weft::wire::to_json(value)), value);
  EXPECT_EQ(weft::wire::from_binary<json_value>(weft::wire::to_binary(value)), value);
  weft::wire::json_value_decoder in(value);
  EXPECT_EQ(weft::decode<std::vector<json_value>>(in), *value.if_list());
  const auto deep = parse_json(nested(512));
  EXPECT_EQ(weft::wire::to_json(deep), nested(512));
}

TEST(json_value, all_bytes_become_characters_and_come_back) {
  weft::bytes all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<std::byte>(i));
  std::string text;
  weft::wire::json_encoder(text, {.bytes_as_characters = true}).binary(all);
  const auto value = parse_json(text);
  weft::wire::json_value_decoder in(value, {.bytes_as_characters = true});
  EXPECT_EQ(weft::decode<weft::bytes>(in), all);
  EXPECT_EQ(text.substr(text.size() - 7), "ý\u00fe\u00ff\"");
  const json_value beyond("\u0100");
  weft::wire::json_value_decoder wrong(beyond, {.bytes_as_characters = true});
  EXPECT_THROW((void)weft::decode<weft::bytes>(wrong), weft::error);
}

}  // namespace
