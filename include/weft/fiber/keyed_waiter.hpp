#pragma once

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

#include <weft/context/wait.hpp>
#include <weft/core/error.hpp>
#include <weft/core/result.hpp>
#include <weft/core/thread_mutex.hpp>
#include <weft/fiber/channel.hpp>

namespace weft::inline v1 {

/// Joins answers with those who wait for them, by key: for a protocol in which answers come on one
/// connection and carry the number of their question.
///
/// expect() before the question is sent, so that no answer comes too early. Several may expect the same key;
/// each answer goes to the one who did so first.
///
/// Thread-safety: all members may be called from any fiber or thread. Hash, == and copies of keys run under a
/// lock: they may not wait, nor use this object, and hash and == do not throw. Lifetime: outlives its
/// expectations.
/// Cancellation: a cancelled wait leaves the expectation as it was; its end takes it back.
template <typename Key, typename Value, typename Hash = std::hash<Key>>
class keyed_waiter {
  using answer_channel = channel<std::unique_ptr<result<Value>>>;
  /// Of one who waits.
  struct place {
    explicit place(Key of) : key(std::move(of)) {}
    const Key key;
    answer_channel in{1};
  };
  using line = std::list<std::shared_ptr<place>>;
  using line_map = std::unordered_map<Key, line, Hash>;

 public:
  /// An answer that somebody waits for. Its end takes it back.
  class expectation {
   public:
    expectation(expectation&& other) noexcept
        : of_(std::exchange(other.of_, nullptr)), place_(std::move(other.place_)) {}
    expectation& operator=(expectation&&) = delete;
    ~expectation() {
      if (of_ != nullptr) of_->forget(*place_);
    }

    /// Waits; gives the value, or throws what fail() was given; weft::error (closed) after close(). Once.
    Value get() {
      auto answer = place_->in.pop();
      if (!answer) throw_closed();
      return std::move(**answer).value();
    }
    /// The same, but waits at most `bound`.
    template <typename Rep, typename Period>
    waited<Value> get_for(std::chrono::duration<Rep, Period> bound) {
      auto answer = place_->in.pop_for(bound);
      if (answer.is_timed_out()) return waited<Value>::timed_out();
      if (answer.is_closed()) throw_closed();
      return waited<Value>(std::move(**answer).value());
    }

   private:
    friend class keyed_waiter;
    expectation(keyed_waiter& of, std::shared_ptr<place> at) noexcept : of_(&of), place_(std::move(at)) {}
    [[noreturn]] static void throw_closed() {
      throw error(errc::closed, "keyed_waiter: it was closed, or the answer was taken, before one came");
    }

    keyed_waiter* of_;
    std::shared_ptr<place> place_;
  };

  /// At most `expected_max` answers are expected at once.
  explicit keyed_waiter(std::size_t expected_max = 1'000'000) : expected_max_(expected_max) {}
  keyed_waiter(const keyed_waiter&) = delete;
  keyed_waiter& operator=(const keyed_waiter&) = delete;

  /// Throws weft::error: closed, resource_exhausted.
  [[nodiscard]] expectation expect(Key key) {
    const auto made = std::make_shared<place>(std::move(key));
    line one{made};  // so that nothing fails once its line is there
    const locked here(*this);
    if (closed_) expectation::throw_closed();
    if (expected_ == expected_max_) {
      throw error(errc::resource_exhausted, "keyed_waiter::expect: as many answers are expected as it takes");
    }
    line& of_key = lines_[made->key];
    of_key.splice(of_key.end(), one);
    ++expected_;
    return expectation(*this, made);
  }

  /// Brings an answer. False, and dropped, if nobody expects the key. Never waits.
  bool put(const Key& key, Value value) { return deliver(key, result<Value>(std::move(value))); }
  /// Brings an error.
  bool fail(const Key& key, std::exception_ptr why) { return deliver(key, result<Value>(std::move(why))); }
  /// No more answers come: all who wait get weft::error (closed).
  void close() {
    line_map all;
    {
      const locked here(*this);
      closed_ = true;
      all.swap(lines_);
      expected_ = 0;
    }
    for (auto& [key, waiting] : all) {
      for (auto& one : waiting) one->in.close();
    }
  }
  /// Answers that are expected now.
  std::size_t expected() const {
    const locked here(*this);
    return expected_;
  }

 private:
  /// While it lives the fiber does not leave the thread, whose other fibers may want the mutex too.
  class locked {
   public:
    explicit locked(const keyed_waiter& of) : lock_(of.mutex_) {}

   private:
    const no_wait_scope stays_{"weft::keyed_waiter's hash, == or copy of a key"};
    const std::lock_guard<detail::thread_mutex> lock_;
  };

  bool deliver(const Key& key, result<Value> answer) {
    auto brought = std::make_unique<result<Value>>(std::move(answer));
    typename line_map::node_type over;
    std::shared_ptr<place> to;
    {
      const locked here(*this);
      const auto found = lines_.find(key);
      if (found == lines_.end()) return false;
      to = std::move(found->second.front());
      found->second.pop_front();
      if (found->second.empty()) over = lines_.extract(found);
      --expected_;
    }
    const bool delivered = to->in.try_push(std::move(brought));
    to->in.close();  // after the answer there is none
    return delivered;
  }
  void forget(const place& one) noexcept {
    typename line_map::node_type over;
    const locked here(*this);
    const auto found = lines_.find(one.key);
    if (found == lines_.end()) return;
    expected_ -= std::erase_if(found->second, [&](const auto& other) { return other.get() == &one; });
    if (found->second.empty()) over = lines_.extract(found);
  }

  const std::size_t expected_max_;
  mutable detail::thread_mutex mutex_;
  line_map lines_;            // guarded by mutex_; no line is empty
  std::size_t expected_ = 0;  // guarded by mutex_
  bool closed_ = false;       // guarded by mutex_
};

}  // namespace weft::inline v1
