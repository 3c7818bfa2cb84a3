// What docs/jobs.md shows.
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <weft/core/failure.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/jobs/job_given_up.hpp>
#include <weft/jobs/job_list.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/jobs/worker.hpp>

namespace {

namespace jobs = weft::jobs;
using weft::closure;
using weft::named_closure;
using texts = std::vector<std::string>;

struct bank {
  texts charged;
  std::string charge(int amount, jobs::job_id order) {
    charged.push_back(std::to_string(amount));
    return "receipt for " + to_string(order);
  }
};
struct press {
  texts printed;
  int trucks_missing = 0;
  int print(const std::string& page) {
    if (page.empty()) throw weft::error(weft::errc::invalid_argument, "an empty page");
    printed.push_back(page);
    return static_cast<int>(page.size());
  }
  bool is_busy() const { return trucks_missing > 0; }
  void ship() {
    if (trucks_missing-- > 0) throw std::runtime_error("no truck");
  }
};

closure<int> page(std::string text) {
  return closure{named_closure<"press.page">([](press& at, std::string what) { return at.print(what); }),
                 std::move(text)};
}

int work(const jobs::worker_options&) { return 1; }

// example: jobs_list
int shop_worker(int argc, const char* const* argv) {
  const jobs::worker_options how{.retry = {.first = std::chrono::seconds(5)}};
  if (jobs::print_job_list_if_asked(argc, argv, how)) return 0;
  return work(how);
}
// end of example

class docs_jobs : public testing::Test {
 protected:
  docs_jobs() {
    app.provide(queue);
    app.provide(shop);
    app.provide(works);
  }
  /// Runs `body` beside a worker.
  template <typename Body>
  void beside_worker(Body body) {
    testing::internal::CaptureStderr();
    weft::run(
        [&] {
          jobs::worker one(queue, app, {.retry = {.first = std::chrono::microseconds(0)}});
          auto working = weft::go([&] { one.run(); });
          body();
          one.stop();
          working.join();
        },
        {.stack_bytes = 256 * 1024});
    (void)testing::internal::GetCapturedStderr();
  }

  jobs::queue queue{"memory:",
                    {.keys = std::make_shared<weft::wire::key_ring>(weft::wire::key::generate("k1"))}};
  weft::services app;
  bank shop;
  press works;
};

TEST_F(docs_jobs, jitter) {
  works.trucks_missing = 1;
  // example: jobs_jitter
  queue.push(closure{named_closure<"press.patient">([](press& at, jobs::control& job) {
    if (at.is_busy()) job.backoff(5, {.jitter = 0.5});  // 1, 2, 4, 8, 16, 32 s, each up to half longer
  })});
  // end of example
  weft::run([&] { EXPECT_EQ(jobs::worker(queue, app, {}).run_due(), 1U); }, {.stack_bytes = 256 * 1024});
  EXPECT_EQ(queue.stats().at(0).scheduled, 1);
}

TEST_F(docs_jobs, push_when_done) {
  works.trucks_missing = 1;
  beside_worker([&] {
    // example: jobs_push_when_done
    queue.push(closure{named_closure<"press.edition">([](press& at, jobs::control& job) {
      job.push_when_done(page("the next one"), {.delay = std::chrono::hours(24)});
      at.ship();  // where it throws, nothing was pushed
    })});
    // end of example
    while (queue.stats().at(0).done == 0) weft::sleep_for(std::chrono::milliseconds(1));
  });
  EXPECT_EQ(queue.stats().at(0).scheduled, 1) << "the second attempt pushed it";
}

TEST_F(docs_jobs, list) {
  const char* const asked[] = {"shop-worker", "--list-jobs"};
  testing::internal::CaptureStdout();
  EXPECT_EQ(shop_worker(2, asked), 0);
  EXPECT_NE(testing::internal::GetCapturedStdout().find("press.page(str) -> i32"), std::string::npos);
  EXPECT_EQ(shop_worker(1, asked), 1);
}

TEST_F(docs_jobs, wait) {
  texts seen;
  beside_worker([&] {
    // example: jobs_wait
    const int letters = queue.push_and_wait(page("hello"));

    const auto empty = queue.push(page(""), {.max_attempts = 1});
    try {
      queue.wait<int>(empty, weft::deadline_after(std::chrono::seconds(30)));
    } catch (const jobs::job_given_up& ended) {  // dead, cancelled or quarantined: ended.state()
      seen.push_back(weft::failure::from(std::current_exception()).chain());
    }
    // end of example
    EXPECT_EQ(letters, 5);
  });
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_NE(seen[0].find("it is dead"), std::string::npos) << seen[0];
  EXPECT_NE(seen[0].find("an empty page"), std::string::npos) << seen[0];
}

TEST_F(docs_jobs, batch) {
  beside_worker([&] {
    // example: jobs_batch
    const auto book = queue.push_batch(
        std::vector{page("one"), page("two")},
        closure{named_closure<"press.book">([](jobs::queue& from, jobs::control& job, press& at) {
          const jobs::state_counts pages = from.batch(job.id());
          at.print(std::to_string(pages.done) + " of " + std::to_string(pages.total()));
        })});
    // end of example
    queue.wait<void>(book.id);
  });
  EXPECT_EQ(works.printed.back(), "2 of 2");
}

TEST_F(docs_jobs, steps) {
  works.trucks_missing = 2;
  beside_worker([&] {
    // example: jobs_steps
    const closure order{
        named_closure<"shop.order">([](bank& with, press& at, jobs::control& job, int amount) {
          const auto receipt = job.checkpoint("charge", [&] { return with.charge(amount, job.id()); });
          job.checkpoint("print", [&] { at.print(receipt); });
          at.ship();  // where it fails, the next attempt begins here
        }),
        70};
    // end of example
    queue.push_and_wait(order);
  });
  EXPECT_EQ(shop.charged, texts{"70"});
  EXPECT_EQ(works.printed.size(), 1U);
}

}  // namespace
