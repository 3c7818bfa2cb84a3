#include <weft/http/health.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/core/clock.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/http/server.hpp>
#include <weft/log/log.hpp>

namespace weft::inline v1::http {

namespace {

constexpr route_options always{.is_always_admitted = true};

response answer(bool well, std::string lines) {
  response made(well ? 200 : 503, lines);
  made.header("Cache-Control", "no-store");
  return made;
}

}  // namespace

/// A check and those of its runs that nobody waits for any more.
///
/// Each run has a fiber of its own, since work that cannot be cancelled must not keep the answer waiting. A
/// run whose request has left it, at the limit or because that was cancelled, is kept in left_ until it has
/// ended.
class health::check {
 public:
  check(std::string name, unique_function<bool()> work, std::chrono::milliseconds limit)
      : name_(std::move(name)), work_(std::move(work)), limit_(limit) {}

  const std::string& name() const noexcept { return name_; }

  /// Waits for as long as the limit.
  bool passes() {
    const std::string why = why_failed();
    if (!why.empty()) log::warn("http: a health check failed", {{"check", name_}, {"why", why}});
    return why.empty();
  }

  /// Cancels what still runs, and waits for it.
  void end_runs() noexcept {
    std::vector<left_run> left;
    {
      const std::lock_guard lock(lock_);
      left.swap(left_);
    }
    for (left_run& one : left) one.what.cancel(cancel_reason::shutdown);
    for (left_run& one : left) {
      try {
        shield([&one] { one.what.join(); });
      } catch (...) {
        // What it came to concerns nobody now.
      }
    }
  }

 private:
  using run = fiber<std::string>;  // gives why it failed, or nothing
  struct left_run {
    run what;
    steady_time until;
  };

  std::string why_failed() {
    if (has_late_run()) return "an earlier run of it has passed its limit and goes on";
    const steady_time until = deadline_after(limit_);
    run mine = go([this, until] { return why_work_failed(until); });
    try {
      if (auto why = mine.join_for(limit_)) return std::move(*why);
    } catch (...) {
      leave(std::move(mine), until);
      throw;
    }
    leave(std::move(mine), until);
    return "it took longer than " + std::to_string(limit_.count()) + " ms";
  }

  /// On the fiber of a run.
  std::string why_work_failed(steady_time until) {
    try {
      const bool well = with_deadline(until, [this] {
        const bool found = work_();
        checkpoint();  // it may not have noticed that it is late
        return found;
      });
      return well ? "" : "it returned false";
    } catch (const std::exception& failed) {
      return std::string("it threw: ") + failed.what();
    }
  }

  bool has_late_run() {
    const std::lock_guard lock(lock_);
    std::erase_if(left_, [](const left_run& one) { return one.what.done(); });
    return std::ranges::any_of(left_, [](const left_run& one) { return steady_clock::now() >= one.until; });
  }

  void leave(run one, steady_time until) {
    if (!one.joinable()) return;  // it was joined, and threw
    const std::lock_guard lock(lock_);
    left_.push_back({std::move(one), until});
  }

  const std::string name_;
  unique_function<bool()> work_;
  const std::chrono::milliseconds limit_;
  std::mutex lock_;
  std::vector<left_run> left_;  // guarded by lock_
};

health::health() : checks_(std::make_shared<checks>()) {}
health::~health() { end_runs(*checks_); }

void health::end_runs(const checks& of) noexcept {
  for (const auto& one : of) one->end_runs();
}

health& health::add(std::string name, unique_function<bool()> work, std::chrono::milliseconds limit) {
  checks_->push_back(std::make_unique<check>(std::move(name), std::move(work), limit));
  return *this;
}

response health::look() {
  const checks& those = *checks_;
  std::vector<char> passed(those.size(), 0);
  scope all;
  for (std::size_t i = 0; i < those.size(); ++i) {
    all.go([&those, &passed, i] { passed[i] = those[i]->passes() ? 1 : 0; });
  }
  all.join();
  bool ready = is_ready_.load(std::memory_order_relaxed);
  std::string lines;
  for (std::size_t i = 0; i < those.size(); ++i) {
    ready = ready && passed[i] != 0;
    lines.append(those[i]->name()).append(passed[i] != 0 ? ": ok\n" : ": failed\n");
  }
  return answer(ready, (ready ? "ready\n" : "not ready\n") + lines);
}

void health::serve_on(server& on) {
  on.get(
      "/livez", [] { return answer(true, "alive\n"); }, always);
  // Belongs to the route, and so ends with the server: what the checks refer to need not live any longer.
  std::shared_ptr<void> runs(nullptr, [those = checks_](void*) { end_runs(*those); });
  on.get(
      "/readyz",
      [this, &on, runs = std::move(runs)] { return on.is_stopping() ? answer(false, "stopping\n") : look(); },
      always);
}

}  // namespace weft::inline v1::http
