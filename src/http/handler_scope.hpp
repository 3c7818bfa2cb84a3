#pragma once

#include <optional>
#include <source_location>

#include <weft/context/cancellation.hpp>
#include <weft/context/context.hpp>

namespace weft::inline v1::http::detail {

/// The cancel_scope of a handler, and what may cancel its connection.
struct handler_scope {
  weft::detail::cancel_state* own = nullptr;
  weft::detail::cancel_state* around = nullptr;
};

/// The running task's context with what is around the handler in force in place of the handler's deadline, to
/// be made current; null where a scope or shield within the handler is in force, which is left alone.
inline weft::detail::context_node* node_beyond_deadline(const handler_scope& of) {
  if (of.own == nullptr || weft::detail::current_cancel_state() != of.own) return nullptr;
  if (of.around != nullptr) of.around->retain();
  return weft::detail::divided_as_current(
      weft::detail::make_border(weft::detail::retain_current(), of.around));
}

/// While it lives, waits do not obey the handler's deadline, but what is around the handler. A scope or
/// shield within the handler that is in force is left alone.
class [[nodiscard]] beyond_deadline {
 public:
  explicit beyond_deadline(const handler_scope& of) {
    weft::detail::context_node* const beyond = node_beyond_deadline(of);
    if (beyond == nullptr) return;
    inside_.emplace(context::from_node(beyond), std::source_location::current(),
                    weft::detail::scope_kind::same_work);
  }

 private:
  std::optional<context::attachment> inside_;
};

}  // namespace weft::inline v1::http::detail
