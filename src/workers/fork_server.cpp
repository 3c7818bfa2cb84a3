#include "workers/fork_server.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <tuple>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <weft/core/error.hpp>
#include <weft/fiber/stack_guard.hpp>
#include <weft/process/self.hpp>
#include <weft/process/socket.hpp>

namespace weft::inline v1::workers::detail {

namespace {

// So many come from the listening socket before workers are looked at again.
constexpr int accepted_at_once = 64;
// Without descriptors or memory, clients stay in the backlog.
constexpr auto accept_pause = std::chrono::milliseconds(50);
// While clients wait, workers in advance come one by one.
constexpr int forked_ahead_at_once = 4;

bool is_allowed(int connection, const std::vector<uid_t>& allowed) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == ::geteuid() || peer.uid == 0 ||
         std::find(allowed.begin(), allowed.end(), peer.uid) != allowed.end();
}

const char* describe(death_cause cause) {
  switch (cause) {
    case death_cause::hung:
      return ", a call took longer than hung_worker_timeout";
    case death_cause::out_of_memory:
      return ", by the kernel, for want of memory";
    case death_cause::unknown:
      break;
  }
  return "";
}

steady_time after(std::chrono::nanoseconds time) {
  return time.count() > 0 ? deadline_after(time) : no_deadline;
}

}  // namespace

fork_server::fork_server(fork_server_options options)
    : options_(std::move(options)),
      pid_(::getpid()),
      workers_(events_, options_.hung_after),
      line_(events_, std::max<std::size_t>(options_.max_waiting, 1), options_.hello_within),
      crashes_(options_.restarts),
      keeps_ready_(options_.min_workers) {}

fork_server::~fork_server() = default;

void fork_server::say(const std::string& what) const {
  std::fprintf(stderr, "weft-server%s %d: %s\n", (options_.name.empty() ? "" : ":" + options_.name).c_str(),
               static_cast<int>(pid_), what.c_str());
}

int fork_server::run() {
  // A client that went away shows as an error of a send.
  std::signal(SIGPIPE, SIG_IGN);
  process::set_title("weft-server" + (options_.name.empty() ? "" : ":" + options_.name));
  raise_files_limit();
  (void)stack_guard_in_use();  // found out here, and not by each worker
  watch_all();
  fill_up();
  take_over();
  while (!is_over()) {
    for (const auto& seen : events_.wait(next_time())) handle(seen);
    on_time();
    take_clients();
    serve_askers();
    hand_on();
    serve_line();
    fill_up();
    resume_accepting();
    if (is_deserted()) {
      take_last_clients();
      hand_on();
    }
  }
  return 0;
}

bool fork_server::is_over() const noexcept {
  return is_deserted() && (phase_ == phase::ending || !predecessor_);
}

// It is to end, and nobody is left; some may be on their way here.
bool fork_server::is_deserted() const noexcept {
  return phase_ != phase::running && workers_.is_empty() && !serves_line();
}

bool fork_server::serves_line() const noexcept {
  if (phase_ == phase::running) return true;
  if (phase_ == phase::ending) return false;
  if (crashes_.resumes_at() > end_at_) return false;  // no worker will be forked for them
  return line_.waiting() > 0 || (keeps_silent_ && line_.silent() > 0);
}

// Each worker costs a few descriptors here.
void fork_server::raise_files_limit() {
  ::getrlimit(RLIMIT_NOFILE, &former_files_);
  if (options_.listener == nullptr) return;
  const rlimit most{former_files_.rlim_max, former_files_.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &most);
}

void fork_server::watch_all() {
  if (options_.control) events_.watch(options_.control.get(), event_kind::control);
  if (options_.keep_alive) events_.watch(options_.keep_alive.get(), event_kind::keep_alive);
  if (options_.signals) events_.watch(options_.signals.get(), event_kind::signals);
  watch_memory();
  if (options_.listener == nullptr) return;
  events_.watch(options_.listener->fd(), event_kind::listener);
  accepts_ = true;
}

// Where the system does not tell of changes, the count is looked at when a worker comes or ends.
void fork_server::watch_memory() {
  if (workers_.memory_fd() < 0) return;
  try {
    events_.watch(workers_.memory_fd(), event_kind::memory_events, 0, event_set::what::exception);
  } catch (const error&) {
  }
}

