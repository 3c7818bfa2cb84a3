#include "interleaving/explorer.hpp"

#include <sched.h>
#include <algorithm>
#include <exception>
#include <memory>
#include <semaphore>
#include <stdexcept>
#include <thread>
#include <utility>

namespace explore {
namespace {

constexpr std::size_t nobody = static_cast<std::size_t>(-1);

/// A pick that was made: which of how many.
struct branch {
  std::size_t taken;
  std::size_t count;
};

struct step {
  std::size_t thread;
  const char* what;
};

/// Keeps the threads on one core while it lives: as only one of them runs at a time, passing the baton
/// is a switch then, and not a wake-up of another core.
class on_one_core {
 public:
  on_one_core() {
    sched_getaffinity(0, sizeof before_, &before_);
    cpu_set_t here;
    CPU_ZERO(&here);
    CPU_SET(static_cast<std::size_t>(std::max(0, sched_getcpu())), &here);
    sched_setaffinity(0, sizeof here, &here);
  }
  on_one_core(const on_one_core&) = delete;
  on_one_core& operator=(const on_one_core&) = delete;
  ~on_one_core() { sched_setaffinity(0, sizeof before_, &before_); }

 private:
  cpu_set_t before_;
};

}  // namespace

/// Everything here belongs to whoever has the baton: the thread at current_, or main while it is nobody.
class explorer {
 public:
  explorer(const std::function<void(execution&)>& program, options bounds)
      : program_(program), bounds_(bounds) {}

  outcome run();

  // On the running thread of an execution.
  void point(const char* what);
  void block_until(std::function<bool()> can_go_on, const char* what);
  void wait_bounded(std::function<bool()> can_go_on, const char* what);
  void stand_back(const char* what);
  void start(std::function<void()> function);
  std::size_t choose(std::size_t count);
  void wrote() { ++writes_; }
  void spin_pause();
  [[noreturn]] void fail(const std::string& why);
  std::size_t current() const { return current_; }

 private:
  struct worker {
    std::binary_semaphore baton{0};
    std::function<void()> function;
    std::function<bool()> can_go_on;  // empty: it can
    bool bounded = false;             // its bound passes when nobody can go on
    bool finished = true;
    bool last = false;  // no more functions will come
    std::thread thread;
  };

  void run_once();
  void serve(worker& self);
  worker& next_worker();
  bool next_path();
  bool enabled(std::size_t index) const {
    const worker& one = *workers_[index];
    return !one.finished && (!one.can_go_on || one.can_go_on());
  }
  std::size_t pick(std::size_t count);
  std::vector<std::size_t> others() const;
  std::vector<std::size_t> bounded() const;
  void note(const char* what);
  void switch_from_blocked();
  void hand_to(std::size_t next);
  void finish_current();
  std::string story() const;

  const std::function<void(execution&)>& program_;
  const options bounds_;
  std::vector<std::unique_ptr<worker>> workers_;
  std::size_t used_ = 0;  // of the workers, in this execution
  std::vector<branch> path_;
  std::size_t depth_ = 0;
  std::vector<step> steps_;
  int preemptions_ = 0;
  std::size_t writes_ = 0;
  std::size_t current_ = nobody;
  std::string failure_;
  std::binary_semaphore main_baton_{0};
};

namespace {
explorer* active = nullptr;  // set while threads run; main and they take turns
}

void execution::thread(std::function<void()> function) { threads_.push_back(std::move(function)); }
void execution::at_end(std::function<void()> check) { at_end_ = std::move(check); }

// The tree of picks.

std::size_t explorer::pick(std::size_t count) {
  if (count <= 1) return 0;
  if (depth_ == path_.size()) path_.push_back({0, count});
  const branch& here = path_[depth_++];
  if (here.count != count) fail("the program does not do the same each time");
  return here.taken;
}

bool explorer::next_path() {
  while (!path_.empty() && path_.back().taken + 1 == path_.back().count) path_.pop_back();
  if (path_.empty()) return false;
  ++path_.back().taken;
  return true;
}

// One execution.

std::vector<std::size_t> explorer::others() const {
  std::vector<std::size_t> able;
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    if (i != current_ && enabled(i)) able.push_back(i);
  }
  return able;
}

std::vector<std::size_t> explorer::bounded() const {
  std::vector<std::size_t> able;
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    if (!workers_[i]->finished && workers_[i]->bounded) able.push_back(i);
  }
  return able;
}

void explorer::note(const char* what) {
  steps_.push_back({current_, what});
  if (steps_.size() > bounds_.steps_max) fail("it goes on for ever");
}

void explorer::point(const char* what) {
  note(what);
  if (preemptions_ == bounds_.preemptions_max) return;
  const auto able = others();
  const std::size_t way = pick(able.size() + 1);
  if (way == 0) return;
  ++preemptions_;
  hand_to(able[way - 1]);
}

std::size_t explorer::choose(std::size_t count) {
  if (preemptions_ == bounds_.preemptions_max) return 0;
  const std::size_t way = pick(count);
  if (way != 0) ++preemptions_;
  return way;
}

void explorer::block_until(std::function<bool()> can_go_on, const char* what) {
  note(what);
  workers_[current_]->can_go_on = std::move(can_go_on);
  switch_from_blocked();
}

void explorer::wait_bounded(std::function<bool()> can_go_on, const char* what) {
  if (choose(2) == 1) return note("a bound passes early");
  workers_[current_]->bounded = true;
  block_until(std::move(can_go_on), what);
}

