// The sinks of the program, the levels, and what happens to them at exit and in a forked child.
//
// One registry per process image. fork() leaves it behind: the child handler only clears the pointer
// to it, so nothing that another thread of the parent may have held locked is touched, and the next
// use makes a new one. The old ones stay reachable through `inherited`.

#include <weft/log/format.hpp>
#include <weft/log/sink.hpp>

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <utility>
#include <vector>

#include <weft/core/clock.hpp>

#include "log/routes.hpp"

namespace weft::inline v1::log {

sink::~sink() = default;

namespace {

using sink_list = std::vector<std::shared_ptr<sink>>;
using namespace std::chrono_literals;

constexpr auto exit_bound = 2000ms;

struct registry {
  std::mutex mutex;
  std::shared_ptr<const sink_list> sinks;  // guarded by mutex; null: none was chosen and none was needed yet
  bool is_default = true;                  // guarded by mutex
  const pid_t process = getpid();
  registry* inherited = nullptr;  // constant after construction
};

std::atomic<registry*> current_registry{nullptr};
std::atomic<registry*> parents_registry{nullptr};
std::atomic<std::uint64_t> generation{0};
std::atomic<bool> exiting{false};
std::atomic<std::uint64_t> lost_records{0};
std::atomic<std::uint64_t> dropped_records{0};
std::atomic<int> form{-1};  // of the default sink; -1: nothing was said

std::atomic<level> sinks_level{level::info};
std::array<std::atomic<int>, 6> collectors{};     // open collectors by level
std::atomic<level> lowest{level::info};           // of sinks_level and the open collectors
std::atomic_flag levels_busy = ATOMIC_FLAG_INIT;  // guards the computation of `lowest`

void forget_registry() noexcept {
  registry* const old = current_registry.exchange(nullptr);
  if (old != nullptr) parents_registry.store(old);
  generation.fetch_add(1);
  levels_busy.clear();
}

void at_exit() {
  exiting.store(true);
  pause_sinks(exit_bound);
}

// Once for the program and its children: both are inherited.
void hook_process() {
  [[maybe_unused]] static const bool done = [] {
    std::atexit(at_exit);
    pthread_atfork(nullptr, nullptr, forget_registry);
    return true;
  }();
}

registry& all() {
  registry* found = current_registry.load();
  if (found != nullptr) return *found;
  hook_process();
  auto made = std::make_unique<registry>();
  made->inherited = parents_registry.load();
  if (current_registry.compare_exchange_strong(found, made.get())) return *made.release();
  return *found;
}

std::shared_ptr<const sink_list> default_sinks() {
  const auto how = default_format().value_or(line_format::text);
  return std::make_shared<const sink_list>(
      sink_list{std::make_shared<stream_sink>(stream_sink_options{.format = how})});
}

std::shared_ptr<const sink_list> snapshot() {
  auto& here = all();
  const std::lock_guard lock(here.mutex);
  if (here.sinks == nullptr) here.sinks = default_sinks();
  return here.sinks;
}

void find_lowest() noexcept {
  while (levels_busy.test_and_set(std::memory_order_acquire)) {
  }
  auto least = static_cast<std::size_t>(sinks_level.load());
  for (std::size_t each = 0; each < least; ++each) {
    if (collectors[each].load() > 0) least = each;
  }
  lowest.store(static_cast<level>(least), std::memory_order_relaxed);
  levels_busy.clear(std::memory_order_release);
}

/// Changes the list; the old one, and with it perhaps the last hold on a sink, goes outside the lock.
template <typename Change>
void change_sinks(Change change) {
  std::shared_ptr<const sink_list> old;
  auto& here = all();
  const std::lock_guard registry_lock(here.mutex);
  auto next = std::make_shared<sink_list>();
  if (here.sinks != nullptr && !here.is_default) *next = *here.sinks;
  change(*next);
  here.is_default = false;
  old = std::exchange(here.sinks, std::move(next));
}

}  // namespace

namespace detail {

bool might_be_taken(level of) noexcept {
  return of >= lowest.load(std::memory_order_relaxed) && of < level::off;
}

void count_collector(level of, int change) noexcept {
  collectors[static_cast<std::size_t>(of)].fetch_add(change);
  find_lowest();
}

void count_dropped(std::uint64_t records) noexcept {
  dropped_records.fetch_add(records, std::memory_order_relaxed);
}

void count_lost() noexcept { lost_records.fetch_add(1, std::memory_order_relaxed); }

void to_sinks(const std::shared_ptr<const record>& one) noexcept {
  if (one->level < current_level()) return;
  try {
    const auto sinks = snapshot();
    for (const auto& each : *sinks) {
      if (one->level >= each->threshold()) each->accept(one);
    }
  } catch (...) {
    count_lost();
  }
}

std::uint64_t fork_generation() noexcept { return generation.load(std::memory_order_relaxed); }
bool is_exiting() noexcept { return exiting.load(std::memory_order_relaxed); }

}  // namespace detail

void add_sink(std::shared_ptr<sink> one) {
  change_sinks([&](sink_list& list) { list.push_back(std::move(one)); });
}

void remove_sink(const std::shared_ptr<sink>& one) {
  change_sinks([&](sink_list& list) { std::erase(list, one); });
}

void remove_all_sinks() {
  change_sinks([](sink_list& list) { list.clear(); });
}

void set_level(level least) noexcept {
  sinks_level.store(least);
  find_lowest();
}

level current_level() noexcept { return sinks_level.load(std::memory_order_relaxed); }

std::uint64_t lost() noexcept { return lost_records.load(std::memory_order_relaxed); }

std::uint64_t dropped() noexcept { return lost() + dropped_records.load(std::memory_order_relaxed); }

void reopen_sinks() noexcept {
  try {
    const auto sinks = snapshot();
    for (const auto& each : *sinks) each->reopen();
  } catch (...) {
    detail::count_lost();
  }
}

std::optional<line_format> default_format() noexcept {
  const int said = form.load();
  return said < 0 ? std::nullopt : std::optional(static_cast<line_format>(said));
}

void set_default_format(line_format to) {
  form.store(static_cast<int>(to));
  std::shared_ptr<const sink_list> old;  // ends after the lock, and writes what it has
  auto& here = all();
  const std::lock_guard lock(here.mutex);
  if (here.is_default && here.sinks != nullptr) old = std::exchange(here.sinks, default_sinks());
}

bool flush(std::chrono::milliseconds bound) {
  const auto until = steady_clock::now() + bound;
  bool done = true;
  const auto sinks = snapshot();
  for (const auto& each : *sinks) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - steady_clock::now());
    done = each->flush(std::max(left, 0ms)) && done;
  }
  return done;
}

void pause_sinks(std::chrono::milliseconds bound) noexcept {
  try {
    const auto until = steady_clock::now() + bound;
    const auto sinks = snapshot();
    for (const auto& each : *sinks) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - steady_clock::now());
      each->pause(std::max(left, 0ms));
    }
  } catch (...) {
    detail::count_lost();
  }
}

void after_fork_child() noexcept {
  // fork() has done it; a bare clone() calls no handlers.
  const registry* const found = current_registry.load();
  if (found != nullptr && found->process != getpid()) forget_registry();
}

}  // namespace weft::inline v1::log
