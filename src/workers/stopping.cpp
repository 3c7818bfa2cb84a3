#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <weft/core/error.hpp>
#include <weft/process/socket.hpp>

#include "workers/fork_server.hpp"
#include "workers/server_link.hpp"

// How the fork server ends, and how it gives its place to another one.

namespace weft::inline v1::workers::detail {

namespace {

// Without descriptors or memory, clients stay with the server that hands them on.
constexpr auto resources_pause = std::chrono::milliseconds(50);

}  // namespace

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
    events_.watch(successor_.link.get(), event_kind::successor);
  } catch (const error& failed) {
    successor_ = {};
    say("reload: " + failed.message() + "; this server serves on");
  }
}

// Or it ended without a word, or is late.
void fork_server::successor_spoke() {
  char byte = 0;
  const bool is_ready =
      successor_.ready_by > steady_clock::now() && ::read(successor_.link.get(), &byte, 1) == 1;
  events_.forget(successor_.link.get());
  auto other = std::exchange(successor_, successor());
  if (!is_ready) {
    say("reload: the new server did not get so far as to serve; this one serves on");
    return;  // the end of `other` kills it
  }
  say("reload: process " + std::to_string(other.process.pid()) + " serves from now on");
  other.process.detach();
  if (options_.listener != nullptr) {
    events_.forget(options_.listener->fd());
    options_.listener->leave_open();
  }
  if (static_cast<successor_says>(byte) == successor_says::takes_clients) heir_ = std::move(other.link);
  // Who connected to this one is served by it, where the other one does not take him.
  keeps_silent_ = true;
  stop(options_.reload_grace);
}

// This server is to end, so its successor is, too. One that has said by now that it serves may have clients,
// and ends as every server does.
void fork_server::drop_successor() {
  if (!successor_) return;
  events_.forget(successor_.link.get());
  auto other = std::exchange(successor_, successor());
  char byte = 0;
  if (::read(other.link.get(), &byte, 1) != 1) return;  // the end of `other` kills it
  other.process.kill(SIGTERM);
  other.process.detach();  // it may outlive this one
}

void fork_server::hand_on() {
  if (!heir_ || hand_on_at_ > steady_clock::now()) return;
  auto outcome = handed_on::yes;
  int why = 0;
  line_.give_away([&](const unserved_client& one) {
    outcome = send_to_successor(heir_, one);
    why = errno;
    return outcome == handed_on::yes;
  });
  if (outcome == handed_on::never) {
    say(std::string("reload: the new server takes no clients: ") + std::strerror(why) +
        "; those without a worker are served here");
    forget_heir();
  } else if (outcome == handed_on::failed) {
    if (hand_on_at_ == steady_time())
      say(std::string("reload: hand a client to the new server: ") + std::strerror(why) + "; trying again");
    hand_on_at_ = steady_clock::now() + resources_pause;
  } else {
    hand_on_at_ = steady_time();
    wait_for_heir(outcome == handed_on::not_yet);
  }
}

void fork_server::forget_heir() {
  events_.forget(heir_.get());
  heir_.reset();
  hand_on_at_ = steady_time();
}

void fork_server::wait_for_heir(bool waits) {
  if (waits_for_heir_ == waits) return;
  waits_for_heir_ = waits;
  if (!waits) return events_.forget(heir_.get());
  try {
    events_.watch(heir_.get(), event_kind::successor, 0, event_set::what::output);
  } catch (const error& failed) {
    say("reload: " + failed.message() + "; clients without a worker are served here");
    forget_heir();
  }
}

// The own program's server has nothing to take over: what its program inherited is another server's.
void fork_server::take_over() {
  if (options_.listener == nullptr) return;
  predecessor_ = process::detail::tell_ready(successor_says::takes_clients);
  if (!predecessor_) return;
  try {
    process::set_nonblocking(predecessor_.get(), true);
    events_.watch(predecessor_.get(), event_kind::predecessor, 0, event_set::what::new_input);
    may_take_ = true;
  } catch (const error& failed) {
    say("reload: " + failed.message() + "; the old server serves its clients itself");
    predecessor_.reset();
  }
}

// As many as there is room for; the others stay where they are.
void fork_server::take_clients() {
  while (may_take_ && line_.has_room() && take_at_ <= steady_clock::now()) {
    unserved_client client;
    const auto outcome = take_from_predecessor(predecessor_, client);
    if (outcome == handed_over::no_descriptor) {
      if (take_at_ == steady_time())
        say("reload: no descriptor is free for clients of the old server; they wait");
      take_at_ = steady_clock::now() + resources_pause;
      return;
    }
    take_at_ = steady_time();
    switch (outcome) {
      case handed_over::one:
        add_handed_over(std::move(client));
        break;
      case handed_over::no_more:
        forget_predecessor();
        break;
      default:
        may_take_ = false;
    }
  }
}

void fork_server::add_handed_over(unserved_client client) {
  if (!is_welcome(client.connection.get())) return;
  if (client.is_compatible && options_.keys != nullptr) {
    ++counts_.refused;  // its predecessor had no keys
  } else {
    put_in_line(std::move(client));
  }
}

void fork_server::forget_predecessor() {
  may_take_ = false;
  events_.forget(predecessor_.get());
  predecessor_.reset();
}

// Those that are on their way are taken as there is room; with the end that comes behind them the predecessor
// is forgotten. It sees an error from now on, and keeps the others.
void fork_server::take_last_clients() {
  if (!predecessor_) return;
  ::shutdown(predecessor_.get(), SHUT_RD);
  may_take_ = true;
  take_clients();
}

// A connection that the kernel has made is there for its client, who may have spoken.
void fork_server::take_backlog() {
  auto left = std::max<std::size_t>(options_.max_waiting, 1);
  while (left-- > 0 && line_.has_room() && accept_one()) {
  }
}

// Who has said something is served; who has not gets nothing he would wait for.
void fork_server::take_those_who_spoke() {
  line_.close_silent();  // first, so that nobody is taken for silent who must make room
  take_last_clients();
  if (options_.listener != nullptr) take_backlog();
}

void fork_server::stop(std::chrono::nanoseconds grace) {
  phase_ = phase::stopping;
  end_at_ = deadline_after(grace);
  drop_successor();
  if (!keeps_silent_) take_those_who_spoke();
  accepts_ = false;
  accept_at_ = no_deadline;
  if (options_.listener != nullptr && *options_.listener) {
    events_.forget(options_.listener->fd());
    options_.listener->close();
  }
  workers_.ask_to_finish();
}

// Workers would be killed by the end of this process as well; so they are gone before it.
void fork_server::end() {
  if (phase_ == phase::running) stop(std::chrono::nanoseconds(0));
  phase_ = phase::ending;
  line_.close_all();
  if (predecessor_) forget_predecessor();
  end_at_ = no_deadline;
  if (options_.keep_alive) events_.forget(options_.keep_alive.get());
  if (options_.control) events_.forget(options_.control.get());
  workers_.terminate_all();
}

}  // namespace weft::inline v1::workers::detail
