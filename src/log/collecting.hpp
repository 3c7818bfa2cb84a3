#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <weft/context/context.hpp>
#include <weft/log/collector.hpp>

namespace weft::inline v1::log::detail {

/// What a collector gathers into; shared by the collector and by the contexts that carry it, which
/// may outlive it. Thread-safe; mutex_ guards all that changes.
class collecting {
 public:
  collecting(collector_options options, std::shared_ptr<collecting> outer);
  collecting(const collecting&) = delete;
  collecting& operator=(const collecting&) = delete;
  /// The last reference goes: delivers, where that was asked for.
  ~collecting();

  /// What would become of a record of that level and number? Nothing where what is around has to be asked.
  std::optional<bool> wants(level of, int number) const noexcept;
  /// Keeps the record if it may. True if it ends here; false if it goes on to what is around.
  bool take_in(const record& one);
  /// The collector is gone: from here on everything goes on to what is around it. One that delivers goes on
  /// until its last reference goes.
  void close() noexcept;

  struct started_timer {
    std::uint64_t number = 0;  // 0: it is not kept
    record_time start{};
  };
  started_timer start_timer(std::string_view name);
  void end_timer(std::uint64_t number, std::chrono::microseconds took) noexcept;
  /// False if it is closed.
  bool add_timers(const std::vector<timing>& more);
  bool add_data(field value);
  void count_dropped(std::uint64_t more) noexcept;

  std::vector<record> take();
  collection take_all();
  std::uint64_t dropped() const noexcept;

  collecting* outer() const noexcept { return outer_.get(); }

 private:
  struct numbered {
    std::uint64_t number;
    timing held;
  };
  static constexpr std::size_t timers_max = 1000;
  static constexpr std::size_t data_max = 1000;

  bool is_kept(level of, int number) const noexcept;
  bool has_room_for(std::size_t bytes) const noexcept;

  const collector_options options_;
  const std::shared_ptr<collecting> outer_;  // null: the sinks are around it
  mutable std::mutex mutex_;
  bool open_ = true;
  record_time start_;
  std::vector<record> records_;
  std::size_t bytes_ = 0;
  std::uint64_t dropped_ = 0;
  std::vector<numbered> timers_;
  std::uint64_t timers_started_ = 0;
  std::vector<field> data_;
};

/// The one that the running task's records go to; null if there is none.
const std::shared_ptr<collecting>* current_collecting() noexcept;

// What is written goes to `first`, from there outwards, and in the end to the sinks; `first` may be null.

bool is_wanted(const collecting* first, level of, int number) noexcept;
void route(collecting* first, const std::shared_ptr<const record>& one);
void write_to(collecting* first, level of, int number, const text& what, arguments fields) noexcept;
void emit_to(collecting* first, collection from) noexcept;

}  // namespace weft::inline v1::log::detail
