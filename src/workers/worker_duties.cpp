#include "workers/worker_duties.hpp"

#include <cstdio>
#include <cstdlib>
#include <mutex>

#include <unistd.h>

#include <weft/core/unwinding.hpp>
#include <weft/log/log.hpp>
#include <weft/log/sink.hpp>

namespace weft::workers::detail {

void leave(int status) noexcept {
  log::flush(std::chrono::milliseconds(100));
  std::fflush(stdout);
  std::fflush(stderr);
  ::_exit(status);
}

std::string worker_duties::where() const {
  return "worker " + std::to_string(::getpid()) + (name_.empty() ? "" : " of " + name_);
}

void worker_duties::set_up() {
  const std::lock_guard lock(setting_up_);
  if (set_up_ || !program_.setup) return;
  program_.setup(*program_.provided);
  set_up_ = true;
}

void worker_duties::end_checkout() {
  const auto& done = program_.offered->checkout_done();
  if (!done) return;
  try {
    const hung_alarm::watch watched(alarm_);
    done();
  } catch (const std::exception& failed) {
    log::error("workers: checkout_done failed; the worker ends", {{"error", failed.what()}});
    leave(EXIT_FAILURE);
  } catch (const unwinding& ended) {
    log::error("workers: checkout_done failed; the worker ends", {{"error", ended.what()}});
    leave(EXIT_FAILURE);
  }
}

}  // namespace weft::workers::detail
