#pragma once

#include <string>

#include <weft/fiber/mutex.hpp>

#include "workers/hung_alarm.hpp"
#include "workers/worker.hpp"

namespace weft::workers::detail {

/// What a worker does around its calls, whatever protocol they come by.
class worker_duties {
 public:
  worker_duties(const worker_program& program, const worker_settings& settings)
      : program_(program), name_(settings.name), alarm_(settings.hung_after) {}

  const worker_program& program() const noexcept { return program_; }
  hung_alarm& alarm() noexcept { return alarm_; }
  /// "worker 17 of mail": where an error happened.
  std::string where() const;

  /// To be called before each call: runs the program's setup until it has succeeded once. Throws what
  /// that throws.
  void set_up();
  /// A checkout has ended and the next may follow. An error of checkout_done ends the process.
  void end_checkout();

 private:
  const worker_program& program_;
  std::string name_;
  hung_alarm alarm_;
  weft::mutex setting_up_;
  bool set_up_ = false;  // guarded by setting_up_
};

/// Ends without destructors of what the process inherited, but with what was printed and logged.
[[noreturn]] void leave(int status) noexcept;

}  // namespace weft::workers::detail
