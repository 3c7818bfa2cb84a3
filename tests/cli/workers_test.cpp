#include "cli/workers.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <weft/wire/json.hpp>
#include <weft/wire/key_ring.hpp>
#include <weft/workers/client.hpp>
#include <weft/workers/server.hpp>

#include "cli/run_weft.hpp"
#include "support/scratch_folder.hpp"

// `weft workers`.

namespace {

using namespace std::chrono_literals;
using weft::workers::server_figures;

class workers_command : public testing::Test {
 protected:
  workers_command() {
    address = "unix:" + folder_ / "socket";
    weft::workers::server_options options{.listen = address};
    options.interface.add("pid", [] { return std::int64_t{::getpid()}; });
    options.name = "mail";
    options.max_workers = 7;
    server = weft::workers::server::fork(std::move(options));
  }

  std::string address;
  weft::process::child server;

 private:
  weft_test::scratch_folder folder_;
};

TEST_F(workers_command, shows_the_server_and_each_worker) {
  weft::workers::client pool({.connect = address, .min_workers = 0});
  auto held = pool.checkout();
  const auto pid = std::to_string(held.call<std::int64_t>("pid"));
  const auto shown = weft_test::run_weft({"workers", address});
  EXPECT_EQ(shown.status, 0) << shown.err;
  for (const std::string& part :
       {"server mail " + std::to_string(server.pid()) + ": running", "1 of at most 7" + std::string(),
        std::string("CHECKOUTS"), pid + "   idle"}) {
    EXPECT_NE(shown.out.find(part), std::string::npos) << part << " in\n" << shown.out;
  }
}

TEST_F(workers_command, prints_json) {
  weft::workers::client pool({.connect = address, .min_workers = 0});
  auto held = pool.checkout();
  const auto pid = held.call<std::int64_t>("pid");
  const auto figures =
      weft::wire::from_json<server_figures>(weft_test::run_weft({"workers", "--json", address}).out);
  EXPECT_EQ(figures.pid, server.pid());
  EXPECT_EQ(figures.forked, 1U);
  ASSERT_EQ(figures.workers.size(), 1U);
  EXPECT_EQ(figures.workers[0].pid, pid);
  EXPECT_GT(figures.workers[0].resident_bytes, 100'000U);
}

TEST_F(workers_command, tells_failures_apart) {
  EXPECT_EQ(weft_test::run_weft({"workers"}).status, 2);
  EXPECT_EQ(weft_test::run_weft({"workers", "nowhere"}).status, 2);
  const auto missing = weft_test::run_weft({"workers", "unix:/no/such/socket"});
  EXPECT_EQ(missing.status, 1);
  EXPECT_NE(missing.err.find("/no/such/socket"), std::string::npos) << missing.err;
}

// Also `weft call`.
TEST_F(workers_command, takes_keys_for_a_server_that_has_some) {
  weft_test::scratch_folder folder;
  const std::string keys = folder / "keys";
  weft::wire::key_ring(weft::wire::key::generate("a")).save(keys);
  weft::workers::server_options options{.listen = "unix:" + folder / "socket"};
  const std::string where = options.listen;
  options.interface.add("pid", [] { return std::int64_t{::getpid()}; });
  options.keys = std::make_shared<const weft::wire::key_ring>(weft::wire::key_ring::load(keys));
  const auto with_keys = weft::workers::server::fork(std::move(options));
  const auto shown = weft_test::run_weft({"workers", "--key-file", keys, where});
  EXPECT_EQ(shown.status, 0) << shown.err;
  EXPECT_NE(shown.out.find(std::to_string(with_keys.pid()) + ": running"), std::string::npos) << shown.out;
  const auto refused = weft_test::run_weft({"workers", where});
  EXPECT_EQ(refused.status, 1);
  EXPECT_NE(refused.err.find("key"), std::string::npos) << refused.err;
  EXPECT_EQ(weft_test::run_weft({"workers", "--key-file", folder / "none", where}).status, 2);
  const auto called = weft_test::run_weft({"call", "--key-file", keys, where, "pid"});
  EXPECT_EQ(called.status, 0) << called.err;
  EXPECT_EQ(weft_test::run_weft({"call", where, "pid"}).status, 1);
  EXPECT_EQ(weft_test::run_weft({"call", "--key-file", folder / "none", where, "pid"}).status, 2);
}

TEST(workers_text, has_what_there_is) {
  server_figures figures;
  figures.pid = 1;
  figures.name = "a\x1b[31m";
  figures.state = weft::workers::server_state::crash_loop;
  figures.resumes_in = 800ms;
  figures.age = 90061s;
  const auto text = weft::cli::workers_text(figures);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_NE(text.find("crash loop, goes on in 800 ms, for 1d 1h"), std::string::npos) << text;
  EXPECT_EQ(text.find("PID"), std::string::npos);
  figures.workers = {
      {.pid = 17, .state = weft::workers::worker_state::busy, .age = 61s, .resident_bytes = 3 << 20},
      {.pid = 4'194'303, .state = weft::workers::worker_state::ready, .checkouts = 12}};
  const auto table = weft::cli::workers_text(figures);
  EXPECT_NE(table.find("     17   busy  1m 1s  3.0 MiB          0      0\n"), std::string::npos) << table;
  EXPECT_NE(table.find("4194303  ready     0s  0.0 MiB         12      0\n"), std::string::npos) << table;
}

}  // namespace
