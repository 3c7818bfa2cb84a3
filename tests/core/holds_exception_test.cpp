#include <weft/core/holds_exception.hpp>

#include <gtest/gtest.h>

#include <stdexcept>

#include <weft/core/unwinding.hpp>

namespace {

using weft::detail::holds_exception;

TEST(holds_exception, tells_a_type_and_its_bases_from_others) {
  const auto exits = std::make_exception_ptr(weft::exit_exception(1, true, false));
  EXPECT_TRUE(holds_exception<weft::exit_exception>(exits));
  EXPECT_TRUE(holds_exception<weft::unwinding>(exits));
  EXPECT_FALSE(holds_exception<weft::cancelled>(exits));
  EXPECT_FALSE(holds_exception<std::exception>(exits));
}

TEST(holds_exception, knows_what_is_no_class) {
  const auto number = std::make_exception_ptr(7);
  EXPECT_TRUE(holds_exception<int>(number));
  EXPECT_FALSE(holds_exception<long>(number));
}

TEST(holds_exception, is_false_for_null) { EXPECT_FALSE(holds_exception<std::exception>(nullptr)); }

TEST(holds_exception, leaves_the_exception_that_is_handled_as_it_was) {
  try {
    throw std::runtime_error("handled");
  } catch (...) {
    const auto handled = std::current_exception();
    EXPECT_FALSE(holds_exception<int>(std::make_exception_ptr(1.0)));
    EXPECT_TRUE(holds_exception<std::runtime_error>(handled));
    EXPECT_EQ(std::current_exception(), handled);
  }
}

}  // namespace
