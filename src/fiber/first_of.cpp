#include <weft/fiber/first_of.hpp>

#include <string>

#include <weft/core/failure.hpp>

namespace weft::inline v1 {
namespace {

errc common_code(const std::vector<std::exception_ptr>& errors) {
  std::optional<errc> code;
  for (const std::exception_ptr& one : errors) {
    const errc its = failure::from(one).code;
    if (code && *code != its) return errc::unknown;
    code = its;
  }
  return code.value_or(errc::unknown);
}

std::string message_of(const std::vector<std::exception_ptr>& errors) {
  std::string text = "first_of: each of " + std::to_string(errors.size()) + " alternatives failed";
  for (std::size_t i = 0; i < errors.size(); ++i) {
    text += (i == 0 ? ": (" : "; (") + std::to_string(i + 1) + ") " + failure::from(errors[i]).chain();
  }
  return text;
}

}  // namespace

all_failed::all_failed(std::vector<std::exception_ptr> errors)
    : error(common_code(errors), message_of(errors)), errors_(std::move(errors)) {}

void detail::throw_no_alternatives() {
  throw error(errc::invalid_argument, "first_of: there is no alternative to run; the range is empty");
}

void detail::throw_all_failed(std::vector<std::exception_ptr> errors) {
  for (std::exception_ptr& one : errors) {
    if (one == nullptr) one = std::make_exception_ptr(cancelled(cancel_reason::requested, "start"));
  }
  throw all_failed(std::move(errors));
}

}  // namespace weft::inline v1
