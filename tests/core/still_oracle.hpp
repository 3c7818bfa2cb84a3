#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <weft/core/oracle.hpp>

namespace weft::detail {

/// An oracle in which time stands where the test puts it, chance always takes the first way, and a
/// thread runs when it is joined. In force on this thread while it lives.
class still_oracle final : public oracle {
 public:
  still_oracle() : former_(exchange_current(this)) {}
  still_oracle(const still_oracle&) = delete;
  still_oracle& operator=(const still_oracle&) = delete;
  ~still_oracle() { exchange_current(former_); }

  steady_time now() noexcept override { return time; }
  wall_clock::time_point wall_now() noexcept override { return wall_time; }
  std::size_t choose(std::size_t) noexcept override { return 0; }
  void scheduling_point(const char* what) override { points.emplace_back(what); }
  std::unique_ptr<simulated_thread> start_thread(std::string name, unique_function<void()> work) override {
    started.push_back(std::move(name));
    return std::make_unique<late_thread>(std::move(work));
  }
  std::shared_ptr<void>& instance(const void* key) override { return instances_[key]; }
  std::uint64_t next_task_id() noexcept override { return ++last_id_; }

  steady_time time{};
  wall_clock::time_point wall_time{};
  std::vector<std::string> points;   ///< of scheduling_point
  std::vector<std::string> started;  ///< names of the threads

 private:
  class late_thread final : public simulated_thread {
   public:
    explicit late_thread(unique_function<void()> work) : work_(std::move(work)) {}
    void join() override { work_(); }

   private:
    unique_function<void()> work_;
  };

  oracle* former_;
  std::map<const void*, std::shared_ptr<void>> instances_;
  std::uint64_t last_id_ = 0;
};

}  // namespace weft::detail
