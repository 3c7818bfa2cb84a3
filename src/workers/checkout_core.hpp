#pragma once

#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <utility>

#include <weft/core/spin_lock.hpp>
#include <weft/core/unique_function.hpp>
#include <weft/fiber/mutex.hpp>
#include <weft/workers/checkout.hpp>

#include "workers/call_bound.hpp"
#include "workers/native_call.hpp"
#include "workers/pool.hpp"

namespace weft::inline v1::workers::detail {

/// What a checkout and its calls share: the worker that it holds. Calls of several tasks may run at the same
/// time. The worker goes back to the pool with the last who shares.
class checkout_core : public std::enable_shared_from_this<checkout_core> {
 public:
  checkout_core(std::shared_ptr<pool> from, checkout_options options)
      : pool_(std::move(from)), options_(std::move(options)) {}
  checkout_core(const checkout_core&) = delete;
  checkout_core& operator=(const checkout_core&) = delete;
  ~checkout_core();

  /// A call to a function of the interface, or of a closure, in whatever protocol the worker speaks.
  call_answer call(const call_request& request);
  /// Has a worker that speaks natively, and takes one from the pool if there is none yet.
  void make_ready(call_bound until) { (void)ready(until, true); }
  /// A call in the native protocol; its reply, whose views point into `got`, may be of any kind.
  reply_frame call_natively(const outgoing_call& what, call_bound until, wire::frame& got);
  /// Has what stands in for workers run a written closure.
  closure_outcome run_in_stand_in(const closure_request& request, call_bound until);
  /// Has a worker that speaks natively begin a call.
  std::unique_ptr<started_call> start(const call_request& request);
  /// Does `work` with a call that was started: an error that costs the worker breaks the checkout.
  template <typename Work>
  auto with(const std::shared_ptr<worker_link>& link, Work&& work) {
    try {
      return work();
    } catch (const worker_died&) {
      lose(link, true);
      throw_fatal();
      throw;
    } catch (...) {
      if (link->over) {
        lose(link, false);
        throw_fatal();
      }
      throw;
    }
  }
  /// The same with a call that a stand-in answers.
  template <typename Work>
  auto with_stand_in(const std::shared_ptr<worker_link>& link, Work&& work) {
    return with(link, [&] {
      try {
        return work();
      } catch (...) {
        note_stand_in_failed(*link);
        throw;
      }
    });
  }
  /// The answer of a reply on that link, or throws what it says instead.
  std::string_view take_value(const std::shared_ptr<worker_link>& link, const reply_frame& reply);

  /// Queues a call with a callback; they run one after the other.
  void queue(unique_function<void(checkout&)> one);
  /// Those that were queued behind one that failed.
  void drop_queued();
  void fail_for_good(std::exception_ptr why);
  pid_t worker_pid() const noexcept;
  pool& from() const noexcept { return *pool_; }
  const checkout_options& options() const noexcept { return options_; }
  call_bound bound() const { return call_bound::after(options_.timeout); }

 private:
  /// A worker that is ready for a call, or null. While this lives its connection is not attached anew: the
  /// call is going to wait there. Once the call is open on the channel, that keeps it in place, too.
  class [[nodiscard]] ready_link {
   public:
    ready_link() = default;
    /// With lock_.
    ready_link(checkout_core& of, std::shared_ptr<worker_link> link) noexcept
        : of_(&of), link_(std::move(link)) {
      ++of.begins_call_;
    }
    ready_link(ready_link&& other) noexcept
        : of_(std::exchange(other.of_, nullptr)), link_(std::move(other.link_)) {}
    ready_link& operator=(ready_link&&) = delete;
    ~ready_link() {
      if (of_ == nullptr) return;
      const std::lock_guard lock(of_->lock_);
      --of_->begins_call_;
    }
    explicit operator bool() const noexcept { return link_ != nullptr; }
    const std::shared_ptr<worker_link>& operator*() const noexcept { return link_; }
    worker_link* operator->() const noexcept { return link_.get(); }

   private:
    checkout_core* of_ = nullptr;
    std::shared_ptr<worker_link> link_;
  };

  std::shared_ptr<worker_link> held() const noexcept;
  /// The worker that is held, where it is ready for a call; else null.
  ready_link ready_one(bool needs_native);
  /// A worker that is ready for a call. Takes one from the pool if there is none yet.
  ready_link ready(call_bound bound, bool needs_native);
  std::shared_ptr<worker_link> acquire(call_bound bound);
  /// May a task wait at its connection? Asked while it is not ready.
  bool may_wait_at(const worker_link& link) const noexcept;
  void attach_again(worker_link& link);
  void prepare(const std::shared_ptr<worker_link>& link, call_bound bound, bool needs_native);
  void lose(const std::shared_ptr<worker_link>& link, bool died) noexcept;
  /// A worker whose call failed is not for another checkout, and one that exited for no other call.
  void heed(const std::shared_ptr<worker_link>& link, const reply_frame& reply) noexcept;
  /// What the exception in flight means for its worker.
  void note_stand_in_failed(worker_link& link) noexcept;
  void throw_if_broken() const;
  void throw_fatal() const;
  static outgoing_call outgoing(const call_request& request, bytes& arguments, std::string_view context);
  call_answer call_natively(const std::shared_ptr<worker_link>& link, const call_request& request,
                            call_bound until);
  reply_frame call_natively(const std::shared_ptr<worker_link>& link, const outgoing_call& what,
                            call_bound until, wire::frame& got);
  call_answer call_stand_in(const std::shared_ptr<worker_link>& link, const call_request& request,
                            call_bound until);
  std::unique_ptr<started_call> start_with_stand_in(const std::shared_ptr<worker_link>& link,
                                                    const call_request& request, call_bound until);
  call_answer call_compatibly(const std::shared_ptr<worker_link>& link, const call_request& request,
                              call_bound until);
  /// The next one; false, and nobody runs the queue then, where there is none.
  bool next_queued(unique_function<void(checkout&)>& next);
  void stop_queue();
  void run_queue();

  const std::shared_ptr<pool> pool_;
  const checkout_options options_;
  weft::mutex preparing_;  // for who takes a worker and makes it ready
  weft::mutex turn_;       // compatible calls go one at a time
  mutable weft::detail::spin_lock lock_;
  std::shared_ptr<worker_link> link_;  // guarded by lock_; null: holds no worker
  bool is_ready_ = false;              // guarded by lock_
  std::size_t begins_call_ = 0;        // guarded by lock_; how many ready_link there are
  pid_t pid_ = -1;                     // guarded by lock_; of a worker that was ready
  std::exception_ptr broken_;          // guarded by lock_; thrown by every further call
  std::exception_ptr fatal_;           // guarded by lock_, set once; thrown by those that run
  std::mutex queue_lock_;
  std::deque<unique_function<void(checkout&)>> queue_;  // guarded by queue_lock_
  bool runs_queue_ = false;                             // guarded by queue_lock_; a fiber does
};

}  // namespace weft::inline v1::workers::detail
