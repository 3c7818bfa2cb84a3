#pragma once

#include <csignal>
#include <initializer_list>

namespace weft::inline v1::process::detail {

inline sigset_t signal_set(std::initializer_list<int> signals) noexcept {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int one : signals) ::sigaddset(&set, one);
  return set;
}

/// While it lives these signals to this thread wait: a child that is forked meanwhile is not ended by one
/// before it receives them. Then they are as before.
class [[nodiscard]] signals_held {
 public:
  explicit signals_held(const sigset_t& signals) noexcept {
    ::pthread_sigmask(SIG_BLOCK, &signals, &former_);
  }
  signals_held(const signals_held&) = delete;
  signals_held& operator=(const signals_held&) = delete;
  ~signals_held() { ::pthread_sigmask(SIG_SETMASK, &former_, nullptr); }

 private:
  sigset_t former_{};
};

}  // namespace weft::inline v1::process::detail
