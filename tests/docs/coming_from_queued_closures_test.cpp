// What docs/coming-from-queued-closures.md shows.
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <weft/closure/registry.hpp>
#include <weft/codec/secret.hpp>
#include <weft/context/context.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/jobs/job_list.hpp>
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
  std::size_t work(jobs::worker_options options = {}) {
    std::size_t attempts = 0;
    options.concurrency = 1;
    testing::internal::CaptureStderr();
    weft::run([&] { attempts = jobs::worker(queue, app, options).run_due(); }, {.stack_bytes = 256 * 1024});
    (void)testing::internal::GetCapturedStderr();
    return attempts;
  }

  set_clock clock;
  const std::shared_ptr<weft::wire::key_ring> keys =
      std::make_shared<weft::wire::key_ring>(weft::wire::key::generate("k1"));
  jobs::queue queue{"memory:", {.keys = keys, .clock = &clock}};
  weft::services app;
  airline flights;
};

TEST_F(docs_queued_closures, identity) {
  // example: php_identity
  const closure welcome{
      named_closure<"mail.greet">([](mailer& mail, int user) { mail.welcome(user, "the shop"); }), 42};
  const std::string stored = welcome.identity().text();  // mail.greet(i32)
  const std::string values = welcome.arguments();        // [42]
  // end of example
  EXPECT_EQ(stored, "mail.greet(i32)");
  EXPECT_EQ(values, "[42]");
}

TEST_F(docs_queued_closures, one_line) {
  // example: php_one_line
  // clang-format off
  const closure small{named_closure<"of.small">([] { return 1; })}; const closure large{named_closure<"of.large">([] { return 2; })};
  // clang-format on
  // end of example
  const auto first = queue.push(small), second = queue.push(large);
  EXPECT_EQ(work(), 2U);
  EXPECT_EQ(queue.result<int>(first), 1);
  EXPECT_EQ(queue.result<int>(second), 2);
}

TEST_F(docs_queued_closures, use) {
  const int seat = 7;
  // example: php_use
  queue.push(closure{named_closure<"seats.use">([](airline& at, int wanted) { at.book(wanted); }), seat});
  // closure{[seat](airline& at) { at.book(seat); }} does not compile
  // end of example
  EXPECT_EQ(work(), 1U);
}

TEST_F(docs_queued_closures, keys) {
  // example: php_keys
  const auto ring = std::make_shared<weft::wire::key_ring>(weft::wire::key::generate("2026-11"));
  jobs::queue signed_queue("memory:", {.keys = ring});
  // end of example
  EXPECT_THROW(jobs::queue("memory:", {}), weft::error);
}

TEST_F(docs_queued_closures, deploy) {
  // example: php_deploy
  const auto found = weft::closure_registry::find("mail.renamed(i32)");
  const std::string why = found ? "it can run here" : found.refusal().message;
  // end of example
  EXPECT_NE(why.find("no closure named \"mail.renamed\""), std::string::npos) << why;
}

