#include "process/supervisor_state.hpp"

#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include <weft/core/error.hpp>
#include <weft/core/milliseconds_until.hpp>
#include <weft/log/sink.hpp>
#include <weft/process/self.hpp>
#include <weft/process/signals_held.hpp>
#include <weft/process/socket.hpp>

#include "process/supervisor_line.hpp"

namespace weft::inline v1::process::detail {

namespace {

constexpr std::size_t unsent_bytes_max = 1024 * 1024;
constexpr int words_at_once = 64;

sigset_t signals_to_supervisor() noexcept { return signal_set({SIGTERM, SIGINT, SIGHUP}); }

}  // namespace

supervisor_state::supervisor_state(supervisor_options options,
                                   std::function<int(std::size_t, unique_fd)> body)
    : options_(std::move(options)),
      body_(std::move(body)),
      wants_new_(options_.processes),
      crashes_(options_.restarts),
      own_start_(options_.hands_over ? own_start::now() : own_start()) {
  if (options_.processes == 0)
    throw error(errc::invalid_argument,
                "process: a supervisor of no processes: processes must be 1 at least");
}

int supervisor_state::run() {
  if (thread_count() != 1) {
    throw error(
        errc::misuse,
        "process: run a supervisor: the process has threads, so it cannot fork others; start it before "
        "them");
  }
  const sigset_t signals = signals_to_supervisor();
  const signals_held while_it_runs(signals);
  signals_.reset(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_) throw system_error("process: run a supervisor: receive signals", errno);
  pid_ = ::getpid();
  while (!stopping_ || !all_.empty()) {
    const steady_time now = steady_clock::now();
    if (!stopping_) start_missing(now);
    wait(next_time(now));
  }
  signals_.reset();
  return status_;
}

// ---- the processes

supervisor_state::entry* supervisor_state::find(std::size_t number, stage which) noexcept {
  for (entry& one : all_) {
    if (one.number == number && one.now == which) return &one;
  }
  return nullptr;
}

bool supervisor_state::has_any(stage which) const noexcept {
  return std::any_of(all_.begin(), all_.end(), [which](const entry& one) { return one.now == which; });
}

void supervisor_state::start_missing(steady_time now) {
  for (std::size_t number = 0; number < options_.processes && !crashes_.is_pausing(now); ++number) {
    const bool is_there = find(number, stage::serving) != nullptr || find(number, stage::starting) != nullptr;
    if (!is_there && !start(number)) return;
  }
  if (!has_any(stage::starting) && !crashes_.is_pausing(now)) renew_next();
}

void supervisor_state::renew_next() {
  const auto next = std::find(wants_new_.begin(), wants_new_.end(), true);
  if (next != wants_new_.end()) start(static_cast<std::size_t>(next - wants_new_.begin()));
}

/// False, and a pause begins, where the system has no room for it.
bool supervisor_state::start(std::size_t number) {
  try {
    auto [here, there] = message_pair();
    child process = child::fork([this, number, &here_end = here, &line = there] {
      here_end.reset();
      return begin_child(number, std::move(line));
    });
    all_.push_back({.number = number,
                    .process = std::move(process),
                    .line = std::move(here),
                    .ends_by = deadline_after(options_.ready_within)});
  } catch (const error& failed) {
    say(failed.message());
    crashes_.fork_failed(steady_clock::now());
    return false;
  }
  wants_new_[number] = false;
  crashes_.fork_succeeded();
  return true;
}

/// In the new process: nothing of the supervisor's is left but the end of the line.
int supervisor_state::begin_child(std::size_t number, unique_fd line) {
  die_with_parent(pid_);
  for (entry& one : all_) one.process.detach();
  all_.clear();
  successor_.process.detach();
  successor_.link.reset();
  forget_inheritance();
  signals_.reset();
  reset_signals();
  for (const int one : {SIGINT, SIGHUP}) std::signal(one, SIG_IGN);
  set_title(options_.name + "-" + std::to_string(number));
  const int status = body_(number, std::move(line));
  log::flush(std::chrono::seconds(1));
  return status;
}

void supervisor_state::reap_ended() {
  for (auto at = all_.begin(); at != all_.end();) {
    const auto how = at->process.try_wait();
    if (!how) {
      ++at;
      continue;
    }
    take_words(*at);  // the last ones
    const entry gone = std::move(*at);
    at = all_.erase(at);
    if (gone.now != stage::leaving) ended_by_itself(gone, *how);
  }
}

void supervisor_state::ended_by_itself(const entry& one, const exit_status& how) {
  const bool was_starting = one.now == stage::starting;
  say("process " + std::to_string(one.process.pid()) + " ended" +
      (was_starting ? " before it was ready: " : ": ") + to_string(how));
  if (was_starting && find(one.number, stage::serving) != nullptr) {
    std::fill(wants_new_.begin(), wants_new_.end(), false);
    say("the processes that are there serve on");
  }
  if (!was_ready_ && ++failed_starts_ >= options_.processes) {
    say("no process gets ready: it stops");
    return stop(1);
  }
  const steady_time now = steady_clock::now();
  if (crashes_.died(now)) {
    const auto pause = std::chrono::ceil<std::chrono::milliseconds>(crashes_.resumes_at() - now);
    say("too many processes ended by themselves; none is started for " + std::to_string(pause.count()) +
        " ms");
  }
}

void supervisor_state::kill_overdue(steady_time now) {
  for (entry& one : all_) {
    if (one.ends_by > now || one.was_killed) continue;
    say("process " + std::to_string(one.process.pid()) +
        (one.now == stage::starting ? " is not ready in time: it is killed"
                                    : " does not end in time: it is killed"));
    one.process.kill(SIGKILL);
    one.was_killed = true;
  }
}

/// The successor has taken over.
void supervisor_state::leave() {
  stopping_ = true;
  if (options_.on_handed_over) options_.on_handed_over();
  for (entry& one : all_) {
    if (one.now == stage::starting) one.process.kill(SIGTERM);
    if (one.now != stage::leaving) {
      one.ends_by = deadline_after(options_.leave_grace);
      send(one, std::string(1, word_leave));
    }
    one.now = stage::leaving;
  }
}

void supervisor_state::stop(int status) {
  drop_successor();
  stopping_ = true;
  const bool again = std::exchange(was_stopped_, true);
  if (!again) {
    status_ = status;
    if (options_.on_stop) options_.on_stop();
  }
  for (entry& one : all_) {
    if (again) {
      one.process.kill(SIGKILL);
      one.was_killed = true;
    } else if (one.now == stage::starting) {
      one.process.kill(SIGTERM);
    }
    if (!again) send(one, std::string(1, word_stop));
    one.now = stage::leaving;
    one.ends_by = std::min(one.ends_by, deadline_after(options_.stop_grace));
  }
}

// ---- what happens

steady_time supervisor_state::next_time(steady_time now) const noexcept {
  steady_time next = successor_.ready_by;
  if (!stopping_ && crashes_.is_pausing(now)) next = crashes_.resumes_at();
  for (const entry& one : all_) {
    if (!one.was_killed) next = std::min(next, one.ends_by);
  }
  return next;
}

void supervisor_state::wait(steady_time until) {
  polled_.assign(1, {signals_.get(), POLLIN, 0});
  for (const entry& one : all_) {
    polled_.push_back({one.process.pidfd(), POLLIN, 0});
    const bool is_full = !one.unsent.empty();
    polled_.push_back({one.line.get(), static_cast<short>(is_full ? POLLIN | POLLOUT : POLLIN), 0});
  }
  polled_.push_back({successor_.link ? successor_.link.get() : -1, POLLIN, 0});
  if (::poll(polled_.data(), polled_.size(), weft::detail::milliseconds_until(until)) < 0 && errno != EINTR)
    throw system_error("process: the supervisor waits for its processes", errno);
  const bool spoke = polled_.back().revents != 0 || successor_.ready_by <= steady_clock::now();
  std::size_t at = 2;
  for (entry& one : all_) {
    const short came = polled_[at].revents;
    at += 2;
    if ((came & POLLOUT) != 0) send_unsent(one);
    if ((came & (POLLIN | POLLHUP)) != 0) take_words(one);
  }
  if (polled_.front().revents != 0) take_signals();
  if (spoke && successor_) successor_spoke();
  reap_ended();
  kill_overdue(steady_clock::now());
}

void supervisor_state::take_signals() {
  signalfd_siginfo one{};
  while (::read(signals_.get(), &one, sizeof one) == static_cast<ssize_t>(sizeof one)) {
    if (one.ssi_signo != SIGHUP) {
      stop(0);
    } else if (!stopping_) {
      reload();
    }
  }
}

void supervisor_state::reload() {
  if (!options_.hands_over) {
    std::fill(wants_new_.begin(), wants_new_.end(), true);
    return;
  }
  if (successor_) return;
  try {
    successor_ = start_successor(own_start_, options_.hands_over->socket, options_.hands_over->address);
  } catch (const error& failed) {
    say("reload: " + failed.message() + "; the processes that are there serve on");
  }
}

/// Or it ended without a word, or is late.
void supervisor_state::successor_spoke() {
  char word = 0;
  const bool serves =
      successor_.ready_by > steady_clock::now() && ::read(successor_.link.get(), &word, 1) == 1;
  successor other = std::exchange(successor_, {});
  if (!serves) {
    say("reload: the new program did not get so far as to serve; the processes that are there serve on");
    return;  // the end of `other` kills it
  }
  say("reload: process " + std::to_string(other.process.pid()) + " serves from now on");
  other.process.detach();
  leave();
}

/// All is to end, so the successor is, too. One that has said by now that it serves ends as every group does.
void supervisor_state::drop_successor() {
  successor other = std::exchange(successor_, {});
  char word = 0;
  if (!other || ::read(other.link.get(), &word, 1) != 1) return;  // the end of `other` kills it
  other.process.kill(SIGTERM);
  other.process.detach();  // it may outlive this one
}

void supervisor_state::take_words(entry& from) {
  std::string frame;
  for (int left = words_at_once; left > 0 && from.line; --left) {
    frame.resize(supervised::message_bytes_max + 1);
    const ssize_t got = ::recv(from.line.get(), frame.data(), frame.size(), MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (got <= 0) {  // its end is told by the pidfd
      from.line.reset();
      from.unsent.clear();
      return;
    }
    frame.resize(static_cast<std::size_t>(got));
    if (frame.front() == word_message) tell_others(from, frame);
    if (frame.front() == word_ready && from.now == stage::starting) became_ready(from);
    if (frame.front() == word_successor && from.now == stage::serving && !stopping_)
      wants_new_[from.number] = true;
  }
}

void supervisor_state::became_ready(entry& one) {
  was_ready_ = true;
  if (entry* const before = find(one.number, stage::serving)) {
    before->now = stage::leaving;
    before->ends_by = deadline_after(options_.leave_grace);
    send(*before, std::string(1, word_leave));
  }
  one.now = stage::serving;
  one.ends_by = no_deadline;
  tell_predecessor();
}

/// Where there is one, once all serve for the first time.
void supervisor_state::tell_predecessor() noexcept {
  for (std::size_t number = 0; number < options_.processes && !told_to_serve_; ++number) {
    if (find(number, stage::serving) == nullptr) return;
  }
  if (!std::exchange(told_to_serve_, true)) (void)tell_ready(successor_says::ready);
}

void supervisor_state::tell_others(const entry& from, const std::string& frame) {
  for (entry& one : all_) {
    if (&one != &from) send(one, frame);
  }
}

void supervisor_state::send(entry& to, std::string frame) {
  if (!to.line) return;
  const bool is_message = frame.front() == word_message;
  if (is_message && to.unsent_bytes + frame.size() > unsent_bytes_max) {
    if (!std::exchange(to.misses_messages, true))
      say("process " + std::to_string(to.process.pid()) + " does not read its messages: it misses some");
    return;
  }
  to.unsent_bytes += frame.size();
  to.unsent.push_back(std::move(frame));
  send_unsent(to);
}

void supervisor_state::send_unsent(entry& to) {
  while (!to.unsent.empty()) {
    const std::string& next = to.unsent.front();
    const ssize_t sent = ::send(to.line.get(), next.data(), next.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS)) return;
    to.unsent_bytes -= next.size();  // or nobody hears it any more
    to.unsent.pop_front();
  }
  to.misses_messages = false;
}

void supervisor_state::say(const std::string& what) const {
  std::fprintf(stderr, "%s: supervisor %d: %s\n", options_.name.c_str(), static_cast<int>(pid_),
               what.c_str());
}

}  // namespace weft::inline v1::process::detail
