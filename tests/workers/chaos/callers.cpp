#include "workers/chaos/callers.hpp"

#include <csignal>
#include <optional>
#include <utility>

#include <weft/context/cancellation.hpp>
#include <weft/core/error.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/workers/errors.hpp>

#include "workers/test_program.hpp"

namespace weft_test {

namespace {

using namespace std::chrono_literals;
using weft::workers::checkout;

constexpr auto hang_bound = 60ms;

unsigned bit(outcome one) { return static_cast<unsigned>(one); }

// Any worker may be one that kill_idle meant, and die for it.
unsigned allowed(fault what) {
  constexpr auto died = outcome::died;
  switch (what) {
    case fault::none:
    case fault::kill_idle:
      return bit(outcome::token) | bit(died);
    case fault::error:
      return bit(outcome::thrown) | bit(died);
    case fault::kill_during:
    case fault::several:
      return bit(outcome::token) | bit(died);
    case fault::stop:
    case fault::hang:
    case fault::hang_deaf:
      return bit(outcome::timed_out) | bit(died);
    case fault::cancel:
      return bit(outcome::cancelled) | bit(died);
    case fault::weft_exit:
      return bit(outcome::exited) | bit(died);
    case fault::garbage:
    case fault::half_a_frame:
      return bit(outcome::unreadable) | bit(died);
    default:
      return bit(died);
  }
}

std::string_view to_string(outcome of) {
  switch (of) {
    case outcome::token:
      return "token";
    case outcome::thrown:
      return "thrown";
    case outcome::died:
      return "died";
    case outcome::timed_out:
      return "timed out";
    case outcome::cancelled:
      return "cancelled";
    case outcome::exited:
      return "exited";
    case outcome::unreadable:
      return "unreadable";
    case outcome::wrong:
      return "wrong";
  }
  return "?";
}

}  // namespace

bool tally::begin(fault of) {
  const std::lock_guard lock(mutex_);
  if (faults_ >= faults_wanted_) return false;
  if (of != fault::none && of != fault::error) ++faults_;
  return true;
}

void tally::note(fault of, outcome got) {
  const std::lock_guard lock(mutex_);
  ++seen_[of][got];
}

void tally::complain(std::string text) {
  constexpr std::size_t kept_max = 20;
  const std::lock_guard lock(mutex_);
  if (complaints_.size() < kept_max) complaints_.push_back(std::move(text));
}

std::vector<std::string> tally::complaints() const {
  const std::lock_guard lock(mutex_);
  return complaints_;
}

std::uint64_t tally::faults() const {
  const std::lock_guard lock(mutex_);
  return faults_;
}

std::uint64_t tally::calls() const {
  const std::lock_guard lock(mutex_);
  std::uint64_t sum = 0;
  for (const auto& [what, outcomes] : seen_) {
    for (const auto& [got, count] : outcomes) sum += count;
  }
  return sum;
}

std::string tally::text() const {
  const std::lock_guard lock(mutex_);
  std::string all;
  for (const auto& [what, outcomes] : seen_) {
    all.append("  ").append(to_string(what)).append(":");
    for (const auto& [got, count] : outcomes) {
      all.append(" ").append(std::to_string(count)).append(" ").append(to_string(got));
    }
    all += '\n';
  }
  return all;
}

void caller::run() {
  while (true) {
    const auto what = choose(weights_, random_);
    if (!all_.begin(what)) return;
    switch (what) {
      case fault::kill_before:
      case fault::kill_during:
        call_with_signal(what, SIGKILL);
        break;
      case fault::stop:
        call_with_signal(what, SIGSTOP);
        break;
      case fault::cancel:
        call_and_give_up(what);
        break;
      case fault::kill_idle:
        kill_when_idle(what);
        break;
      case fault::several:
        call_several(what);
        break;
      default:
        call_once(what);
    }
  }
}

// One call, with what it ends with.
outcome caller::attempt(checkout& with, fault what) {
  const auto token = static_cast<std::int64_t>(random_() >> 2U);
  return outcome_of(
      [&] {
        return with.call<std::int64_t>("act", slots_.path, slots_.slots, static_cast<int>(what), token);
      },
      token);
}

outcome caller::outcome_of(const std::function<std::int64_t()>& call, std::int64_t token) {
  last_error_ = "the answer of another call";
  try {
    return call() == token ? outcome::token : outcome::wrong;
  } catch (const weft::workers::worker_died& died) {
    last_error_ = died.what();
    return outcome::died;
  } catch (const weft::workers::worker_exited& left) {
    return left.status() == token % 100 ? outcome::exited : outcome::wrong;
  } catch (const weft::deadline_exceeded& late) {
    last_error_ = late.what();
    return outcome::timed_out;
  } catch (const out_of_cheese& thrown) {
    return thrown.message() == "token " + std::to_string(token) ? outcome::thrown : outcome::wrong;
  } catch (const weft::remote_error& thrown) {  // of a server of the older protocol
    last_error_ = thrown.what();
    return thrown.details().message == "token " + std::to_string(token) ? outcome::thrown : outcome::wrong;
  } catch (const weft::error& other) {
    last_error_ = other.what();
    const bool unreadable = other.code() == weft::errc::malformed || other.code() == weft::errc::too_large;
    return unreadable ? outcome::unreadable : outcome::wrong;
  } catch (const std::exception& other) {
    last_error_ = other.what();
    return outcome::wrong;
  }
}

void caller::expect(fault what, outcome got) {
  all_.note(what, got);
  if ((allowed(what) & bit(got)) != 0) return;
  all_.complain(std::string(to_string(what)) + ": " + std::string(to_string(got)) + ": " + last_error_);
}

void caller::call_once(fault what) {
  auto held = pool_.checkout();
  if (what == fault::hang || what == fault::hang_deaf) {
    // The worker is there first, so that the bound is the call's alone.
    if (const auto first = attempt(held, fault::none); first != outcome::token)
      return expect(fault::none, first);
    outcome got = outcome::wrong;
    try {
      weft::with_timeout(hang_bound, [&] { got = attempt(held, what); });
    } catch (const weft::deadline_exceeded&) {
      got = outcome::timed_out;
    }
    return expect(what, got);
  }
  const auto got = attempt(held, what);
  expect(what, got);
  // A broken checkout says so again at once, and one that is not goes on.
  if (what == fault::error && got == outcome::thrown) expect(fault::none, attempt(held, fault::none));
}

void caller::call_with_signal(fault what, int signal) {
  auto held = pool_.checkout();
  pid_t pid = -1;
  try {
    pid = static_cast<pid_t>(held.call<std::int64_t>("pid"));
  } catch (const weft::workers::worker_died&) {
    return expect(fault::none, outcome::died);
  }
  std::optional<weft::fiber<void>> killer;
  if (what == fault::kill_during) {
    killer = weft::go([pid, signal, after = std::chrono::microseconds(pick(4000))] {
      weft::sleep_for(after);
      ::kill(pid, signal);
    });
  } else {
    ::kill(pid, signal);
  }
  outcome got = outcome::wrong;
  try {
    weft::with_timeout(what == fault::stop ? std::chrono::nanoseconds(hang_bound) : 60s,
                       [&] { got = attempt(held, what); });
  } catch (const weft::deadline_exceeded&) {
    got = outcome::timed_out;
  }
  if (killer) killer->join();
  expect(what, got);
}

void caller::call_and_give_up(fault what) {
  auto held = pool_.checkout();
  if (const auto first = attempt(held, fault::none); first != outcome::token)
    return expect(fault::none, first);
  outcome got = outcome::wrong;
  const auto after = std::chrono::microseconds(pick(5000));  // before the other fiber draws
  auto calling = weft::go([&] { got = attempt(held, what); });
  weft::sleep_for(after);
  calling.cancel();
  try {
    calling.join();
  } catch (const weft::cancelled&) {
    got = outcome::cancelled;
  }
  expect(what, got);
}

void caller::call_several(fault what) {
  constexpr std::int64_t count = 5;
  auto held = pool_.checkout();
  std::vector<std::pair<std::int64_t, weft::workers::running_call<std::int64_t>>> running;
  const auto first = attempt(held, fault::none);
  if (first != outcome::token) return expect(fault::none, first);
  const auto kill_at = pick(2 * count);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto token = static_cast<std::int64_t>(random_() >> 2U);
    if (i == kill_at && held.worker_pid() > 0) ::kill(held.worker_pid(), SIGKILL);
    const auto begun = outcome_of(
        [&] {
          running.emplace_back(token, held.start<std::int64_t>("act", slots_.path, slots_.slots, 0, token));
          return token;
        },
        token);
    if (begun != outcome::token) expect(what, begun);
  }
  for (auto& [token, one] : running) {
    expect(what, outcome_of([&call = one] { return call.get(); }, token));
  }
}

void caller::kill_when_idle(fault what) {
  pid_t pid = -1;
  {
    auto held = pool_.checkout();
    const auto got = attempt(held, fault::none);
    expect(what, got);
    if (got != outcome::token) return;
    try {
      pid = static_cast<pid_t>(held.call<std::int64_t>("pid"));
    } catch (const weft::workers::worker_died&) {
      return expect(fault::none, outcome::died);
    }
  }
  weft::sleep_for(std::chrono::microseconds(pick(2000)));
  ::kill(pid, SIGKILL);
}

}  // namespace weft_test
