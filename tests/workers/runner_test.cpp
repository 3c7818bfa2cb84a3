#include <weft/workers/runner.hpp>

#include <csignal>

#include "support/closure_runner_contract.hpp"
#include "workers/test_program.hpp"

namespace {

using runner_contract::closure_runner_contract;
using runner_contract::maker;
using weft::workers::client;
using weft::workers::worker_runner;

maker in_workers(weft::workers::start_mode how) {
  return {"in_workers",
          [how] { return std::make_unique<worker_runner>(client({.min_workers = 1, .start = how})); }};
}

INSTANTIATE_TEST_SUITE_P(forked, closure_runner_contract,
                         testing::Values(in_workers(weft::workers::start_mode::fork)));
INSTANTIATE_TEST_SUITE_P(spawned, closure_runner_contract,
                         testing::Values(in_workers(weft::workers::start_mode::exec)));

TEST(worker_runner, makes_the_death_of_the_worker_the_error_of_the_run) {
  const client pool({.min_workers = 1});
  worker_runner runner(pool);
  const weft::closure crash{[] { ::raise(SIGKILL); }};
  const auto outcome = runner.run(weft::request_of(crash, weft::wire_policy::worker));
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->code, weft::errc::worker_died);
  EXPECT_NE(outcome.error->message.find("SIGKILL"), std::string::npos);
  EXPECT_THROW(outcome.error->raise(), weft::workers::worker_died);
}

}  // namespace

int main(int argc, char** argv) {
  return weft::main(
      argc, argv,
      [](weft::services& provided, weft::workers::interfaces&) { runner_contract::setup(provided); },
      [&] {
        testing::InitGoogleTest(&argc, argv);
        return RUN_ALL_TESTS();
      });
}
