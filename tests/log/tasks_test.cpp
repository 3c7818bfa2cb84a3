// Logs of fibers and pool tasks: whose they are, and that nobody waits for them.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <weft/context/context.hpp>
#include <weft/executor/future.hpp>
#include <weft/executor/thread_pool.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/log/collector.hpp>
#include <weft/log/log.hpp>
#include <weft/log/sink.hpp>

#include "log/memory_sink.hpp"

namespace weft::log {
namespace {

using namespace std::chrono_literals;
using strings = std::vector<std::string>;

strings messages(const std::vector<record>& records) {
  strings found;
  for (const auto& each : records) found.push_back(each.message);
  return found;
}

TEST(log_tasks, fibers_that_take_turns_collect_each_its_own) {
  testing::only_sink sink;
  std::vector<std::optional<strings>> found(3);
  run([&] {
    std::vector<fiber<void>> all;
    for (std::size_t n = 0; n < found.size(); ++n) {
      all.push_back(go([&, n] {
        collector mine;
        for (int turn = 0; turn < 3; ++turn) {
          info(std::to_string(n));
          yield();
        }
        found[n] = messages(mine.take());
      }));
    }
    for (auto& each : all) each.join();
  });
  for (std::size_t n = 0; n < found.size(); ++n) EXPECT_EQ(found[n], strings(3, std::to_string(n)));
  EXPECT_TRUE(sink->take().empty());
}

TEST(log_tasks, a_collector_gets_what_its_fibers_and_pool_tasks_write) {
  testing::only_sink sink;
  thread_pool pool({.threads = 2, .name = "log-test"});
  std::vector<record> records;
  run([&] {
    collector mine;
    auto child = go([] { go([] { info("grandchild"); }).join(); }, {.name = "child"});
    auto task = pool.submit([] { info("pool"); });
    child.join();
    task.get();
    info("self");
    records = mine.take();
  });
  auto found = messages(records);
  std::sort(found.begin(), found.end());
  EXPECT_EQ(found, (strings{"grandchild", "pool", "self"}));
  EXPECT_TRUE(sink->take().empty());
}

TEST(log_tasks, a_record_has_the_name_and_id_of_its_fiber) {
  std::vector<record> records;
  std::uint64_t id = 0;
  run([&] {
    collector mine;
    auto child = go(
        [&] {
          id = this_fiber::id();
          info("here");
        },
        {.name = "mailer"});
    child.join();
    records = mine.take();
  });
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].task_name, "mailer");
  EXPECT_EQ(records[0].task_id, id);
}

TEST(log_tasks, a_flush_suspends_its_fiber_and_the_others_go_on) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  fcntl(ends[1], F_SETFL, O_NONBLOCK);
  const std::string junk(4096, '.');
  std::size_t filled = 0;
  for (ssize_t wrote = 0; (wrote = ::write(ends[1], junk.data(), junk.size())) > 0;)
    filled += static_cast<std::size_t>(wrote);
  fcntl(ends[1], F_SETFL, 0);
  line_sink sink({.fd = ends[1]}, [](const record& from, std::string& out) { out += from.message + "\n"; });
  bool flushed = false;
  run([&] {
    auto made = std::make_shared<record>();
    made->message = "x";
    sink.accept(made);  // cannot be written yet
    auto waits = go([&] { flushed = sink.flush(20s); });
    yield();
    EXPECT_FALSE(flushed);
    std::string taken(filled, '\0');
    ASSERT_EQ(::read(ends[0], taken.data(), taken.size()), static_cast<ssize_t>(filled));
    waits.join();
  });
  EXPECT_TRUE(flushed);
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace weft::log
