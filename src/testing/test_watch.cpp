#include "testing/test_watch.hpp"

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace weft::inline v1::testing::detail {

test_watch::test_watch(std::string name, std::chrono::milliseconds deadline, std::chrono::milliseconds grace,
                       std::function<void()> on_late)
    : name_(std::move(name)), deadline_(deadline), grace_(grace), on_late_(std::move(on_late)) {
  if (deadline_.count() <= 0) return;
  thread_ = {"weft-test-watch", weft::detail::thread_signals::blocked, [this] { watch(); }};
}

test_watch::~test_watch() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void test_watch::note(const long_turn& turn) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(turn.lasted).count();
  const std::lock_guard lock(mutex_);
  last_turn_ = "fiber " + std::to_string(turn.fiber_id) + " \"" + turn.name + "\" has had its thread for " +
               std::to_string(ms) + " ms:\n" + turn.calls;
}

void test_watch::watch() {
  const auto late_at = begun_ + deadline_;
  if (over_before(late_at)) return;
  if (on_late_) on_late_();
  if (over_before(late_at + deadline_ / 4 + grace_)) return;
  give_up();
}

bool test_watch::over_before(clock::time_point until) {
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, until, [&] { return over_; });
}

void test_watch::give_up() {
  const std::lock_guard lock(mutex_);
  std::fprintf(
      stderr,
      "weft::testing: %s did not end within %lld ms, and cannot be unwound: a fiber does not let go of its "
      "thread\n%s\n",
      name_.c_str(), static_cast<long long>(deadline_.count()),
      last_turn_.empty() ? "what runs is not known" : last_turn_.c_str());
  std::abort();
}

}  // namespace weft::inline v1::testing::detail
