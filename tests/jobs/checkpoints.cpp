#include <stdexcept>
#include <string>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/jobs/key_use.hpp>

#include "jobs/jobs_fixture.hpp"
#include "store_contract/lose_worker.hpp"

namespace weft::jobs {
namespace {

using namespace std::chrono_literals;

struct shop {
  std::vector<std::string> lines;
  int fails_left = 0;
};

/// An order of three steps; the last one fails as often as the shop says.
closure<std::string> order(int amount) {
  return closure{named_closure<"test.order">([](shop& at, control& job, int total) {
                   const auto receipt = job.checkpoint("charge", [&] {
                     at.lines.push_back("charge " + std::to_string(total));
                     return "receipt " + std::to_string(total);
                   });
                   job.checkpoint("pack", [&] { at.lines.emplace_back("pack"); });
                   at.lines.emplace_back("ship");
                   if (at.fails_left-- > 0) throw std::runtime_error("no truck");
                   return receipt;
                 }),
                 amount};
}

class jobs_checkpoints : public jobs_fixture {
 protected:
  jobs_checkpoints() {
    app_.provide(shop_);
    app_.provide(*queue_);
  }
  void run_quietly() {
    testing::internal::CaptureStderr();
    EXPECT_EQ(run_due(), 1U);
    (void)testing::internal::GetCapturedStderr();
  }

  shop shop_;
};

TEST_F(jobs_checkpoints, are_not_run_again_by_later_attempts) {
  shop_.fails_left = 2;
  const job_id id = queue_->push(order(7));
  run_quietly();
  clock_.advance(1s);
  run_quietly();
  clock_.advance(2s);
  run_quietly();
  EXPECT_EQ(shop_.lines, (std::vector<std::string>{"charge 7", "pack", "ship", "ship", "ship"}));
  EXPECT_EQ(queue_->result<std::string>(id), "receipt 7");
}

TEST_F(jobs_checkpoints, are_kept_by_an_attempt_that_was_cancelled_meanwhile) {
  const closure cancelled{named_closure<"test.cancelled_in_a_step">([](shop& at, control& job) {
    job.checkpoint("charge", [&] {
      at.lines.emplace_back("charge");
      while (!job.cancelled()) shield([] { weft::sleep_for(1ms); });
    });
    weft::sleep_for(1ms);  // where the attempt ends
    at.lines.emplace_back("ship");
  })};
  queue_->push(cancelled, {.timeout = 2s});
  run_quietly();
  clock_.advance(1s);
  run_quietly();
  EXPECT_EQ(shop_.lines, (std::vector<std::string>{"charge", "ship"}));
}

TEST_F(jobs_checkpoints, are_of_one_job) {
  queue_->push(order(1));
  queue_->push(order(2));
  EXPECT_EQ(run_due({.concurrency = 1}), 2U);
  EXPECT_EQ(shop_.lines, (std::vector<std::string>{"charge 1", "pack", "ship", "charge 2", "pack", "ship"}));
}

TEST_F(jobs_checkpoints, of_another_job_or_step_are_refused) {
  shop_.fails_left = 1;
  const job_id id = queue_->push(order(7));
  run_quietly();
  tamper(
      "UPDATE weft_step SET value = (SELECT value FROM weft_step WHERE name = 'pack') WHERE name = 'charge'");
  clock_.advance(1s);
  run_quietly();
  const auto last = show(id).past.back();
  ASSERT_TRUE(last.error);
  EXPECT_EQ(last.error->code, errc::bad_signature);
  EXPECT_EQ(shop_.lines.size(), 3U) << "nothing was done by it";
}

TEST_F(jobs_checkpoints, whose_key_lacks_put_the_attempt_off) {
  // As after a rotation: the job was pushed with the first key, its steps were kept with the second one.
  const auto use = [&](const std::vector<char>& numbers) {
    std::vector<wire::key> keys;
    for (const char number : numbers) {
      const bytes secret(32, static_cast<std::byte>(number));
      keys.emplace_back(std::string("k") + number, wire::secret_bytes(secret));
    }
    keys_ = std::make_shared<wire::key_ring>(std::move(keys));
    open();
  };
  use({'1'});
  shop_.fails_left = 1;
  const job_id id = queue_->push(order(7));
  use({'2', '1'});
  run_quietly();
  const auto uses = keys_in_use(queue_->kept_in());
  ASSERT_EQ(uses.size(), 2U);
  EXPECT_EQ(uses[0].waiting, 1) << "the job";
  EXPECT_EQ(uses[1].id, "k2");
  EXPECT_EQ(uses[1].waiting, 2) << "two steps";
  use({'1'});
  clock_.advance(1s);
  run_quietly();
  auto job = show(id);
  EXPECT_EQ(job.state, job_state::scheduled);
  EXPECT_EQ(job.attempts, 1) << "it does not count";
  EXPECT_EQ(job.past.back().outcome, attempt_outcome::refused);
  EXPECT_EQ(job.past.back().error.value().code, errc::not_found);
  use({'2', '1'});
  clock_.advance(1min);
  run_quietly();
  EXPECT_EQ(show(id).state, job_state::done);
  EXPECT_EQ(shop_.lines, (std::vector<std::string>{"charge 7", "pack", "ship", "ship"}));
}

TEST_F(jobs_checkpoints, are_not_kept_by_who_lost_the_job) {
  const closure loses{named_closure<"test.loses">([](shop& at, queue& from, control& job) {
    if (!at.lines.empty()) return;
    at.lines.emplace_back("run");
    store_contract_support::lose_worker(from.kept_in(), *from.show(job.id())->owner, from.clock().now(), 100);
    job.checkpoint("charge", [&] { at.lines.emplace_back("charge"); });
    at.lines.emplace_back("not reached");
  })};
  queue_->push(loses);
  testing::internal::CaptureStderr();
  EXPECT_EQ(run_due(), 2U);
  (void)testing::internal::GetCapturedStderr();
  EXPECT_EQ(shop_.lines, (std::vector<std::string>{"run", "charge"}));
}

TEST_F(jobs_checkpoints, that_are_too_large_or_without_a_name_are_refused) {
  const closure refused{named_closure<"test.refused_steps">([](shop& at, control& job) {
    const auto code_of = [&](std::string_view name, std::size_t bytes) {
      try {
        job.checkpoint(name, [&] { return std::string(bytes, 'x'); });
        return errc::unknown;
      } catch (const error& why) {
        return why.code();
      }
    };
    for (const errc code : {code_of("large", 300'000), code_of("", 1), code_of(std::string(129, 'n'), 1)})
      at.lines.emplace_back(to_string(code));
  })};
  queue_->push(refused);
  EXPECT_EQ(run_due(), 1U);
  EXPECT_EQ(shop_.lines, (std::vector<std::string>{"too_large", "invalid_argument", "invalid_argument"}));
}

TEST_F(jobs_checkpoints, run_in_line_without_being_kept) {
  EXPECT_EQ(queue_->run_or_push(order(3), app_).result, "receipt 3");
  EXPECT_EQ(shop_.lines, (std::vector<std::string>{"charge 3", "pack", "ship"}));
}

}  // namespace
}  // namespace weft::jobs
