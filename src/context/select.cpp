#include <weft/context/select_case.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>

#include <weft/core/error.hpp>
#include <weft/core/oracle.hpp>

#include "context/give_up_watch.hpp"

namespace weft::inline v1::detail {
namespace {

constexpr const char* what = "select";

/// Draws a number below `below`; each thread has its own sequence. In a simulation the seed decides.
std::uint32_t draw(std::uint32_t below) noexcept {
  if (oracle* const decides = oracle::current()) [[unlikely]] {
    return static_cast<std::uint32_t>(decides->choose(below));
  }
  constinit thread_local std::uint64_t state = 0;
  if (state == 0) state = reinterpret_cast<std::uintptr_t>(&state) | 1;
  // xorshift64*: the high half of the product is good enough to share out turns.
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  const auto high = static_cast<std::uint32_t>((state * 0x2545F4914F6CDD1DULL) >> 32);
  return static_cast<std::uint32_t>((std::uint64_t{high} * below) >> 32);
}

constexpr std::size_t none = static_cast<std::size_t>(-1);

/// One of the cases that seem ready, each with the same chance.
std::size_t draw_ready(std::span<select_case* const> cases) noexcept {
  std::size_t drawn = none;
  std::uint32_t seen = 0;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    if (!cases[i]->enabled() || !cases[i]->seems_ready()) continue;
    if (++seen == 1 || draw(seen) == 0) drawn = i;
  }
  return drawn;
}

}  // namespace

/// One waiting select.
class select_round {
 public:
  select_round(std::span<select_case* const> cases, steady_time until, task_block& task)
      : cases_(cases), until_(until), task_(task) {
    order_locks();
  }
  select_round(const select_round&) = delete;
  select_round& operator=(const select_round&) = delete;

  static bool try_alone(select_case& one) noexcept {
    if (one.is_timer()) return one.try_now();
    const std::lock_guard lock(*one.lock_);
    return one.try_now();
  }

  std::optional<std::size_t> run() {
    const give_up_watch watch(task_, true);
    lock_all();
    const std::size_t ready = take_ready();
    if (ready != none) {
      unlock_all();
      return ready;
    }
    enlist();
    unlock_all();
    task_.waits_for.store(what, std::memory_order_relaxed);
    park(watch);
    task_.waits_for.store(nullptr, std::memory_order_relaxed);
    withdraw();
    return outcome();
  }

 private:
  void order_locks() {
    if (cases_.size() > in_place) more_locks_ = std::make_unique<spin_lock*[]>(cases_.size());
    spin_lock** const locks = all_locks();
    for (select_case* const one : cases_) {
      if (one->enabled() && !one->is_timer()) locks[lock_count_++] = one->lock_;
    }
    std::sort(locks, locks + lock_count_, std::less<>());
    lock_count_ = static_cast<std::size_t>(std::unique(locks, locks + lock_count_) - locks);
  }
  spin_lock** all_locks() noexcept { return more_locks_ ? more_locks_.get() : few_locks_; }
  void lock_all() noexcept {
    for (std::size_t i = 0; i < lock_count_; ++i) all_locks()[i]->lock();
  }
  void unlock_all() noexcept {
    for (std::size_t i = 0; i < lock_count_; ++i) all_locks()[i]->unlock();
  }

  /// Under all locks. A line that held only selects which were served elsewhere is empty after the try.
  std::size_t take_ready() noexcept {
    for (;;) {
      const std::size_t drawn = draw_ready(cases_);
      if (drawn == none || cases_[drawn]->try_now()) return drawn;
    }
  }

  /// Under all locks.
  void enlist() noexcept {
    for (select_case* const one : cases_) {
      if (!one->enabled()) continue;
      if (one->is_timer()) {
        if (first_timer_ == nullptr || one->due_ < first_timer_->due_) first_timer_ = one;
        continue;
      }
      one->self_.task = &task_;
      one->self_.ticket = &ticket_;
      one->self_.served.store(false, std::memory_order_relaxed);
      one->line_->push_back(one->self_);
    }
  }

  void park(const give_up_watch& watch) noexcept(false) {
    const steady_time due = first_timer_ == nullptr ? no_deadline : first_timer_->due_;
    const steady_time own = std::min(due, until_);
    const steady_time bound = watch.bound(own);
    while (ticket_.chosen() == nullptr) {
      if (watch.must_give_up()) {
        ticket_.claim(gave_up_);
        return;
      }
      if (!task_.park_until(bound) && bound == own) {
        ticket_.claim(due <= until_ ? first_timer_->self_ : timed_out_);
        return;
      }
    }
  }

  void withdraw() noexcept {
    for (select_case* const one : cases_) {
      if (!one->enabled() || one->is_timer()) continue;
      const std::lock_guard lock(*one->lock_);
      if (one->self_.listed) one->line_->remove(one->self_);
    }
  }

  std::optional<std::size_t> outcome() {
    const waiter* const chosen = ticket_.chosen();
    if (chosen == &gave_up_) throw_cancelled(what);
    if (chosen == &timed_out_) return std::nullopt;
    for (std::size_t i = 0;; ++i) {
      if (&cases_[i]->self_ == chosen) return i;
    }
  }

  static constexpr std::size_t in_place = 16;

  const std::span<select_case* const> cases_;
  const steady_time until_;
  task_block& task_;
  select_ticket ticket_;
  waiter gave_up_;    // only for its address: what the select chose itself
  waiter timed_out_;  // the same
  select_case* first_timer_ = nullptr;
  std::size_t lock_count_ = 0;
  spin_lock* few_locks_[in_place];  // sorted, each once; or:
  std::unique_ptr<spin_lock*[]> more_locks_;
};

std::optional<std::size_t> select_now(std::span<select_case* const> cases) {
  check_cancelled(what);
  for (;;) {
    const std::size_t drawn = draw_ready(cases);
    if (drawn == none) return std::nullopt;
    if (select_round::try_alone(*cases[drawn])) return drawn;  // else somebody was faster
  }
}

std::optional<std::size_t> select_among(std::span<select_case* const> cases, steady_time until) {
  if (const auto done = select_now(cases)) return done;
  task_block& task = task_block::current();
  require_wait_allowed(task, what);
  const auto is_enabled = [](const select_case* one) { return one->enabled(); };
  if (until == no_deadline && std::none_of(cases.begin(), cases.end(), is_enabled)) {
    throw error(
        errc::misuse,
        "select: none of its cases is enabled, so it would wait for ever; enable one, or give a bound");
  }
  return select_round(cases, until, task).run();
}

}  // namespace weft::inline v1::detail
