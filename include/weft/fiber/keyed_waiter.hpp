#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

#include <weft/core/error.hpp>
#include <weft/core/result.hpp>
#include <weft/core/thread_mutex.hpp>
#include <weft/fiber/channel.hpp>

namespace weft {

/// Joins answers with those who wait for them, by key: for a protocol in which answers come on one
/// connection and carry the number of their question.
///
/// expect() before the question is sent, so that no answer comes too early. Several may expect the same key;
/// each answer goes to the one who did so first.
///
/// Thread-safety: all members may be called from any fiber or thread. Lifetime: outlives its expectations.
/// Cancellation: a cancelled wait leaves the expectation as it was; its end takes it back.
template <typename Key, typename Value, typename Hash = std::hash<Key>>
class keyed_waiter {
  using answer_channel = channel<std::unique_ptr<result<Value>>>;
  using line = std::deque<std::shared_ptr<answer_channel>>;

 public:
  /// An answer that somebody waits for. Its end takes it back.
  class expectation {
   public:
    expectation(expectation&& other) noexcept
        : of_(std::exchange(other.of_, nullptr)), key_(std::move(other.key_)), in_(std::move(other.in_)) {}
    expectation& operator=(expectation&&) = delete;
    ~expectation() {
      if (of_ != nullptr) of_->forget(key_, *in_);
    }

    /// Waits; gives the value, or throws what fail() was given; weft::error (closed) after close(). Once.
    Value get() {
      auto answer = in_->pop();
      if (!answer) throw_closed();
      return std::move(**answer).value();
    }
    /// The same, but waits at most `bound`.
    template <typename Rep, typename Period>
    waited<Value> get_for(std::chrono::duration<Rep, Period> bound) {
      auto answer = in_->pop_for(bound);
      if (answer.is_timed_out()) return waited<Value>::timed_out();
      if (answer.is_closed()) throw_closed();
      return waited<Value>(std::move(**answer).value());
    }

   private:
    friend class keyed_waiter;
    expectation(keyed_waiter& of, Key key, std::shared_ptr<answer_channel> in)
        : of_(&of), key_(std::move(key)), in_(std::move(in)) {}
    [[noreturn]] static void throw_closed() {
      throw error(errc::closed, "keyed_waiter: it was closed, or the answer was taken, before one came");
    }

    keyed_waiter* of_;
    Key key_;
    std::shared_ptr<answer_channel> in_;
  };

  /// At most `expected_max` answers are expected at once.
  explicit keyed_waiter(std::size_t expected_max = 1'000'000) : expected_max_(expected_max) {}
  keyed_waiter(const keyed_waiter&) = delete;
  keyed_waiter& operator=(const keyed_waiter&) = delete;

  /// Throws weft::error: closed, resource_exhausted.
  [[nodiscard]] expectation expect(Key key) {
    auto in = std::make_shared<answer_channel>(1);
    const std::lock_guard lock(mutex_);
    if (closed_) expectation::throw_closed();
    if (expected_ == expected_max_) {
      throw error(errc::resource_exhausted, "keyed_waiter::expect: as many answers are expected as it takes");
    }
    lines_[key].push_back(in);
    ++expected_;
    return expectation(*this, std::move(key), std::move(in));
  }

  /// Brings an answer. False, and dropped, if nobody expects the key. Never waits.
  bool put(const Key& key, Value value) { return deliver(key, result<Value>(std::move(value))); }
  /// Brings an error.
  bool fail(const Key& key, std::exception_ptr why) { return deliver(key, result<Value>(std::move(why))); }
  /// No more answers come: all who wait get weft::error (closed).
  void close() {
    std::unordered_map<Key, line, Hash> all;
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
      all.swap(lines_);
      expected_ = 0;
    }
    for (auto& [key, waiting] : all) {
      for (auto& one : waiting) one->close();
    }
  }
  /// Answers that are expected now.
  std::size_t expected() const {
    const std::lock_guard lock(mutex_);
    return expected_;
  }

 private:
  bool deliver(const Key& key, result<Value> answer) {
    std::shared_ptr<answer_channel> to;
    {
      const std::lock_guard lock(mutex_);
      const auto found = lines_.find(key);
      if (found == lines_.end()) return false;
      to = std::move(found->second.front());
      found->second.pop_front();
      if (found->second.empty()) lines_.erase(found);
      --expected_;
    }
    const bool delivered = to->try_push(std::make_unique<result<Value>>(std::move(answer)));
    to->close();  // after the answer there is none
    return delivered;
  }
  void forget(const Key& key, const answer_channel& in) {
    const std::lock_guard lock(mutex_);
    const auto found = lines_.find(key);
    if (found == lines_.end()) return;
    expected_ -= std::erase_if(found->second, [&](const auto& one) { return one.get() == &in; });
    if (found->second.empty()) lines_.erase(found);
  }

  const std::size_t expected_max_;
  mutable detail::thread_mutex mutex_;
  std::unordered_map<Key, line, Hash> lines_;  // guarded by mutex_; no line is empty
  std::size_t expected_ = 0;                   // guarded by mutex_
  bool closed_ = false;                        // guarded by mutex_
};

}  // namespace weft
