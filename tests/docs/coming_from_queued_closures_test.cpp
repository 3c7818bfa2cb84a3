// What docs/coming-from-queued-closures.md shows.
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/jobs/worker.hpp>

namespace {

using namespace std::chrono_literals;
namespace jobs = weft::jobs;
using weft::closure;
using weft::named_closure;
using texts = std::vector<std::string>;

/// What all services of these tests write into.
texts written;

struct mailer {
  void welcome(int user, const std::string& sender) {
    written.push_back("mail to " + std::to_string(user) + " from " + sender);
  }
};
struct logger {
  std::string channel;
  void info(const std::string& text) const { written.push_back(channel + ": " + text); }
};
struct airline {
  int failures = 0;
  std::string book(int seat) {
    if (failures-- > 0) throw std::runtime_error("the airline does not answer");
    return "seat " + std::to_string(seat);
  }
};

class set_clock final : public jobs::clock {
 public:
  jobs::moment now() const override { return at_; }
  void advance(std::chrono::microseconds by) { at_ += by; }

 private:
  jobs::moment at_{std::chrono::seconds(1'700'000'000)};
};

class docs_queued_closures : public testing::Test {
 protected:
  docs_queued_closures() {
    written.clear();
    app.provide(flights);
  }
  std::size_t work() {
    std::size_t attempts = 0;
    testing::internal::CaptureStderr();
    weft::run([&] { attempts = jobs::worker(queue, app, {.concurrency = 1}).run_due(); },
              {.stack_bytes = 256 * 1024});
    (void)testing::internal::GetCapturedStderr();
    return attempts;
  }

  set_clock clock;
  jobs::queue queue{
      "memory:",
      {.keys = std::make_shared<weft::wire::key_ring>(weft::wire::key::generate("k1")), .clock = &clock}};
  weft::services app;
  airline flights;
};

TEST_F(docs_queued_closures, push) {
  // example: php_services
  app.add<mailer>([] { return mailer(); });
  app.add<logger>("payment", [] { return logger{"payment"}; });
  app.set("mail.sender", "shop@example.org");
  // end of example
  const int user_id = 42;
  // example: php_push
  queue.push(
      closure{named_closure<"mail.welcome">([](mailer& mail, weft::named<logger, "payment"> log,
                                               weft::param<std::string, "mail.sender"> sender, int user) {
                mail.welcome(user, *sender);
                log->info("sent");
              }),
              user_id});
  // end of example
  EXPECT_EQ(work(), 1U);
  EXPECT_EQ(written, (texts{"mail to 42 from shop@example.org", "payment: sent"}));
}

// example: php_choice
closure<> task_for(bool is_guest, int seat) {
  if (is_guest) return closure{[](airline& at) { written.push_back(at.book(1)); }};
  return closure{[](airline& at, int wanted) { written.push_back(at.book(wanted)); }, seat};
}
// end of example

TEST_F(docs_queued_closures, choice) {
  queue.push(task_for(true, 7));
  queue.push(task_for(false, 7));
  EXPECT_EQ(work(), 2U);
  EXPECT_EQ(written, (texts{"seat 1", "seat 7"}));
}

TEST_F(docs_queued_closures, delay) {
  flights.failures = 3;
  // example: php_delay
  queue.push(closure{named_closure<"seats.patient">([](airline& at, jobs::control& job, int seat) {
                       try {
                         written.push_back(at.book(seat));
                       } catch (const std::runtime_error&) {
                         job.delay(5min);
                       }
                     }),
                     12});
  // end of example
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(work(), 1U);
    EXPECT_TRUE(written.empty());
    clock.advance(5min);
  }
  EXPECT_EQ(work(), 1U);
  EXPECT_EQ(written, texts{"seat 12"});
}

// example: php_backoff_closure
closure<> booking(int seat) {
  return closure{named_closure<"seats.book">([](airline& at, jobs::control& job, int wanted) {
                   try {
                     written.push_back(at.book(wanted));
                   } catch (const std::runtime_error&) {
                     job.backoff(5);  // chains the error that is being handled
                   }
                 }),
                 seat};
}
// end of example

TEST_F(docs_queued_closures, backoff) {
  flights.failures = 7;
  // example: php_backoff
  const auto id = queue.push(booking(12));
  // end of example
  EXPECT_EQ(work(), 1U);
  for (const auto wait : {1s, 2s, 4s, 8s, 16s, 32s}) {
    clock.advance(wait - 1us);
    EXPECT_EQ(work(), 0U) << wait.count();
    clock.advance(1us);
    EXPECT_EQ(work(), 1U) << wait.count();
  }
  const auto job = queue.show(id);
  EXPECT_EQ(job->state, jobs::job_state::dead);
  EXPECT_EQ(job->past.back().error->causes.at(0).message, "the airline does not answer");
}

TEST_F(docs_queued_closures, in_line) {
  // example: php_in_line
  const auto ended = queue.run_or_push(booking(12), app);
  const bool goes_on_in_a_worker = ended.pushed.has_value();
  // end of example
  EXPECT_FALSE(goes_on_in_a_worker);
  EXPECT_EQ(written, texts{"seat 12"});
  flights.failures = 2;
  EXPECT_TRUE(queue.run_or_push(booking(13), app).pushed);
  clock.advance(1s);
  EXPECT_EQ(work(), 1U);
  EXPECT_EQ(written.size(), 1U);
  clock.advance(2s);
  EXPECT_EQ(work(), 1U);
  EXPECT_EQ(written.back(), "seat 13");
}

TEST_F(docs_queued_closures, uncaught) {
  flights.failures = 1;
  // example: php_uncaught
  const closure strict{
      named_closure<"seats.strict">([](airline& at, int seat) { written.push_back(at.book(seat)); }), 12};
  const auto id = queue.push(strict, {.max_attempts = 1});
  // end of example
  EXPECT_EQ(work(), 1U);
  EXPECT_EQ(queue.show(id)->state, jobs::job_state::dead);
  EXPECT_EQ(queue.show(id)->past.at(0).log.records.at(0).level, weft::log::level::critical);
  // example: php_retry
  queue.retry(id);
  // end of example
  EXPECT_EQ(work(), 1U);
  EXPECT_EQ(written, texts{"seat 12"});
}

TEST_F(docs_queued_closures, beyond) {
  weft::run(
      [&] {
        jobs::worker one(queue, app);
        auto working = weft::go([&] { one.run(); });
        // example: php_beyond
        const closure seat{named_closure<"seats.pay">([](airline& at, jobs::control& job, int wanted) {
                             const auto booked = job.checkpoint("book", [&] { return at.book(wanted); });
                             return booked + ", paid";  // tried again, it does not book a second time
                           }),
                           12};
        const std::string paid =
            queue.push_and_wait(seat, {.unique = jobs::unique_options{.key = "seat 12"}});

        queue.schedule("seats.nightly", jobs::cron("30 2 * * *", jobs::time_zone("Europe/Berlin")),
                       booking(1));
        queue.push_batch(std::vector{booking(2), booking(3)},
                         closure{named_closure<"seats.all">([] { written.emplace_back("all have ended"); })});
        // end of example
        EXPECT_EQ(paid, "seat 12, paid");
        one.stop();
        working.join();
      },
      {.stack_bytes = 256 * 1024});
  work();
  EXPECT_EQ(written.back(), "all have ended");
}

// example: php_worker
int work_until_stopped(jobs::queue& on, weft::services& app) {
  jobs::worker worker(on, app, {.concurrency = 20});
  weft::run([&] { worker.run(); });
  return 0;
}
// end of example

TEST_F(docs_queued_closures, worker) { EXPECT_NE(&work_until_stopped, nullptr); }

}  // namespace
