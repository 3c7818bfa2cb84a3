#include <weft/executor/when_any.hpp>

#include <string>

#include <weft/core/failure.hpp>
#include <weft/executor/find_error.hpp>

namespace weft::inline v1 {
namespace {

std::string describe(const std::vector<std::exception_ptr>& errors) {
  std::string text = "none of " + std::to_string(errors.size()) + " gave a value";
  for (const auto& one : errors) text += "; " + failure::from(one).message;
  return text;
}

}  // namespace

aggregate_error::aggregate_error(std::vector<std::exception_ptr> errors)
    : error(errc::unknown, describe(errors)),
      errors_(std::make_shared<const std::vector<std::exception_ptr>>(std::move(errors))) {}

namespace detail {

std::exception_ptr make_empty_set(const char* what) {
  return std::make_exception_ptr(
      error(errc::invalid_argument, std::string(what) + ": there are fewer futures than it waits for"));
}

std::exception_ptr make_aggregate_error(std::vector<std::exception_ptr> errors) {
  return std::make_exception_ptr(aggregate_error(std::move(errors)));
}

std::vector<std::exception_ptr> errors_inside(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const aggregate_error& several) {
    return several.errors();
  } catch (const std::nested_exception& outer) {
    return {outer.nested_ptr()};
  } catch (...) {
    return {};
  }
}

}  // namespace detail
}  // namespace weft::inline v1