TEST_F(docs_queued_closures, push) {
  // example: php_services
  app.add<mailer>([] { return mailer(); });
  app.add<logger>("payment", [] { return logger{"payment"}; });
  app.set("mail.sender", "shop@example.org");
  const weft::services run(app, weft::service_scope::per_task);
  const std::vector<std::string> problems = weft::closure_registry::missing(run);
  // end of example
  EXPECT_FALSE(problems.empty()) << "mail.asks wants a visitor";
  // example: php_named
  queue.push(
      closure{named_closure<"mail.note">([](weft::named<logger, "payment"> log) { log->info("sent"); })});
  // end of example
  EXPECT_EQ(work(), 1U);
  EXPECT_EQ(written, texts{"payment: sent"});
  written.clear();
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
                         job.delay(5min, {.age_max = 24h});
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

closure<> note(std::string text) {
  return closure{named_closure<"seats.note">([](std::string line) { written.push_back(std::move(line)); }),
                 std::move(text)};
}

TEST_F(docs_queued_closures, control) {
  flights.failures = 1;
  // example: php_control
  queue.push(closure{named_closure<"seats.told">([](airline& at, jobs::control& job, int seat) {
                       if (const auto before = job.last_error())
                         written.push_back("again: " + before->message);
                       const std::string booked = at.book(seat);
                       job.push_when_done(note(booked));  // stored with the end of this job, or not at all
                     }),
                     12});
  // end of example
  EXPECT_EQ(work(), 1U);
  clock.advance(1s);
  EXPECT_EQ(work(), 2U);
  EXPECT_EQ(written, (texts{"again: the airline does not answer", "seat 12"}));
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

TEST_F(docs_queued_closures, forever_and_drop) {
  // example: php_forever
  const jobs::worker_options for_ever{.retry = jobs::retry_policy::forever(5min, 1h)};
  // end of example
  // example: php_drop
  const jobs::worker_options as_before{.on_uncaught = jobs::on_uncaught::log_and_drop};
  // end of example
  flights.failures = 2;
  const closure<> strict{
      named_closure<"seats.once">([](airline& at, int seat) { written.push_back(at.book(seat)); }), 12};
  const auto id = queue.push(strict, {.max_attempts = 1});
  EXPECT_EQ(work(for_ever), 1U);
  EXPECT_EQ(queue.show(id)->run_at, clock.now() + 5min);
  clock.advance(5min);
  EXPECT_EQ(work(as_before), 1U);
  EXPECT_EQ(queue.show(id)->state, jobs::job_state::cancelled);
}

// example: php_private
class fare {
 public:
  static closure<int> task(int seat) {
    return closure{named_closure<"fare.price">([](int of) { return price(of); }), seat};
  }

 private:
  static int price(int seat) { return seat < 10 ? 200 : 100; }
};
// end of example

TEST_F(docs_queued_closures, private_members) {
  const auto id = queue.push(fare::task(3));
  EXPECT_EQ(work(), 1U);
  EXPECT_EQ(queue.result<int>(id), 200);
}

TEST_F(docs_queued_closures, secrets) {
  jobs::queue secret_queue("memory:", {.keys = keys, .secret_keys = keys});
  // example: php_secret
  secret_queue.push(closure{named_closure<"mail.login">([](weft::secret<std::string> token) {
                              written.push_back(std::to_string(token.reveal().size()) + " letters");
                            }),
                            weft::secret<std::string>("plugh")});
  // end of example
  weft::run([&] { EXPECT_EQ(jobs::worker(secret_queue, app).run_due(), 1U); }, {.stack_bytes = 256 * 1024});
  EXPECT_EQ(written, texts{"5 letters"});
}

// example: php_request
struct visitor {
  static constexpr auto weft_scope = weft::service_scope::per_request;
  std::string name;
};
constexpr weft::key_spec locale_spec{.name = "shop.locale", .wire = weft::wire_policy::job};
const weft::key<std::string> locale{locale_spec};

void push_greeting(jobs::queue& queue) {
  // closure{[](visitor& who) { ... }} is refused: there is no visitor in a worker
  const weft::scoped_value of_this_request(locale, "de");
  queue.push(closure{named_closure<"mail.hello">([] { written.push_back(locale.value_or("en")); })});
}
// end of example

TEST_F(docs_queued_closures, request) {
  push_greeting(queue);
  EXPECT_EQ(work(), 1U);
  EXPECT_EQ(written, texts{"de"});
  const closure asks{named_closure<"mail.asks">([](visitor& who) { written.push_back(who.name); })};
  EXPECT_THROW(queue.push(asks), weft::error);
}

int start_working() { return 1; }

// example: php_list_jobs
int main_of_the_worker(int argc, const char* const* argv) {
  if (jobs::print_job_list_if_asked(argc, argv)) return 0;
  return start_working();
}
// end of example

TEST_F(docs_queued_closures, list_jobs) {
  const char* const asked[] = {"worker", "--list-jobs"};
  testing::internal::CaptureStdout();
  EXPECT_EQ(main_of_the_worker(2, asked), 0);
  EXPECT_NE(testing::internal::GetCapturedStdout().find("fare.price(i32) -> i32"), std::string::npos);
  EXPECT_EQ(main_of_the_worker(1, asked), 1);
}

// example: php_same_name
closure<> again() {
  return closure{named_closure<"mail.once">([] { written.emplace_back("once"); })};
}
const closure<> first = again(), second = again();  // one lambda, one name
// end of example

// example: php_one_function
std::vector<closure<int>> tasks() {
  return {closure{[] { return 1; }}, closure{[] { return 2; }}};
}
// end of example

TEST_F(docs_queued_closures, names) {
  EXPECT_EQ(first.identity().text(), second.identity().text());
  const auto ids = queue.push_many(tasks());
  EXPECT_EQ(work(), 2U);
  EXPECT_EQ(queue.result<int>(ids[0]), 1);
  EXPECT_EQ(queue.result<int>(ids[1]), 2);
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
