#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include <weft/core/oracle.hpp>

#include "interleaving/explored_task.hpp"
#include "interleaving/explorer.hpp"

namespace weft::detail {

/// The outside world of an execution, in force on this thread while it lives: each look at the clock moves it
/// on by a millisecond, so that a search with a bound ends after two. Threads that are started belong to
/// `run`, and so must be started before it begins.
class explored_oracle final : public oracle {
 public:
  explicit explored_oracle(explore::execution* run = nullptr) : run_(run), former_(exchange_current(this)) {}
  explored_oracle(const explored_oracle&) = delete;
  explored_oracle& operator=(const explored_oracle&) = delete;
  ~explored_oracle() { exchange_current(former_); }

  steady_time now() noexcept override { return now_ += std::chrono::milliseconds(1); }
  wall_clock::time_point wall_now() noexcept override { return {}; }
  std::size_t choose(std::size_t) noexcept override { return 0; }
  void scheduling_point(const char*) override {}
  std::unique_ptr<simulated_thread> start_thread(std::string, unique_function<void()> work) override {
    const auto body = std::make_shared<unique_function<void()>>(std::move(work));
    const auto ended = std::make_shared<bool>(false);
    run_->thread([body, ended] {
      const explored_oracle world;
      explored_task self;
      (*body)();
      body->reset();
      *ended = true;
    });
    return std::make_unique<thread_end>(ended);
  }
  std::shared_ptr<void>& instance(const void*) override { return instance_; }
  std::uint64_t next_task_id() noexcept override { return ++last_id_; }

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

  explore::execution* run_;
  oracle* former_;
  steady_time now_{};
  std::shared_ptr<void> instance_;
  std::uint64_t last_id_ = 0;
};

}  // namespace weft::detail
