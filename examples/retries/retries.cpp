// Trying again: how often and how long after is a policy, whether it is of use the error says by its code,
// and no attempt begins after the deadline of the caller.
#include <chrono>
#include <cstdio>
#include <string>

#include <weft/context/cancellation.hpp>
#include <weft/executor/retry.hpp>

namespace {

using namespace std::chrono_literals;
const weft::retry_policy patient{.attempts_max = 5, .first = 1ms, .longest = 20ms, .jitter = 0.5};

/// A shop that opens with the third call.
struct shop {
  int calls = 0;
  std::string buy(const std::string& thing) {
    ++calls;
    if (thing == "unicorn") throw weft::error(weft::errc::not_found, "no such thing");
    if (calls < 3) throw weft::error(weft::errc::unavailable, "closed");
    return "sold";
  }
};

template <typename Action>
std::string error_of(Action action) {
  try {
    return action();
  } catch (const weft::error& failed) {
    return failed.message();
  }
}

}  // namespace

int main() {
  shop corner;
  const auto bought = weft::retry(patient, [&] { return corner.buy("tea"); }).get();
  std::printf("the %drd call: %s\n", corner.calls, bought.c_str());

  shop other;
  const auto why = error_of([&] { return weft::retry(patient, [&] { return other.buy("unicorn"); }).get(); });
  std::printf("%s: %s\n", other.calls == 1 ? "not tried again" : "tried again", why.c_str());

  shop late;
  const auto last = error_of([&] {
    return weft::with_timeout(1s, [&] {
      return weft::retry({.attempts_max = 5, .first = 1h}, [&] { return late.buy("tea"); }).get();
    });
  });
  std::printf("%s: %s\n", late.calls == 1 ? "not after the deadline" : "tried again", last.c_str());
}
