#pragma once

#include <functional>
#include <utility>

#include <weft/context/cancellation.hpp>
#include <weft/executor/executor.hpp>

namespace weft::inline v1::http::detail::h2 {

/// Does `work` on the loop `home`, and waits for its end: at once where that is the caller's loop. A handler
/// may hand its request and response on to fibers of other loops, and what these touch of the connection is
/// not locked.
template <typename Work>
auto at_home(const executor& home, Work&& work) {
  if (home.runs_caller()) return work();
  auto done = home.submit(std::ref(work));
  // It runs in the caller's context and obeys its cancellation there; what it uses is the caller's.
  shield([&] { done.wait(); });
  return done.get();
}

/// The same, also where the caller was cancelled; for what neither waits nor throws.
template <typename Work>
auto at_home_in_any_case(const executor& home, Work&& work) noexcept {
  if (home.runs_caller()) return work();
  return shield([&] { return at_home(home, work); });
}

}  // namespace weft::inline v1::http::detail::h2
