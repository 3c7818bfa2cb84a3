#include <weft/testing/run.hpp>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <stop_token>
#include <thread>

#include <weft/core/failure.hpp>
#include <weft/fiber/dump.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/simulate.hpp>
#include <weft/testing/leak_check.hpp>

#include "testing/armed_faults.hpp"
#include "testing/test_watch.hpp"

namespace weft::inline v1::testing::detail {
namespace {

using std::chrono::milliseconds;

// What is about to end when the body has returned is given a quarter of the deadline, and at most this long.
constexpr auto settle_at_most = milliseconds(5000);

std::string name_of(const run_options& options, const std::source_location& from) {
  if (!options.name.empty()) return options.name;
  const std::string path = from.file_name();
  return "the test at " + path.substr(path.rfind('/') + 1) + ':' + std::to_string(from.line());
}

milliseconds deadline_of(const run_options& options) {
  const char* const seconds = std::getenv("WEFT_TEST_DEADLINE");  // NOLINT(concurrency-mt-unsafe)
  if (seconds == nullptr || *seconds == '\0') return options.deadline;
  char* end = nullptr;
  const auto count = std::strtoul(seconds, &end, 10);
  if (*end != '\0' || *seconds == '-') {
    throw error(errc::invalid_argument,
                std::string("run a test: WEFT_TEST_DEADLINE=\"") + seconds +
                    "\" is no number of seconds; give one such as 600, or 0 for none");
  }
  return std::chrono::seconds(count);
}

std::uint64_t seed_of(const run_options& options) {
  const char* const seed = std::getenv("WEFT_SEED");  // NOLINT(concurrency-mt-unsafe)
  return seed == nullptr || *seed == '\0' ? options.seed : std::strtoull(seed, nullptr, 10);
}

/// Errors that nobody joined, from any loop.
class uncaught_list {
 public:
  void add(const uncaught_error& one) {
    const std::lock_guard lock(mutex_);
    text_ += "\n  fiber " + std::to_string(one.fiber_id) +
             (one.name.empty() ? std::string() : " \"" + std::string(one.name) + '"') + ": " +
             failure::from(one.error).chain();
  }
  std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;  // guarded by mutex_
};

/// One test, from its beginning to its end.
class test_run {
 public:
  test_run(unique_function<void()> body, run_options options, const std::source_location& from)
      : body_(std::move(body)),
        options_(std::move(options)),
        from_(from),
        name_(name_of(options_, from)),
        deadline_(deadline_of(options_)) {}

  void go() {
    const leak_check process;
    const armed_faults::watch faults;
    const bool jumps = options_.time == test_time::jumps;
    {
      // The runtime's own abort at shutdown_grace names fibers, so it comes first.
      const auto grace = options_.run.shutdown_grace + std::chrono::seconds(1);
      test_watch watch(name_, deadline_, grace, [this, jumps] {
        late_ = true;
        if (jumps) {
          stop_.request_stop();  // nothing may wake a simulation from outside: it looks by itself
        } else {
          body_over_.set();
        }
      });
      watch_ = &watch;
      if (jumps) {
        run_jumping();
      } else {
        run_in_real_time();
      }
    }
    if (const auto left = uncaught_.text(); !left.empty())
      fail("nobody joined these fibers, which failed:" + left);
    if (options_.check_process) {
      if (const auto left = left_in(process); !left.empty()) fail("these are left over:\n" + left);
    }
    if (options_.check_faults) {
      if (const auto unused = faults.never_passed(); !unused.empty())
        fail("these fault points were armed and never passed: " + unused);
    }
  }

 private:
  [[noreturn]] void fail(const std::string& why) { throw test_failure(name_ + ": " + why); }

  std::string too_late() const {
    return "did not end within " + std::to_string(deadline_.count()) + " ms:\n";
  }

  weft::run_options options_of_run() {
    auto run = options_.run;
    run.threads = options_.threads;
    run.watchdog = deadline_;
    run.on_long_turn = [this](const long_turn& turn) { watch_->note(turn); };
    if (!run.on_uncaught) run.on_uncaught = [this](const uncaught_error& one) { uncaught_.add(one); };
    return run;
  }

  void run_in_real_time() {
    weft::run([this] { guard(); }, options_of_run(), from_);
  }

  void run_jumping() {
    simulation_options how{.run = options_of_run(), .stop = stop_.get_token()};
    how.run.watchdog = {};  // a simulation has no threads of its own
    try {
      weft::simulate(
          seed_of(options_), [this] { guard(); }, std::move(how), from_);
    } catch (const simulation_error& stopped) {
      if (!late_ || stopped.code() != errc::cancelled) throw;
      fail(too_late() + stopped.what());
    }
  }

  /// The main fiber: the body has one of its own, so that this one can tell where it waits.
  void guard() {
    auto body = weft::go(
        [this] {
          const struct at_end {
            event& over;
            ~at_end() { over.set(); }
          } tells{body_over_};
          body_();
        },
        {.name = "test"}, from_);
    body_over_.wait();
    if (late_ && !body.done()) fail(too_late() + dump_fibers());
    body.join();
    if (options_.check_fibers) check_fibers();
  }

  milliseconds settle_time() const {
    return deadline_.count() > 0 ? std::min(deadline_ / 4, settle_at_most) : settle_at_most;
  }

  /// Other threads may still be closing what they had.
  std::string left_in(const leak_check& process) const {
    const auto until = std::chrono::steady_clock::now() + settle_time();
    auto left = process.found();
    while (!left.empty() && std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(milliseconds(5));
      left = process.found();
    }
    return left;
  }

  void check_fibers() {
    const auto until = deadline_after(settle_time());
    while (others() > 0 && steady_clock::now() < until) weft::sleep_for(milliseconds(1));
    if (const std::size_t left = others(); left > 0) {
      fail(std::to_string(left) + (left == 1 ? " fiber is" : " fibers are") +
           " left when the body has returned; join what the test starts, or use a scope:\n" + dump_fibers());
    }
  }

  static std::size_t others() {
    std::size_t count = 0;
    for (const auto& one : list_fibers()) count += one.id == this_fiber::id() ? 0 : 1;
    return count;
  }

  unique_function<void()> body_;
  const run_options options_;
  const std::source_location from_;
  const std::string name_;
  const milliseconds deadline_;
  std::atomic<bool> late_ = false;
  std::stop_source stop_;  // of a simulation
  event body_over_;
  uncaught_list uncaught_;
  test_watch* watch_ = nullptr;  // while the runtime is there
};

}  // namespace

void run_test(unique_function<void()> body, run_options options, const std::source_location& from) {
  test_run(std::move(body), std::move(options), from).go();
}

}  // namespace weft::inline v1::testing::detail
