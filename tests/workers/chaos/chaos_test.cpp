// A pool and a server while everything goes wrong that can: more than a thousand faults under load. Every
// caller gets exactly one answer, the right one or an error that the fault allows; never do more workers work
// than there may be; and afterwards nothing is left over: no process, no zombie, no descriptor.
//
// Faults are drawn from a seed, which is printed; WEFT_CHAOS_SEED=<seed> draws the same ones again.
// WEFT_CHAOS_FAULTS says how many.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <weft/core/failure.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/workers/errors.hpp>
#include <weft/workers/server.hpp>

#include "support/scratch_folder.hpp"
#include "workers/chaos/callers.hpp"
#include "workers/chaos/intruder.hpp"
#include "workers/chaos/processes.hpp"
#include "workers/test_program.hpp"

namespace {

using namespace std::chrono_literals;
using weft::workers::client;
using weft::workers::client_options;
using weft_test::caller;
using weft_test::slot_folder;
using weft_test::tally;

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// What another process does has no signal for this one; so it is looked at, for a bounded time.
template <typename Claim>
bool becomes_true(Claim claim) {
  for (int i = 0; i < 30'000; ++i) {
    if (claim()) return true;
    ::poll(nullptr, 0, 2);
  }
  return false;
}

class chaos : public testing::Test {
 protected:
  chaos() : seed(number_from("WEFT_CHAOS_SEED", std::random_device{}())) {
    weft_test::adopt_orphans();
    std::printf("WEFT_CHAOS_SEED=%llu\n", static_cast<unsigned long long>(seed));
  }

  slot_folder make_slots(const std::string& name, int count) const {
    std::filesystem::create_directory(folder / name);
    return {folder / name, count};
  }

  // Callers on fibers of two threads; some work beside them.
  void load(client& pool, const slot_folder& slots, const weft_test::fault_weights& weights, tally& all,
            int callers, weft::scope& into) {
    for (int i = 0; i < callers; ++i) {
      into.go([&pool, &slots, &weights, &all, one = next_seed()] {
        caller(pool, slots, weights, all, one).run();
      });
    }
  }

  // While work goes on the pool never has more workers than it may.
  static void watch_limit(const client& pool, tally& all, const std::atomic<bool>& over) {
    while (!over) {
      const auto now = pool.statistics();
      if (now.alive > pool.options().max_workers || now.busy > now.alive) {
        all.complain("alive " + std::to_string(now.alive) + ", busy " + std::to_string(now.busy));
      }
      weft::sleep_for(1ms);
    }
  }

  // `start` starts callers of the pool; until they are done its limit is watched.
  template <typename Start>
  static void watched(const client& pool, tally& all, Start start) {
    std::atomic<bool> over = false;
    weft::scope watching;
    watching.go([&] { watch_limit(pool, all, over); });
    weft::scope callers;
    start(callers);
    callers.join();
    over = true;
    watching.join();
  }

  // It still answers. Workers that kill_idle has just killed may look alive until the kernel has ended them,
  // and no more of them are there than it may have.
  static void expect_answers(client& pool) {
    for (std::size_t doomed = 0;; ++doomed) {
      try {
        pool.call<std::int64_t>("pid");
        return;
      } catch (const weft::workers::worker_died&) {
        if (doomed == pool.options().max_workers) throw;
      }
    }
  }

  static void expect_at_rest(const client& pool) {
    const auto now = pool.statistics();
    EXPECT_EQ(now.busy, 0U);
    EXPECT_EQ(now.waiting, 0U);
    EXPECT_LE(now.alive, pool.options().max_workers);
  }

  static void report(const char* what, const tally& all) {
    std::printf("%s: %llu faults, %llu calls\n%s", what, static_cast<unsigned long long>(all.faults()),
                static_cast<unsigned long long>(all.calls()), all.text().c_str());
    for (const auto& one : all.complaints()) ADD_FAILURE() << one;
  }

  std::uint64_t next_seed() { return seed + 0x9E3779B97F4A7C15U * ++callers_; }

  std::uint64_t seed;
  weft_test::scratch_folder folder;

