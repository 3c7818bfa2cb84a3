#include <algorithm>
#include <stdexcept>

#include <weft/log/log.hpp>

#include "jobs/jobs_fixture.hpp"

// What PHP's queued closures do, here: rows of docs/coming-from-queued-closures.md.

namespace weft::jobs {
namespace {

using namespace std::chrono_literals;

struct ledger {
  std::vector<std::string> lines;
};

class queued_closures : public jobs_fixture {
 protected:
  queued_closures() {
    app_.add<ledger>([] { return ledger{}; });
    app_.add<ledger>("payment", [] { return ledger{}; });
    app_.set("api.key", "s3");
  }
  ledger& plain() { return app_.get<ledger>(); }
  ledger& payment() { return app_.get<ledger>("payment"); }

  static std::ptrdiff_t critical_records(const attempt_info& of) {
    return std::ranges::count_if(of.log.records,
                                 [](const log::record& one) { return one.level == log::level::critical; });
  }
};

TEST_F(queued_closures, have_named_services_and_parameters_of_the_worker) {
  queue_->push(closure{named_closure<"php.services">([](ledger& all, named<ledger, "payment"> paid,
                                                        param<std::string, "api.key"> key, int amount) {
                         all.lines.push_back("paid");
                         paid->lines.push_back(std::to_string(amount) + *key);
                       }),
                       7});
  EXPECT_EQ(run_due(), 1U);
  EXPECT_EQ(plain().lines, std::vector<std::string>{"paid"});
  EXPECT_EQ(payment().lines, std::vector<std::string>{"7s3"});
}

TEST_F(queued_closures, may_be_chosen_and_kept_in_a_variable) {
  const auto choose = [](bool is_first) -> closure<> {
    if (is_first) return closure{[](ledger& into) { into.lines.push_back("first"); }};
    return closure{[](ledger& into, std::string text) { into.lines.push_back(text); }, std::string("second")};
  };
  std::vector<closure<>> all{choose(false), choose(true)};
  queue_->push_many(all);
  EXPECT_EQ(run_due({.concurrency = 1}), 2U);
  EXPECT_EQ(plain().lines, (std::vector<std::string>{"second", "first"}));
}

class account {
 public:
  static closure<> opening(std::string owner) {
    return closure{[](ledger& into, std::string name) {
                     account made;
                     made.owner_ = std::move(name);  // private
                     into.lines.push_back(made.owner_);
                   },
                   std::move(owner)};
  }

 private:
  std::string owner_;
};

TEST_F(queued_closures, of_a_class_see_its_private_members) {
  queue_->push(account::opening("ann"));
  EXPECT_EQ(run_due(), 1U);
  EXPECT_EQ(plain().lines, std::vector<std::string>{"ann"});
}

TEST_F(queued_closures, may_try_for_ever_without_spending_an_attempt) {
  const closure patient{named_closure<"php.patient">([](ledger& into, control& job) {
    into.lines.emplace_back("try");
    try {
      if (into.lines.size() <= 50) throw std::runtime_error("the other side is away");
    } catch (const std::runtime_error&) {
      job.delay(5min);
    }
  })};
  push_options options;
  options.max_attempts = 1;
  const job_id id = queue_->push(patient, options);
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(run_due(), 1U);
    EXPECT_EQ(run_due(), 0U) << "not before its time";
    clock_.advance(5min);
  }
  EXPECT_EQ(show(id).attempts, 0);
  EXPECT_EQ(run_due(), 1U);
  EXPECT_EQ(show(id).state, job_state::done);
}

TEST_F(queued_closures, keep_an_uncaught_error_as_one_critical_record_and_are_not_lost) {
  const closure fails{named_closure<"php.fails">([](std::string why) { throw std::runtime_error(why); }),
                      std::string("no")};
  const closure waits{named_closure<"php.waits">([](control& job) { job.delay(1h); })};
  push_options once;
  once.max_attempts = 1;
  const job_id failed = queue_->push(fails, once);
  const job_id waiting = queue_->push(waits, once);
  testing::internal::CaptureStderr();
  EXPECT_EQ(run_due(), 2U);
  (void)testing::internal::GetCapturedStderr();
  EXPECT_EQ(show(failed).state, job_state::dead) << "kept, for a person to decide";
  EXPECT_EQ(critical_records(show(failed).past.at(0)), 1);
  EXPECT_EQ(show(failed).past[0].error->message, "no");
  EXPECT_EQ(critical_records(show(waiting).past.at(0)), 0);
}

}  // namespace
}  // namespace weft::jobs
