// The examples of docs/coming-from-java.md.

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <map>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/context/context.hpp>
#include <weft/executor/futures.hpp>
#include <weft/executor/invoke.hpp>
#include <weft/executor/scheduled_pool.hpp>
#include <weft/executor/thread.hpp>
#include <weft/executor/thread_pool.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/log/log.hpp>

namespace {

using namespace std::chrono_literals;

constexpr weft::key_spec user_spec{.name = "docs.java_user"};
const weft::key<int> user{user_spec};

int price_of(const std::string& name) {
  static const std::map<std::string, int> prices{{"tea", 3}};
  return prices.at(name);
}

TEST(coming_from_java, chain) {
  // example: java_chain
  auto shown = weft::async([] { return price_of("tea"); })                              // supplyAsync
                   .then([](int cents) { return cents * 2; })                           // thenApply
                   .then([](int cents) { return weft::async([=] { return cents; }); })  // thenCompose
                   .or_else<std::out_of_range>([](const auto&) { return 0; })  // exceptionally, by type
                   .timeout(10s);                                              // orTimeout
  EXPECT_EQ(shown.get(), 6);

  auto unknown = weft::async([] { return price_of("gold"); });
  EXPECT_THROW(unknown.get(), std::out_of_range);  // no ExecutionException around it
  // end of example
}

TEST(coming_from_java, cancel) {
  // example: java_cancel
  auto last = weft::async([] {
                while (true) weft::checkpoint();  // every wait is such a point
              }).then([] { ADD_FAILURE() << "never comes here"; });
  last.cancel();
  EXPECT_THROW(last.get(), weft::cancelled);
  // end of example
}

/// Of commits; what its functions do may wait.
struct repository {
  std::vector<int> commits{};
  bool is_closed = false;

  int last_commit() const {
    weft::yield();
    return commits.empty() ? 0 : commits.back();
  }
  std::vector<int> commits_since(int last) const {
    weft::yield();
    if (is_closed) throw std::runtime_error("closed");
    std::vector<int> found;
    for (const int each : commits) {
      if (each > last) found.push_back(each);
    }
    return found;
  }
  void save(const std::vector<int>& more) {
    weft::yield();
    commits.insert(commits.end(), more.begin(), more.end());
  }
};

class closing {
 public:
  explicit closing(repository& of) : of_(&of) {}
  closing(const closing&) = delete;
  closing& operator=(const closing&) = delete;
  ~closing() { of_->is_closed = true; }

 private:
  repository* of_;
};

// example: java_pipeline
std::size_t pull(repository& local, repository& remote) {
  const closing at_the_end(remote);  // onFinally
  const int last = local.last_commit();
  std::vector<int> commits;
  try {
    commits = remote.commits_since(last);
  } catch (const std::exception& problem) {  // onError
    weft::log::error("cannot load commits", {{"why", problem.what()}});
    throw;
  }
  if (commits.empty()) return 0;  // interruptIf
  local.save(commits);
  return commits.size();
}
// end of example

TEST(coming_from_java, pipeline) {
  weft::run([] {
    repository local{.commits = {1, 2}};
    repository remote{.commits = {1, 2, 3, 4}};
    EXPECT_EQ(weft::go([&] { return pull(local, remote); }).join(), 2U);
    EXPECT_EQ(local.commits, remote.commits);
    EXPECT_TRUE(remote.is_closed);
    EXPECT_THROW(weft::go([&] { return pull(local, remote); }).join(), std::runtime_error);
    remote.is_closed = false;
    EXPECT_EQ(weft::go([&] { return pull(local, remote); }).join(), 0U);
  });
}

TEST(coming_from_java, context) {
  // example: java_context
  const auto who = [] { return user.value_or(0); };
  const auto who_after = [](auto) { return user.value_or(0); };
  weft::thread_pool pool(weft::thread_pool_options::fixed(2));
  weft::promise<int> pending;
  weft::promise<int> other;
  weft::promise<int> never;
  const weft::scoped_value bound(user, 42);

  auto later = pending.get_future().then(who_after);
  auto at_once = other.get_future().then_inline(who_after);
  weft::with(user, 7, [&] {
    pending.set_value(1);
    other.set_value(1);  // runs who_after here
    EXPECT_EQ(who(), 7);
  });
  EXPECT_EQ(later.get(), 42);
  EXPECT_EQ(at_once.get(), 42);

  EXPECT_EQ(never.get_future().timeout_or(1ms, 1).then(who_after).get(), 42);
  EXPECT_EQ(weft::async(pool, who).get(), 42);
  EXPECT_EQ(weft::invoke_all(pool, who, who), std::tuple(42, 42));

  int in_thread = 0;
  weft::thread([&] { in_thread = who(); }).join();
  EXPECT_EQ(in_thread, 42);
  EXPECT_EQ(weft::async(pool, who).then([](int) { return 1; }).then(who_after).get(), 42);
  // end of example
}

TEST(coming_from_java, periodic) {
  // example: java_periodic
  weft::scheduled_pool clock;
  weft::promise<void> done;
  const weft::scoped_value bound(user, 42);
  auto beat = clock.with_fixed_delay(0s, 1ms, [&, run = 0]() mutable {
    EXPECT_EQ(user.require(), 42);  // not the 7 of the run before
    weft::assign(user, 7);
    if (++run == 2) done.set_value();
  });
  done.get_future().get();
  beat.cancel();
  beat.wait();
  // end of example
}

TEST(coming_from_java, capture) {
  // example: java_capture
  const weft::context kept = weft::context().with(user, 42);
  const auto change = [&kept](int number) {
    kept.run([&] {
      EXPECT_EQ(user.require(), 42);
      weft::assign(user, number);  // of this run only
      EXPECT_EQ(user.require(), number);
    });
  };
  weft::thread one([&] { change(1); });
  weft::thread two([&] { change(2); });
  one.join();
  two.join();
  EXPECT_EQ(*kept.find(user), 42);
  // end of example
}

TEST(coming_from_java, one_thread) {
  // example: java_one_thread
  weft::thread_pool single(weft::thread_pool_options::single());
  auto sum = weft::async(single, [] {
    return weft::when_all(weft::async([] { return 1; }), weft::async([] { return 2; }))  // on the same thread
        .then([](std::tuple<int, int> both) { return std::get<0>(both) + std::get<1>(both); });
  });
  EXPECT_EQ(sum.get(), 3);

  auto stuck = weft::async(single, [] { return weft::async([] { return 1; }).get(); });
  EXPECT_THROW(stuck.get(), weft::error);  // errc::deadlock: the task it waits for is behind it in the queue
  // end of example
}

}  // namespace
