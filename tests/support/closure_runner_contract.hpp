#pragma once

#include <any>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <weft/closure/runner.hpp>
#include <weft/core/unwinding.hpp>
#include <weft/log/log.hpp>

// What every closure_runner must do. A runner's test includes this once, calls setup() where the
// services of its runs are added (in the worker, for one of other processes), and instantiates:
//
//     INSTANTIATE_TEST_SUITE_P(in_place, closure_runner_contract, testing::Values(maker{...}));
namespace runner_contract {

inline constexpr weft::key_spec travels_spec{
    .name = "contract.travels", .wire = weft::wire_policy::worker, .log = true};
inline const weft::key<std::string> travels{travels_spec};
inline constexpr weft::key_spec stays_spec{.name = "contract.stays"};
inline const weft::key<std::string> stays{stays_spec};

struct own_error : weft::error {
  explicit own_error(std::string message) : error(weft::errc::busy, std::move(message)) {}
};

struct greeter {
  std::string word = "hello";
};
struct run_count {
  int value = 0;
};
/// A run object: it talks to the asker.
struct note {
  weft::run_link* link;
  std::string ask(const std::string& message) const { return link->ask("note", message); }
};
struct never_added {};

inline void setup(weft::services& app) {
  weft::register_error<own_error>("contract.own_error");
  app.add<greeter>([] { return greeter{}; });
  app.add<run_count>([] { return run_count{}; }, {.scope = weft::service_scope::per_task});
  app.add<note>([](weft::run_link& link) { return note{&link}; }, {.scope = weft::service_scope::per_task});
}

struct maker {
  std::string name;
  std::function<std::unique_ptr<weft::closure_runner>()> make;
};

class closure_runner_contract : public testing::TestWithParam<maker> {
 protected:
  closure_runner_contract() : runner_(GetParam().make()) {}

  template <typename Result>
  weft::closure_outcome run(const weft::closure<Result>& what, weft::run_link* link = nullptr) {
    auto request = weft::request_of(what, weft::wire_policy::worker);
    request.link = link;
    return runner_->run(request);
  }

  std::unique_ptr<weft::closure_runner> runner_;
};

/// Answers with what a function says.
class answering_link final : public weft::run_link {
 public:
  explicit answering_link(std::function<std::string(std::string_view)> answer) : answer_(std::move(answer)) {}
  std::string about(std::string_view object) override { return "about " + std::string(object); }
  std::string ask(std::string_view object, std::string_view message) override {
    EXPECT_EQ(object, "note");
    return answer_(message);
  }

 private:
  std::function<std::string(std::string_view)> answer_;
};

TEST_P(closure_runner_contract, gives_the_result) {
  const auto outcome =
      run(weft::closure{[](greeter& with, std::string name) { return with.word + ' ' + name; }, "Ada"});
  ASSERT_TRUE(outcome.result) << (outcome.error ? outcome.error->message : outcome.refusal->message);
  EXPECT_EQ(*outcome.result, "\"hello Ada\"");
  EXPECT_FALSE(outcome.error);
  EXPECT_FALSE(outcome.refusal);
  EXPECT_EQ(run(weft::closure{[] {}}).result, "null");
}

TEST_P(closure_runner_contract, runs_with_services_of_the_run) {
  const weft::closure c{[](run_count& count) { return ++count.value; }};
  EXPECT_EQ(run(c).result, "1");
  EXPECT_EQ(run(c).result, "1");
}

TEST_P(closure_runner_contract, describes_errors_with_type_and_causes) {
  const auto outcome = run(weft::closure{[](std::string why) {
                                           try {
                                             throw std::invalid_argument(why);
                                           } catch (...) {
                                             std::throw_with_nested(own_error("not sent"));
                                           }
                                         },
                                         "no address"});
  ASSERT_TRUE(outcome.error);
  EXPECT_FALSE(outcome.result);
  EXPECT_EQ(outcome.error->code, weft::errc::busy);
  EXPECT_EQ(outcome.error->type, "contract.own_error");
  EXPECT_EQ(outcome.error->chain(), "not sent: caused by: no address");
  EXPECT_THROW(outcome.error->raise(), own_error);
}

TEST_P(closure_runner_contract, turns_an_exit_into_a_failure) {
  const auto outcome =
      run(weft::closure{[](int status) { throw weft::exit_exception(std::any(status), true, false); }, 3});
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->code, weft::errc::exited);
}

