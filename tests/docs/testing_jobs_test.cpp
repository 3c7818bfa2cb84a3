// What docs/testing-jobs.md shows.
#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/simulate.hpp>
#include <weft/jobs/cron.hpp>
#include <weft/testing/fake_run.hpp>
#include <weft/testing/test_kit.hpp>

namespace {

using namespace std::chrono_literals;
namespace jobs = weft::jobs;
using weft::closure;
using weft::named_closure;

struct mailer {
  int refusals = 0;
  std::vector<std::string> sent = {};
  void send(const std::string& to) {
    if (refusals-- > 0) throw std::runtime_error("try later");
    sent.push_back(to);
  }
};

closure<> welcome(std::string to) {
  return {named_closure<"shop.welcome">([](mailer& with, std::string who) { with.send(who); }),
          std::move(to)};
}

void sign_up(jobs::queue& later, const std::string& who) {
  later.push(welcome(who));
  later.push(welcome(who), {.delay = 24h, .tags = {"reminder"}});
}

TEST(docs_testing_jobs, kit) {
  // example: testing_kit
  mailer mails{.refusals = 2};
  weft::services app;
  app.provide(mails);
  jobs::test_kit kit(app);

  sign_up(kit.queue(), "ada@example.org");
  kit.assert_pushed("shop.welcome", 2);
  EXPECT_EQ(kit.assert_pushed(welcome("ada@example.org")).tags, std::vector<std::string>{"reminder"});

  EXPECT_EQ(kit.drain().retried(), 1U);  // refused once; the next attempt is due in a second
  kit.advance(1min);
  EXPECT_EQ(mails.sent.size(), 1U);
  kit.advance(24h).require_success();
  EXPECT_EQ(mails.sent.size(), 2U);
  // end of example
}

TEST(docs_testing_jobs, fake_run) {
  mailer mails{.refusals = 1};
  weft::services app;
  app.provide(mails);
  // example: testing_fake_run
  const closure remind{[](mailer& with, jobs::control& job, std::string who) {
                         try {
                           job.checkpoint("mail", [&] { with.send(who); });
                         } catch (const std::runtime_error&) {
                           job.delay(std::chrono::minutes(job.attempt()));
                         }
                       },
                       "ada@example.org"};
  jobs::fake_run run{.attempt = 3};
  run(remind, app);
  EXPECT_EQ(run.asked_again->wait, 3min);
  run(remind, app);
  EXPECT_TRUE(run.steps.contains("mail"));
  // end of example
  EXPECT_FALSE(run.asked_again);
}

TEST(docs_testing_jobs, seeds) {
  // example: testing_seeds
  const auto program = [] {
    mailer mails;
    weft::services app;
    app.provide(mails);
    jobs::test_kit kit(app, {.concurrency = 4});
    auto ada = weft::go([&] { sign_up(kit.queue(), "ada@example.org"); });
    auto alan = weft::go([&] { sign_up(kit.queue(), "alan@example.org"); });
    kit.advance(24h).require_success();
    ada.join();
    alan.join();
    kit.advance(24h).require_success();
    weft::simulation::require(mails.sent.size() == 4, "each mail is sent");
  };
  weft::simulate_many(program, {.count = 100, .each = {.run = {.stack_bytes = 256 * 1024}}});
  // end of example
}

}  // namespace
