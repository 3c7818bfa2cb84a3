// The examples of docs/fibers.md.

#include <gtest/gtest.h>

#include <csignal>

#include <atomic>
#include <chrono>
#include <mutex>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/executor/blocking.hpp>
#include <weft/fiber/channel.hpp>
#include <weft/fiber/condition.hpp>
#include <weft/fiber/defer.hpp>
#include <weft/fiber/dump.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/fiber_local.hpp>
#include <weft/fiber/map_limited.hpp>
#include <weft/fiber/mutex.hpp>
#include <weft/fiber/parker.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/fiber/select.hpp>
#include <weft/fiber/semaphore.hpp>
#include <weft/fiber/simulate.hpp>
#include <weft/fiber/timer.hpp>
#include <weft/process/exec.hpp>
#include <weft/process/signals.hpp>

namespace {

using namespace std::chrono_literals;

int load(int n) {
  weft::sleep_for(1ms);  // in real life: a request, a query, a file
  return n * n;
}

TEST(docs_fibers, first) {
  // example: first
  const int status = weft::run([] {
    auto four = weft::go([] { return load(2); });
    auto nine = weft::go([] { return load(3); });
    return four.join() + nine.join();
  });
  // end of example
  EXPECT_EQ(status, 13);
}

TEST(docs_fibers, handle) {
  weft::run([] {
    // example: handle
    auto worker = weft::go([] { return load(4); }, {.name = "worker", .stack_bytes = 256 * 1024});
    if (auto early = worker.join_for(0ms)) {
      FAIL() << "it has not even started: " << *early;
    }
    EXPECT_FALSE(worker.done());
    EXPECT_EQ(worker.join(), 16);  // or throws what the function threw
    // end of example
  });
}

TEST(docs_fibers, cancel) {
  weft::run([] {
    // example: cancel
    auto server = weft::go([] {
      for (;;) weft::sleep_for(1h);
    });
    weft::yield();
    server.cancel();
    try {
      server.join();
    } catch (const weft::cancelled& stop) {
      EXPECT_EQ(stop.reason(), weft::cancel_reason::requested);
    }
    // end of example
  });
}

TEST(docs_fibers, deadline) {
  weft::run([] {
    // example: deadline
    try {
      weft::with_timeout(10ms, [] {
        weft::go([] { weft::sleep_for(1h); }).join();  // the child has the same deadline
      });
    } catch (const weft::deadline_exceeded&) {
      // only here, at the border that set it, is it an error
    }
    // end of example
  });
}

TEST(docs_fibers, shield) {
  bool told = false;
  weft::run([&] {
    auto job = weft::go([&] {
      // example: shield
      try {
        weft::sleep_for(1h);
      } catch (const weft::cancelled&) {
        weft::shield([&] {
          weft::sleep_for(1ms);  // tell the other side; give it a bound where it may not answer
          told = true;
        });
        throw;
      }
      // end of example
    });
    weft::yield();
    job.cancel();
    EXPECT_THROW(job.join(), weft::cancelled);
  });
  EXPECT_TRUE(told);
}

TEST(docs_fibers, scope) {
  weft::run([] {
    // example: scope
    std::vector<int> squares(10);
    weft::scope all;
    for (std::size_t n = 0; n < squares.size(); ++n) {
      all.go([&squares, n] { squares[n] = load(static_cast<int>(n)); });  // references are safe: it is joined
    }
    all.join();
    EXPECT_EQ(std::accumulate(squares.begin(), squares.end(), 0), 285);
    // end of example
  });
}

TEST(docs_fibers, scope_error) {
  weft::run([] {
    // example: scope_error
    weft::scope both;
    both.go([] { throw std::runtime_error("disk"); });
    both.go([] { weft::sleep_for(1h); });           // cancelled as soon as the other one fails
    EXPECT_THROW(both.join(), std::runtime_error);  // when both have ended
    // end of example
  });
}

TEST(docs_fibers, map) {
  weft::run([] {
    // example: map
    const std::vector<int> inputs{1, 2, 3, 4};
    const auto squares =
        weft::map_limited(inputs, 2, load);  // at most two at once, in the order of the inputs
    EXPECT_EQ(squares, (std::vector<int>{1, 4, 9, 16}));
    // end of example
  });
}

TEST(docs_fibers, timers) {
  weft::run([] {
    // example: timers
    weft::semaphore ticks(0);
    const auto clock = weft::every(1ms, [&] { ticks.release(); });
    const auto late = weft::after(1h, [] { FAIL(); });
    ticks.acquire(3);
    // end of example
  });
}

TEST(docs_fibers, channel) {
  weft::run([] {
    // example: channel
    weft::channel<std::string> lines(16);
    auto reader = weft::go([&] {
      for (const char* line : {"one", "two", "three"}) lines.push(line);  // waits while it is full
      lines.close();
    });
    std::string all;
    for (const std::string& line : lines) all += line + ' ';  // until it is closed and drained
    reader.join();
    EXPECT_EQ(all, "one two three ");
    // end of example
  });
}

TEST(docs_fibers, channel_forms) {
  weft::run([] {
    // example: channel_forms
    weft::channel<int> numbers(1);
    EXPECT_EQ(numbers.try_pop(), std::nullopt);  // never waits
    const auto late = numbers.pop_for(1ms);      // waits with a bound: a value, closed or timed out
    EXPECT_TRUE(late.is_timed_out());
    EXPECT_TRUE(numbers.push(1));  // waits
    numbers.close();
    EXPECT_FALSE(numbers.push(2));  // closed: the value is dropped
    EXPECT_EQ(numbers.pop(), 1);    // what was in it comes out
    EXPECT_EQ(numbers.pop(), std::nullopt);
    // end of example
  });
}

TEST(docs_fibers, select) {
  weft::run([] {
    weft::channel<int> numbers(1);
    weft::channel<std::string> words(1);
    weft::event stop;
    auto feeder = weft::go([&] { numbers.push(1); });
    int got = 0;
    // example: select
    weft::select(weft::on_pop(numbers, [&](std::optional<int> value) { got = value.value_or(0); }),
                 weft::on_push(words, std::string("hello"), [](bool pushed) { EXPECT_TRUE(pushed); }),
                 weft::on_set(stop, [] {}),     //
                 weft::on_timeout(1h, [] {}));  // otherwise(f) in its place: do not wait
    // end of example
    feeder.join();
    EXPECT_TRUE(got == 1 || words.try_pop() == "hello");
  });
}

TEST(docs_fibers, mutex) {
  weft::run([] {
    // example: mutex
    weft::mutex guard;
    weft::condition changed;
    int ready = 0;
    weft::scope all;
    for (int i = 0; i < 3; ++i) {
      all.go([&] {
        const std::lock_guard lock(guard);
        weft::sleep_for(1ms);  // may be held across a wait
        ++ready;
        changed.notify_one();
      });
    }
    std::unique_lock lock(guard);
    changed.wait(lock, [&] { return ready == 3; });
    lock.unlock();
    all.join();
    // end of example
  });
}

TEST(docs_fibers, semaphore) {
  weft::run([] {
    // example: semaphore
    weft::semaphore connections(2);
    std::atomic<int> open{0};
    weft::scope all;
    for (int i = 0; i < 6; ++i) {
      all.go([&, i] {
        connections.acquire();
        EXPECT_LE(++open, 2);
        load(i);
        --open;
        connections.release();
      });
    }
    all.join();
    // end of example
  });
}

// example: fiber_local
weft::fiber_local<std::string> scratch;  // each fiber has its own, made when it first uses it
// end of example

TEST(docs_fibers, local) {
  weft::run([] {
    *scratch = "mine";
    EXPECT_EQ(weft::go([] { return scratch->size(); }).join(), 0U);
  });
}

TEST(docs_fibers, defer) {
  std::vector<int> order;
  weft::run([&] {
    weft::go([&] {
      // example: defer
      weft::defer([&] { order.push_back(2); });  // at the end of the fiber, from any depth
      weft::defer([&] { order.push_back(1); });  // the last one first; may wait
      order.push_back(0);
      // end of example
    }).join();
  });
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2}));
}

