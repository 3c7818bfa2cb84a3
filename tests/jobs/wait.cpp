#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/jobs/job_given_up.hpp>
#include <weft/jobs/key_use.hpp>

#include "jobs/jobs_fixture.hpp"

namespace weft::jobs {
namespace {

using namespace std::chrono_literals;

struct gate {
  event reached;
  event open;
};

closure<std::string> shout(std::string text) {
  return closure{named_closure<"test.shout">([](std::string what) { return what + "!"; }), std::move(text)};
}
closure<int> out_of_seats() {
  return closure{named_closure<"test.out_of_seats">([]() -> int {
    try {
      throw std::out_of_range("no seat left");
    } catch (...) {
      std::throw_with_nested(error(errc::unavailable, "the booking failed"));
    }
  })};
}

class jobs_wait : public jobs_fixture {
 protected:
  jobs_wait() { app_.provide(gate_); }

  /// Runs `body` beside a worker that only the bell wakes.
  template <typename Body>
  void beside_worker(Body body, worker_options options = {}) {
    options.poll_interval = 1h;
    in_fiber([&] {
      worker one(*queue_, app_, quiet(options));
      auto working = go([&] { one.run(); });
      body();
      one.stop();
      working.join();
    });
  }
  template <typename Body>
  static void in_fiber(Body body) {
    run(std::move(body), with_room_for_sanitizers());
  }
  /// What a wait for the job ends with.
  job_given_up given_up(job_id id) {
    try {
      queue_->wait<int>(id);
    } catch (const job_given_up& ended) {
      return ended;
    }
    throw std::logic_error("it did not give up");
  }

