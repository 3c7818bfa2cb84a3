#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <weft/context/context.hpp>
#include <weft/core/clock.hpp>
#include <weft/fiber/fiber_block.hpp>
#include <weft/fiber/loop_timer.hpp>

// One timer. Users read timer.hpp; the protocol is in src/fiber/timer_home.hpp.

namespace weft::inline v1::detail {

class tick_fiber;
class timer_home;
struct timer_period;

/// A timer without its function. Everything is guarded by the home's lock, unless it says otherwise.
class timer_record : public loop_timer, public fiber_watcher {
 public:
  timer_record(const timer_record&) = delete;
  timer_record& operator=(const timer_record&) = delete;

  timer_home& home() const noexcept { return *home_; }
  std::uint64_t id() const noexcept { return id_; }
  /// It was never armed.
  void discard() noexcept;

 protected:
  timer_record(context_node* captured_ref, std::source_location from) noexcept;
  virtual ~timer_record() = default;

 private:
  friend class timer_home;
  friend class tick_fiber;
  void fiber_over() noexcept final;

  /// Calls the function; on a fiber, one call at a time.
  virtual void call() = 0;
  /// Ends the function, which is not being called and will not be.
  virtual void drop_function() noexcept = 0;
  virtual void destroy() noexcept = 0;
  virtual std::string_view name() const noexcept = 0;
  /// Null for a timer that is due once.
  virtual timer_period* period() noexcept { return nullptr; }

  timer_home* home_ = nullptr;    // constant once armed
  timer_record* next_ = nullptr;  // all that are active; or those cancelled from elsewhere
  timer_record* previous_ = nullptr;
  weft::context context_;  // constant; ends with the record
  const std::uint64_t id_;
  const std::uint64_t made_by_;   // the id of the task that armed it
  std::source_location made_at_;  // constant
  tick_fiber* tick_ = nullptr;    // counted
  std::uint32_t refs_ = 0;        // the handle, the wheel, the running tick, who lists

 public:
  bool keeps_run = true;        ///< constant once armed
  bool stops_on_error = false;  ///< constant once armed

 private:
  // In one byte: with a function of 8 bytes a timer is to need 128.
  bool active_ : 1 = false;    // may start ticks
  bool in_wheel_ : 1 = false;  // or in the line of those cancelled from elsewhere
  bool ticking_ : 1 = false;   // from the tick's start until nothing is left of its fiber
  bool calling_ : 1 = false;   // the function is in use
  bool fired_ : 1 = false;     // has it started a tick?
};

/// What a periodic timer has besides.
struct timer_period {
  steady_clock::duration length;
  steady_time due = no_deadline;
  std::uint64_t ticks = 0;
  std::uint64_t missed = 0;
};

template <typename Function, bool Periodic, bool Named>
class timer_body final : public timer_record {
 public:
  template <typename From>
  timer_body(context_node* captured_ref, std::source_location from, From&& function)
      : timer_record(captured_ref, from), function_(std::forward<From>(function)) {}

  static void* operator new(std::size_t bytes) { return allocate_fiber(bytes); }
  static void operator delete(void* memory, std::size_t bytes) noexcept { free_fiber(memory, bytes); }
  static void* operator new(std::size_t bytes, std::align_val_t alignment) {
    return ::operator new(bytes, alignment);
  }
  static void operator delete(void* memory, std::align_val_t alignment) noexcept {
    ::operator delete(memory, alignment);
  }

  struct nothing {};
  [[no_unique_address]] std::conditional_t<Periodic, timer_period, nothing> every;
  [[no_unique_address]] std::conditional_t<Named, std::string, nothing> named;

 private:
  ~timer_body() override {
    if (has_function_) std::destroy_at(&function_);
  }
  void call() override { static_cast<void>(std::invoke(function_)); }
  void drop_function() noexcept override {
    if (std::exchange(has_function_, false)) std::destroy_at(&function_);
  }
  void destroy() noexcept override { delete this; }
  std::string_view name() const noexcept override {
    if constexpr (Named) return named;
    return {};
  }
  timer_period* period() noexcept override {
    if constexpr (Periodic) return &every;
    return nullptr;
  }

  bool has_function_ = true;  // false once it has been dropped
  union {
    Function function_;
  };
};

}  // namespace weft::inline v1::detail
