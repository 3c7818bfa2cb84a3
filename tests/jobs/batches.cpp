#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "jobs/jobs_fixture.hpp"

namespace weft::jobs {
namespace {

using namespace std::chrono_literals;

struct mailing {
  std::vector<std::string> lines;
  std::optional<state_counts> at_the_end;
};

closure<> mail(std::string whom) {
  return closure{named_closure<"test.mail">([](mailing& into, std::string to) {
                   into.lines.push_back(to);
                   if (to == "nobody") throw error(errc::not_found, "no such address");
                 }),
                 std::move(whom)};
}
closure<> report() {
  return closure{named_closure<"test.report">([](mailing& into, queue& of, control& job) {
    into.lines.emplace_back("report");
    into.at_the_end = of.batch(job.id());
  })};
}
/// Adds mails to the batch that it is one of.
closure<> expand() {
  return closure{named_closure<"test.expand">([](mailing& into, queue& of, control& job) {
    into.lines.emplace_back("expand");
    of.add_to_batch(of.batch_of(job.id()).value(), std::vector{mail("eve"), mail("dan")});
  })};
}

class jobs_batches : public jobs_fixture {
 protected:
  jobs_batches() {
    app_.provide(*queue_);
    app_.provide(mailing_);
  }

  mailing mailing_;
};

TEST_F(jobs_batches, run_their_last_job_when_all_have_ended_in_whatever_way) {
  const auto batch = queue_->push_batch(std::vector{mail("ann"), mail("nobody"), mail("bob")}, report(),
                                        {.max_attempts = 1}, {.priority = -5});
  ASSERT_EQ(batch.jobs.size(), 3U);
  EXPECT_EQ(queue_->batch(batch.id), (state_counts{.ready = 3}));
  EXPECT_EQ(show(batch.id).state, job_state::blocked);
  queue_->cancel(batch.jobs[2]);
  testing::internal::CaptureStderr();
  EXPECT_EQ(run_due({.concurrency = 1}), 3U);
  (void)testing::internal::GetCapturedStderr();
  EXPECT_EQ(mailing_.lines, (std::vector<std::string>{"ann", "nobody", "report"}));
  EXPECT_EQ(mailing_.at_the_end, (state_counts{.done = 1, .dead = 1, .cancelled = 1}));
  EXPECT_EQ(show(batch.id).state, job_state::done);
}

TEST_F(jobs_batches, run_their_last_job_at_once_where_they_are_empty) {
  const auto batch = queue_->push_batch(std::vector<closure<>>{}, report());
  EXPECT_TRUE(batch.jobs.empty());
  EXPECT_EQ(run_due(), 1U);
  EXPECT_EQ(mailing_.at_the_end, state_counts{});
}

TEST_F(jobs_batches, grow_while_a_job_of_theirs_runs) {
  const auto batch = queue_->push_batch(std::vector{mail("ann"), expand()}, report());
  EXPECT_EQ(queue_->batch_of(batch.jobs[1]), batch.id);
  EXPECT_FALSE(queue_->batch_of(batch.id));
  EXPECT_FALSE(queue_->batch_of(job_id{7}));
  EXPECT_EQ(run_due({.concurrency = 1}), 5U);
  EXPECT_EQ(mailing_.lines, (std::vector<std::string>{"ann", "expand", "eve", "dan", "report"}));
  EXPECT_EQ(mailing_.at_the_end, (state_counts{.done = 4}));
  try {
    queue_->add_to_batch(batch.id, std::vector{mail("late")});
    FAIL() << "it is over";
  } catch (const error& refused) {
    EXPECT_EQ(refused.code(), errc::refused);
  }
}

TEST_F(jobs_batches, have_no_unique_jobs) {
  EXPECT_THROW(queue_->push_batch(std::vector{mail("ann")}, report(), {.unique = unique_options{}}), error);
  EXPECT_THROW(queue_->push_batch(std::vector{mail("ann")}, report(), {}, {.unique = unique_options{}}),
               error);
  EXPECT_TRUE(queue_->list().empty());
}

}  // namespace
}  // namespace weft::jobs
