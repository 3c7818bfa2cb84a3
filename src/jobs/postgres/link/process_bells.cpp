#include "jobs/postgres/link/process_bells.hpp"

#include <random>

#include <weft/fiber/fiber.hpp>
#include <weft/log/log.hpp>

namespace weft::inline v1::jobs::postgres {
namespace {

constexpr std::chrono::seconds probe_bound{1};

std::once_flag deafness_told;

void tell_of_deafness(const std::string& shown) {
  std::call_once(deafness_told, [&] {
    log::warn(
        "jobs: PostgreSQL: notifications do not arrive, because of a connection pooler; new work is found by "
        "looking every poll_interval",
        {{"server", shown}});
  });
}

std::string quoted_name(std::string_view identifier) {
  std::string text = "\"";
  for (const char c : identifier) text.append(c == '"' ? 2 : 1, c);
  return text + '"';
}

}  // namespace

process_bells::process_bells(address to, bells_options options)
    : to_(std::move(to)), options_(std::move(options)) {}

void process_bells::wake() {
  if (waiting_ != nullptr) waiting_->cancel();
  wishes_.unpark();
}

void process_bells::ring(std::string_view channel, std::string_view payload) {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  const bool is_full = rung_.size() >= rung_max;
  const bool is_new = rung_.emplace(channel, is_full ? std::string_view() : payload).second;
  if (is_new) wake();
}

void process_bells::listen() {
  const std::lock_guard lock(mutex_);
  wants_to_listen_ = true;
  wake();
}

void process_bells::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  wake();
}

bool process_bells::hears() const {
  const std::lock_guard lock(mutex_);
  return hears_;
}

bool process_bells::is_deaf() const {
  const std::lock_guard lock(mutex_);
  return deaf_;
}

void process_bells::set_hears(bool now) {
  const std::lock_guard lock(mutex_);
  hears_ = now;
}

bool process_bells::is_closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

/// False: closed, and nothing is left to be sent.
bool process_bells::wait_for_wish() {
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (!rung_.empty() || (wants_to_listen_ && !deaf_ && !closed_)) return true;
      if (closed_) return false;
    }
    wishes_.park();
  }
}

void process_bells::serve() {
  while (wait_for_wish()) {
    try {
      if (session_ == nullptr) session_ = connection::open(to_);
      pause_.reset();
      send_rung();
      begin_to_listen();
      hear();
    } catch (const database_error& failed) {
      log::debug([&] { return "jobs: the bells have lost PostgreSQL: " + failed.message(); });
      session_.reset();
      listening_ = false;
      set_hears(false);
      if (is_closed()) return;
      pause_after_failure();
    }
  }
  session_.reset();
  set_hears(false);
}

/// Waits for others until something is wanted here.
void process_bells::hear_until_woken() {
  {
    cancel_scope waiting;
    {
      const std::lock_guard lock(mutex_);
      if (!rung_.empty() || closed_ || (wants_to_listen_ && !listening_ && !deaf_)) return;
      waiting_ = &waiting;
    }
    const auto over = [&] {
      const std::lock_guard lock(mutex_);
      waiting_ = nullptr;
    };
    try {
      tell(session_->wait_notifications(no_deadline));
    } catch (const cancelled&) {  // woken, or this fiber is to end: below
    } catch (...) {
      over();
      throw;
    }
    over();
  }
  checkpoint();
}

void process_bells::pause_after_failure() {
  const steady_time until = deadline_after(pause_.next());
  while (!is_closed() && steady_clock::now() < until) wishes_.park_until(until);
}

void process_bells::begin_to_listen() {
  {
    const std::lock_guard lock(mutex_);
    if (!wants_to_listen_ || closed_ || listening_ || deaf_) return;
  }
  if (session_->is_pooled() && !hears_through_pooler()) {
    tell_of_deafness(to_.shown());
    const std::lock_guard lock(mutex_);
    deaf_ = true;
    return;
  }
  for (const std::string& channel : options_.channels) listen_to(channel);
  listening_ = true;
  set_hears(true);
  options_.may_have_missed();
}

void process_bells::listen_to(std::string_view channel) {
  session_->run("LISTEN " + quoted_name(channel), {}, {.prepare = false});
}

/// Asks another session to ring. That this one hears itself would say nothing: it may have been lent the one
/// that listens for just that. Nobody else uses the channel, whichever session of the pooler listens to it
/// afterwards.
bool process_bells::hears_through_pooler() {
  const std::string channel = "weft_probe_" + std::to_string(std::random_device{}());
  listen_to(channel);
  parameters with;
  with.text(channel);
  connection::open(to_)->run("SELECT pg_notify($1, '')", with);
  const bool hears = !session_->wait_notifications(deadline_after(probe_bound)).empty();
  session_->run("UNLISTEN " + quoted_name(channel), {}, {.prepare = false});
  return hears;
}

void process_bells::send_rung() {
  if (steady_clock::now() < next_send_) return;
  rung_set taken;
  {
    const std::lock_guard lock(mutex_);
    taken.swap(rung_);
  }
  if (taken.empty()) return;
  next_send_ = deadline_after(apart);
  parameters with;
  with.texts(taken, &rung_set::value_type::first).texts(taken, &rung_set::value_type::second);
  try {
    session_->run("SELECT pg_notify(channel, payload) FROM unnest($1, $2) AS rung(channel, payload)", with);
  } catch (...) {
    const std::lock_guard lock(mutex_);
    rung_.merge(taken);
    throw;
  }
}

/// Until there is something to send, or to do besides.
void process_bells::hear() {
  tell(session_->take_notifications());
  bool has_rung = false;
  {
    const std::lock_guard lock(mutex_);
    has_rung = !rung_.empty();
  }
  if (has_rung) {
    tell(session_->wait_notifications(next_send_));
  } else {
    hear_until_woken();
  }
}

void process_bells::tell(const std::vector<notification>& all) const {
  for (const notification& one : all) {
    if (one.sender != session_->server_pid()) options_.heard(one.channel, one.payload);
  }
}

}  // namespace weft::inline v1::jobs::postgres
