#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <weft/core/failure.hpp>
#include <weft/core/unwinding.hpp>

namespace weft {
namespace {

class card_declined : public error {
 public:
  explicit card_declined(std::string message) : error(errc::refused, std::move(message)) {}
};

class late_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class never_registered : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

template <typename Error>
failure failure_of(Error thrown) {
  return failure::from(std::make_exception_ptr(std::move(thrown)));
}

/// What `from` throws, described again: the round trip through another process.
failure thrown_by(const failure& from) { return failure::from(from.to_exception()); }

TEST(failure, of_a_weft_error_keeps_code_type_and_message) {
  const auto made = failure_of(error(errc::busy, "claim: database is locked"));
  EXPECT_EQ(made.code, errc::busy);
  EXPECT_EQ(made.type, "weft.error");
  EXPECT_EQ(made.message, "claim: database is locked");
  EXPECT_TRUE(made.causes.empty());
  EXPECT_GT(made.when.time_since_epoch().count(), 0);
  try {
    made.raise();
  } catch (const remote_error&) {
    FAIL() << "thrown as remote_error";
  } catch (const error& again) {
    EXPECT_EQ(again.code(), errc::busy);
    EXPECT_STREQ(again.what(), "claim: database is locked");
  }
}

TEST(failure, a_registered_type_is_thrown_as_itself) {
  register_error<card_declined>("test.card_declined");
  const auto made = failure_of(card_declined("no funds"));
  EXPECT_EQ(made.type, "test.card_declined");
  EXPECT_THROW(made.raise(), card_declined);
}

TEST(failure, standard_errors_and_weft_borders_are_known_without_registration) {
  EXPECT_THROW(failure_of(std::out_of_range("x")).raise(), std::out_of_range);
  EXPECT_THROW(failure_of(std::invalid_argument("x")).raise(), std::invalid_argument);
  EXPECT_THROW(failure_of(deadline_exceeded("x")).raise(), deadline_exceeded);
  EXPECT_THROW(failure_of(broken_promise("x")).raise(), broken_promise);
  EXPECT_EQ(thrown_by(failure_of(deadline_exceeded("x"))).code, errc::deadline_exceeded);
}

TEST(failure, an_unknown_type_is_a_remote_error_that_carries_all_and_is_carried_on_unchanged) {
  auto made = failure_of(never_registered("odd"));
  EXPECT_EQ(made.type, "");
  made.type = "their.type";
  made.where = "worker 7";
  made.code = errc::corrupt;
  try {
    made.raise();
  } catch (const remote_error& remote) {
    EXPECT_EQ(remote.code(), errc::corrupt);
    EXPECT_STREQ(remote.what(), "odd");
    EXPECT_EQ(remote.details().where, "worker 7");
  }
  const auto again = thrown_by(made);
  EXPECT_EQ(again.type, "their.type");
  EXPECT_EQ(again.where, "worker 7");
  EXPECT_EQ(again.when, made.when);
}

TEST(failure, keeps_the_chain_of_nested_causes_with_their_types) {
  register_error<card_declined>("test.card_declined");
  failure made;
  try {
    try {
      try {
        throw std::out_of_range("row 7");
      } catch (...) {
        std::throw_with_nested(card_declined("pay"));
      }
    } catch (...) {
      std::throw_with_nested(std::runtime_error("order"));
    }
  } catch (...) {
    made = failure::from(std::current_exception());
  }
  EXPECT_EQ(made.chain(), "order: caused by: pay: caused by: row 7");
  const auto again = thrown_by(made);
  EXPECT_EQ(again.chain(), made.chain());
  ASSERT_EQ(again.causes.size(), 1U);
  EXPECT_EQ(again.causes[0].type, "test.card_declined");
  EXPECT_EQ(again.causes[0].code, errc::refused);
  ASSERT_EQ(again.causes[0].causes.size(), 1U);
  EXPECT_EQ(again.causes[0].causes[0].type, "std.out_of_range");
  EXPECT_THROW(made.raise(), std::runtime_error);
}

TEST(failure, a_nested_error_is_named_by_its_most_special_registered_type) {
  register_error<card_declined>("test.card_declined");
  try {
    try {
      throw std::runtime_error("inner");
    } catch (...) {
      std::throw_with_nested(card_declined("outer"));
    }
  } catch (...) {
    EXPECT_EQ(failure::from(std::current_exception()).type, "test.card_declined");
  }
}

/// Throws an error with `depth` causes below it.
void throw_nested(int depth) {
  if (depth == 0) throw std::runtime_error("0");
  try {
    throw_nested(depth - 1);
  } catch (...) {
    std::throw_with_nested(std::runtime_error(std::to_string(depth)));
  }
}

TEST(failure, a_chain_has_at_most_sixteen_causes) {
  try {
    throw_nested(40);
  } catch (...) {
    const auto made = failure::from(std::current_exception());
    int causes = 0;
    for (const auto* at = &made; !at->causes.empty(); at = &at->causes[0]) ++causes;
    EXPECT_EQ(causes, 16);
  }
}

TEST(failure, of_what_is_no_std_exception_still_says_something) {
  EXPECT_EQ(failure_of(42).message, "an exception that is not a std::exception");
  const auto stopped = failure_of(cancelled(cancel_reason::shutdown, "sleep_for"));
  EXPECT_EQ(stopped.code, errc::cancelled);
  EXPECT_EQ(stopped.message, "cancelled (shutdown) in sleep_for");
  EXPECT_EQ(failure_of(exit_exception(2, false, false)).code, errc::exited);
  EXPECT_EQ(failure::from(nullptr).message, "");
}

TEST(failure, a_name_can_be_registered_again_for_its_type_and_for_no_other) {
  register_error<late_error>("test.late");
  EXPECT_NO_THROW(register_error<late_error>("test.late"));
  try {
    register_error<card_declined>("test.late");
    FAIL() << "a second type was registered";
  } catch (const error& refused) {
    EXPECT_EQ(refused.code(), errc::already_exists);
    EXPECT_NE(refused.message().find("test.late"), std::string::npos);
  }
}

TEST(failure, types_may_be_registered_while_failures_are_described) {
  std::vector<std::thread> all;
  for (int t = 0; t < 3; ++t) {
    all.emplace_back([] {
      for (int n = 0; n < 200; ++n) {
        register_error<late_error>("test.late");
        EXPECT_EQ(thrown_by(failure_of(std::domain_error("d"))).type, "std.domain_error");
      }
    });
  }
  for (auto& each : all) each.join();
}

}  // namespace
}  // namespace weft
