#pragma once

#include <string>

#include <weft/core/error.hpp>

namespace weft::inline v1::testing {

/// What a test expected is not so; the message has what is. An exception, so that each test framework shows
/// it as the failure that it is.
class test_failure : public error {
 public:
  explicit test_failure(std::string message) : error(errc::unknown, std::move(message)) {}
};

}  // namespace weft::inline v1::testing

namespace weft::inline v1::jobs {
using testing::test_failure;
}  // namespace weft::inline v1::jobs
