#include <weft/service/lifecycle.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/http/client.hpp>
#include <weft/http/server.hpp>
#include <weft/log/sink.hpp>
#include <weft/service/admin.hpp>

#include "service/fake_manager.hpp"
#include "support/expect_error.hpp"

namespace weft::ops {
namespace {

using namespace std::chrono_literals;
using weft_test::fake_manager;

/// A part that runs until it is stopped, as a jobs::worker.
struct worker {
  event begun;
  event wanted;
  event stopped;
  bool was_cancelled = false;
  bool obeys = true;

  void run() {
    begun.set();
    try {
      (obeys ? wanted : never).wait();
    } catch (const cancelled&) {
      was_cancelled = true;
      throw;
    }
  }
  void stop() {
    stopped.set();
    wanted.set();
  }

 private:
  event never;
};

TEST(lifecycle, stops_in_order_at_a_signal) {
  fake_manager manager;
  run([&] {
    lifecycle life({.manager = notifier(manager.address())});
    http::server server({.listen = "127.0.0.1:0"});
    event asked;
    event answer;
    server.get("/", [&] {
      asked.set();
      answer.wait();
      return "late, and served";
    });
    admin shown({.listen = "127.0.0.1:0"});
    worker jobs;
    bool at_end = false;
    life.administer(shown).serve(server).work(jobs).on_stop([&] { at_end = true; });

    auto living = go([&] { return life.run(); });
    EXPECT_EQ(manager.hear(), "READY=1");
    EXPECT_EQ(http::client(shown.url()).get("/readyz").status(), 200);
    EXPECT_EQ(http::client(shown.url()).get("/startupz").status(), 200);
    auto asking = go([&] { return http::client(server.url()).get("/").take_body(); });
    asked.wait();

    ASSERT_EQ(::raise(SIGTERM), 0);
    EXPECT_EQ(manager.hear(), "STOPPING=1");
    jobs.stopped.wait();
    EXPECT_TRUE(life.is_stopping());
    EXPECT_EQ(http::client(shown.url()).get("/readyz").status(), 503) << "still there, and not ready";
    EXPECT_FALSE(at_end);
    answer.set();
    EXPECT_EQ(asking.join(), "late, and served");
    EXPECT_EQ(living.join(), 0);
    EXPECT_TRUE(at_end);
    EXPECT_FALSE(jobs.was_cancelled);
  });
}

TEST(lifecycle, a_second_signal_ends_it_at_once) {
  run([] {
    lifecycle life;
    worker jobs;
    jobs.obeys = false;
    life.work(jobs);
    auto living = go([&] { return life.run(); });
    jobs.begun.wait();
    ASSERT_EQ(::raise(SIGINT), 0);
    jobs.stopped.wait();
    EXPECT_FALSE(living.done());
    ASSERT_EQ(::raise(SIGINT), 0);
    EXPECT_EQ(living.join(), 1);
    EXPECT_TRUE(jobs.was_cancelled);
  });
}

TEST(lifecycle, is_ready_only_when_all_parts_have_begun_wherever_they_run) {
  constexpr int parts = 8, lives = 20;
  run(
      [&] {
        for (int life_number = 0; life_number < lives; ++life_number) {
          fake_manager manager;
          lifecycle life({.manager = notifier(manager.address())});
          std::atomic<int> begun = 0;
          event over;
          for (int i = 0; i < parts; ++i) {
            life.add({.run =
                          [&] {
                            ++begun;
                            std::this_thread::sleep_for(
                                5ms);  // holds its loop up, and what stands in line there
                            over.wait();
                          },
                      .stop = [&] { over.set(); }});
          }
          int begun_when_ready = -1;
          std::thread listens([&] {
            if (manager.take() == "READY=1") begun_when_ready = begun;
            life.stop();
          });
          EXPECT_EQ(life.run(), 0);
          listens.join();
          EXPECT_EQ(begun_when_ready, parts);
        }
      },
      {.threads = 3});
}

TEST(lifecycle, reloads_at_a_signal_and_goes_on_where_that_is_refused) {
  fake_manager manager;
  run([&] {
    lifecycle life({.manager = notifier(manager.address())});
    worker jobs;
    int reloads = 0;
    event reopened;
    life.work(jobs)
        .on_reload([] { throw error(errc::invalid_argument, "a bad file"); })
        .on_reload([&] { ++reloads; })
        .on_reopen([&] { reopened.set(); });
    auto living = go([&] { return life.run(); });
    EXPECT_EQ(manager.hear(), "READY=1");
    for (int i = 1; i <= 2; ++i) {
      ASSERT_EQ(::raise(SIGHUP), 0);
      EXPECT_TRUE(manager.hear().starts_with("RELOADING=1\n"));
      EXPECT_EQ(manager.hear(), "READY=1");
      EXPECT_EQ(reloads, i);
    }
    ASSERT_EQ(::raise(SIGUSR1), 0);
    reopened.wait();
    EXPECT_FALSE(life.is_stopping());
    life.stop();
    life.stop();
    EXPECT_EQ(living.join(), 0);
    EXPECT_EQ(manager.hear(), "STOPPING=1");
  });
}

TEST(lifecycle, answers_a_reload_that_nothing_in_it_needs) {
  fake_manager manager;
  run([&] {
    lifecycle life({.manager = notifier(manager.address())});
    worker jobs;
    life.work(jobs);
    auto living = go([&] { return life.run(); });
    EXPECT_EQ(manager.hear(), "READY=1");
    ASSERT_EQ(::raise(SIGHUP), 0);
    EXPECT_TRUE(manager.hear().starts_with("RELOADING=1\n"));
    EXPECT_EQ(manager.hear(), "READY=1");
    EXPECT_FALSE(life.is_stopping());
    life.stop();
    EXPECT_EQ(living.join(), 0);
  });
}

TEST(lifecycle, a_reload_that_is_asked_for_while_parts_start_comes_after_that) {
  fake_manager manager;
  run([&] {
    lifecycle life({.manager = notifier(manager.address())});
    worker jobs;
    event reloaded;
    bool has_started = false;
    life.work(jobs)
        .add({.name = "slow to start",
              .start =
                  [&] {
                    ASSERT_EQ(::raise(SIGHUP), 0);
                    for (int i = 0; i < 10; ++i) yield();
                    has_started = true;
                  }})
        .on_reload([&] {
          EXPECT_TRUE(has_started);
          reloaded.set();
        });
    auto living = go([&] { return life.run(); });
    EXPECT_EQ(manager.hear(), "READY=1");
    reloaded.wait();
    EXPECT_TRUE(manager.hear().starts_with("RELOADING=1\n"));
    EXPECT_EQ(manager.hear(), "READY=1");
    life.stop();
    EXPECT_EQ(living.join(), 0);
    EXPECT_EQ(manager.hear(), "STOPPING=1");
  });
}

TEST(run_service, neither_sighup_nor_sigusr1_ends_it_before_its_life_begins_or_after) {
  EXPECT_EQ(run_service([](lifecycle& life) {
              ::raise(SIGHUP);
              ::raise(SIGUSR1);
              life.add({.name = "brief", .run = [] {}});
              const int status = life.run();
              ::raise(SIGHUP);
              ::raise(SIGUSR1);
              return status;
            }),
            0);
}

/// Notes that it was asked.
class asked_sink : public log::sink {
 public:
  void accept(const std::shared_ptr<const log::record>&) noexcept override {}
  bool flush(std::chrono::milliseconds) override { return true; }
  void pause(std::chrono::milliseconds) noexcept override {}
  std::uint64_t dropped() const noexcept override { return 0; }
  log::level threshold() const noexcept override { return log::level::debug; }
  void reopen() noexcept override { asked.set(); }

