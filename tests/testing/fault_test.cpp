#include <weft/testing/fault.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <weft/core/error.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/jobs/worker.hpp>
#include <weft/net/files.hpp>
#include <weft/net/listener.hpp>
#include <weft/net/stream.hpp>
#include <weft/process/child.hpp>
#include <weft/testing/run.hpp>
#include <weft/testing/test_kit.hpp>

#include "support/expect_error.hpp"
#include "support/scratch_folder.hpp"

namespace {

using namespace std::chrono_literals;
using weft::testing::fails;
using weft::testing::fault;
using weft::testing::throws;
namespace kit = weft::testing;

int passes(int times, const char* point = "shop.charged") {
  int thrown = 0;
  for (int one = 0; one < times; ++one) {
    try {
      weft::fault_point(point);
    } catch (const std::exception&) {
      ++thrown;
    }
  }
  return thrown;
}

TEST(fault, a_point_does_nothing_until_it_is_armed_and_after) {
  EXPECT_EQ(passes(3), 0);
  {
    const fault one("shop.charged", throws(std::runtime_error("declined")));
    EXPECT_EQ(passes(3), 3);
    EXPECT_EQ(passes(3, "shop.other"), 0);
    EXPECT_EQ(one.passed(), 3U);
    EXPECT_EQ(one.struck(), 3U);
  }
  EXPECT_EQ(passes(3), 0);
}

TEST(fault, strikes_at_the_nth_passing_so_many_times) {
  const fault one("shop.charged", throws(std::runtime_error("declined")), {.after = 2, .times = 3});
  std::vector<int> struck;
  for (int number = 0; number < 8; ++number) {
    if (passes(1) == 1) struck.push_back(number);
  }
  EXPECT_EQ(struck, (std::vector{2, 3, 4}));
}

TEST(fault, strikes_by_chance_as_the_seed_says) {
  const auto struck_by = [](std::uint64_t seed) {
    const fault one("shop.charged", throws(std::runtime_error("declined")), {.chance = 0.3, .seed = seed});
    std::string at;
    for (int number = 0; number < 200; ++number) at += passes(1) == 1 ? 'x' : '.';
    return at;
  };
  EXPECT_EQ(struck_by(1), struck_by(1));
  EXPECT_NE(struck_by(1), struck_by(2));
  const auto at = struck_by(3);
  const auto hits = std::count(at.begin(), at.end(), 'x');
  EXPECT_GT(hits, 30);
  EXPECT_LT(hits, 90);
}

TEST(fault, an_errno_is_thrown_or_told) {
  const fault one("shop.till", fails(ENOSPC));
  EXPECT_TRUE(
      has_text(message_of(weft::errc::storage_full, [] { weft::fault_point("shop.till"); }), "shop.till"));
  errno = 0;
  EXPECT_EQ(weft::fault_errno("shop.till"), ENOSPC);
  EXPECT_EQ(errno, ENOSPC);
  EXPECT_EQ(weft::fault_errno("shop.other"), 0);
}

TEST(fault, may_wait_cancel_and_call) {
  kit::run(
      [] {
        const auto start = weft::steady_clock::now();
        {
          const fault slow("shop.charged", kit::waits(3h));
          weft::fault_point("shop.charged");
        }
        EXPECT_GE(weft::steady_clock::now() - start, 3h);
        const fault stop("shop.charged", kit::cancels());
        EXPECT_THROW(weft::fault_point("shop.charged"), weft::cancelled);
      },
      {.time = kit::test_time::jumps});
}

TEST(fault, holds_a_task_at_its_point_until_the_test_lets_it_go) {
  kit::run(
      [] {
        weft::event go_on;
        int steps = 0;
        const fault held("shop.charged", kit::calls([&] { go_on.wait(); }));
        auto paying = weft::go([&] {
          ++steps;
          weft::fault_point("shop.charged");
          ++steps;
        });
        held.wait_struck();
        EXPECT_EQ(steps, 1);
        go_on.set();
        paying.join();
        EXPECT_EQ(steps, 2);
      },
      {.threads = 2});
}

TEST(fault, is_armed_once_and_refuses_what_cannot_be) {
  const fault one("shop.charged", fails(EIO));
  EXPECT_TRUE(
      has_text(message_of(weft::errc::already_exists, [] { const fault again("shop.charged", fails(EIO)); }),
               "shop.charged"));
  message_of(weft::errc::not_found, [] { const fault none("weft.net.conect", fails(EIO)); });
  message_of(weft::errc::invalid_argument, [] { const fault late("weft.net.connect", kit::waits(1s)); });
}

TEST(fault, one_that_no_point_passed_fails_the_test) {
  const auto body = [] { const fault one("shop.chraged", fails(EIO)); };
  EXPECT_TRUE(
      has_text(message_of(weft::errc::unknown, [&] { kit::run(body); }), "never passed: shop.chraged"));
  kit::run(body, {.check_faults = false});
}

// Points of weft. Each must be passed where it says, with the effect of the real failure.

TEST(fault_in_weft, a_full_disk_in_the_middle_of_a_file) {
  const weft_test::scratch_folder folder;
  kit::run([&] {
    auto file = weft::files::file::open(folder / "order", weft::files::mode::write);
    file.write("first");
    const fault full("weft.files.write", fails(ENOSPC), {.times = 1});
    message_of(weft::errc::storage_full, [&] { file.write("second"); });
    file.write("third");
    {
      const fault lost("weft.files.sync", fails(EIO));
      EXPECT_THROW(file.sync(), weft::error);
    }
    file.close();
    EXPECT_EQ(weft::files::read_file(folder / "order"), "firstthird");
    {
      const fault bad_sector("weft.files.read", fails(EIO), {.after = 1});
      EXPECT_THROW(weft::files::read_file(folder / "order"), weft::error) << "the look for its end";
    }
    const fault shut("weft.files.open", fails(EMFILE));
    EXPECT_THROW(weft::files::read_file(folder / "order"), weft::error);
  });
}

TEST(fault_in_weft, connections_that_are_refused_reset_and_out_of_descriptors) {
  kit::run([] {
    weft::net::listener server(weft::net::endpoint::parse("127.0.0.1:0"));
    const auto& where = server.address();
    {
      const fault refused("weft.net.connect", fails(ECONNREFUSED));
      EXPECT_THROW(weft::net::stream::connect(where), weft::error);
    }
    const fault no_room("weft.net.accept", fails(EMFILE), {.times = 1});
    auto here = weft::net::stream::connect(where);
    auto there = server.accept();  // backs off, and comes again
    EXPECT_EQ(no_room.struck(), 1U);
    here.write_all("tea");
    char got[3];
    {
      const fault reset("weft.net.read", fails(ECONNRESET), {.times = 1});
      EXPECT_THROW(there.read_some(got), weft::error);
    }
    EXPECT_EQ(there.read_some(got), 3U);
    const fault broken("weft.net.write", fails(EPIPE));
    EXPECT_THROW(here.write_all("milk"), weft::error);
  });
}

TEST(fault_in_weft, no_process_can_be_had) {
  const fault none("weft.process.spawn", fails(EAGAIN));
  EXPECT_THROW(weft::process::child::spawn({.program = "/bin/true"}), weft::error);
}

TEST(fault_in_weft, a_push_fails_before_or_after_it_is_stored) {
  weft::services app;
  weft::jobs::test_kit jobs(app);
  {
    const fault before("weft.jobs.push", throws(weft::error(weft::errc::unavailable, "gone")));
    message_of(weft::errc::unavailable, [&] { jobs.queue().push(weft::closure{[] {}}); });
  }
  jobs.assert_nothing_pushed();
  const fault after("weft.jobs.pushed", throws(weft::error(weft::errc::unavailable, "gone")));
  message_of(weft::errc::unavailable, [&] { jobs.queue().push(weft::closure{[] {}}); });
  EXPECT_EQ(jobs.pushed().size(), 1U) << "it is stored, and the pusher does not know";
}

TEST(fault_in_weft, a_worker_claims_again_and_stores_the_end_again) {
  kit::run(
      [] {
        weft::services app;
        weft::event ran;
        app.provide(ran);
        weft::jobs::queue queue(
            "memory:", {.keys = std::make_shared<weft::wire::key_ring>(weft::wire::key::generate("test"))});
        const weft::error gone(weft::errc::unavailable, "gone");
        const fault claims("weft.jobs.claim", throws(gone), {.times = 2});
        const fault ends("weft.jobs.finish", throws(gone), {.times = 2});
        const fault beats("weft.jobs.beat", throws(gone), {.after = 1, .times = 1});
        const auto job = queue.push(weft::closure{[](weft::event& done) { done.set(); }});
        weft::jobs::worker worker(queue, app, {.pass_on_logs = false});
        auto working = weft::go([&] { worker.run(); });
        ran.wait();
        weft::sleep_for(1min);
        EXPECT_EQ(queue.show(job)->state, weft::jobs::job_state::done);
        EXPECT_EQ(claims.struck() + ends.struck(), 4U);
        EXPECT_EQ(beats.struck(), 1U);
        worker.stop();
        working.join();
      },
      {.time = kit::test_time::jumps});
}

}  // namespace
