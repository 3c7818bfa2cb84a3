#include <weft/context/envelope.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/context/context.hpp>
#include <weft/fiber/channel.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/select.hpp>
#include <weft/fiber/timer.hpp>

namespace {

using namespace std::chrono_literals;

constexpr weft::key_spec user_spec{.name = "envelope.user"};
const weft::key<std::int64_t> user{user_spec};

static_assert(std::is_same_v<decltype(weft::envelope{1}), weft::envelope<int>>);
static_assert(!std::is_convertible_v<int, weft::envelope<int>>, "a context is taken along on request only");
static_assert(std::is_nothrow_move_constructible_v<weft::envelope<std::string>>);
static_assert(!std::is_copy_constructible_v<weft::envelope<std::unique_ptr<int>>>);

TEST(envelope, brings_each_senders_context_to_the_receiver_who_keeps_his_own) {
  weft::run([] {
    weft::channel<weft::envelope<std::string>> mail(2);
    std::vector<weft::fiber<void>> senders;
    for (const std::int64_t sender : {1, 2}) {
      weft::with(user, sender, [&] {
        senders.push_back(
            weft::go([&] { mail.push(weft::envelope{"from " + std::to_string(user.require())}); }));
      });
    }
    auto receiver = weft::with(user, 3, [&] {
      return weft::go([&] {
        int received = 0;
        while (auto sent = mail.pop()) {
          ++received;
          const std::int64_t sender = *sent->context().find(user);
          EXPECT_EQ(sent->value(), "from " + std::to_string(sender));
          EXPECT_EQ(user.require(), 3);
          sent->run([&](const std::string& text) {
            EXPECT_EQ(user.require(), sender);
            EXPECT_EQ(weft::go([] { return user.require(); }).join(), sender);
            EXPECT_EQ(text, sent->value());
          });
          EXPECT_EQ(user.require(), 3);
        }
        return received;
      });
    });
    for (auto& each : senders) each.join();
    mail.close();
    EXPECT_EQ(receiver.join(), 2);
  });
}

TEST(envelope, is_not_needed_a_plain_value_brings_no_context) {
  weft::run([] {
    weft::channel<int> plain(0);
    auto sender = weft::with(user, 1, [&] { return weft::go([&] { plain.push(5); }); });
    EXPECT_EQ(plain.pop(), 5);
    EXPECT_EQ(user.find(), nullptr);
    sender.join();
  });
}

TEST(envelope, arrives_through_a_select_and_from_a_thread) {
  weft::run([] {
    weft::channel<weft::envelope<int>> mail(0);
    std::thread sender([&] { weft::with(user, 9, [&] { mail.push(weft::envelope{1}); }); });
    std::int64_t seen = 0;
    weft::select(weft::on_pop(mail, [&](std::optional<weft::envelope<int>> sent) {
      seen = sent->run([] { return user.require(); });
    }));
    EXPECT_EQ(seen, 9);
    sender.join();
  });
}

TEST(envelope, holds_what_the_sender_would_pass_on) {
  const weft::scoped_value bound(user, 1);
  const weft::suppress_flow quiet;
  EXPECT_EQ(weft::envelope{0}.context().find(user), nullptr);
}

TEST(envelope, that_is_moved_or_copied_keeps_its_senders_context) {
  auto first = weft::with(user, 1, [] { return weft::envelope{std::string("text")}; });
  const weft::scoped_value here(user, 2);
  const auto copy = first;
  const auto moved = std::move(first);
  for (const auto* each : {&copy, &moved}) {
    EXPECT_EQ(*each->context().find(user), 1);
    EXPECT_EQ(**each, "text");
    EXPECT_EQ((*each)->size(), 4U);
  }
}

TEST(envelope, gives_its_value_away) {
  weft::envelope sent{std::make_unique<int>(7)};
  const std::unique_ptr<int> taken = std::move(sent).value();
  EXPECT_EQ(*taken, 7);
}

TEST(envelope, runs_under_the_senders_deadline) {
  weft::run([] {
    auto sent = weft::with_timeout(1h, [] { return weft::envelope{0}; });
    EXPECT_EQ(weft::deadline(), std::nullopt);
    EXPECT_TRUE(sent.run([] { return weft::deadline(); }).has_value());
  });
}

TEST(envelope, of_a_sender_who_was_cancelled_ends_waits_in_its_context) {
  weft::run([] {
    std::optional<weft::envelope<int>> sent;
    weft::cancel_scope stays_open;
    sent.emplace(1);
    stays_open.cancel();
    weft::shield([&] {
      EXPECT_THROW(sent->run([] { weft::sleep_for(1h); }), weft::cancelled);
      weft::yield();
    });
  });
}

}  // namespace
