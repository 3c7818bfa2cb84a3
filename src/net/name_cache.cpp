#include "net/name_cache.hpp"

#include <algorithm>
#include <optional>

#include <weft/context/context.hpp>
#include <weft/core/error.hpp>
#include <weft/executor/blocking.hpp>
#include <weft/fiber/event.hpp>

namespace weft::inline v1::net::detail {

struct name_cache::entry {
  explicit entry(std::string name) : host(std::move(name)) {}
  const std::string host;
  // Written before `done` is set, and not after.
  std::vector<address> addresses;
  std::optional<error> failed;
  steady_time holds_until{};
  event done;
};

std::vector<address> name_cache::find(const std::string& host, steady_time until) {
  const entry_pointer one = enter(host);
  if (!one->done.wait_until(until))
    throw error(errc::timed_out, "look up host \"" + host + "\": no answer in time");
  if (one->failed) throw error(*one->failed);
  return one->addresses;
}

name_cache::entry_pointer name_cache::enter(const std::string& host) {
  entry_pointer made;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = names_.find(host); found != names_.end()) {
      const entry_pointer& known = found->second;
      const bool is_done = known->done.is_set();
      if (!is_done || known->holds_until > steady_clock::now()) {
        ++(is_done ? counts_.kept : counts_.shared);
        return known;
      }
      names_.erase(found);
    }
    make_room();
    made = std::make_shared<entry>(host);
    names_.emplace(host, made);
    if (counts_.running >= options_.threads_max) {
      line_.push_back(made);
      return made;
    }
    ++counts_.running;
  }
  begin(made);
  return made;
}

// Nobody's work: it goes on when the one who asked first has gone.
void name_cache::begin(const entry_pointer& next) {
  const context::attachment in_root{context()};
  try {
    weft::detail::post_blocking([self = shared_from_this(), next] { self->work(next); });
  } catch (const error& refused) {
    next->failed = refused;
    for (entry_pointer one = finish(*next); one != nullptr; one = finish(*one)) one->failed = refused;
  }
}

void name_cache::work(entry_pointer next) {
  while (next != nullptr) {
    try {
      next->addresses = ask_(next->host);
    } catch (const error& failed) {
      next->failed = failed;
    } catch (const std::exception& failed) {
      next->failed.emplace(errc::resource_exhausted, "look up host \"" + next->host + "\": " + failed.what());
    }
    next = finish(*next);
  }
}

/// Wakes who waits for it. Gives the next one in line, which the caller is to look up; null: he is done.
name_cache::entry_pointer name_cache::finish(entry& done) {
  entry_pointer next;
  {
    const std::lock_guard lock(mutex_);
    ++counts_.asked;
    done.holds_until = steady_clock::now() + (done.failed ? options_.keep_failed : options_.keep);
    if (line_.empty() || counts_.running > options_.threads_max) {
      --counts_.running;
    } else {
      next = std::move(line_.front());
      line_.pop_front();
    }
  }
  done.done.set();
  return next;
}

// Under the mutex. Pending ones stay, so there may be more names than names_max.
void name_cache::make_room() {
  if (names_.size() < options_.names_max) return;
  const steady_time now = steady_clock::now();
  std::erase_if(
      names_, [now](const auto& one) { return one.second->done.is_set() && one.second->holds_until <= now; });
  if (names_.size() < options_.names_max) return;
  const auto ends_first = [](const auto& one, const auto& other) {
    const bool is_done = one.second->done.is_set();
    if (is_done != other.second->done.is_set()) return is_done;
    return is_done && one.second->holds_until < other.second->holds_until;
  };
  const auto first = std::min_element(names_.begin(), names_.end(), ends_first);
  if (first != names_.end() && first->second->done.is_set()) names_.erase(first);
}

void name_cache::set_options(const resolver_options& options) {
  if (options.threads_max == 0 || options.names_max == 0)
    throw error(errc::invalid_argument, "set_resolver_options: threads_max and names_max are at least 1");
  const std::lock_guard lock(mutex_);
  options_ = options;
}

resolver_statistics name_cache::statistics() const {
  const std::lock_guard lock(mutex_);
  resolver_statistics now = counts_;
  now.names = names_.size();
  return now;
}

void name_cache::forget() {
  const std::lock_guard lock(mutex_);
  std::erase_if(names_, [](const auto& one) { return one.second->done.is_set(); });
}

}  // namespace weft::inline v1::net::detail
