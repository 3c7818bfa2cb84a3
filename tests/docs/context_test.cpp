// The code of docs/context.md.

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include <weft/context/context.hpp>
#include <weft/context/envelope.hpp>
#include <weft/context/frame.hpp>
#include <weft/context/properties.hpp>
#include <weft/fiber/channel.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/log/context_fields.hpp>

namespace {

constexpr weft::key_spec user_spec{.name = "app.user_id", .log = true};
const weft::key<std::int64_t> user{user_spec};
constexpr weft::key_spec tenant_spec{.name = "app.tenant"};
const weft::key<std::string> tenant{tenant_spec};

std::string mirrored;
constexpr weft::key_spec shown_spec{.name = "app.shown"};
void mirror(const std::string*, const std::string* now, weft::context_change) noexcept {
  mirrored = now == nullptr ? "" : *now;
}
const weft::key<std::string> shown{shown_spec, &mirror};

TEST(docs_context, follows_the_work) {
  weft::run([] {
    // example: context_first
    // At namespace scope, once:
    //   constexpr weft::key_spec user_spec{.name = "app.user_id", .log = true};
    //   const weft::key<std::int64_t> user{user_spec};
    const weft::scoped_value bound(user, 42);
    auto greeting = weft::go([] { return "user " + std::to_string(user.require()); });
    EXPECT_EQ(greeting.join(), "user 42");
    // end of example
  });
}

TEST(docs_context, is_bound_by_scopes) {
  // example: context_scopes
  const weft::scoped_value outer(user, 1);
  weft::with(user, 2, [] { EXPECT_EQ(user.require(), 2); });
  {
    const weft::scoped_absent nobody(user);
    EXPECT_EQ(user.find(), nullptr);
  }
  EXPECT_EQ(user.require(), 1);
  // end of example
}

TEST(docs_context, is_assigned_by_middleware) {
  // example: context_assign
  const auto authenticate = [] { weft::assign(user, 7); };
  weft::context::capture().run([&] {
    authenticate();
    EXPECT_EQ(user.require(), 7);
  });
  EXPECT_EQ(user.find(), nullptr);
  // end of example
}

TEST(docs_context, is_a_value) {
  // example: context_values
  const weft::context base = weft::context::capture().with(user, 1).with(tenant, "acme");
  const weft::context other = base.with(user, 2).without(tenant);
  EXPECT_EQ(*base.find(user), 1);
  other.run([] { EXPECT_EQ(user.require(), 2); });
  auto later = weft::bind([] { return user.value_or(0); });  // carries the context of here
  // end of example
  EXPECT_EQ(later(), 0);
}

TEST(docs_context, of_a_callback_is_that_of_who_subscribed) {
  // example: context_cause
  std::vector<std::function<void()>> subscribers;
  weft::with(user, 1, [&] {
    subscribers.push_back(weft::bind([] {
      EXPECT_EQ(user.require(), 1);             // of who subscribed
      EXPECT_EQ(*weft::cause().find(user), 2);  // of who says that it happened
    }));
  });
  weft::with(user, 2, [&] {
    for (const auto& told : subscribers) told();
  });
  EXPECT_EQ(weft::cause().find(user), nullptr);
  // end of example
}

TEST(docs_context, goes_along_with_a_message_on_request) {
  weft::run([] {
    // example: context_envelope
    weft::channel<weft::envelope<std::string>> orders(16);
    weft::with(user, 1, [&] { orders.push(weft::envelope<std::string>("tea")); });

    auto sent = orders.pop();
    EXPECT_EQ(*sent->context().find(user), 1);
    sent->run([](const std::string& what) {  // as the sender: values, deadline, cancellation
      EXPECT_EQ(what + " for " + std::to_string(user.require()), "tea for 1");
    });
    // end of example
  });
}

TEST(docs_context, may_be_left_behind) {
  weft::run([] {
    // example: context_suppress
    const weft::scoped_value bound(user, 1);
    const weft::suppress_flow quiet;  // nothing but sticky keys, as the trace, goes along from here
    auto refresher = weft::go([] { return user.find() == nullptr; });
    EXPECT_TRUE(refresher.join());
    EXPECT_EQ(user.require(), 1);  // reading stays as it was
    // end of example
  });
}

TEST(docs_context, has_names_known_only_at_run_time) {
  weft::run([] {
    // example: context_properties
    const weft::scoped_value frame(user, 1);
    weft::properties().set("feature.dark_mode", true);
    auto seen = weft::go([] {
      const bool dark = *weft::properties().get<bool>("feature.dark_mode");
      weft::properties().set("feature.dark_mode", false);  // its own from here on
      return dark;
    });
    EXPECT_TRUE(seen.join());
    EXPECT_TRUE(*weft::properties().get<bool>("feature.dark_mode"));
    // end of example
  });
}

TEST(docs_context, is_observed) {
  weft::run([] {
    // example: context_observer
    // void mirror(const std::string*, const std::string* now, weft::context_change) noexcept {
    //   mirrored = now == nullptr ? "" : *now;
    // }
    // const weft::key<std::string> shown{shown_spec, &mirror};
    {
      const weft::scoped_value bound(shown, "a");
      EXPECT_EQ(mirrored, "a");
      weft::go([] { EXPECT_EQ(mirrored, "a"); }).join();
    }
    EXPECT_EQ(mirrored, "");
    // end of example
  });
}

TEST(docs_context, is_shown_in_other_logs) {
  // example: context_in_other_logs
  const weft::scoped_value bound(user, 42);
  std::string line = "something happened | ";
  weft::log::format_context(weft::log::context_fields(), line);
  EXPECT_EQ(line, "something happened | app.user_id=42");
  // end of example
}

TEST(docs_context, has_frames_for_callback_code) {
  // example: context_frame
  std::string problem;
  std::function<void()> on_answer;
  weft::frame_try(
      [&] { on_answer = weft::frame([] { throw std::runtime_error("bad answer"); }, {.name = "answer"}); },
      [&](const weft::frame_error& failed) { problem = failed.trace; }, {.name = "request"});
  on_answer();  // later, from an event loop
  // bad answer
  // ----- frames -----
  // FILE:LINE - answer
  // FILE:LINE - request
  // end of example
  EXPECT_EQ(problem.find("bad answer\n----- frames -----\n"), 0U);
  EXPECT_LT(problem.find(" - answer\n"), problem.find(" - request\n"));
}

}  // namespace
