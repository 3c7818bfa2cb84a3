#include <weft/fiber/permit.hpp>

#include <gtest/gtest.h>

#include <memory>

#include "interleaving/explorer.hpp"

namespace weft::detail {
namespace {

/// Looks and then writes, in two steps: a permit that comes in between is overwritten.
class forgetful_permit {
 public:
  bool try_take() noexcept { return state_.load() == 2 && (state_.store(0), true); }
  bool park() noexcept {
    if (state_.load() == 2) return false;
    state_.store(1);
    return true;
  }
  void take() noexcept { state_.store(0); }
  bool give() noexcept { return state_.exchange(2) == 1; }

 private:
  atomic<int> state_{0};
};

/// A task that waits for two conditions one after the other, as everything that waits does, and two
/// threads that each make one true and unpark it.
template <typename Permit>
explore::outcome wait_for_two(int preemptions_max) {
  struct task {
    Permit permit;
    atomic<bool> condition[2] = {false, false};
    int made_ready = 0;

    void wait_for(atomic<bool>& what) {
      while (!what.load()) {
        if (permit.try_take()) continue;
        if (permit.park()) {
          explore::block_until([this] { return made_ready > 0; }, "suspend");
          --made_ready;
        }
        permit.take();
      }
    }
    void make_true(atomic<bool>& what) {
      what.store(true);
      if (permit.give()) explore::check(++made_ready == 1, "made ready while it is ready");
    }
  };
  return explore::all_orders(
      [](explore::execution& run) {
        auto shared = std::make_shared<task>();
        run.thread([=] {
          shared->wait_for(shared->condition[0]);
          shared->wait_for(shared->condition[1]);
        });
        for (auto& one : shared->condition) run.thread([=, &one] { shared->make_true(one); });
        run.at_end([=] { explore::check(shared->made_ready == 0, "ready, and not waiting any more"); });
      },
      {.preemptions_max = preemptions_max});
}

TEST(permit, wakes_its_task_once_for_each_park_in_every_order) {
  const auto tried = wait_for_two<permit>(3);
  EXPECT_TRUE(tried.complete) << tried.failure;
  EXPECT_GT(tried.executions, 500U);
}

TEST(permit, that_looks_and_writes_in_two_steps_is_found_to_lose_a_wake_up) {
  const auto tried = wait_for_two<forgetful_permit>(2);
  EXPECT_EQ(tried.failure.find("deadlock"), 0U) << tried.failure;
}

}  // namespace
}  // namespace weft::detail
