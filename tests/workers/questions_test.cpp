#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include <weft/closure/closure.hpp>
#include <weft/context/cancellation.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/workers/runner.hpp>

#include "workers/on_fiber.hpp"
#include "workers/test_program.hpp"

// What a called function asks whoever called it.

namespace {

using namespace std::chrono_literals;
using weft::errc;
using weft::workers::client;

class answers_all final : public weft::run_link {
 public:
  std::string about(std::string_view /*object*/) override { return {}; }
  std::string ask(std::string_view /*object*/, std::string_view message) override {
    return "answer to " + std::string(message);
  }
};

// Gives up each question at once, while it lets nothing be read.
std::string give_up(weft::run_link& asker, int questions) {
  for (int i = 0; i < questions; ++i) {
    weft::cancel_scope over;
    over.cancel();
    try {
      asker.ask("object", "given up");
      return "was answered";
    } catch (const weft::cancelled&) {
    }
  }
  return "";
}

TEST(questions, that_are_given_up_are_bounded_and_cost_no_worker) {
  client pool({.min_workers = 1, .max_workers = 1, .dont_refork_after_error = true});
  weft_test::on_fiber([&] {
    const auto pid = pool.call<std::int64_t>("pid");
    const weft::closure asks{[](weft::run_link& asker) -> std::string {
      if (const auto wrong = give_up(asker, 16); !wrong.empty()) return wrong;
      for (int i = 0; i < 100; ++i) {
        try {
          asker.ask("object", "one too many");
          return "was sent";
        } catch (const weft::error& refused) {
          if (refused.code() != errc::resource_exhausted) return refused.message();
        }
      }
      while (true) {
        try {
          return asker.ask("object", "the last one");
        } catch (const weft::error& refused) {
          if (refused.code() != errc::resource_exhausted) return refused.message();
          weft::sleep_for(1ms);  // the client answers meanwhile
        }
      }
    }};
    weft::workers::worker_runner runner(pool);
    answers_all answers;
    auto request = weft::request_of(asks, weft::wire_policy::worker);
    request.link = &answers;
    const auto outcome = runner.run(request);
    ASSERT_TRUE(outcome.result) << outcome.error->message;
    EXPECT_EQ(*outcome.result, R"("answer to the last one")");
    EXPECT_EQ(pool.call<std::int64_t>("pid"), pid);
    EXPECT_EQ(pool.statistics().deaths, 0U);
  });
}

}  // namespace

int main(int argc, char** argv) { return weft_test::run_tests(argc, argv); }
