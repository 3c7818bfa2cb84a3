#include <weft/executor/executor_factory.hpp>

#include <algorithm>
#include <iterator>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include <weft/core/error.hpp>

#include "executor/thread_core.hpp"

namespace weft::inline v1 {

/// What was made and is still there, weakly.
class executor_factory::state {
 public:
  explicit state(executor_factory_options options) : options_(std::move(options)) {}

  const uncaught_handler& on_uncaught() const noexcept { return options_.on_uncaught; }
  /// Throws when it is closed.
  std::string full_name(const std::string& name) {
    const std::lock_guard held(mutex_);
    if (closed_) throw error(errc::closed, "executor_factory \"" + options_.name + "\": used after shutdown");
    std::string full = options_.name.empty() ? name : options_.name + "-" + name;
    const int number = ++used_[full];
    return number == 1 ? full : full + "-" + std::to_string(number);
  }

  template <typename Kind>
  using list = std::vector<std::weak_ptr<Kind>>;
  template <typename Kind>
  void track(list<Kind> state::*which, const std::shared_ptr<Kind>& made) {
    const std::lock_guard held(mutex_);
    std::erase_if(this->*which, [](const auto& one) { return one.expired(); });
    (this->*which).push_back(made);
  }
  template <typename Kind>
  std::vector<std::shared_ptr<Kind>> alive(list<Kind> state::*which) const {
    const std::lock_guard held(mutex_);
    std::vector<std::shared_ptr<Kind>> found;
    for (const auto& one : this->*which) {
      if (auto there = one.lock()) found.push_back(std::move(there));
    }
    return found;
  }
  void close() {
    const std::lock_guard held(mutex_);
    closed_ = true;
  }

  list<thread_pool> pools;            // guarded by mutex_
  list<scheduled_pool> scheduled;     // guarded by mutex_
  list<detail::thread_core> threads;  // guarded by mutex_

 private:
  const executor_factory_options options_;
  mutable std::mutex mutex_;
  std::map<std::string, int> used_;  // guarded by mutex_
  bool closed_ = false;              // guarded by mutex_
};

executor_factory::executor_factory(executor_factory_options options)
    : state_(std::make_unique<state>(std::move(options))) {}
executor_factory::~executor_factory() = default;

std::shared_ptr<thread_pool> executor_factory::make_pool(thread_pool_options options) {
  options.name = state_->full_name(options.name);
  if (!options.on_uncaught) options.on_uncaught = state_->on_uncaught();
  auto made = std::make_shared<thread_pool>(std::move(options));
  state_->track(&state::pools, made);
  return made;
}

std::shared_ptr<scheduled_pool> executor_factory::make_scheduled_pool(scheduled_pool_options options) {
  options.name = state_->full_name(options.name);
  if (!options.on_uncaught) options.on_uncaught = state_->on_uncaught();
  auto made = std::make_shared<scheduled_pool>(std::move(options));
  state_->track(&state::scheduled, made);
  return made;
}

thread executor_factory::start_thread(std::string name, unique_function<void()> work,
                                      std::source_location from) {
  thread made(std::move(work), {.name = state_->full_name(name), .on_uncaught = state_->on_uncaught()}, from,
              thread::start_tag());
  state_->track(&state::threads, made.core_);
  return made;
}

namespace {

void add(shutdown_report& sum, shutdown_report one) {
  sum.finished_tasks += one.finished_tasks;
  sum.dropped_tasks += one.dropped_tasks;
  sum.running_tasks += one.running_tasks;
  std::move(one.unfinished.begin(), one.unfinished.end(), std::back_inserter(sum.unfinished));
}

/// What is left of `bound`, rounded up.
std::chrono::milliseconds left_until(steady_time bound) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(bound - steady_clock::now());
  return std::max(left, std::chrono::milliseconds(0));
}

}  // namespace

shutdown_report executor_factory::shutdown(std::chrono::milliseconds bound, std::chrono::milliseconds grace) {
  state_->close();
  const auto pools = state_->alive(&state::pools);
  const auto scheduled = state_->alive(&state::scheduled);
  const auto threads = state_->alive(&state::threads);
  const auto refuse = [](const auto& one, bool inside) {
    if (!inside) return;
    throw error(errc::misuse, "executor_factory::shutdown: a task of \"" + std::string(one->name()) +
                                  "\" would wait for its own end");
  };
  for (const auto& one : pools) refuse(one, one->runs_caller());
  for (const auto& one : scheduled) refuse(one, one->runs_caller());
  for (const auto& one : threads) refuse(one, detail::is_inside(*one));

  // All are closed before anyone is waited for, and all have the same bounds: so nobody waits behind another.
  for (const auto& one : pools) one->close();
  for (const auto& one : scheduled) one->close();
  const steady_time until = deadline_after(bound);
  shutdown_report sum;
  for (const auto& one : threads) {
    if (one->wait_over(until, false)) ++sum.finished_tasks;
  }
  // Those that the wait has cost their time are cancelled now, and get their grace together.
  for (const auto& one : threads) one->cancel(cancel_reason::shutdown);
  std::vector<shutdown_report> first;
  for (const auto& one : pools) first.push_back(one->shutdown(left_until(until)));
  for (const auto& one : scheduled) first.push_back(one->shutdown(left_until(until)));
  const steady_time end = deadline_after(grace);
  for (const auto& one : threads) one->wait_over(end, false);
  std::size_t index = 0;
  const auto end_of = [&](auto& one) {
    shutdown_report& before = first[index++];
    shutdown_report after = one->shutdown(left_until(end));
    after.finished_tasks = before.finished_tasks;
    after.dropped_tasks = before.dropped_tasks;
    add(sum, std::move(after));
  };
  for (const auto& one : pools) end_of(one);
  for (const auto& one : scheduled) end_of(one);
  for (const auto& one : threads) {
    if (auto left = one->unfinished()) {
      ++sum.running_tasks;
      sum.unfinished.push_back(std::move(*left));
    }
  }
  return sum;
}

}  // namespace weft::inline v1
