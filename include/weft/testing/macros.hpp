#pragma once

#include <weft/testing/run.hpp>

// Tests whose bodies run in weft::testing::run, for three frameworks. Include the framework first: this
// header includes none. What stands behind the names are fields of run_options: `.deadline = 5s, .threads =
// 4`.

/// GoogleTest, as TEST and TEST_F. Constructor, SetUp and TearDown of the fixture run outside the runtime.
///
///     WEFT_TEST(shop, sells_once) { ... }
///     WEFT_TEST_F(shop_fixture, sells_in_the_morning, .time = weft::testing::test_time::jumps) { ... }
#define WEFT_TEST(suite, name, ...) WEFT_DETAIL_GOOGLE_TEST(suite, name, ::testing::Test, __VA_ARGS__)
#define WEFT_TEST_F(fixture, name, ...) WEFT_DETAIL_GOOGLE_TEST(fixture, name, fixture, __VA_ARGS__)

/// Catch2 and doctest, as TEST_CASE without tags.
///
///     WEFT_TEST_CASE("a shop sells once", .deadline = 5s) { ... }
#define WEFT_TEST_CASE(title, ...) \
  WEFT_DETAIL_TEST_CASE(WEFT_DETAIL_JOINED(weft_test_case_, __LINE__), title, __VA_ARGS__)

#define WEFT_DETAIL_GOOGLE_TEST(suite, test, base, ...)                                                 \
  class weft_test_##suite##_##test : public base {                                                      \
    void TestBody() override {                                                                          \
      ::weft::testing::run(                                                                             \
          [this] { weft_body(); },                                                                      \
          ::weft::testing::detail::named(#suite "." #test, ::weft::testing::run_options{__VA_ARGS__})); \
    }                                                                                                   \
    void weft_body();                                                                                   \
  };                                                                                                    \
  [[maybe_unused]] static const ::testing::TestInfo* const weft_registered_##suite##_##test =           \
      ::testing::RegisterTest(#suite, #test, nullptr, nullptr, __FILE__, __LINE__,                      \
                              []() -> base* { return new weft_test_##suite##_##test; });                \
  void weft_test_##suite##_##test::weft_body()

#define WEFT_DETAIL_JOINED(left, right) WEFT_DETAIL_JOINED_NOW(left, right)
#define WEFT_DETAIL_JOINED_NOW(left, right) left##right
#define WEFT_DETAIL_TEST_CASE(body, title, ...)                                                             \
  static void body();                                                                                       \
  TEST_CASE(title) {                                                                                        \
    ::weft::testing::run(body,                                                                              \
                         ::weft::testing::detail::named(title, ::weft::testing::run_options{__VA_ARGS__})); \
  }                                                                                                         \
  static void body()

namespace weft::inline v1::testing::detail {
inline run_options named(const char* name, run_options options) {
  if (options.name.empty()) options.name = name;
  return options;
}
}  // namespace weft::inline v1::testing::detail
