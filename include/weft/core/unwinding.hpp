#pragma once

#include <any>
#include <string>
#include <string_view>

namespace weft::inline v1 {

/// Base of what unwinds a task without being an error. Not a std::exception, so that a handler
/// for errors does not swallow it; edges catch it first and pass it on.
class unwinding {
 public:
  virtual ~unwinding();
  virtual const char* what() const noexcept = 0;
};

/// Why a task was asked to give up.
enum class cancel_reason : unsigned char {
  requested,  ///< someone called cancel()
  deadline,   ///< the deadline of the task passed
  sibling,    ///< another child of the same scope failed
  shutdown,   ///< the runtime, pool or server is ending
  deadlock,   ///< nothing could wake the task any more
};

/// "requested", "deadline", ...
std::string_view to_string(cancel_reason reason) noexcept;

/// Thrown by a wait of a task that was cancelled or whose deadline passed. Sticky: swallowed all
/// the same, the next wait throws it again.
class cancelled final : public unwinding {
 public:
  /// `wait` names the operation that was given up, e.g. "channel::pop"; a literal.
  explicit cancelled(cancel_reason reason, const char* wait = "");
  cancel_reason reason() const noexcept { return reason_; }
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  cancel_reason reason_;
  std::string text_;
};

/// Thrown by weft::exit: ends what it belongs to (a fiber run, a request, a worker call, an attempt).
class exit_exception final : public unwinding {
 public:
  exit_exception(std::any status, bool in_fiber, bool in_server);
  /// The status as given, of any type.
  const std::any& status() const noexcept { return status_; }
  /// The status if it is an int, else 0.
  int status_code() const noexcept;
  bool in_fiber() const noexcept { return in_fiber_; }
  bool in_server() const noexcept { return in_server_; }
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  std::any status_;
  bool in_fiber_;
  bool in_server_;
  std::string text_;
};

}  // namespace weft::inline v1
