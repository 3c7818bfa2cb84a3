#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <weft/core/clock.hpp>
#include <weft/fiber/mutex.hpp>

#include "workers/hung_alarm.hpp"
#include "workers/worker.hpp"

namespace weft::inline v1::workers::detail {

/// What a worker does around its calls, whatever protocol they come by. In the loop of the worker.
///
/// A worker leaves while its client is still there when it was used enough, or when its server asked it to
/// finish; in both cases between two checkouts only, so that none is cut off.
class worker_duties {
 public:
  /// `slot`: where the server looks; null: nobody looks.
  worker_duties(const worker_program& program, const worker_settings& settings, worker_slot* slot);

  const worker_program& program() const noexcept { return program_; }
  /// What errors of calls tell.
  workers::error_stacks error_stacks() const noexcept { return stacks_; }
  /// "worker 17 of mail": where an error happened.
  std::string where() const;

  /// A call runs while it lives: counted, and watched by the alarm.
  class [[nodiscard]] running_call {
   public:
    explicit running_call(worker_duties& of);
    running_call(const running_call&) = delete;
    running_call& operator=(const running_call&) = delete;
    ~running_call();

   private:
    worker_duties& of_;
    hung_alarm::watch watched_;
  };

  /// To be called before each call: runs the program's setup until it has succeeded once. Throws what
  /// that throws.
  void set_up();
  /// A checkout has ended and the next may follow. An error of checkout_done ends the process.
  void end_checkout();

  /// No checkout runs, also where its end was not told.
  void rest() noexcept { in_checkout_ = false; }
  /// How many have ended.
  std::uint64_t checkouts() const noexcept { return slot_.checkouts; }
  /// A call was begun and no checkout has ended since.
  bool is_in_checkout() const noexcept { return in_checkout_; }
  /// How to leave, which may be tried again after each checkout. By default the process ends.
  void when_leaving(std::function<void()> how) { leave_ = std::move(how); }
  /// The server asks to leave as soon as no checkout runs.
  void finish();

 private:
  bool is_used_up() const;
  void try_to_leave();

  const worker_program& program_;
  std::string name_;
  recycling recycle_;
  workers::error_stacks stacks_;
  worker_slot own_slot_;
  worker_slot& slot_;
  hung_alarm alarm_;
  steady_time started_ = steady_clock::now();
  std::function<void()> leave_;
  bool in_checkout_ = false;
  bool leaves_ = false;
  weft::mutex setting_up_;
  bool set_up_ = false;  // guarded by setting_up_
};

/// Ends without destructors of what the process inherited, but with what was printed and logged.
[[noreturn]] void leave(int status) noexcept;

}  // namespace weft::inline v1::workers::detail