TEST(docs_fibers, exec) {
  weft::run([] {
    // example: exec
    const weft::exec_result sorted = weft::exec({"sort", "-n"}, {.input = "10\n9\n", .timeout = 1min});
    EXPECT_TRUE(sorted.ok());
    EXPECT_EQ(sorted.out, "9\n10\n");
    // end of example
  });
}

TEST(docs_fibers, signals) {
  weft::run([] {
    // example: signals
    weft::process::signal_watch stop({SIGTERM, SIGINT});  // from here on they are kept for it
    ::raise(SIGTERM);
    EXPECT_EQ(stop.wait(), SIGTERM);
    // end of example
  });
}

TEST(docs_fibers, simulate) {
  // example: simulate
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    weft::simulate(seed, [] {
      weft::channel<int> values(1);
      auto sender = weft::go([&] { values.push(1); });
      weft::sleep_for(1h);  // passes at once
      EXPECT_EQ(values.pop(), 1);
      sender.join();
    });
  }
  // end of example
}

TEST(docs_fibers, threads) {
  // example: threads
  weft::run(
      [] {
        weft::scope all;
        for (int i = 0; i < 100; ++i) all.go([i] { load(i); });
        all.join();
      },
      {.threads = 2});
  // end of example
}

TEST(docs_fibers, blocking) {
  weft::run([] {
    // example: blocking
    const int answer = weft::blocking([] {
      std::this_thread::sleep_for(5ms);  // a call that knows nothing of fibers
      return 42;
    });
    // end of example
    EXPECT_EQ(answer, 42);
  });
}

// example: own_primitive
/// A value that is set once.
class promise_of_int {
 public:
  void set(int value) {
    value_ = value;
    set_.store(true);
    here_.unpark();
  }
  int wait() {
    while (!set_.load()) here_.park();
    return value_;
  }

 private:
  weft::parker here_;
  std::atomic<bool> set_{false};
  int value_ = 0;
};
// end of example

TEST(docs_fibers, own_primitive) {
  weft::run([] {
    promise_of_int later;
    auto other = weft::go([&] { later.set(5); });
    EXPECT_EQ(later.wait(), 5);
    other.join();
  });
}

TEST(docs_fibers, external_waker) {
  weft::run([] {
    // example: external_waker
    weft::external_waker done;  // while it lives, waiting for it is no deadlock
    std::thread library([&] { done.wake(); });
    done.wait();
    library.join();
    // end of example
  });
}

TEST(docs_fibers, dump) {
  weft::run([] {
    weft::event stop;
    auto waiter = weft::go([&] { stop.wait(); }, {.name = "waiter"});
    weft::yield();
    // example: dump
    EXPECT_NE(weft::dump_fibers().find("\"waiter\" waits in event::wait"), std::string::npos);
    for (const weft::fiber_info& one : weft::list_fibers()) EXPECT_NE(one.id, 0U);
    // end of example
    stop.set();
    waiter.join();
  });
}

TEST(docs_fibers, no_wait) {
  weft::run([] {
    // example: no_wait
    const weft::no_wait_scope transaction("a database transaction");
    EXPECT_THROW(weft::sleep_for(1ms), weft::error);  // misuse, at once; it names both
    // end of example
  });
}

}  // namespace
