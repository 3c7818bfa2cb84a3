#include "net/name_cache.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/core/error.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/net/listener.hpp>

#include "support/expect_error.hpp"

namespace weft::net {
namespace {

using namespace std::chrono_literals;

detail::address address_of(const std::string& text) {
  return detail::resolve(endpoint::parse(text), false).front();
}

/// A resolver that answers when the test says so.
class slow_system {
 public:
  std::vector<detail::address> ask(const std::string& host) {
    std::unique_lock lock(mutex_);
    ++asked_;
    ++running_;
    most_running_ = std::max(most_running_, running_);
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_; });
    --running_;
    if (host == "nobody") throw error(errc::not_found, "look up host \"nobody\": it has no address");
    return {address_of("192.0.2.1:0")};
  }
  void answer() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void wait_for(int asked) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return asked_ >= asked; });
  }
  int asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }
  int most_running() const {
    const std::lock_guard lock(mutex_);
    return most_running_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  int asked_ = 0;
  int running_ = 0;
  int most_running_ = 0;
};

struct fixture {
  std::shared_ptr<slow_system> system = std::make_shared<slow_system>();
  std::shared_ptr<detail::name_cache> names;
  explicit fixture(const resolver_options& options = {})
      : names(std::make_shared<detail::name_cache>(
            [system = system](const std::string& host) { return system->ask(host); }, options)) {}
  ~fixture() { system->answer(); }
};

TEST(name_cache, tasks_that_want_one_name_share_a_look_up_and_its_answer_is_kept) {
  run([] {
    fixture f;
    std::vector<fiber<std::size_t>> all;
    for (int n = 0; n < 5; ++n) all.push_back(go([&] { return f.names->find("one", no_deadline).size(); }));
    yield();
    f.system->answer();
    for (auto& one : all) EXPECT_EQ(one.join(), 1u);
    EXPECT_EQ(detail::to_endpoint(f.names->find("one", no_deadline).front()).text(), "192.0.2.1:0");
    EXPECT_EQ(f.system->asked(), 1);
    const auto counts = f.names->statistics();
    EXPECT_EQ(counts.asked, 1u);
    EXPECT_EQ(counts.shared, 4u);
    EXPECT_EQ(counts.kept, 1u);
    EXPECT_EQ(counts.names, 1u);
    f.names->forget();
    f.names->find("one", no_deadline);
    EXPECT_EQ(f.system->asked(), 2);
  });
}

TEST(name_cache, who_gives_up_is_free_and_the_answer_is_kept_for_the_next) {
  run([] {
    fixture f;
    EXPECT_EQ(message_of(errc::timed_out, [&] { f.names->find("late", steady_clock::now() + 5ms); }),
              "look up host \"late\": no answer in time");
    EXPECT_THROW(with_timeout(5ms, [&] { f.names->find("late", no_deadline); }), deadline_exceeded);
    auto cancelled_one = go([&] { f.names->find("late", no_deadline); });
    yield();
    cancelled_one.cancel();
    EXPECT_THROW(cancelled_one.join(), cancelled);
    f.system->answer();
    EXPECT_EQ(f.names->find("late", no_deadline).size(), 1u);
    EXPECT_EQ(f.system->asked(), 1);
  });
}

TEST(name_cache, no_more_threads_work_than_the_bound_says) {
  run([] {
    fixture f({.threads_max = 2});
    std::vector<fiber<void>> all;
    for (int n = 0; n < 20; ++n)
      all.push_back(go([&f, n] { f.names->find("host" + std::to_string(n), no_deadline); }));
    yield();
    f.system->wait_for(2);
    EXPECT_EQ(f.names->statistics().running, 2u);
    f.system->answer();
    for (auto& one : all) one.join();
    EXPECT_EQ(f.system->asked(), 20);
    EXPECT_EQ(f.system->most_running(), 2);
    EXPECT_EQ(f.names->statistics().names, 20u);
  });
}

TEST(name_cache, a_failure_is_kept_for_a_shorter_time) {
  run([] {
    fixture f({.keep_failed = 0s});
    f.system->answer();
    for (int n = 1; n <= 2; ++n) {
      EXPECT_EQ(message_of(errc::not_found, [&] { f.names->find("nobody", no_deadline); }),
                "look up host \"nobody\": it has no address");
      EXPECT_EQ(f.system->asked(), n);
    }
    fixture keeps({.keep_failed = 60s});
    keeps.system->answer();
    for (int n = 0; n < 3; ++n)
      message_of(errc::not_found, [&] { keeps.names->find("nobody", no_deadline); });
    EXPECT_EQ(keeps.system->asked(), 1);
  });
}

TEST(name_cache, keeps_as_many_names_as_it_may) {
  run([] {
    fixture f({.names_max = 3});
    f.system->answer();
    for (int n = 0; n < 10; ++n) f.names->find("host" + std::to_string(n), no_deadline);
    EXPECT_EQ(f.names->statistics().names, 3u);
    f.names->find("host9", no_deadline);
    EXPECT_EQ(f.system->asked(), 10);
    message_of(errc::invalid_argument, [&] { f.names->set_options({.threads_max = 0}); });
  });
}

TEST(look_up, gives_addresses_with_the_port) {
  run([] {
    for (const endpoint& one : look_up(endpoint::tcp("localhost", 81))) {
      EXPECT_TRUE(one.text() == "127.0.0.1:81" || one.text() == "[::1]:81") << one.text();
    }
    EXPECT_EQ(look_up(endpoint::parse("[::1]:5")).front().text(), "[::1]:5");
    EXPECT_GE(get_resolver_statistics().asked, 1u);
  });
}

}  // namespace
}  // namespace weft::net
