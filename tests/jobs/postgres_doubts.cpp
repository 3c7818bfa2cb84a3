#include <chrono>
#include <functional>
#include <string>

#include <weft/core/error.hpp>

#include "postgres_proxy_fixture.hpp"

// The answer to a call is lost, once or for good: who asked is told what became of it, or that this is not
// known; and nothing is lost or done twice.

namespace weft::jobs {
namespace {

using namespace std::chrono_literals;
using weft_test::after_fault;
using weft_test::proxy_fault;

/// A place where a call of its own transaction is broken, and whether it is done at the first try.
struct place {
  const char* name;
  proxy_fault fault;
  const char* text;
  bool is_done;
};

const place before_commit{"cut_before_commit", proxy_fault::cut_before, "COMMIT", false};
const place after_commit{"cut_after_commit", proxy_fault::cut_after, "COMMIT", true};
const place before_call{"cut_before_call", proxy_fault::cut_before, "BEGIN", false};
const place after_call{"cut_after_call", proxy_fault::cut_after, "BEGIN", false};

std::string name_of(const testing::TestParamInfo<place>& of) { return of.param.name; }

}  // namespace

class postgres_doubts : public postgres_by_proxy, public testing::WithParamInterface<place> {
 protected:
  void SetUp() override {
    postgres_by_proxy::SetUp();
    near_ = &open();
    join(*near_, 1);
  }
  /// `call` of a store that has called nothing yet, as a statement is sent in words once, broken once.
  bool lost_once(const std::function<bool(store&)>& call) {
    bool answer = false;
    store& fresh = open_by_proxy();
    break_at(GetParam().fault, GetParam().text, [&] { answer = call(fresh); });
    return answer;
  }
  /// The same where the answer does not come for good: it throws an error that says so, with `tried`.
  void lost_for_good(const std::string& tried, after_fault then, const std::function<void(store&)>& call) {
    lost_for_good(open_by_proxy(100ms), GetParam().text, tried, then, call);
  }
  void lost_for_good(store& by, const std::string& text, const std::string& tried, after_fault then,
                     const std::function<void(store&)>& call) {
    proxy_->set_fault(GetParam().fault, text, then);
    try {
      call(by);
      ADD_FAILURE() << "it was answered: " << tried;
    } catch (const error& failed) {
      EXPECT_EQ(failed.code(), errc::unavailable);
      EXPECT_NE(failed.message().find("jobs: " + tried + " in PostgreSQL"), std::string::npos)
          << failed.message();
      EXPECT_NE(failed.message().find("the answer was lost"), std::string::npos) << failed.message();
    }
    proxy_->end_fault();
  }
  job_state state_of(std::int64_t id) { return near_->find(job_id{id}).value().state; }
  void push_and_end(std::int64_t id, next_step next) {
    push(*near_, job(id));
    EXPECT_TRUE(near_->finish(end(claim(*near_, 1, 1).at(0), 1, next)));
  }

