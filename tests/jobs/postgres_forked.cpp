#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include <weft/core/error.hpp>

#include "postgres_fixture.hpp"

// A child that was forked has no threads of its parent's store, and must not touch its sessions.

namespace weft::jobs {
namespace {

using postgres_forked = postgres_stores;

/// Is it refused because this process was forked?
bool is_refused(const std::function<void()>& use) {
  try {
    use();
  } catch (const error& refused) {
    return refused.code() == errc::misuse && refused.message().find("after the fork") != std::string::npos;
  }
  return false;
}

}  // namespace

TEST_F(postgres_forked, a_child_is_refused_its_parents_store_and_does_not_harm_it) {
  push(open(), job(1));
  join(*stores_[0], 1);
  (void)stores_[0]->wait_bell(stores_[0]->bell(), steady_clock::now());  // it listens
  const pid_t child = ::fork();
  if (child == 0) {
    store& parents = *stores_[0];
    const bool all_refused =
        is_refused([&] { push(parents, job(2)); }) && is_refused([&] { (void)claim(parents, 1, 1); }) &&
        is_refused([&] { (void)parents.find(job_id{1}); }) &&
        is_refused([&] { parents.transact([](store_transaction&) {}, {}); }) &&
        is_refused([&] { (void)parents.wait_bell(parents.bell(), no_deadline); }) &&
        is_refused([&] { (void)parents.wait_end(job_id{1}, parents.end_bell(job_id{1}), no_deadline); });
    stores_.clear();
    ::_exit(all_refused ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  const auto claimed = claim(*stores_[0], 1, 5);
  ASSERT_EQ(claimed.size(), 1U);
  EXPECT_TRUE(stores_[0]->finish(end(claimed[0], 1)));
  EXPECT_EQ(number("SELECT count(*) FROM weft.weft_job"), 1);
}

}  // namespace weft::jobs
