// Futures in the orders of many seeds: each outcome comes once, whoever completes, attaches and cancels
// first.
#include <chrono>
#include <mutex>
#include <stdexcept>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/context/context.hpp>
#include <weft/executor/futures.hpp>
#include <weft/executor/task.hpp>
#include <weft/executor/thread_pool.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/mutex.hpp>
#include <weft/fiber/simulate.hpp>

namespace {

using weft::simulation::random;
using weft::simulation::require;

std::chrono::milliseconds some_ms() { return std::chrono::milliseconds(random(4)); }

void chain_and_cancel() {
  int cleaned = 0;
  weft::thread_pool pool{{.threads = 1 + random(2)}};
  auto end = pool.submit([] { weft::sleep_for(some_ms()); })
                 .then([] { return weft::sleep(some_ms()); })
                 .ensure([&] { ++cleaned; })
                 .then([] { return 1; });
  auto canceller = weft::go([&] {
    weft::sleep_for(some_ms());
    end.cancel();
  });
  canceller.join();
  end.wait();
  require(cleaned == 1, "what must be done was done once");
  const auto outcome = end.get_result();
  require(outcome.has_value() || weft::find_error<std::exception>(outcome.error()) == nullptr,
          "it gave its value, or was cancelled");
}

void several_and_time() {
  int begun = 0, ended = 0;
  weft::thread_pool pool{{.threads = 2}};
  std::vector<weft::future<int>> all;
  for (int i = 0; i < 3; ++i) {
    all.push_back(pool.submit([&, i] {
      struct mark {
        int* to;
        ~mark() { ++*to; }
      };
      ++begun;
      const mark at_end{&ended};
      weft::sleep_for(some_ms());
      if (i == 1) throw std::runtime_error("lost");
      return i;
    }));
  }
  switch (random(3)) {
    case 0: {
      const auto outcome = weft::when_all(std::move(all)).get_result();
      require(!outcome.has_value() && begun == ended, "it failed, and all have ended");
      break;
    }
    case 1: {
      const auto won = weft::when_first_ok(std::move(all)).get();
      require(won.index != 1 && begun == ended, "one won, and all have ended");
      break;
    }
    default: {
      const auto outcome = weft::when_all(std::move(all)).timeout(some_ms()).get_result();
      require(!outcome.has_value(), "it failed, or was too late");
      break;
    }
  }
}

/// Counts the frames of coroutines that have not ended.
struct open_frame {
  static inline int count = 0;
  open_frame() { ++count; }
  open_frame(const open_frame&) = delete;
  open_frame& operator=(const open_frame&) = delete;
  ~open_frame() { --count; }
};

weft::task<int> count(int to) {
  const open_frame here;
  int sum = 0;
  for (int i = 0; i < to; ++i) {
    co_await weft::sleep(some_ms());
    ++sum;
  }
  co_return sum;
}

void tasks() {
  weft::thread_pool pool{{.threads = 1 + random(2)}};
  auto started = weft::start(pool, count(3));
  auto stopped = weft::start(pool, count(3));
  weft::sleep_for(some_ms());
  stopped.cancel();
  require(weft::await(count(2)) == 2, "it was awaited");
  require(started.get() == 3, "it ran to its end");
  stopped.wait();
  require(open_frame::count == 0, "their frames have ended");
}

constexpr weft::key_spec mark_spec{.name = "test.simulated_mark"};
const weft::key<int> mark{mark_spec};

/// Awaits, and waits inside of a part, in a context of its own.
weft::task<int> take_turns(weft::mutex& guard, int own) {
  const open_frame here;
  const weft::scoped_value bound(mark, own);
  const auto is_kept = [&] { require(mark.value_or(0) == own, "it is in its own context"); };
  for (int i = 0; i < 3; ++i) {
    {
      const std::lock_guard lock(guard);
      is_kept();
      weft::sleep_for(some_ms());
      is_kept();
    }
    co_await weft::sleep(some_ms());
    is_kept();
  }
  co_return own;
}

/// Whatever cancels it, and whenever: no task stays, and each has one outcome.
void cancelled_tasks() {
  weft::thread_pool pool{{.threads = 1 + random(2)}};
  weft::mutex guard;
  weft::promise<int> never;
  std::vector<weft::future<int>> all;
  const bool is_bounded = random(2) == 0;
  weft::cancel_scope scope(is_bounded ? weft::deadline_after(some_ms()) : weft::no_deadline);
  const auto awaits = [](weft::future<int> of) -> weft::task<int> {
    const open_frame here;
    co_return co_await of;
  };
  try {
    for (int i = 1; i <= 3; ++i) all.push_back(weft::start(pool, take_turns(guard, i)));
    all.push_back(weft::start(pool, awaits(never.get_future())));
    weft::sleep_for(some_ms());
    if (random(2) == 0) all[random(4)].cancel();
    if (random(4) == 0) pool.close();
    if (is_bounded) all[random(4)].wait();
  } catch (const weft::cancelled&) {
  }
  if (!is_bounded) scope.cancel();
  weft::shield([&] {
    for (auto& one : all) static_cast<void>(one.get_result());
  });
  require(open_frame::count == 0, "their frames have ended");
}

}  // namespace

int main() {
  return weft::simulated_main([] {
    chain_and_cancel();
    several_and_time();
    tasks();
    cancelled_tasks();
  });
}
