#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include <weft/core/error.hpp>
#include <weft/core/oracle.hpp>

#include "interleaving/explored_task.hpp"
#include "interleaving/explorer.hpp"

namespace weft::detail {

/// What the threads of one execution have in common.
struct explored_outside {
  steady_time now{};
  std::uint64_t last_task_id = 0;
  bool threads_may_fail = false;  ///< the system may have no thread for who wants one
  std::string impatient = {};     ///< name of threads whose bounds pass at any time, not seldom
};

/// The outside world of an execution, in force on this thread while it lives: each look at the clock moves it
/// on by a millisecond, so that a search with a bound ends after two. Threads that are started belong to the
/// execution; the first ones, which are started before it begins, to `run`.
class explored_oracle final : public oracle {
 public:
  explicit explored_oracle(explore::execution* run = nullptr)
      : explored_oracle(std::make_shared<explored_outside>(), run) {}
  explicit explored_oracle(std::shared_ptr<explored_outside> outside, explore::execution* run = nullptr)
      : outside_(std::move(outside)), run_(run), former_(exchange_current(this)) {}
  explored_oracle(const explored_oracle&) = delete;
  explored_oracle& operator=(const explored_oracle&) = delete;
  ~explored_oracle() { exchange_current(former_); }

  steady_time now() noexcept override { return outside_->now += std::chrono::milliseconds(1); }
  wall_clock::time_point wall_now() noexcept override { return {}; }
  std::size_t choose(std::size_t) noexcept override { return 0; }
  void scheduling_point(const char*) override {}
  std::unique_ptr<simulated_thread> start_thread(std::string name, unique_function<void()> work) override {
    if (outside_->threads_may_fail && explore::choose(2) == 1) throw error(errc::resource_exhausted, name);
    const auto body = std::make_shared<unique_function<void()>>(std::move(work));
    const auto ended = std::make_shared<bool>(false);
    const auto bounds =
        name == outside_->impatient ? explored_task::bounds::at_any_time : explored_task::bounds::seldom;
    const auto thread = [body, ended, bounds, outside = outside_] {
      const explored_oracle world(outside);
      explored_task self(bounds);
      (*body)();
      body->reset();
      *ended = true;
    };
    run_ != nullptr ? run_->thread(thread) : explore::start(thread);
    return std::make_unique<thread_end>(ended);
  }
  std::shared_ptr<void>& instance(const void*) override { return instance_; }
  std::uint64_t next_task_id() noexcept override { return ++outside_->last_task_id; }

 private:
  class thread_end final : public simulated_thread {
   public:
    explicit thread_end(std::shared_ptr<const bool> ended) : ended_(std::move(ended)) {}
    void join() override {
      explore::block_until([ended = ended_] { return *ended; }, "join a thread");
    }

   private:
    std::shared_ptr<const bool> ended_;
  };

  std::shared_ptr<explored_outside> outside_;
  explore::execution* run_;
  oracle* former_;
  std::shared_ptr<void> instance_;
};

}  // namespace weft::detail
