#include <gtest/gtest.h>

#include <functional>
#include <set>

#include <weft/fiber/channel.hpp>
#include <weft/fiber/fiber.hpp>

#include "jobs/postgres/link/process_bells.hpp"
#include "support/pgbouncer_server.hpp"
#include "support/postgres_link.hpp"
#include "support/postgres_proxy.hpp"
#include "support/postgres_server.hpp"

// Processes hear one another through the server.

namespace {

using namespace weft::jobs::postgres;
using namespace std::chrono_literals;
using weft_test::postgres_proxy;

const weft_test::postgres_server& server() {
  static const weft_test::postgres_server one;
  return one;
}

/// The bells of one process. Its channel takes what was heard, "-" for what may have been missed.
class bells_of_process {
 public:
  explicit bells_of_process(const std::string& url)
      : bells(address(url), {.channels = {"work", "odd \"name\""},
                             .heard =
                                 [this](std::string_view channel, std::string_view payload) {
                                   heard.try_push(std::string(channel) + ":" + std::string(payload));
                                 },
                             .may_have_missed = [this] { heard.try_push("-"); }}),
        serving_(weft::go([this] { bells.serve(); })) {}
  bells_of_process(const bells_of_process&) = delete;
  bells_of_process& operator=(const bells_of_process&) = delete;
  ~bells_of_process() {
    bells.close();
    serving_.join();
  }

  void listen() {
    bells.listen();
    EXPECT_EQ(heard.pop(), "-");
  }

  weft::channel<std::string> heard{10'000};
  process_bells bells;

 private:
  weft::fiber<void> serving_;
};

TEST(PostgresLinkBells, AProcessHearsOthersAndNotItself) {
  weft::run([] {
    bells_of_process one(server().url());
    bells_of_process other(server().url());
    one.listen();
    EXPECT_TRUE(one.bells.hears());
    EXPECT_FALSE(other.bells.hears());
    one.bells.ring("work", "by itself");
    other.bells.ring("work", "mail");
    EXPECT_EQ(one.heard.pop(), "work:mail");
    other.bells.ring("odd \"name\"");
    EXPECT_EQ(one.heard.pop(), "odd \"name\":");
    other.listen();
    one.bells.ring("work");
    EXPECT_EQ(other.heard.pop(), "work:");
    EXPECT_EQ(one.heard.size(), 0U);
  });
}

TEST(PostgresLinkBells, ManyRingsAreFewNotifications) {
  weft::run([] {
    bells_of_process listener(server().url());
    bells_of_process ringer(server().url());
    listener.listen();
    const auto begun = weft::steady_clock::now();
    for (int i = 0; i < 5000; ++i) {
      ringer.bells.ring("work");
      if (i % 100 == 0) weft::yield();
    }
    ringer.bells.ring("work", "last");
    std::int64_t count = 1;
    while (listener.heard.pop() != "work:last") ++count;
    const auto spans = (weft::steady_clock::now() - begun) / process_bells::apart;
    EXPECT_LE(count, spans + 3);
  });
}

TEST(PostgresLinkBells, TooManyPayloadsBecomeOneThatMeansAny) {
  weft::run([] {
    bells_of_process listener(server().url());
    bells_of_process ringer(server().url());
    listener.listen();
    for (int i = 0; i < 1000; ++i) ringer.bells.ring("work", std::to_string(i));
    std::set<std::string> heard;
    while (!heard.contains("work:")) heard.insert(*listener.heard.pop());
    EXPECT_LE(heard.size(), process_bells::rung_max + 1);
  });
}

TEST(PostgresLinkBells, WhatIsRungWhileTheServerIsAwayIsHeardWhenItIsBack) {
  weft::run([] {
    postgres_proxy way(server().folder());
    bells_of_process listener(way.url());
    bells_of_process ringer(way.url());
    listener.listen();
    ringer.bells.ring("work", "before");
    EXPECT_EQ(listener.heard.pop(), "work:before");
    const auto clients = way.clients();
    way.refuse(true);
    way.cut_all();
    while (listener.bells.hears()) weft::sleep_for(1ms);
    ringer.bells.ring("work", "meanwhile");
    while (way.clients() < clients + 4) weft::sleep_for(1ms);
    way.refuse(false);
    EXPECT_EQ(listener.heard.pop(), "-");
    EXPECT_TRUE(listener.bells.hears());
    ringer.bells.ring("work", "after");
    std::string heard;
    while (heard != "work:after") heard = *listener.heard.pop();
  });
}

TEST(PostgresLinkBells, ThroughAPoolerNobodyHearsButAllAreHeard) {
  const weft_test::pgbouncer_server pooler(server().folder());
  weft::run([&] {
    bells_of_process direct(server().url());
    direct.listen();
    bells_of_process pooled(pooler.url());
    pooled.bells.listen();
    pooled.bells.ring("work", "from afar");
    EXPECT_EQ(direct.heard.pop(), "work:from afar");
    while (!pooled.bells.is_deaf()) weft::sleep_for(1ms);
    pooled.bells.ring("work", "still");
    EXPECT_EQ(direct.heard.pop(), "work:still");
    direct.bells.ring("work", "unheard");
    EXPECT_FALSE(pooled.bells.hears());
    EXPECT_EQ(pooled.heard.size(), 0U);
  });
}

TEST(PostgresLinkBells, ClosedItSendsWhatWasRung) {
  weft::run([] {
    bells_of_process listener(server().url());
    listener.listen();
    {
      bells_of_process brief(server().url());
      brief.bells.ring("work", "one");
      brief.bells.ring("work", "two");
    }
    std::set<std::string> heard{*listener.heard.pop(), *listener.heard.pop()};
    EXPECT_EQ(heard, (std::set<std::string>{"work:one", "work:two"}));
  });
}

}  // namespace
