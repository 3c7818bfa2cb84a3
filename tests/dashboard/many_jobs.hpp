#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <stdexcept>

#include "dashboard/site_fixture.hpp"
#include "support/many_jobs_sql.hpp"

namespace weft::dashboard {

/// A site over thousands of jobs in SQLite, or, with WEFT_TEST_STORE=postgres, in PostgreSQL;
/// WEFT_DASHBOARD_JOBS=1000000 makes a million.
class dashboard_many : public site_fixture {
 protected:
  dashboard_many() {
    if (const char* const wanted = std::getenv("WEFT_DASHBOARD_JOBS"))
      jobs_ = std::strtoll(wanted, nullptr, 10);
  }

  /// One job of each kind by the queue, and many like them by the side.
  void fill() {
    store_ = jobs::open_store(many_->url());
    jobs::queue queue(store_, {.name = "mail", .keys = keys_});
    queue.push(closure{named_closure<"many.done">([](int) {}), 1});
    queue.push(closure{named_closure<"many.dead">([](int) { throw std::runtime_error("no such host"); }), 1},
               {.max_attempts = 1});
    services app;
    run_options roomy;
    roomy.stack_bytes = 256 * 1024;
    run([&] { jobs::worker(queue, app, {.pass_on_logs = false}).run_due(); }, roomy);
    queue.push(closure{named_closure<"many.ready">([](int) {}), 1});
    many_->run(weft_test::many_jobs_sql(jobs::test_database::is_postgres(), jobs_));
  }

  /// Somebody wants to see how long all takes.
  static bool is_asked_for() { return std::getenv("WEFT_DASHBOARD_JOBS") != nullptr; }

  std::int64_t jobs_ = 8'000;
  const std::unique_ptr<jobs::test_database> many_ = jobs::test_database::make();
};

}  // namespace weft::dashboard