  event asked;
};

TEST(lifecycle, has_the_log_open_its_files_anew_at_a_signal) {
  const auto sink = std::make_shared<asked_sink>();
  log::add_sink(sink);
  run([&] {
    lifecycle life;
    worker jobs;
    life.work(jobs);
    auto living = go([&] { return life.run(); });
    jobs.begun.wait();
    ASSERT_EQ(::raise(SIGUSR1), 0);
    sink->asked.wait();
    EXPECT_FALSE(life.is_stopping());
    life.stop();
    EXPECT_EQ(living.join(), 0);
  });
  log::remove_sink(sink);
}

TEST(lifecycle, a_part_that_fails_stops_the_others) {
  run([] {
    lifecycle life;
    worker jobs;
    life.work(jobs).add({.name = "broken", .run = [&] {
                           jobs.begun.wait();
                           throw error(errc::io_error, "the disk is gone");
                         }});
    EXPECT_EQ(life.run(), 1);
    EXPECT_TRUE(jobs.stopped.is_set());
    EXPECT_FALSE(jobs.was_cancelled);
  });
}

TEST(lifecycle, is_over_when_the_last_part_is) {
  run([] {
    lifecycle life;
    int ended = 0;
    for (int i = 0; i < 3; ++i) life.add({.run = [&ended] { ++ended; }});
    std::vector<int> order;
    life.on_stop([&] { order.push_back(1); }).on_stop([&] { order.push_back(2); });
    EXPECT_EQ(life.run(), 0);
    EXPECT_EQ(ended, 3);
    EXPECT_EQ(order, (std::vector<int>{2, 1}));
  });
}

TEST(lifecycle, what_a_part_cannot_start_with_reaches_the_caller) {
  fake_manager manager;
  run([&] {
    lifecycle life({.manager = notifier(manager.address())});
    worker jobs;
    life.work(jobs).add({.name = "port", .start = [] { throw error(errc::busy, "the port is taken"); }});
    EXPECT_EQ(message_of(errc::busy, [&] { life.run(); }), "the port is taken");
    EXPECT_EQ(manager.take(MSG_DONTWAIT), "") << "it never was ready";
  });
}

TEST(lifecycle, cancelled_from_outside_it_cancels_its_parts) {
  run([] {
    lifecycle life;
    worker jobs;
    life.work(jobs);
    auto living = go([&] { return life.run(); });
    jobs.begun.wait();
    living.cancel();
    EXPECT_THROW(living.join(), cancelled);
    EXPECT_TRUE(jobs.was_cancelled);
  });
}

TEST(run_service, takes_what_the_manager_said_from_the_environment) {
  fake_manager manager;
  ::setenv("NOTIFY_SOCKET", manager.address().c_str(), 1);
  ::setenv("WATCHDOG_USEC", "60000", 1);
  std::vector<std::string> told;
  const int status = run_service([&](lifecycle& life) {
    worker jobs;
    life.work(jobs).add({.run = [&] {
      for (int i = 0; i < 4; ++i) told.push_back(manager.hear());
      life.stop();
    }});
    return life.run();
  });
  EXPECT_EQ(status, 0);
  ASSERT_EQ(told.size(), 4u);
  int signs = 0;
  int ready = 0;
  for (const std::string& word : told) (word == "WATCHDOG=1" ? signs : ready) += 1;
  EXPECT_EQ(ready, 1);
  EXPECT_EQ(signs, 3);
}

}  // namespace
}  // namespace weft::ops
