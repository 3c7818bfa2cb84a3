#include <weft/executor/strand.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include <weft/context/cancellation.hpp>
#include <weft/core/error.hpp>
#include <weft/core/oracle.hpp>
#include <weft/core/spin_lock.hpp>
#include <weft/core/task_block.hpp>

namespace weft::inline v1 {
namespace {

/// The queue of a strand.
///
/// A strand is idle, or has one turn: a task on the executor beneath, which runs what is queued, a few tasks
/// at a time, and posts the next turn or makes the strand idle. Who adds a task to an idle strand posts the
/// turn. A turn that is destroyed without having run takes the queue with it. Where a turn cannot be posted
/// because the executor is full, whoever wanted to runs the turn himself, so no accepted task is lost; the
/// poster's own task is refused.
class strand_core final : public executor_core {
 public:
  strand_core(executor on, std::size_t queue_max) : on_(std::move(on)), queue_max_(queue_max) {}
  strand_core(const strand_core&) = delete;
  strand_core& operator=(const strand_core&) = delete;
  ~strand_core() override { drop_all(); }

  void post(executor_task task) override;
  std::string_view name() const noexcept override { return on_.name(); }
  std::size_t concurrency() const noexcept override { return 1; }
  bool is_held_up_by_caller() const noexcept override {
    return detail::is_inside(*this) || on_.is_held_up_by_caller();
  }
  // A strand of a loop suspends too, but keeps its place meanwhile.
  void report_uncaught(const failed_task& what) noexcept override { on_.core()->report_uncaught(what); }

 private:
  static constexpr int tasks_in_a_turn = 16;
  struct entry {
    executor_task task;
    entry* next = nullptr;
    entry* previous = nullptr;
  };
  /// The task on the executor beneath.
  class turn {
   public:
    explicit turn(std::shared_ptr<strand_core> of) noexcept : of_(std::move(of)) {}
    turn(turn&&) noexcept = default;
    turn& operator=(turn&&) = delete;
    ~turn() {
      if (of_ != nullptr && of_->poster_.load() != &detail::task_block::current()) of_->drop_all();
    }
    void operator()() {
      const auto of = std::move(of_);
      of->run_turn();
    }

   private:
    std::shared_ptr<strand_core> of_;
  };

  void remove(entry& one) noexcept;
  std::unique_ptr<entry> next_or_idle() noexcept;
  bool is_idle_now() noexcept;
  void post_turn();
  void run_turn();
  void drop_all() noexcept;

  const executor on_;
  const std::size_t queue_max_;
  detail::spin_lock lock_;
  entry* first_ = nullptr;                                  // guarded by lock_; owned; linked by next
  entry* last_ = nullptr;                                   // guarded by lock_
  std::size_t queued_ = 0;                                  // guarded by lock_
  bool has_turn_ = false;                                   // guarded by lock_
  std::atomic<const detail::task_block*> poster_{nullptr};  // who posts a turn: if it is refused, he knows
};

void strand_core::post(executor_task task) {
  detail::scheduling_point("strand::post");
  auto one = std::make_unique<entry>(entry{std::move(task)});
  entry* const added = one.get();
  std::unique_lock lock(lock_);
  if (queued_ >= queue_max_) {
    lock.unlock();
    throw error(errc::resource_exhausted, "strand on \"" + std::string(name()) +
                                              "\": " + std::to_string(queue_max_) +
                                              " tasks wait, which is queue_max; submit fewer or raise it");
  }
  added->previous = last_;
  (last_ != nullptr ? last_->next : first_) = one.release();
  last_ = added;
  ++queued_;
  if (std::exchange(has_turn_, true)) return;
  lock.unlock();
  try {
    post_turn();
  } catch (...) {
    lock.lock();
    const std::unique_ptr<entry> refused(added);
    remove(*added);
    lock.unlock();
    run_turn();  // of others, who came meanwhile
    throw;
  }
}

/// With lock_ held.
void strand_core::remove(entry& one) noexcept {
  (one.previous != nullptr ? one.previous->next : first_) = one.next;
  (one.next != nullptr ? one.next->previous : last_) = one.previous;
  --queued_;
}

std::unique_ptr<strand_core::entry> strand_core::next_or_idle() noexcept {
  const std::lock_guard lock(lock_);
  if (first_ == nullptr) {
    has_turn_ = false;
    return nullptr;
  }
  entry* const taken = first_;
  remove(*taken);
  return std::unique_ptr<entry>(taken);
}

bool strand_core::is_idle_now() noexcept {
  const std::lock_guard lock(lock_);
  if (first_ == nullptr) has_turn_ = false;
  return first_ == nullptr;
}

/// The caller has made has_turn_ true, or runs the turn before.
void strand_core::post_turn() {
  executor_task task{turn(std::static_pointer_cast<strand_core>(shared_from_this())), context()};
  {
    const std::lock_guard lock(lock_);
    task.submitted_at = first_->task.submitted_at;
  }
  task.options.name = "strand";
  const detail::task_block* self = &detail::task_block::current();
  poster_.store(self);
  try {
    on_.core()->post(std::move(task));
  } catch (...) {
    poster_.compare_exchange_strong(self, nullptr);
    throw;
  }
  poster_.compare_exchange_strong(self, nullptr);
}

void strand_core::run_turn() {
  for (;;) {
    for (int i = 0; i < tasks_in_a_turn; ++i) {
      if (cancellation_requested() == cancel_reason::shutdown) return drop_all();
      const auto one = next_or_idle();
      if (one == nullptr) return;
      detail::run_task(*this, one->task);
    }
    if (is_idle_now()) return;
    try {
      return post_turn();
    } catch (const error&) {
      // Full, or closed and about to run what it has: so these go on here.
    }
  }
}

void strand_core::drop_all() noexcept {
  while (const auto one = next_or_idle()) {
    one->task.context = context();
    detail::end_work(one->task);
  }
}

}  // namespace

strand::strand(executor on, std::size_t queue_max)
    : executor(std::make_shared<strand_core>(std::move(on), queue_max)) {}

}  // namespace weft::inline v1
