#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <source_location>
#include <string_view>

#include <weft/context/cancel_state.hpp>
#include <weft/context/wait.hpp>
#include <weft/core/task_block.hpp>
#include <weft/fiber/join_point.hpp>
#include <weft/fiber/permit.hpp>

// The part of a fiber that does not depend on its result. Users read fiber.hpp.

namespace weft::inline v1::detail {

class scheduler;
template <typename Fiber>
class line_of;
template <typename Fiber>
class remote_wakes;
template <typename Fiber, typename Loop>
class unstarted_line_of;
struct stack_record;

/// How a fiber comes to be.
struct fiber_origin {
  weft::context context;        ///< what it runs in; moved from
  std::string_view name = {};   ///< copied
  std::size_t stack_bytes = 0;  ///< 0: the run's
  std::source_location made_at = {};
  bool preemptible = true;
};

/// Is told when a fiber is over for good: what it deferred, its locals and what its function captured
/// have ended, and its result as well unless a handle holds it. Not told of a fiber that go() refused.
class fiber_watcher {
 public:
  /// The last thing that is done about the fiber. On its loop's thread; must not wait.
  virtual void fiber_over() noexcept = 0;

 protected:
  ~fiber_watcher() = default;
};

/// A fiber: its task block, its place in the cancel tree, and the join point.
///
/// References are held by the handle, by the scheduler until the fiber has ended, and by contexts
/// captured in it. A fiber that has not started owns no stack, and an idle loop may take it from the
/// loop that made it. From then on it stays on the thread that started it.
///
/// Parking goes through permit_. Only the home thread switches fibers, so a fiber that is queued before
/// it has switched away cannot run early.
class fiber_block : public task_block, public cancel_node {
 public:
  // task_block
  bool park_until(steady_time until) override;
  void unpark() noexcept override;
  std::string_view name() const noexcept override {
    return name_ == nullptr ? std::string_view() : std::string_view(name_.get());
  }

  std::uint64_t parent_id() const noexcept { return parent_id_; }
  /// Null until started; home thread only.
  const stack_record* stack() const noexcept { return stack_; }
  /// Where it was made, if the maker said so.
  std::source_location made_at() const noexcept { return made_at_; }
  bool is_done() const noexcept { return end_.is_done(); }
  /// Where its end is waited for.
  join_point& end() noexcept { return end_; }
  /// Since it was made; of one that has ended, its whole life. To one turn of the loop.
  steady_clock::duration elapsed() const noexcept;
  bool is_parked() const noexcept { return permit_.is_parked(); }

  /// Waits until the fiber has ended; started at once if it has not started. False: `until` passed.
  bool wait_done(steady_time until);
  /// Throws weft::error (misuse) where the caller runs on this fiber: it would wait for its own end.
  void require_other() const;
  /// Nobody will look at the result: an error of the fiber goes to the uncaught handler.
  void abandon() noexcept;
  /// Somebody looks at the result, now or later: it is not uncaught.
  void mark_observed() noexcept;
  /// Throws weft::error (invalid_argument) for options out of range.
  void require_sane() const;
  /// It will never be run: gives back what a running fiber would, and the scheduler's reference.
  void discard() noexcept;

 protected:
  /// Born with three references: its context node's, the handle's and the scheduler's.
  explicit fiber_block(fiber_origin& origin);
  /// Ends also what the destructor of its result has deferred or kept.
  ~fiber_block() override;

  /// Runs the function and keeps its outcome.
  virtual void run_body() noexcept = 0;
  /// The error that the function ended with; null for a value.
  virtual std::exception_ptr body_error() const noexcept = 0;
  /// Ends the fiber without running it.
  virtual void fail_unstarted(std::exception_ptr why) noexcept = 0;

  /// Before it is spawned: whose child it is, if not the running task's.
  void set_parent(std::uint64_t id) noexcept { parent_id_ = id; }
  /// Before it is spawned: who is told of its end.
  void set_watcher(fiber_watcher& watcher) noexcept { watcher_ = &watcher; }

 private:
  friend struct debug_layout;
  friend class inspection;
  friend class line_of<fiber_block>;
  friend class remote_wakes<fiber_block>;
  friend class scheduler;
  friend class survey;
  friend class unstarted_line_of<fiber_block, scheduler>;
  scheduler& home() const noexcept { return *home_.load(std::memory_order_relaxed); }
  void finish() noexcept;
  void report_uncaught_error() noexcept;
  void end_extras() noexcept;

  permit permit_;
  std::atomic<bool> started_{false};       // written by the home thread
  bool is_unstarted_ = false;              // guarded by the lock of the home's unstarted line
  std::uint32_t stack_bytes_;              // constant; 0: the run's
  std::atomic<scheduler*> home_{nullptr};  // constant once started
  stack_record* stack_ = nullptr;          // home thread only; null until started
  fiber_block* next_ = nullptr;            // the line it is in, or the line of remote wakes
  fiber_block* previous_ = nullptr;        // the line it is in
  std::int64_t turn_ = 0;                  // its place among all that are in line in its loop
  scheduler* registry_ = nullptr;          // constant once spawned: the loop whose list of the living has it
  fiber_block* next_alive_ = nullptr;      // guarded by the registry's lock
  fiber_block* previous_alive_ = nullptr;  // guarded by the registry's lock
  std::atomic<std::int64_t> lifetime_{0};  // steady_time of birth; once done, the duration
  std::uint64_t parent_id_;                // constant once spawned
  fiber_watcher* watcher_ = nullptr;       // constant once spawned
  std::source_location made_at_;           // one pointer; constant once spawned
  join_point end_;
  std::unique_ptr<const char[]> name_;  // null: none
};

/// Hands a new fiber to the scheduler of the running fiber; takes over one reference. Throws
/// weft::error: no_scheduler outside a run, resource_exhausted at max_fibers.
void spawn(fiber_block* fiber_ref);
/// The same, and runs it at once until its first wait.
void spawn_now(fiber_block* fiber_ref);

/// Memory for fiber blocks, reused per thread while a run is on.
void* allocate_fiber(std::size_t bytes);
void free_fiber(void* memory, std::size_t bytes) noexcept;

}  // namespace weft::inline v1::detail
