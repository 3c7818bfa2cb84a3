#include "workers/worker_duties.hpp"

#include <cstdio>
#include <cstdlib>
#include <mutex>

#include <unistd.h>

#include <weft/core/unwinding.hpp>
#include <weft/log/log.hpp>
#include <weft/log/sink.hpp>
#include <weft/process/self.hpp>

#include "workers/status_report.hpp"

namespace weft::inline v1::workers::detail {

void leave(int status) noexcept {
  log::flush(std::chrono::milliseconds(100));
  std::fflush(stdout);
  std::fflush(stderr);
  ::_exit(status);
}

worker_duties::worker_duties(const worker_program& program, const worker_settings& settings,
                             worker_slot* slot)
    : program_(program),
      name_(settings.name),
      recycle_(settings.recycle),
      stacks_(settings.stacks),
      slot_(slot != nullptr ? *slot : own_slot_),
      alarm_(settings.hung_after, &slot_.call_ends),
      leave_([] { leave(EXIT_SUCCESS); }) {}

std::string worker_duties::where() const {
  return "worker " + std::to_string(::getpid()) + (name_.empty() ? "" : " of " + name_);
}

worker_duties::running_call::running_call(worker_duties& of) : of_(of), watched_(of.alarm_) {
  of_.in_checkout_ = true;
  ++of_.slot_.calls;
  ++of_.slot_.running;
}

worker_duties::running_call::~running_call() { --of_.slot_.running; }

void worker_duties::set_up() {
  const std::lock_guard lock(setting_up_);
  if (set_up_ || !program_.setup) return;
  program_.setup(*program_.provided);
  set_up_ = true;
}

void worker_duties::end_checkout() {
  ++slot_.checkouts;
  if (const auto& done = program_.offered->checkout_done()) {
    try {
      const hung_alarm::watch watched(alarm_);
      services of_this_checkout(*program_.provided, service_scope::per_task);
      done(of_this_checkout);
    } catch (const std::exception& failed) {
      log::error("workers: checkout_done failed; the worker ends", {{"error", failed.what()}});
      leave(EXIT_FAILURE);
    } catch (const unwinding& ended) {
      log::error("workers: checkout_done failed; the worker ends", {{"error", ended.what()}});
      leave(EXIT_FAILURE);
    }
  }
  // Not before: a server that is to stop waits for checkout_done, too.
  in_checkout_ = false;
  if (!leaves_ && is_used_up()) {
    leaves_ = true;
    slot_.is_recycled = true;
  }
  try_to_leave();
}

bool worker_duties::is_used_up() const {
  if (recycle_.checkouts_max != 0 && slot_.checkouts >= recycle_.checkouts_max) return true;
  if (recycle_.age_max.count() > 0 && steady_clock::now() - started_ >= recycle_.age_max) return true;
  return recycle_.resident_bytes_max != 0 &&
         process::resident_bytes(::getpid()) > recycle_.resident_bytes_max;
}

void worker_duties::finish() {
  leaves_ = true;
  try_to_leave();
}

void worker_duties::try_to_leave() {
  if (leaves_ && !in_checkout_) leave_();
}

}  // namespace weft::inline v1::workers::detail