TEST_P(closure_runner_contract, carries_the_context_that_may_travel) {
  const weft::scoped_value here(travels, "far");
  const weft::scoped_value there(stays, "near");
  const auto outcome = run(weft::closure{[] { return travels.value_or("-") + ' ' + stays.value_or("-"); }});
  EXPECT_EQ(outcome.result, "\"far -\"");
}

TEST_P(closure_runner_contract, gives_back_the_log) {
  const weft::scoped_value here(travels, "request 7");
  const auto outcome = run(weft::closure{[](int n) {
                                           weft::log::info("counted", {{"n", n}});
                                           throw weft::error(weft::errc::io_error, "later");
                                         },
                                         5});
  ASSERT_EQ(outcome.log.records.size(), 1U);
  const auto& record = outcome.log.records.front();
  EXPECT_EQ(record.message, "counted");
  ASSERT_EQ(record.fields.size(), 1U);
  EXPECT_EQ(record.fields[0].name, "n");
  ASSERT_EQ(record.context.size(), 1U);
  EXPECT_EQ(record.context[0].text, "request 7");
}

TEST_P(closure_runner_contract, ends_a_run_at_its_deadline) {
  const weft::closure c{[] {
    for (;;) weft::checkpoint();
  }};
  auto request = weft::request_of(c, weft::wire_policy::worker);
  request.deadline = weft::deadline_after(std::chrono::milliseconds(50));
  const auto outcome = runner_->run(request);
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->code, weft::errc::deadline_exceeded);
}

TEST_P(closure_runner_contract, refuses_what_it_cannot_run_and_says_why) {
  using reason = weft::closure_refusal_reason;
  weft::closure_request request;
  request.identity = "of.tomorrow(i64)";
  request.arguments = "[1]";
  auto outcome = runner_->run(request);
  ASSERT_TRUE(outcome.refusal);
  EXPECT_EQ(outcome.refusal->reason, reason::unknown_name);
  EXPECT_FALSE(outcome.error);

  request.identity = weft::closure{[](int) {}, 1}.identity().text();
  request.arguments = "[\"x\"]";
  outcome = runner_->run(request);
  ASSERT_TRUE(outcome.refusal);
  EXPECT_EQ(outcome.refusal->reason, reason::arguments_unfit);

  outcome = run(weft::closure{[](never_added&) {}});
  ASSERT_TRUE(outcome.refusal);
  EXPECT_EQ(outcome.refusal->reason, reason::services_missing);
  EXPECT_NE(outcome.refusal->message.find("never_added"), std::string::npos);
}

TEST_P(closure_runner_contract, lets_run_objects_talk_to_the_asker) {
  answering_link link([](std::string_view message) { return "got " + std::string(message); });
  const auto outcome = run(weft::closure{[](note& to, weft::run_link& all) {
                             return all.about("note") + ", " + to.ask("one") + ", " + to.ask("two");
                           }},
                           &link);
  EXPECT_EQ(outcome.result, "\"about note, got one, got two\"");
}

TEST_P(closure_runner_contract, hands_errors_of_the_asker_to_the_run) {
  answering_link link([](std::string_view) -> std::string { throw own_error("not now"); });
  const auto outcome = run(weft::closure{[](note& to) {
                             try {
                               return to.ask("x");
                             } catch (const own_error& refused) {
                               return refused.message();
                             }
                           }},
                           &link);
  EXPECT_EQ(outcome.result, "\"not now\"");
}

TEST_P(closure_runner_contract, asks_the_run_to_give_up_when_the_asker_is_cancelled) {
  weft::cancel_scope scope;
  answering_link link([&scope](std::string_view) {
    scope.cancel();
    return std::string();
  });
  EXPECT_THROW(run(weft::closure{[](note& to) {
                     to.ask("started");
                     for (;;) weft::checkpoint();
                   }},
                   &link),
               weft::cancelled);
}

}  // namespace runner_contract