void explorer::spin_pause() {
  block_until([this, seen = writes_] { return writes_ != seen; }, "spin");
}

void explorer::stand_back(const char* what) {
  note(what);
  switch_from_blocked();
}

void explorer::switch_from_blocked() {
  auto able = others();
  if (enabled(current_)) able.push_back(current_);
  if (able.empty()) able = bounded();
  if (able.empty()) fail("deadlock: every thread waits");
  const std::size_t next = able[pick(able.size())];
  if (next != current_) hand_to(next);
  workers_[current_]->can_go_on = nullptr;
  workers_[current_]->bounded = false;
}

void explorer::hand_to(std::size_t next) {
  worker& self = *workers_[current_];
  current_ = next;
  workers_[next]->baton.release();
  self.baton.acquire();
}

void explorer::finish_current() {
  workers_[current_]->finished = true;
  auto able = others();
  if (able.empty()) able = bounded();
  if (!able.empty()) {
    current_ = able[pick(able.size())];
    workers_[current_]->baton.release();
    return;
  }
  const bool all =
      std::all_of(workers_.begin(), workers_.end(), [](const auto& one) { return one->finished; });
  if (!all) fail("deadlock: every thread that has not ended waits");
  current_ = nobody;
  main_baton_.release();
}

void explorer::fail(const std::string& why) {
  failure_ = why + '\n' + story();
  if (current_ == nobody) throw std::runtime_error(failure_);
  current_ = nobody;
  main_baton_.release();
  std::binary_semaphore never{0};
  never.acquire();  // left here; its execution is not undone
  std::abort();
}

std::string explorer::story() const {
  std::string text;
  for (const step& one : steps_) text += "  thread " + std::to_string(one.thread) + ": " + one.what + '\n';
  return text;
}

// Threads, reused from execution to execution.

void explorer::serve(worker& self) {
  for (;;) {
    self.baton.acquire();
    if (self.last) return;
    try {
      self.function();
    } catch (const std::exception& thrown) {
      fail(std::string("a thread threw: ") + thrown.what());
    } catch (...) {
      fail("a thread threw");
    }
    self.function = nullptr;
    finish_current();
  }
}

explorer::worker& explorer::next_worker() {
  if (used_ == workers_.size()) {
    worker& made = *workers_.emplace_back(std::make_unique<worker>());
    made.thread = std::thread([this, &made] { serve(made); });
  }
  return *workers_[used_++];
}

void explorer::start(std::function<void()> function) {
  worker& started = next_worker();
  started.function = std::move(function);
  started.finished = false;
}

void explorer::run_once() {
  depth_ = 0;
  preemptions_ = 0;
  steps_.clear();
  used_ = 0;
  execution made;
  program_(made);
  for (auto& function : made.threads_) start(std::move(function));
  active = this;
  current_ = pick(made.threads_.size());
  workers_[current_]->baton.release();
  main_baton_.acquire();
  active = nullptr;
  if (!failure_.empty() || !made.at_end_) return;
  try {
    made.at_end_();
  } catch (const std::exception& thrown) {
    failure_ = thrown.what() + ("\n" + story());
  }
}

outcome explorer::run() {
  const on_one_core pinned;
  outcome result;
  do {
    run_once();
    ++result.executions;
  } while (failure_.empty() && next_path() && result.executions < bounds_.executions_max);
  result.failure = failure_;
  result.complete = failure_.empty() && path_.empty();
  const bool stuck =
      std::any_of(workers_.begin(), workers_.end(), [](const auto& one) { return !one->finished; });
  for (auto& one : workers_) {
    one->last = true;
    if (stuck) {
      one->thread.detach();
    } else {
      one->baton.release();
      one->thread.join();
    }
  }
  return result;
}

outcome all_orders(const std::function<void(execution&)>& program, options bounds) {
  auto one = std::make_unique<explorer>(program, bounds);
  outcome result = one->run();
  if (!result.failure.empty()) {
    // Threads may be left in it, so it is kept to the end of the process.
    static auto& failed = *new std::vector<std::unique_ptr<explorer>>;
    failed.push_back(std::move(one));
  }
  return result;
}

// Outside an execution, while a program makes its state or checks it, operations just happen.

void check(bool holds, const char* what) {
  if (holds) return;
  if (active == nullptr) throw std::runtime_error(what);
  active->fail(what);
}
void point(const char* what) {
  if (active != nullptr) active->point(what);
}
void block_until(std::function<bool()> can_go_on, const char* what) {
  if (active != nullptr) active->block_until(std::move(can_go_on), what);
}
void wait_bounded(std::function<bool()> can_go_on, const char* what) {
  if (active != nullptr) active->wait_bounded(std::move(can_go_on), what);
}
void start(std::function<void()> function) {
  check(active != nullptr, "a thread is started by nobody");
  active->start(std::move(function));
  point("start a thread");
}
void stand_back(const char* what) {
  if (active != nullptr) active->stand_back(what);
}
std::size_t choose(std::size_t count) { return active != nullptr ? active->choose(count) : 0; }
void wrote() {
  if (active != nullptr) active->wrote();
}
std::size_t thread_index() { return active != nullptr ? active->current() : nobody; }

}  // namespace explore

namespace weft::inline v1::detail {
void spin_pause() noexcept {
  if (explore::active != nullptr) explore::active->spin_pause();
}
}  // namespace weft::inline v1::detail
