#include <gtest/gtest.h>

#include "interleaving/pool_programs.hpp"

// The pool behind blocking, in all orders. Variants of their code with a step in the wrong
// place are tests of their own: see CMakeLists.txt.

namespace {

void expect_complete(const char* program) {
  const auto tried = explore::pool_program(program);
  EXPECT_TRUE(tried.complete) << tried.failure;
  EXPECT_GT(tried.executions, 100U);
}

TEST(elastic_pool, gets_a_thread_for_a_task_that_waits) { expect_complete("keeper brings a second thread"); }
TEST(elastic_pool, gets_one_from_a_keeper_that_sleeps_or_has_left) {
  expect_complete("keeper is called again");
}
TEST(elastic_pool, loses_no_task_to_a_thread_that_is_about_to_end) {
  expect_complete("called while it gives up");
}
TEST(elastic_pool, runs_what_two_threads_post_once) { expect_complete("two who post"); }
TEST(elastic_pool, runs_what_it_accepted_where_the_system_gives_no_thread) {
  expect_complete("threads that cannot be made");
}
TEST(elastic_pool, loses_no_task_when_it_may_have_fewer_threads) { expect_complete("bound that is lowered"); }

TEST(abandonable_call, does_not_begin_or_is_cancelled) { expect_complete("abandoned call"); }

}  // namespace
