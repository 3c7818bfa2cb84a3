#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include <weft/closure/closure.hpp>
#include <weft/fiber/run.hpp>
#include <weft/log/collector.hpp>
#include <weft/log/log.hpp>
#include <weft/workers/runner.hpp>

#include "workers/test_program.hpp"

// What is too long for a frame costs no worker.

namespace {

using weft::errc;
using weft::workers::client;

constexpr std::size_t much = std::size_t{10} << 20U;

// The pool has one worker, which must still be the first one at the end.
class oversize : public testing::Test {
 protected:
  template <typename Body>
  void in_one_worker(Body body) {
    EXPECT_EQ(weft::run([&] {
                const auto pid = pool.call<std::int64_t>("pid");
                body();
                EXPECT_EQ(pool.call<std::int64_t>("pid"), pid);
                EXPECT_EQ(pool.statistics().deaths, 0U);
              }),
              0);
  }

  client pool{{.min_workers = 1, .max_workers = 1, .dont_refork_after_error = true}};
};

TEST_F(oversize, the_text_of_an_error_is_cut) {
  in_one_worker([&] {
    try {
      pool.call(
          weft::closure{[](std::size_t bytes) { throw std::runtime_error(std::string(bytes, 'x')); }, much});
      ADD_FAILURE() << "no error";
    } catch (const std::exception& failed) {
      const std::string text = failed.what();
      EXPECT_EQ(text.compare(0, 3, "xxx"), 0);
      EXPECT_TRUE(text.ends_with("... (10485760 bytes in all)"));
    }
  });
}

TEST_F(oversize, what_is_logged_is_cut) {
  in_one_worker([&] {
    weft::log::collector collected;
    pool.call(weft::closure{[](std::size_t bytes) {
                              const std::string text(bytes, 'x');
                              weft::log::data({{"value", text}, {"list", weft::log::json_text{text}}});
                              weft::log::info("said", {{"list", weft::log::json_text{text}}});
                              const weft::log::timer timed(text);
                            },
                            much});
    const auto all = collected.take_all();
    ASSERT_EQ(all.data.size(), 2U);
    EXPECT_TRUE(std::get<std::string>(all.data[0].value).ends_with("... (10485760 bytes in all)"));
    EXPECT_EQ(all.records.size() + all.dropped, 1U);
    EXPECT_EQ(all.timers.size(), 2U);
  });
}

TEST_F(oversize, arguments_and_names_are_refused_before_anything_is_sent) {
  in_one_worker([&] {
    for (const auto& [name, argument] :
         {std::pair(std::string("echo"), std::string(2 * much, 'x')), {std::string(3 * much, 'n'), "x"}}) {
      try {
        pool.call<std::string>(name, argument);
        ADD_FAILURE() << "no error";
      } catch (const weft::error& failed) {
        EXPECT_EQ(failed.code(), errc::too_large) << failed.what();
        EXPECT_LT(failed.message().size(), 1000U);
      }
    }
  });
}

TEST_F(oversize, the_text_of_progress_is_cut) {
  in_one_worker([&] {
    std::string told;
    auto held = pool.checkout({.on_progress = [&](const weft::workers::progress& now) { told = now.text; }});
    held.call(weft::closure{[](weft::workers::caller& client, std::size_t bytes) {
                              client.say_progress(1, std::string(bytes, 'x'));
                            },
                            3 * much});
    EXPECT_TRUE(told.ends_with("... (31457280 bytes in all)"));
  });
}

// Answers whatever it is asked with so many bytes, or fails with them.
class long_winded final : public weft::run_link {
 public:
  explicit long_winded(bool fails) : fails_(fails) {}
  std::string about(std::string_view /*object*/) override { return {}; }
  std::string ask(std::string_view /*object*/, std::string_view /*message*/) override {
    if (fails_) throw std::runtime_error(std::string(3 * much, 'x'));
    return std::string(3 * much, 'x');
  }

 private:
  bool fails_;
};

TEST_F(oversize, questions_and_their_answers_are_errors_of_who_asks) {
  in_one_worker([&] {
    weft::workers::worker_runner runner(pool);
    const auto error_of = [&](weft::run_link& asked, std::size_t bytes) {
      const weft::closure asks{[](weft::run_link& asker, std::size_t count) {
                                 return asker.ask("object", std::string(count, 'q')).size();
                               },
                               bytes};
      auto request = weft::request_of(asks, weft::wire_policy::worker);
      request.link = &asked;
      const auto outcome = runner.run(request);
      return outcome.error ? outcome.error->message : "no error";
    };
    long_winded answers(false);
    long_winded fails(true);
    EXPECT_NE(error_of(answers, 3 * much).find("31457280 bytes are more than its"), std::string::npos);
    EXPECT_NE(error_of(answers, 1).find("31457280 bytes are more than the worker's"), std::string::npos);
    EXPECT_TRUE(error_of(fails, 1).ends_with("... (31457280 bytes in all)"));
  });
}

}  // namespace

int main(int argc, char** argv) { return weft_test::run_tests(argc, argv); }
