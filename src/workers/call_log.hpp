#pragma once

#include <optional>
#include <string_view>

#include <weft/log/logger.hpp>

namespace weft::inline v1::workers::detail {

/// What a call leaves in its caller's log: a timer of its own, from sending to reply, and behind it what the
/// worker sent. Made when the call is sent; without a reply the timer ends with it.
class call_log {
 public:
  /// `name` is what is called, a name or the identity of a closure. `into` is the log of its checkout;
  /// without one it is that in force.
  call_log(const std::optional<log::logger>& into, std::string_view name);

  /// The reply is here.
  void end(log::collection from_worker) noexcept;

 private:
  const std::optional<log::logger>& into_;
  log::record_time sent_ = log::now();
  std::optional<log::timer> timer_;
};

}  // namespace weft::inline v1::workers::detail