steady_time fork_server::next_time() const {
  auto next = std::min(
      {workers_.next_time(), line_.next_time(), end_at_, accept_at_, successor_.ready_by, fewer_at_});
  if (hand_on_at_ != steady_time()) next = std::min(next, hand_on_at_);
  if (may_take_ && line_.has_room()) next = std::min(next, take_at_);
  const bool wants_ready = phase_ == phase::running && workers_.ready() < keeps_ready_;
  if (!wants_ready && (line_.is_empty() || !serves_line())) return next;
  if (crashes_.is_pausing(steady_clock::now())) return std::min(next, crashes_.resumes_at());
  if (may_fork()) next = steady_time();  // there is more to do at once
  return next;
}

void fork_server::handle(const event& seen) {
  switch (seen.kind) {
    case event_kind::control:
      serve_control();
      break;
    case event_kind::keep_alive:
      end();
      break;
    case event_kind::listener:
      accept_clients();
      break;
    case event_kind::signals:
      take_signals();
      break;
    case event_kind::successor:
      if (successor_) successor_spoke();
      break;
    case event_kind::predecessor:
      may_take_ = static_cast<bool>(predecessor_);
      break;
    case event_kind::memory_events:
      workers_.look_at_memory();
      break;
    case event_kind::client:
      line_.look_at(seen.id, seen.has_ended);
      break;
    default:
      handle_worker(seen);
  }
}

void fork_server::handle_worker(const event& seen) {
  auto* const worker = workers_.find(seen.id);
  if (worker == nullptr) return;
  if (seen.kind == event_kind::worker_end) {
    worker_ended(seen.id);
  } else if (seen.kind == event_kind::worker_monitor) {
    workers_.client_left(seen.id, *worker);
  } else {
    workers_.take_errors(*worker);
  }
}

void fork_server::on_time() {
  const auto now = steady_clock::now();
  if (end_at_ <= now) end();
  workers_.kill_overdue(now);
  line_.close_silent(now);
  if (fewer_at_ <= now) keep_fewer_ready(now);
  if (successor_.ready_by <= now) successor_spoke();
  if (was_pausing_ && !crashes_.is_pausing(now)) {
    was_pausing_ = false;
    say("the pause is over: workers are forked again");
  }
}

void fork_server::resume_accepting() {
  if (accepts_ || phase_ != phase::running || options_.listener == nullptr) return;
  const auto now = steady_clock::now();
  if (accept_at_ != no_deadline ? accept_at_ > now : !line_.has_room()) return;
  accept_at_ = no_deadline;
  accepts_ = true;
  events_.change(options_.listener->fd(), event_kind::listener, 0, event_set::what::input);
}

void fork_server::serve_control() {
  char byte;
  std::vector<unique_fd> received;
  const long got = process::receive_with_descriptors(options_.control.get(), &byte, 1, received);
  if (got <= 0) {
    end();
  } else if (received.size() == 2 && phase_ == phase::running) {
    fork_worker({.client = {.connection = std::move(received[0])}, .monitor = std::move(received[1])});
  }
}

void fork_server::accept_clients() {
  int left = accepted_at_once;
  while (accepts_ && left-- > 0 && accept_one()) {
    if (!line_.has_room()) pause_accepting();
  }
}

void fork_server::pause_accepting() {
  accepts_ = false;
  events_.change(options_.listener->fd(), event_kind::listener, 0, event_set::what::end);
}

