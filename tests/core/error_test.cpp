#include <gtest/gtest.h>

#include <cerrno>
#include <set>
#include <stdexcept>
#include <string>

#include <weft/core/error.hpp>
#include <weft/core/failure.hpp>
#include <weft/core/unwinding.hpp>

namespace weft {
namespace {

constexpr int codes = static_cast<int>(errc::internal) + 1;

TEST(errc, every_code_has_a_name_of_its_own_that_leads_back_to_it) {
  std::set<std::string_view> names;
  for (int n = 0; n < codes; ++n) {
    const auto code = static_cast<errc>(n);
    EXPECT_EQ(errc_from_string(to_string(code)), code) << n;
    names.insert(to_string(code));
  }
  EXPECT_EQ(names.size(), static_cast<std::size_t>(codes));
}

TEST(errc, a_name_or_number_nobody_knows_is_unknown) {
  EXPECT_EQ(errc_from_string("surely_not"), errc::unknown);
  EXPECT_EQ(errc_from_string(""), errc::unknown);
  EXPECT_EQ(to_string(static_cast<errc>(9999)), "unknown");
}

TEST(errc, says_what_may_be_tried_again) {
  EXPECT_TRUE(is_retryable(errc::busy));
  EXPECT_TRUE(is_retryable(errc::worker_died));
  EXPECT_FALSE(is_retryable(errc::bad_signature));
  EXPECT_FALSE(is_retryable(errc::invalid_argument));
}

TEST(error, of_a_system_call_says_what_was_tried_and_why_not) {
  const auto missing = system_error("open /nowhere", ENOENT);
  EXPECT_EQ(missing.code(), errc::not_found);
  EXPECT_EQ(missing.message(), "open /nowhere: No such file or directory");
  EXPECT_EQ(system_error("bind", EADDRINUSE).code(), errc::busy);
  EXPECT_EQ(system_error("write", ENOSPC).code(), errc::storage_full);
  EXPECT_EQ(system_error("connect", ECONNREFUSED).code(), errc::unavailable);
  EXPECT_EQ(system_error("write", EROFS).code(), errc::refused);
  EXPECT_EQ(system_error("ioctl", ENOTTY).code(), errc::io_error);
}

TEST(unwinding, is_not_a_std_exception_and_says_why) {
  static_assert(!std::is_base_of_v<std::exception, unwinding>);
  const cancelled stop(cancel_reason::deadline, "channel::pop");
  EXPECT_EQ(stop.reason(), cancel_reason::deadline);
  EXPECT_STREQ(stop.what(), "cancelled (deadline) in channel::pop");
  EXPECT_STREQ(cancelled(cancel_reason::sibling).what(), "cancelled (sibling)");
}

TEST(unwinding, an_exit_keeps_a_status_of_any_type) {
  const exit_exception number(3, true, false);
  EXPECT_EQ(number.status_code(), 3);
  EXPECT_STREQ(number.what(), "weft::exit with status 3");
  EXPECT_TRUE(number.in_fiber());
  EXPECT_FALSE(number.in_server());
  const exit_exception text(std::string("done"), false, true);
  EXPECT_EQ(text.status_code(), 0);
  EXPECT_EQ(std::any_cast<std::string>(text.status()), "done");
}

}  // namespace
}  // namespace weft
