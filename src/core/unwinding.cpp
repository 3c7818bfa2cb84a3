#include <weft/core/unwinding.hpp>

namespace weft::inline v1 {

unwinding::~unwinding() = default;

std::string_view to_string(cancel_reason reason) noexcept {
  switch (reason) {
    case cancel_reason::requested:
      return "requested";
    case cancel_reason::deadline:
      return "deadline";
    case cancel_reason::sibling:
      return "sibling";
    case cancel_reason::shutdown:
      return "shutdown";
    case cancel_reason::deadlock:
      return "deadlock";
  }
  return "requested";
}

cancelled::cancelled(cancel_reason reason, const char* wait) : reason_(reason), text_("cancelled (") {
  text_ += to_string(reason);
  text_ += ')';
  if (*wait != '\0') {
    text_ += " in ";
    text_ += wait;
  }
}

exit_exception::exit_exception(std::any status, bool in_fiber, bool in_server)
    : status_(std::move(status)), in_fiber_(in_fiber), in_server_(in_server), text_("weft::exit") {
  if (const int* code = std::any_cast<int>(&status_)) text_ += " with status " + std::to_string(*code);
}

int exit_exception::status_code() const noexcept {
  const int* code = std::any_cast<int>(&status_);
  return code == nullptr ? 0 : *code;
}

}  // namespace weft::inline v1