 private:
  std::uint64_t callers_ = 0;
};

//                        none error before during idle stop hang deaf cancel exit weft_exit crash overflow
//                        disconnect garbage half several
constexpr weft_test::fault_weights all_faults{30, 5, 8, 8, 3, 3, 3, 2, 3, 6, 4, 5, 3, 1, 5, 5, 6};
// A client of the older protocol cannot have its worker killed: what hangs lives until hung_worker_timeout,
// and what is stopped until its server ends.
constexpr weft_test::fault_weights old_faults{30, 5, 8, 8, 3, 0, 1, 1, 1, 6, 0, 5, 3, 1, 5, 5, 0};

TEST_F(chaos, a_pool_survives_it) {
  const auto slots = make_slots("own", 6);
  // No pauses: it is to go on under all of this.
  const client_options options{
      .min_workers = 2, .max_workers = 6, .timeout = 60s, .restarts = {.deaths_max = 0}, .kill_grace = 10ms};
  weft::run([&] { client(options).call<std::int64_t>("pid"); }, {.threads = 2});  // what is made once is made
  const auto before = weft_test::descendants();
  ASSERT_TRUE(becomes_true([&] { return weft_test::descendants().size() == 1; })) << to_string(before);
  const pid_t server = before.front().pid;
  const auto own_descriptors = weft_test::descriptor_count(::getpid());
  const auto server_descriptors = weft_test::descriptor_count(server);
  tally all(number_from("WEFT_CHAOS_FAULTS", 1000));
  {
    client pool(options);
    weft::run(
        [&] {
          watched(pool, all, [&](weft::scope& callers) { load(pool, slots, all_faults, all, 24, callers); });
          expect_answers(pool);
          expect_at_rest(pool);
        },
        {.threads = 2});
  }
  report("own workers", all);
  EXPECT_TRUE(becomes_true([&] { return weft_test::descendants().size() == 1; }))
      << to_string(weft_test::descendants());
  EXPECT_TRUE(becomes_true([&] { return weft_test::descriptor_count(server) == server_descriptors; }))
      << weft_test::descriptor_count(server) << " descriptors, were " << server_descriptors;
  EXPECT_EQ(weft_test::descriptor_count(::getpid()), own_descriptors);
}

class listening_chaos : public chaos {
 protected:
  weft::workers::server_options server_options() {
    weft::workers::server_options made{.listen = "unix:" + path()};
    weft_test::offer_faults(made.interface);
    made.hung_worker_timeout = 2s;  // longer than any machine takes for a call that does nothing
    made.restarts.deaths_max = 0;   // no pauses: it is to go on under all of this
    return made;
  }
  std::string path() const { return folder / "socket"; }

  client_options options(std::size_t max_workers, weft::workers::protocol_choice protocol) const {
    return {.connect = "unix:" + path(),
            .min_workers = 1,
            .max_workers = max_workers,
            .timeout = 60s,
            .restarts = {.deaths_max = 0},
            .protocol = protocol,
            .kill_grace = 10ms};
  }
};

TEST_F(listening_chaos, a_server_survives_it) {
  using weft::workers::protocol_choice;
  auto running = weft::workers::server::fork(server_options());
  const auto children = weft_test::descendants().size();
  const auto slots = make_slots("native", 6);
  const auto old_slots = make_slots("old", 100);
  const auto intruders_slots = make_slots("intruders", 100);
  const auto native = options(6, protocol_choice::native);
  const auto old = options(3, protocol_choice::compatible);
  weft::run([&] { client(native).call<std::int64_t>("pid"); }, {.threads = 2});
  ASSERT_TRUE(becomes_true([&] { return weft_test::descendants().size() == children; }));
  const auto own_descriptors = weft_test::descriptor_count(::getpid());
  const auto server_descriptors = weft_test::descriptor_count(running.pid());
  const auto faults = number_from("WEFT_CHAOS_FAULTS", 1000);
  tally all(faults / 2);
  tally all_old(faults / 4);
  std::uint64_t intrusions = 0;
  {
    client pool(native);
    client old_pool(old);
    weft::run(
        [&] {
          watched(pool, all, [&](weft::scope& callers) {
            load(pool, slots, all_faults, all, 16, callers);
            load(old_pool, old_slots, old_faults, all_old, 8, callers);
            callers.go([&] {
              intrusions = weft_test::intruder(path(), intruders_slots, next_seed()).run(faults / 2);
            });
          });
          expect_answers(pool);
          expect_answers(old_pool);
          expect_at_rest(pool);
          expect_at_rest(old_pool);
        },
        {.threads = 2});
  }
  report("native clients", all);
  report("clients of the older protocol", all_old);
  std::printf("%llu intrusions\n", static_cast<unsigned long long>(intrusions));
  EXPECT_TRUE(becomes_true([&] { return weft_test::descendants().size() == children; }))
      << to_string(weft_test::descendants());
  EXPECT_TRUE(becomes_true([&] { return weft_test::descriptor_count(running.pid()) == server_descriptors; }))
      << weft_test::descriptor_count(running.pid()) << " descriptors, were " << server_descriptors;
  EXPECT_EQ(weft_test::descriptor_count(::getpid()), own_descriptors);
  EXPECT_EQ(running.terminate(60s), weft::process::exit_status::exited(0));
}

}  // namespace

int main(int argc, char** argv) {
  const auto setup = [](weft::services& provided, weft::workers::interfaces& offered) {
    weft::register_error<weft_test::out_of_cheese>("test.out_of_cheese");
    (void)provided;
    weft_test::offer_faults(offered);
  };
  return weft::main(argc, argv, setup, [&] {
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
  });
}
