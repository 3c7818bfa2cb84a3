#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace weft::inline v1::ops {

/// Tells the service manager that started the program (systemd, with Type=notify) how it is: one datagram for
/// each word, on the socket that $NOTIFY_SOCKET names. Without one all members do nothing.
///
/// Thread-safety: all members. Never waits: a word for which the manager has no room is not sent. All that
/// send give whether the word is with the manager, or there is none; a failure is logged besides.
class notifier {
 public:
  /// Tells nobody.
  notifier() noexcept = default;
  /// Tells whoever has the datagram socket at `address`: a path, or a name of Linux' abstract ones behind an
  /// '@'. Throws weft::error (invalid_argument) for another text.
  explicit notifier(std::string address);
  /// As the environment says, from which $NOTIFY_SOCKET is taken out: programs that this one starts have
  /// nothing to tell. For the begin of a program: no other thread may read the environment at this time.
  static notifier from_environment();

  /// Is there somebody who listens?
  explicit operator bool() const noexcept { return !address_.empty(); }

  /// It serves: after the start, and after a reload.
  bool ready() const noexcept { return send("READY=1"); }
  /// A reload begins; ready() ends it.
  bool reloading() const noexcept;
  /// It is about to end.
  bool stopping() const noexcept { return send("STOPPING=1"); }
  /// A line for people, shown by `systemctl status`.
  bool status(std::string_view line) const noexcept;
  /// A sign of life for the watchdog; loop_watch sends them.
  bool alive() const noexcept { return send("WATCHDOG=1"); }
  /// The manager is to wait that much longer for the start, the reload or the end.
  bool extend_timeout(std::chrono::microseconds by) const noexcept;
  /// Leaves a copy of a descriptor with the manager, for the next start, where take_passed_descriptors() has
  /// it under that name. The unit needs FileDescriptorStoreMax=. Throws weft::error (invalid_argument) for a
  /// name that is empty, longer than 255 bytes, or has a ':' or control characters.
  bool store(std::string_view name, int fd) const;
  /// Takes all of that name out of the manager's store.
  bool forget(std::string_view name) const;

 private:
  bool send(std::string_view words, int fd = -1) const noexcept;

  std::string address_;
};

/// How long the service manager waits between two signs of life, as the environment says ($WATCHDOG_USEC, for
/// the process $WATCHDOG_PID), from which it is taken out; nothing where it does not. Throws weft::error
/// (invalid_argument) for what is no such time. For the begin of a program, as notifier::from_environment.
std::optional<std::chrono::microseconds> take_watchdog_period();

}  // namespace weft::inline v1::ops
