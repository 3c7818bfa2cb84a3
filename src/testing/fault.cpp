#include <weft/testing/fault.hpp>

#include <algorithm>
#include <mutex>
#include <optional>

#include <weft/core/error.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>

#include "testing/armed_faults.hpp"

namespace weft::inline v1::testing {
namespace {

/// A number from 0 to 1 for each passing; the same ones for the same seed (SplitMix64).
double chance_of(std::uint64_t seed, std::uint64_t passing) {
  std::uint64_t mixed = seed * 0x9E3779B97F4A7C15U + (passing + 1) * 0xD1B54A32D192ED03U;
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9U;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBU;
  mixed ^= mixed >> 31;
  return static_cast<double>(mixed >> 11) / static_cast<double>(std::uint64_t{1} << 53);
}

void check(const std::string& point, const fault_action& action) {
  if (point.rfind("weft.", 0) != 0) return;
  const auto all = known_fault_points();
  const auto known = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.name == point; });
  if (known == all.end()) {
    throw error(errc::not_found, "arm the fault point \"" + point +
                                     "\": weft has none of that name; see known_fault_points()");
  }
  if (known->errno_only && !action.only_errno) {
    throw error(errc::invalid_argument,
                "arm the fault point \"" + point + "\": only an errno can be given there, by testing::fails");
  }
}

}  // namespace

fault_action fails(int errno_value) {
  return {[errno_value] { return errno_value; }, true};
}
fault_action waits(steady_clock::duration time) {
  return {[time] {
            weft::sleep_for(time);
            return 0;
          },
          false};
}
fault_action cancels() {
  return {[]() -> int { throw cancelled(cancel_reason::requested, "fault_point"); }, false};
}
fault_action calls(std::function<void()> what) {
  return {[what = std::move(what)] {
            what();
            return 0;
          },
          false};
}

struct fault::state {
  state(std::string name, fault_action what, fault_when at)
      : point(std::move(name)), action(std::move(what)), when(at) {}

  int pass() {
    if (!strikes()) return 0;
    first_strike.set();
    return action.run();
  }
  bool strikes() {
    const std::lock_guard lock(mutex);
    const std::size_t number = passed++;
    if (number < when.after || struck >= when.times) return false;
    if (when.chance < 1 && chance_of(when.seed, number) >= when.chance) return false;
    ++struck;
    return true;
  }

  const std::string point;
  const fault_action action;
  const fault_when when;
  event first_strike;
  mutable std::mutex mutex;
  std::size_t passed = 0;  // guarded by mutex
  std::size_t struck = 0;  // guarded by mutex
};

fault::fault(std::string point, fault_action action, fault_when when) {
  check(point, action);
  state_ = std::make_shared<state>(std::move(point), std::move(action), when);
  weft::detail::arm_fault_point(state_->point, [held = state_] { return held->pass(); });
}

fault::fault(fault&&) noexcept = default;

fault::~fault() {
  if (state_ == nullptr) return;
  weft::detail::disarm_fault_point(state_->point);
  detail::armed_faults::note_end(state_->point, passed());
}

std::size_t fault::passed() const {
  const std::lock_guard lock(state_->mutex);
  return state_->passed;
}

std::size_t fault::struck() const {
  const std::lock_guard lock(state_->mutex);
  return state_->struck;
}

void fault::wait_struck() const { state_->first_strike.wait(); }

namespace detail::armed_faults {
namespace {

std::mutex ends_mutex;
std::optional<std::string> unused;  // guarded by ends_mutex; none: nobody wants to know

}  // namespace

void note_end(const std::string& point, std::size_t passed) {
  if (passed > 0) return;
  const std::lock_guard lock(ends_mutex);
  if (unused) *unused += (unused->empty() ? "" : ", ") + point;
}

watch::watch() {
  const std::lock_guard lock(ends_mutex);
  unused.emplace();
}

watch::~watch() {
  const std::lock_guard lock(ends_mutex);
  unused.reset();
}

std::string watch::never_passed() const {
  const std::lock_guard lock(ends_mutex);
  return unused.value_or(std::string());
}

}  // namespace detail::armed_faults
}  // namespace weft::inline v1::testing