// False when there is no more, or no more for now.
bool fork_server::accept_one() {
  unique_fd connection(::accept4(options_.listener->fd(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!connection) {
    if (errno == EINTR || errno == ECONNABORTED) return true;
    if (errno != EAGAIN) {
      pause_accepting();
      accept_at_ = steady_clock::now() + accept_pause;
    }
    return false;
  }
  if (!is_welcome(connection.get())) return true;
  if (!options_.checks_users) {
    const int on = 1;
    ::setsockopt(connection.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  put_in_line({.connection = std::move(connection)});
  return true;
}

void fork_server::put_in_line(unserved_client client) {
  try {
    if (client.is_compatible) {
      line_.add_again(std::move(client));
    } else {
      line_.add(std::move(client.connection));
    }
    if (phase_ == phase::stopping && !keeps_silent_) line_.close_silent();
  } catch (const error& failed) {
    ++counts_.refused;
    say(failed.message());
  }
}

bool fork_server::is_welcome(int connection) {
  if (!options_.checks_users || is_allowed(connection, options_.allowed_users)) return true;
  ++counts_.refused;
  return false;
}

void fork_server::serve_line() {
  bool forked = false;
  while (!line_.is_empty() && serves_line()) {
    if (workers_.ready() == 0 && !may_fork()) break;
    forked = forked || workers_.ready() == 0;
    serve(line_.take_first());
  }
  if (forked && phase_ == phase::running) keep_more_ready();
}

// Somebody had to wait for a fork.
void fork_server::keep_more_ready() {
  if (options_.min_workers == 0) return;
  keeps_ready_ = std::max(keeps_ready_, std::min(2 * keeps_ready_, options_.max_workers));
  if (keeps_ready_ > options_.min_workers) fewer_at_ = after(options_.idle_timeout);
}

void fork_server::keep_fewer_ready(steady_time now) {
  keeps_ready_ = std::max(keeps_ready_ / 2, options_.min_workers);
  fewer_at_ = keeps_ready_ > options_.min_workers ? now + options_.idle_timeout : no_deadline;
  workers_.end_ready(keeps_ready_);
}

void fork_server::serve(unserved_client client) {
  order wanted{.client = std::move(client)};
  try {
    if (options_.checks_users) std::tie(wanted.monitor, wanted.hand_over) = process::message_pair();
    if (workers_.serve(wanted.client, wanted.monitor, wanted.hand_over, after(options_.hello_within))) return;
    fork_worker(std::move(wanted));
  } catch (const error&) {
    failed_to_fork(wanted, EMFILE);
  }
}

void fork_server::fill_up() {
  if (phase_ != phase::running || options_.listener == nullptr) return;
  int left = forked_ahead_at_once;
  while (left-- > 0 && workers_.ready() < keeps_ready_ && may_fork()) {
    if (!fork_worker({.is_ready = true})) return;
  }
}

void fork_server::worker_ended(std::uint64_t id) {
  const auto* const entry = workers_.find(id);
  const pid_t pid = entry->pid;
  auto how = workers_.reap(id);
  board_.give_back(how.slot);
  if (how.returned.connection && phase_ != phase::ending) put_in_line(std::move(how.returned));
  if (how.was_recycled) ++counts_.recycled;
  if (!how.by_itself_badly()) return;
  ++counts_.died;
  if (options_.listener == nullptr) return;
  if (!how.client_knows) {
    say("worker " + std::to_string(pid) + " ended: " + to_string(how.status) + describe(how.cause));
  }
  if (crashes_.died(steady_clock::now())) pause_for_deaths();
}

void fork_server::pause_for_deaths() {
  const auto time =
      std::chrono::duration_cast<std::chrono::milliseconds>(crashes_.resumes_at() - steady_clock::now());
  was_pausing_ = true;
  say("more than " + std::to_string(options_.restarts.deaths_max) +
      " workers died by themselves in a short time; no worker is forked for " + std::to_string(time.count()) +
      " ms");
}

server_figures fork_server::figures() const {
  const auto now = steady_clock::now();
  server_figures all = counts_;
  all.pid = pid_;
  all.name = options_.name;
  all.age = std::chrono::duration_cast<std::chrono::milliseconds>(now - started_);
  all.max_workers = options_.max_workers;
  all.waiting = line_.waiting();
  all.silent = line_.silent();
  all.refused += line_.closed();
  if (phase_ != phase::running) {
    all.state = server_state::stopping;
  } else if (crashes_.is_pausing(now)) {
    all.state = server_state::crash_loop;
    all.resumes_in = std::chrono::ceil<std::chrono::milliseconds>(crashes_.resumes_at() - now);
  }
  all.workers = workers_.figures();
  return all;
}

}  // namespace weft::inline v1::workers::detail
