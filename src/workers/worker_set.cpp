#include "workers/worker_set.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

#include <sys/wait.h>

#include <weft/core/error.hpp>
#include <weft/process/child.hpp>
#include <weft/process/socket.hpp>

#include "workers/monitor.hpp"
#include "workers/server_link.hpp"

namespace weft::inline v1::workers::detail {

namespace {

// How long a worker that nobody needs may take to notice.
constexpr auto leave_grace = std::chrono::seconds(1);

// Its own alarm ends a worker whose call takes too long, unless it is stopped, or has switched that off.
constexpr auto alarm_grace = std::chrono::seconds(1);

// By job control; not by a debugger.
bool is_stopped(pid_t pid) {
  char path[32];
  std::snprintf(path, sizeof path, "/proc/%d/stat", static_cast<int>(pid));
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path, "re"), &std::fclose);
  char text[256] = {};
  if (file == nullptr || std::fgets(text, sizeof text, file.get()) == nullptr) return false;
  const char* const behind_name = std::strrchr(text, ')');
  return behind_name != nullptr && std::strncmp(behind_name, ") T", 3) == 0;
}

process::exit_status status_of(const unique_fd& pidfd) {
  siginfo_t info{};
  int done = -1;
  do done = ::waitid(static_cast<idtype_t>(3), static_cast<id_t>(pidfd.get()), &info, WEXITED);
  while (done != 0 && errno == EINTR);
  if (done != 0) return {};
  if (info.si_code == CLD_EXITED) return process::exit_status::exited(info.si_status);
  return process::exit_status::signaled(info.si_status, info.si_code == CLD_DUMPED);
}

}  // namespace

bool worker_end::by_itself_badly() const noexcept {
  if (slot == nullptr || was_asked) return false;
  if (status.is_signaled()) return status.value != SIGTERM;
  return status.is_exited() && status.value != 0 && status.value != client_at_fault;
}

void worker_set::add(worker_entry entry) {
  const auto id = next_id_++;
  try {
    events_.watch(entry.pidfd.get(), event_kind::worker_end, id);
  } catch (const error&) {
    // Its end would not be seen.
    process::send_signal(entry.pidfd.get(), SIGKILL);
    status_of(entry.pidfd);
    throw;
  }
  auto& kept = all_.emplace(id, std::move(entry)).first->second;
  if (kept.monitor) events_.watch(kept.monitor.get(), event_kind::worker_monitor, id, event_set::what::end);
  if (kept.errors.fd() >= 0) events_.watch(kept.errors.fd(), event_kind::worker_errors, id);
  if (kept.is_ready) ready_.push_back(id);
  if (kept.slot != nullptr) ++workers_;
  if (kept.heard_by != no_deadline) due_.emplace(kept.heard_by, id);
  if (kept.slot != nullptr && !kept.is_ready) watch_calls(id, kept, kept.started);
  memory_.look(kept.started);
}

// A call that begins later than `from` may take until then, at least.
void worker_set::watch_calls(std::uint64_t id, worker_entry& entry, steady_time from) {
  if (hung_after_.count() <= 0) return;
  entry.look_at = from + hung_after_ + alarm_grace;
  due_.emplace(entry.look_at, id);
}

// One that is stopped between two calls would not answer the next.
void worker_set::look_at_calls(std::uint64_t id, worker_entry& entry, steady_time now) {
  entry.look_at = no_deadline;
  const steady_time ends{std::chrono::nanoseconds(entry.slot->call_ends)};
  const bool runs = ends != steady_time();
  const bool was_stopped = std::exchange(entry.was_stopped, !runs && is_stopped(entry.pid));
  if (runs ? ends + alarm_grace <= now : was_stopped && entry.was_stopped) {
    entry.was_hung = true;
    process::send_signal(entry.pidfd.get(), SIGKILL);
  } else {
    watch_calls(id, entry, runs ? std::min(now, ends - hung_after_) : now);
  }
}

death_cause worker_set::cause_of(const worker_entry& entry, const process::exit_status& status) {
  const auto now = steady_clock::now();
  memory_.look(now);
  if (!status.is_signaled()) return death_cause::unknown;
  if (status.value == SIGALRM || entry.was_hung) return death_cause::hung;
  const bool by_others = status.value == SIGKILL && !entry.asked_to_end;
  return by_others && memory_.take_kill(now) ? death_cause::out_of_memory : death_cause::unknown;
}

worker_entry* worker_set::find(std::uint64_t id) noexcept {
  const auto at = all_.find(id);
  return at == all_.end() ? nullptr : &at->second;
}

