#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <weft/log/sink.hpp>

namespace weft::log::testing {

/// Keeps what it is given.
class memory_sink final : public sink {
 public:
  explicit memory_sink(level least = level::debug) : least_(least) {}
  void accept(const std::shared_ptr<const record>& one) noexcept override {
    const std::lock_guard lock(mutex_);
    kept_.push_back(*one);
  }
  bool flush(std::chrono::milliseconds) override { return true; }
  void pause(std::chrono::milliseconds) noexcept override {}
  std::uint64_t dropped() const noexcept override { return 0; }
  level threshold() const noexcept override { return least_; }

  std::vector<record> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(kept_, {});
  }
  std::vector<std::string> messages() {
    std::vector<std::string> found;
    for (auto& each : take()) found.push_back(each.message);
    return found;
  }

 private:
  level least_;
  std::mutex mutex_;
  std::vector<record> kept_;
};

/// The only sink of the program while it lives; level debug.
class only_sink {
 public:
  only_sink() : sink_(std::make_shared<memory_sink>()) {
    remove_all_sinks();
    add_sink(sink_);
    set_level(level::debug);
  }
  only_sink(const only_sink&) = delete;
  only_sink& operator=(const only_sink&) = delete;
  ~only_sink() {
    remove_all_sinks();
    set_level(level::info);
  }
  memory_sink* operator->() const { return sink_.get(); }

 private:
  std::shared_ptr<memory_sink> sink_;
};

}  // namespace weft::log::testing