  store* near_ = nullptr;
};

TEST_P(postgres_doubts, a_cancel_lost_once_says_whether_the_job_had_ended) {
  push_and_end(1, next_step::done);
  push(*near_, job(2));
  EXPECT_FALSE(lost_once([](store& by) { return by.cancel(job_id{1}, at(3000)); }));
  EXPECT_TRUE(lost_once([](store& by) { return by.cancel(job_id{2}, at(3000)); }));
  EXPECT_EQ(state_of(1), job_state::done);
  EXPECT_EQ(state_of(2), job_state::cancelled);
}

TEST_P(postgres_doubts, a_retry_lost_once_says_whether_the_job_is_tried_again) {
  push_and_end(1, next_step::dead);
  push(*near_, job(2));
  EXPECT_TRUE(lost_once([](store& by) { return by.retry(job_id{1}, at(3000)); }));
  EXPECT_FALSE(lost_once([](store& by) { return by.retry(job_id{2}, at(3000)); }));
  EXPECT_EQ(near_->stats().at(0).ready, 2);
}

TEST_P(postgres_doubts, a_removal_lost_once_says_whether_the_job_is_gone_by_it) {
  push(*near_, job(1));
  EXPECT_TRUE(lost_once([](store& by) { return by.remove(job_id{1}, std::nullopt, at(3000)); }));
  EXPECT_FALSE(lost_once([](store& by) { return by.remove(job_id{1}, std::nullopt, at(3000)); }));
}

TEST_P(postgres_doubts, a_release_lost_once_says_whether_the_limit_was_set) {
  near_->set_limit({.key = "the limit of all"}, true, moment(1h));
  EXPECT_TRUE(lost_once([](store& by) { return by.release_limit("the limit of all"); }));
  EXPECT_FALSE(lost_once([](store& by) { return by.release_limit("the limit of all"); }));
  EXPECT_FALSE(lost_once([](store& by) { return by.release_limit("the limit of nobody"); }));
}

TEST_P(postgres_doubts, a_change_of_a_schedule_lost_once_says_whether_there_is_one) {
  near_->put_schedule({"hourly", "mail", "@hourly\nUTC", "envelope", at(900), at(1000)});
  EXPECT_TRUE(lost_once([](store& by) { return by.remove_schedule("hourly"); }));
  EXPECT_FALSE(lost_once([](store& by) { return by.pause_schedule("hourly"); }));
}

INSTANTIATE_TEST_SUITE_P(places, postgres_doubts,
                         testing::Values(before_call, after_call, before_commit, after_commit), name_of);

/// Of calls that are in doubt where their answer is lost.
class postgres_doubts_for_good : public postgres_doubts {
 protected:
  /// What a call without a transaction of its own sends is broken at `text`, then the way is shut.
  void lost_at(store& by, const std::string& text, const std::string& tried,
               const std::function<void(store&)>& call) {
    lost_for_good(by, text, tried, after_fault::shut_away, call);
  }
  bool is_done() const { return GetParam().is_done; }
};

TEST_P(postgres_doubts_for_good, changes_that_people_make_say_that_it_is_not_known) {
  for (std::int64_t id = 1; id <= 3; ++id) push(*near_, job(id));
  push_and_end(4, next_step::dead);
  near_->set_limit({.key = "the limit of all"}, true, moment(1h));
  const std::int64_t dead = number("SELECT id FROM weft.weft_dead WHERE state <> 3");
  std::int64_t other = dead == 1 ? 2 : 1;
  const auto shut = after_fault::shut_away;
  lost_for_good("cancel job " + std::to_string(other), shut,
                [&](store& by) { by.cancel(job_id{other}, at(3000)); });
  EXPECT_EQ(state_of(other), is_done() ? job_state::cancelled : job_state::ready);
  lost_for_good("retry job " + std::to_string(dead), shut,
                [&](store& by) { by.retry(job_id{dead}, at(3000)); });
  EXPECT_EQ(near_->retry(job_id{dead}, at(3000)), !is_done());
  lost_for_good("remove job " + std::to_string(other), shut,
                [&](store& by) { by.remove(job_id{other}, std::nullopt, at(3000)); });
  EXPECT_EQ(near_->remove(job_id{other}, std::nullopt, at(3000)), !is_done());
  lost_for_good("release the limit the limit of all", shut,
                [&](store& by) { by.release_limit("the limit of all"); });
  EXPECT_EQ(near_->release_limit("the limit of all"), !is_done());
}

TEST_P(postgres_doubts_for_good, a_push_is_there_once_or_not_at_all) {
  store& quick = open_by_proxy(100ms);
  push(quick, job(1));
  lost_at(quick, "envelope 2", "push job 2", [](store& by) { push(by, job(2)); });
  EXPECT_EQ(number("SELECT count(*) FROM weft.weft_job"), is_done() ? 2 : 1);
  if (!is_done()) {
    lost_for_good(quick, "envelope 2", "push job 2", after_fault::again, [](store& by) { push(by, job(2)); });
    push(quick, job(2));
  }
  EXPECT_EQ(near_->stats().at(0).ready, 2);
}

TEST_P(postgres_doubts_for_good, an_end_that_is_asked_for_again_is_stored_once_and_told_so) {
  store& quick = open_by_proxy(100ms);
  for (std::int64_t id = 1; id <= 2; ++id) push(*near_, job(id));
  const auto claimed = claim(*near_, 1, 2);
  ASSERT_EQ(claimed.size(), 2U);
  attempt_end done = end(claimed[0], 1);
  done.result = "a result of its own";
  lost_for_good(quick, "a result of its own", "end the attempt of job " + to_string(done.id),
                after_fault::again, [&](store& by) { by.finish(done); });
  lost_at(quick, "a result of its own", "end the attempt of job " + to_string(done.id),
          [&](store& by) { by.finish(done); });
  EXPECT_EQ(state_of(static_cast<std::int64_t>(done.id)), is_done() ? job_state::done : job_state::running);
  EXPECT_TRUE(quick.finish(done)) << "it was stored by this or by an earlier try";
  EXPECT_FALSE(quick.finish(done)) << "and is known to be";
  attempt_end pushing = end(claimed[1], 1);
  pushing.pushes = {job(3)};
  lost_at(quick, "envelope 3", "end the attempt of job " + to_string(pushing.id),
          [&](store& by) { by.finish(pushing); });
  EXPECT_TRUE(quick.finish(pushing));
  EXPECT_EQ(near_->stats().at(0).done, 2);
  EXPECT_EQ(near_->stats().at(0).ready, 1);
}

TEST_P(postgres_doubts_for_good, a_schedule_fires_once) {
  store& quick = open_by_proxy(100ms);
  const stored_schedule hourly{"hourly", "mail", "@hourly\nUTC", "an envelope of hours", at(900), at(1000)};
  near_->put_schedule(hourly);
  const schedule_fire fire{"hourly", hourly.envelope, at(1000), at(1100), at(1000), at(2000), {job(1)}};
  lost_at(quick, "an envelope of hours", "fire the schedule hourly", [&](store& by) { by.fire(fire); });
  EXPECT_EQ(near_->fire(fire), !is_done());
  EXPECT_EQ(near_->stats().at(0).ready, 1);
}

TEST_P(postgres_doubts_for_good, what_a_claim_took_is_given_back_while_its_worker_lives) {
  store& quick = open_by_proxy(100ms);
  join(quick, 7);
  push(quick, job(1));
  EXPECT_TRUE(quick.finish(end(claim(quick, 7, 1).at(0), 7)));  // it knows the closure now
  push(quick, job(2));
  lost_at(quick, "mail", "claim jobs for worker " + to_string(worker_id{7}),
          [](store& by) { (void)claim(by, 7, 1, 1001); });
  EXPECT_EQ(near_->stats().at(0).running, is_done() ? 1 : 0);
  for (int looks = 0; looks < 2; ++looks) quick.beat(worker_id{7});
  EXPECT_EQ(near_->stats().at(0).ready, 1);
  EXPECT_TRUE(quick.finish(end(claim(quick, 7, 1).at(0), 7)));
}

INSTANTIATE_TEST_SUITE_P(places, postgres_doubts_for_good, testing::Values(before_commit, after_commit),
                         name_of);

}  // namespace weft::jobs