  gate gate_;
};

TEST_F(jobs_wait, gives_the_result_when_the_job_is_done) {
  beside_worker([&] { EXPECT_EQ(queue_->push_and_wait(shout("hello")), "hello!"); });
}

TEST_F(jobs_wait, a_result_that_is_kept_needs_its_key) {
  queue_->push(shout("early"));
  run_due();
  const auto uses = keys_in_use(queue_->kept_in());
  ASSERT_EQ(uses.size(), 1U);
  EXPECT_EQ(uses[0].id, "k1");
  EXPECT_EQ(uses[0].results, 1);
  EXPECT_EQ(uses[0].waiting + uses[0].ended, 0);
}

TEST_F(jobs_wait, is_over_at_once_where_the_job_has_ended) {
  const job_id id = queue_->push(shout("early"));
  run_due();
  in_fiber([&] { EXPECT_EQ(queue_->wait<std::string>(id, steady_time::min()), "early!"); });
}

TEST_F(jobs_wait, goes_on_over_attempts_that_want_another_time) {
  beside_worker([&] {
    const closure twice{named_closure<"test.twice">([](control& job) {
      if (job.attempt() == 1) throw std::runtime_error("again");
      return job.attempt();
    })};
    auto waiting = go([&] { return queue_->push_and_wait(twice); });
    while (queue_->list({.queue = {}, .state = job_state::scheduled, .before = {}}).empty()) sleep_for(1ms);
    clock_.advance(1s);
    queue_->kept_in().ring();
    EXPECT_EQ(waiting.join(), 2);
  });
}

TEST_F(jobs_wait, throws_the_last_error_of_a_dead_job) {
  beside_worker([&] {
    const job_given_up ended = given_up(queue_->push(out_of_seats(), {.max_attempts = 1}));
    EXPECT_EQ(ended.state(), job_state::dead);
    EXPECT_EQ(ended.code(), errc::unavailable);
    const job_id id = queue_->list()[0].id;
    EXPECT_EQ(ended.id(), id);
    try {
      queue_->wait<int>(id);
    } catch (const error& with_causes) {
      const auto what = failure::from(std::current_exception());
      ASSERT_EQ(what.causes.size(), 1U);
      EXPECT_EQ(what.causes[0].message, "the booking failed");
      ASSERT_EQ(what.causes[0].causes.size(), 1U);
      EXPECT_EQ(what.causes[0].causes[0].message, "no seat left");
    }
  });
}

TEST_F(jobs_wait, tells_a_cancelled_job_from_a_dead_one) {
  in_fiber([&] {
    const job_id id = queue_->push(out_of_seats(), {.delay = 1h});
    auto waiting = go([&] { return given_up(id); });
    yield();
    queue_->cancel(id);
    const job_given_up ended = waiting.join();
    EXPECT_EQ(ended.state(), job_state::cancelled);
    EXPECT_EQ(ended.code(), errc::cancelled);
  });
}

TEST_F(jobs_wait, tells_a_quarantined_job_and_why_it_is_one) {
  const job_id forged = queue_->push(shout("one"));
  const job_id other = queue_->push(shout("two"));
  tamper("UPDATE weft_job SET envelope = (SELECT envelope FROM weft_job WHERE id = " + to_string(other) +
         ") WHERE id = " + to_string(forged));
  run_due();
  in_fiber([&] {
    const job_given_up ended = given_up(forged);
    EXPECT_EQ(ended.state(), job_state::quarantined);
    EXPECT_EQ(ended.code(), errc::bad_signature);
  });
}

TEST_F(jobs_wait, says_that_the_time_is_up_and_leaves_the_job_alone) {
  in_fiber([&] {
    const job_id id = queue_->push(shout("later"), {.delay = 1h});
    try {
      queue_->wait<std::string>(id, deadline_after(1ms));
      FAIL() << "it waited for nothing";
    } catch (const error& late) {
      EXPECT_EQ(late.code(), errc::timed_out);
    }
    EXPECT_EQ(show(id).state, job_state::scheduled);
  });
}

TEST_F(jobs_wait, can_be_cancelled_and_the_job_goes_on) {
  const closure holds{named_closure<"test.holds">([](gate& at) {
    at.reached.set();
    at.open.wait();
    return 3;
  })};
  job_id id{};
  beside_worker([&] {
    id = queue_->push(holds);
    auto waiting = go([&] { return queue_->wait<int>(id); });
    gate_.reached.wait();
    waiting.cancel();
    EXPECT_THROW(waiting.join(), cancelled);
    gate_.open.set();
    EXPECT_EQ(queue_->wait<int>(id), 3);
  });
}

TEST_F(jobs_wait, says_that_there_is_no_such_job_and_no_such_result) {
  const job_id id = queue_->push(closure{named_closure<"test.returns_nothing">([] {})});
  run_due();
  in_fiber([&] {
    EXPECT_NO_THROW(queue_->wait<void>(id));
    EXPECT_EQ(queue_->wait<std::optional<int>>(id), std::nullopt);
    for (const auto& none : {id, job_id{7}}) {
      try {
        queue_->wait<int>(none);
        FAIL() << "there is nothing";
      } catch (const error& missing) {
        EXPECT_EQ(missing.code(), errc::not_found);
      }
    }
  });
}

TEST_F(jobs_wait, hears_of_the_end_in_another_process) {
  queue_.reset();
  int asked[2];
  ASSERT_EQ(::pipe(asked), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    char start = 0;
    if (::read(asked[0], &start, 1) != 1) ::_exit(2);
    open();
    in_fiber([&] {
      worker one(*queue_, app_, quiet({}));
      while (one.run_due() == 0) sleep_for(1ms);
    });
    queue_.reset();
    ::_exit(0);
  }
  open();
  in_fiber([&] {
    const job_id id = queue_->push(shout("far"));
    auto waiting = go([&] { return queue_->wait<std::string>(id); });
    yield();
    EXPECT_EQ(::write(asked[1], "x", 1), 1);
    EXPECT_EQ(waiting.join(), "far!");
  });
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  for (const int end : asked) ::close(end);
}

}  // namespace
}  // namespace weft::jobs
