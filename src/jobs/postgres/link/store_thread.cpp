#include "jobs/postgres/link/store_thread.hpp"

#include <exception>

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/log/log.hpp>

// The first fiber of the loop takes what was posted and starts a fiber for each. It parks in `wakes_` when
// there is nothing; whoever posts, stops, or ends as the last one unparks it. When it throws, the run cancels
// whatever is left.

namespace weft::inline v1::jobs::postgres {
namespace {

struct cut_short : error {
  cut_short() : error(errc::closed, "jobs: the store is closed") {}
};

}  // namespace

store_thread::store_thread(const std::string& name)
    : thread_(name, weft::detail::thread_signals::blocked, [this] { run(); }) {}

store_thread::~store_thread() { stop(); }

void store_thread::throw_closed() { throw error(errc::closed, "jobs: use the store: it is closed"); }

void store_thread::post(task one) {
  process_.require_own();
  const std::lock_guard lock(mutex_);
  if (stopping_) throw_closed();
  posted_.push_back(std::move(one));
  wakes_.unpark();
}

void store_thread::start(std::string name, unique_function<void()> work) {
  post({std::move(name), weft::context(), [work = std::move(work)]() mutable {
          try {
            work();
          } catch (const error&) {
            log::write_exception(log::level::critical, "jobs: a fiber of the store's thread failed",
                                 std::current_exception());
          }
        }});
}

void store_thread::stop(std::chrono::milliseconds grace) noexcept {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    grace_ = grace;
    wakes_.unpark();
  }
  if (thread_.joinable()) thread_.join();
}

void store_thread::run() noexcept {
  try {
    weft::run([this] { serve(); }, {.deadlock_check = false});
  } catch (const cut_short&) {  // what was left has been cancelled
  } catch (...) {
    log::write_exception(log::level::critical, "jobs: the store's thread has ended",
                         std::current_exception());
  }
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  posted_.clear();
}

bool store_thread::take(std::vector<task>& into) {
  const std::lock_guard lock(mutex_);
  into.swap(posted_);
  return !stopping_ || !into.empty();
}

void store_thread::serve() {
  std::vector<task> taken;
  while (take(taken)) {
    for (task& one : taken) begin(std::move(one));
    if (taken.empty()) wakes_.park();
    taken.clear();
  }
  wait_for_rest();
}

void store_thread::begin(task one) {
  struct counted {
    explicit counted(store_thread& in) : of(&in) { ++of->under_way_; }
    counted(counted&& other) noexcept : of(std::exchange(other.of, nullptr)) {}
    counted& operator=(counted&&) = delete;
    ~counted() {
      if (of != nullptr && --of->under_way_ == 0) of->wakes_.unpark();
    }
    store_thread* of;
  };
  go([work = std::move(one.work), here = counted(*this)]() mutable { work(); },
     {.name = std::move(one.name), .context = std::move(one.in)})
      .detach();
}

void store_thread::wait_for_rest() {
  steady_time until;
  {
    const std::lock_guard lock(mutex_);
    until = deadline_after(grace_);
  }
  while (under_way_ > 0) {
    if (!wakes_.park_until(until)) throw cut_short();
  }
}

}  // namespace weft::inline v1::jobs::postgres
