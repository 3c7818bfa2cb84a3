#include <csignal>
#include <utility>

#include <sys/signalfd.h>
#include <unistd.h>

#include <weft/core/error.hpp>

#include "workers/fork_server.hpp"

// How the fork server ends, and how it gives its place to another one.

namespace weft::workers::detail {

void fork_server::take_signals() {
  signalfd_siginfo one{};
  while (::read(options_.signals.get(), &one, sizeof one) == static_cast<ssize_t>(sizeof one)) {
    if (one.ssi_signo == SIGHUP) {
      reload();
    } else if (phase_ == phase::running) {
      stop(options_.stop_grace);
    } else {
      end();
    }
  }
}

void fork_server::reload() {
  if (phase_ != phase::running || successor_) return;
  if (!options_.start_successor) {
    workers_.ask_to_finish();
    return;
  }
  try {
    successor_ = options_.start_successor();
    events_.watch(successor_.ready.get(), event_kind::successor);
  } catch (const error& failed) {
    successor_ = {};
    say("reload: " + failed.message() + "; this server serves on");
  }
}

// Or it ended without a word, or is late.
void fork_server::successor_spoke() {
  char byte = 0;
  const bool is_ready =
      successor_.ready_by > steady_clock::now() && ::read(successor_.ready.get(), &byte, 1) == 1;
  events_.forget(successor_.ready.get());
  auto other = std::exchange(successor_, successor());
  if (!is_ready) {
    say("reload: the new server did not get so far as to serve; this one serves on");
    return;  // the end of `other` kills it
  }
  // Never destroyed: it goes on after the end of this process.
  static process::child* goes_on = nullptr;
  goes_on = other.process.release();
  say("reload: process " + std::to_string(goes_on->pid()) + " serves from now on");
  if (options_.listener != nullptr) {
    events_.forget(options_.listener->fd());
    options_.listener->leave_open();
  }
  // Who connected to this one is served by it.
  keeps_line_ = true;
  stop(options_.reload_grace);
}

void fork_server::stop(std::chrono::nanoseconds grace) {
  phase_ = phase::stopping;
  end_at_ = deadline_after(grace);
  accepts_ = false;
  accept_at_ = no_deadline;
  if (options_.listener != nullptr && *options_.listener) {
    events_.forget(options_.listener->fd());
    options_.listener->close();
  }
  if (!keeps_line_) line_.close_all();
  workers_.ask_to_finish();
}

// Workers would be killed by the end of this process as well; so they are gone before it.
void fork_server::end() {
  if (phase_ == phase::running) stop(std::chrono::nanoseconds(0));
  phase_ = phase::ending;
  line_.close_all();
  end_at_ = no_deadline;
  if (options_.keep_alive) events_.forget(options_.keep_alive.get());
  if (options_.control) events_.forget(options_.control.get());
  workers_.terminate_all();
}

}  // namespace weft::workers::detail
