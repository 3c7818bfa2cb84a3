#include <gtest/gtest.h>

#include <memory>
#include <thread>

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>

#include "fiber/runtime.hpp"
#include "fiber/scheduler.hpp"

namespace {

using weft::detail::scheduler;

TEST(loop, held_goes_on_until_a_call_of_another_thread_lets_it_end) {
  bool was_home = false;
  std::thread other;
  weft::run([&] {
    scheduler& here = *scheduler::current();
    here.of().hold();
    other = std::thread([&] {
      here.post([&] {
        was_home = here.is_home();
        here.of().let_go();
      });
    });
  });
  EXPECT_TRUE(was_home);
  other.join();
}

TEST(loop, held_ends_all_the_same_when_the_run_is_ended) {
  EXPECT_EQ(weft::run([] {
              scheduler::current()->of().hold();
              weft::exit(4);
            }),
            4);
}

TEST(loop, ends_its_service_on_its_thread_when_no_fiber_is_left) {
  struct service : weft::detail::loop_service {
    explicit service(bool& flag) : ended(flag) {}
    ~service() override {
      ended = scheduler::current() != nullptr && scheduler::current()->running() == nullptr;
    }
    bool& ended;
  };
  bool ended = false;
  weft::run([&] { scheduler::current()->user_timers = std::make_unique<service>(ended); });
  EXPECT_TRUE(ended);
}

TEST(loop, tells_the_watcher_when_nothing_of_a_fiber_is_left) {
  struct watched final : weft::detail::fiber_result<void>, weft::detail::fiber_watcher {
    watched(weft::detail::fiber_origin origin, std::string& told) : fiber_result<void>(origin), order(told) {
      set_watcher(*this);
    }
    void run_body() noexcept override {
      order += 'r';
      outcome_.emplace();
    }
    void fiber_over() noexcept override { order += is_done() ? 'o' : '?'; }
    void destroy() noexcept override { delete this; }
    std::string& order;
  };
  std::string order;
  weft::run([&] {
    auto* const fiber = new watched({.context = weft::context::capture(), .name = "watched"}, order);
    weft::detail::spawn(fiber);
    fiber->wait_done(weft::no_deadline);
    fiber->mark_observed();
    weft::yield();
    EXPECT_EQ(order, "ro");
    fiber->release();
  });
}

}  // namespace
