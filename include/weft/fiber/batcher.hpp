#pragma once

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/core/error.hpp>
#include <weft/executor/future.hpp>
#include <weft/fiber/channel.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>

namespace weft::inline v1 {

/// When a batch is full, or has waited for long enough.
struct batcher_options {
  std::size_t size_max = 100;                                         ///< values of a batch
  std::chrono::microseconds wait_max = std::chrono::milliseconds(1);  ///< of the first value for others
  std::size_t queue_max = 10'000;                                     ///< values that wait; then submit waits
  std::string name = "batcher";                                       ///< of its fiber
};

/// Collects values that come one by one and hands them on together: one statement for many rows, one request
/// for many keys. The function gets the values of a batch and gives as many results, in the same order.
///
/// A fiber of its own, which is in the root context, calls the function, one batch at a time; what it throws
/// is the error of all values in the batch. To be made on a fiber. Thread-safe. Lifetime: the destructor
/// hands on what has been submitted and waits for that. Where the run ends first, what is not handed on is
/// cancelled (shutdown), and submit throws weft::error (closed).
template <typename In, typename Out>
class batcher {
 public:
  using function = std::function<std::vector<Out>(std::vector<In>)>;

  explicit batcher(function serve, batcher_options options = {})
      : serve_(std::move(serve)),
        options_(std::move(options)),
        waiting_(options_.queue_max),
        fiber_(go([held = server(this)] { held->serve_all(); },
                  {.name = options_.name, .context = context()})) {}
  batcher(const batcher&) = delete;
  batcher& operator=(const batcher&) = delete;
  ~batcher() {
    waiting_.close();
    try {
      shield([this] { fiber_.join(); });
    } catch (...) {  // it was cancelled, and has told those who wait
    }
  }

  /// Waits for the result of one value.
  Out call(In value) { return submit(std::move(value)).get(); }
  /// Gives it as a future; waits only for room. A cancelled future is over at once; its value stays in its
  /// batch.
  future<Out> submit(In value) {
    request one{std::move(value), {}};
    auto outcome = one.end.get_future();
    if (!waiting_.push(std::move(one))) throw error(errc::closed, "batcher::submit: it is ending");
    return outcome;
  }

 private:
  struct request {
    In value;
    promise<Out> end;
  };

  /// What the fiber holds: also where it ends early, or never begins, nobody waits for it in vain.
  struct end_of_service {
    void operator()(batcher* of) const noexcept { of->cancel_waiting(); }
  };
  using server = std::unique_ptr<batcher, end_of_service>;

  void cancel_waiting() noexcept {
    waiting_.close();
    while (auto left = waiting_.try_pop()) left->end.try_set_stopped(cancel_reason::shutdown);
  }
  /// Until the end, or until the fiber is cancelled.
  void serve_all() {
    while (auto first = waiting_.pop()) {
      std::vector<request> batch;
      add(batch, *first);
      try {
        collect(batch);
        if (!batch.empty()) serve_batch(batch);
      } catch (...) {  // the error is handed to those who wait
        for (auto& one : batch) one.end.try_set_error(std::current_exception());
      }
    }
  }
  static void add(std::vector<request>& batch, request& one) noexcept {
    try {
      batch.push_back(std::move(one));
    } catch (...) {  // there is no memory, and it was not moved
      one.end.try_set_error(std::current_exception());
    }
  }
  void collect(std::vector<request>& batch) {
    const auto until = deadline_after(options_.wait_max);
    while (batch.size() < options_.size_max) {
      auto next = waiting_.pop_until(until);
      if (!next) return;
      add(batch, *next);
    }
  }
  void serve_batch(std::vector<request>& batch) {
    std::vector<In> values;
    values.reserve(batch.size());
    for (auto& one : batch) values.push_back(std::move(one.value));
    std::vector<Out> results = serve_(std::move(values));
    if (results.size() != batch.size()) {
      throw error(errc::misuse, "batcher: the function gave " + std::to_string(results.size()) +
                                    " results for " + std::to_string(batch.size()) + " values");
    }
    for (std::size_t i = 0; i < batch.size(); ++i) batch[i].end.try_set_value(std::move(results[i]));
  }

  const function serve_;
  const batcher_options options_;
  channel<request> waiting_;
  fiber<void> fiber_;
};

}  // namespace weft::inline v1