bool worker_set::serve(unserved_client& client, unique_fd& monitor, unique_fd& hand_over,
                       steady_time heard_by) {
  while (!ready_.empty()) {
    const auto id = ready_.back();
    ready_.pop_back();
    auto& one = all_.at(id);
    one.is_ready = false;
    if (!send_client(one.link, client, hand_over)) {
      // It is ending; its pidfd will say so.
      end_at(id, one, steady_clock::now() + leave_grace);
      continue;
    }
    client.connection.reset();
    hand_over.reset();
    one.monitor = std::move(monitor);
    if (one.monitor) {
      events_.watch(one.monitor.get(), event_kind::worker_monitor, id, event_set::what::end);
      send_monitor(one.monitor, {.what = monitor_message::kind::started, .pid = one.pid}, {one.pidfd.get()});
    }
    watch_calls(id, one, steady_clock::now());
    one.heard_by = heard_by;
    if (heard_by != no_deadline) due_.emplace(heard_by, id);
    return true;
  }
  return false;
}

void worker_set::take_errors(worker_entry& entry) {
  const int fd = entry.errors.fd();
  if (fd < 0 || entry.errors.take()) return;
  events_.forget(fd);
  entry.errors.close();
}

void worker_set::client_left(std::uint64_t id, worker_entry& entry) {
  events_.forget(entry.monitor.get());
  entry.monitor.reset();
  if (entry.kill_at == no_deadline) end_at(id, entry, steady_clock::now() + leave_grace);
}

worker_end worker_set::reap(std::uint64_t id) {
  const auto at = all_.find(id);
  if (at == all_.end()) return {};
  auto& one = at->second;
  worker_end how{.status = status_of(one.pidfd), .slot = one.slot, .was_asked = one.asked_to_end};
  how.cause = cause_of(one, how.status);
  take_errors(one);
  if (one.errors.fd() >= 0) {
    events_.forget(one.errors.fd());
    one.errors.close();  // so that a descriptor is free for the client
  }
  if (one.link) how.returned = take_returned(one.link);
  send_monitor(
      one.monitor,
      {.what = monitor_message::kind::ended, .pid = one.pid, .status = how.status, .cause = how.cause}, {},
      one.errors.tail());
  if (one.slot != nullptr) {
    --workers_;
    how.was_recycled = one.slot->is_recycled;
    how.client_knows = one.slot->is_native;
  }
  if (one.is_ready) std::erase(ready_, id);
  for (const int fd : {one.pidfd.get(), one.monitor.get()}) events_.forget(fd);
  all_.erase(at);
  return how;
}

void worker_set::end_at(std::uint64_t id, worker_entry& entry, steady_time when) {
  entry.kill_at = when;
  due_.emplace(when, id);
}

void worker_set::ask_to_finish() {
  const auto now = steady_clock::now();
  for (auto& [id, one] : all_) {
    if (one.is_ready) end_at(id, one, now);
    if (one.link) send_finish(one.link);
  }
  ready_.clear();
}

void worker_set::end_ready(std::size_t kept) {
  while (ready_.size() > kept) {
    const auto id = ready_.front();  // the oldest
    ready_.erase(ready_.begin());
    auto& one = all_.at(id);
    one.is_ready = false;
    end_at(id, one, steady_clock::now());
  }
}

void worker_set::terminate_all() {
  const auto now = steady_clock::now();
  for (auto& [id, one] : all_) {
    one.is_ready = false;
    if (!one.asked_to_end) end_at(id, one, now);
  }
  ready_.clear();
}

void worker_set::send_signal(std::uint64_t id, worker_entry& entry, steady_time now) {
  process::send_signal(entry.pidfd.get(), entry.asked_to_end ? SIGKILL : SIGTERM);
  entry.kill_at = no_deadline;
  if (!entry.asked_to_end) end_at(id, entry, now + kill_grace);
  entry.asked_to_end = true;
}

void worker_set::kill_overdue(steady_time now) {
  while (!due_.empty() && due_.begin()->first <= now) {
    const auto id = due_.begin()->second;
    due_.erase(due_.begin());
    auto* const one = find(id);
    if (one == nullptr) continue;
    if (one->heard_by <= now) {
      one->heard_by = no_deadline;
      if (!one->slot->heard_client && one->kill_at == no_deadline) one->kill_at = now;
    }
    if (one->look_at <= now) look_at_calls(id, *one, now);
    if (one->kill_at <= now) send_signal(id, *one, now);
  }
}

std::vector<worker_figures> worker_set::figures() const {
  const auto now = steady_clock::now();
  std::vector<worker_figures> all;
  for (const auto& [id, one] : all_) {
    if (one.slot == nullptr) continue;
    auto& made = all.emplace_back();
    made.pid = one.pid;
    made.state = one.is_ready             ? worker_state::ready
                 : one.slot->running == 0 ? worker_state::idle
                                          : worker_state::busy;
    made.age = std::chrono::duration_cast<std::chrono::milliseconds>(now - one.started);
    made.checkouts = one.slot->checkouts;
    made.calls = one.slot->calls;
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.age > b.age; });
  return all;
}

}  // namespace weft::inline v1::workers::detail
