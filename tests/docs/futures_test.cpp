// The examples of docs/futures.md.

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <weft/context/context.hpp>
#include <weft/executor/futures.hpp>
#include <weft/executor/task.hpp>
#include <weft/executor/waiting.hpp>
#include <weft/fiber/channel.hpp>

namespace {

using namespace std::chrono_literals;

constexpr weft::key_spec user_spec{.name = "docs.futures_user"};
const weft::key<int> user{user_spec};

int look_up(const std::string& name) {
  static const std::map<std::string, int> prices{{"tea", 3}, {"milk", 4}};
  return prices.at(name);
}
void old_interface(const std::function<void(int)>& call_back) { call_back(42); }

TEST(docs_futures, first) {
  // example: futures_first
  weft::future<int> price = weft::async([] { return look_up("tea"); });
  weft::future<std::string> line = price.then([](int cents) { return "tea: " + std::to_string(cents); });
  EXPECT_EQ(line.get(), "tea: 3");
  // end of example
}

TEST(docs_futures, context) {
  // example: futures_context
  weft::promise<int> promise;
  auto who =
      weft::with(user, 1, [&] { return promise.get_future().then([](int) { return user.require(); }); });
  weft::with(user, 2, [&] { promise.set_value(0); });
  EXPECT_EQ(who.get(), 1);  // who attached it, not who completed it
  // end of example
}

TEST(docs_futures, chain) {
  // example: futures_chain
  auto shown = weft::async([] { return look_up("coffee"); })
                   .then([](int cents) { return weft::async([cents] { return cents * 2; }); })
                   .or_else<std::out_of_range>([](const std::out_of_range&) { return 0; })
                   .tap([](const weft::result<int>& outcome) { EXPECT_TRUE(outcome.has_value()); })
                   .ensure([] { /* once, whatever happened */ });
  EXPECT_EQ(shown.get(), 0);
  // end of example
}

TEST(docs_futures, several) {
  // example: futures_several
  auto [tea, milk] =
      weft::when_all(weft::async([] { return look_up("tea"); }), weft::async([] { return look_up("milk"); }))
          .get();
  EXPECT_EQ(tea + milk, 7);

  std::vector<weft::future<int>> shops;
  for (const char* name : {"nothing", "milk"}) shops.push_back(weft::async([name] { return look_up(name); }));
  EXPECT_EQ(weft::when_first_ok(std::move(shops)).get().value, 4);
  // end of example
}

TEST(docs_futures, time) {
  // example: futures_time
  weft::promise<int> never;
  EXPECT_EQ(never.get_future().timeout_or(1ms, -1).get(), -1);

  int calls = 0;
  auto third = weft::retry({.attempts_max = 5, .first = 1us}, [&] {
    if (++calls < 3) throw weft::error(weft::errc::unavailable, "not yet");
    return calls;
  });
  EXPECT_EQ(third.get(), 3);
  // end of example
}

TEST(docs_futures, callback) {
  // example: futures_callback
  auto answer = weft::from_callback<int>([](auto end) { old_interface([end](int value) { end(value); }); });
  EXPECT_EQ(answer.get(), 42);
  // end of example
}

std::optional<std::string> find_customer(const std::string& name) {
  return name == "ada" ? std::optional(name) : std::nullopt;
}

TEST(docs_futures, pipeline) {
  // example: futures_pipeline
  const auto order = [](const std::string& who, const std::string& what) -> std::string {
    const auto customer = find_customer(who);
    if (!customer) return "who is " + who + "?";  // early exit: the rest is not even begun
    auto price = weft::async([what] { return look_up(what); });
    auto delivery = weft::async([] { return 5; });
    const int cents = price.get();
    if (cents > 3) {
      delivery.cancel();
      return what + " is too dear";
    }
    return std::to_string(cents + delivery.get());
  };
  EXPECT_EQ(weft::async([&] { return order("eve", "tea"); }).get(), "who is eve?");
  EXPECT_EQ(order("ada", "milk"), "milk is too dear");
  EXPECT_EQ(order("ada", "tea"), "8");
  // end of example
}

TEST(docs_futures, task) {
  // example: futures_task
  const auto total = [](std::string one, std::string other) -> weft::task<int> {
    auto first = weft::async([one] { return look_up(one); });
    auto second = weft::async([other] { return look_up(other); });
    co_return co_await first + co_await second;
  };
  EXPECT_EQ(weft::await(total("tea", "milk")), 7);        // this fiber or thread waits
  EXPECT_EQ(weft::start(total("tea", "milk")).get(), 7);  // on the executor; no thread waits meanwhile
  // end of example
}

TEST(docs_futures, waiting) {
  // example: futures_waiting
  weft::channel<int> orders(1);
  const auto next = [&]() -> weft::task<int> {
    const auto order = co_await weft::waiting([&] { return orders.pop(); });
    co_return *order;
  };
  auto served = weft::start(next());
  orders.push(5);
  EXPECT_EQ(served.get(), 5);
  // end of example
}

}  // namespace
