#include <weft/workers/recycling.hpp>

#include <optional>

#include <gtest/gtest.h>

#include <weft/codec/bytes.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/wire/frame.hpp>

#include "workers/listening.hpp"
#include "workers/protocol.hpp"
#include "workers/recognition.hpp"

// Workers that end because they were used enough.

namespace {

using namespace std::chrono_literals;
using weft::workers::client;
using weft::workers::recycling;
using weft::workers::server;
using weft::workers::detail::frame_type;

// A raw native client with one worker.
class raw_client {
 public:
  explicit raw_client(weft::unique_fd connection) : connection_(std::move(connection)) {
    weft::bytes said = weft::to_bytes(weft::workers::detail::native_magic);
    weft::workers::detail::hello_frame hello;
    hello.message_bytes_max = 1000;
    write_frame(said, hello);
    send(said);
    EXPECT_EQ(next(), frame_type::welcome);
  }

  /// The type of the next frame; nothing at the end.
  std::optional<frame_type> next() {
    while (true) {
      if (const auto one = reader_.next()) return static_cast<frame_type>(one->type);
      char piece[4096];
      const ssize_t got = ::recv(connection_.get(), piece, sizeof piece, 0);
      if (got <= 0) return std::nullopt;
      reader_.append(weft::as_bytes(std::string_view(piece, static_cast<std::size_t>(got))));
    }
  }
  std::optional<frame_type> call() {
    weft::bytes arguments;
    weft::wire::binary_encoder encoder(arguments);
    weft::encode(encoder, std::tuple<>());
    weft::workers::detail::call_frame what;
    what.id = ++calls_;
    what.target = "nothing";
    what.arguments = weft::as_text(arguments);
    weft::bytes said;
    write_frame(said, what);
    send(said);
    return next();
  }
  void release() {
    weft::bytes said;
    write_plain(said, frame_type::release, 0);
    send(said);
  }

 private:
  void send(const weft::bytes& said) {
    EXPECT_EQ(::send(connection_.get(), said.data(), said.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(said.size()));
  }

  weft::unique_fd connection_;
  weft::wire::frame_reader reader_;
  std::uint64_t calls_ = 0;
};

class recycled : public weft_test::listening {
 protected:
  void start(recycling when) {
    auto wanted = options();
    wanted.recycle = when;
    running_ = server::fork(std::move(wanted));
  }
  /// Is the worker of a new client gone after one checkout?
  bool ends_after_a_checkout() {
    raw_client one(connect());
    EXPECT_EQ(one.call(), frame_type::answer);
    one.release();
    const auto said = one.call();
    if (said == frame_type::answer) return false;
    EXPECT_EQ(said, frame_type::goodbye);
    EXPECT_EQ(one.next(), frame_type::answer);  // what was on its way is not lost
    EXPECT_EQ(one.next(), std::nullopt);
    return true;
  }

 private:
  weft::process::child running_;
};

TEST_F(recycled, is_off_by_default) {
  start({});
  EXPECT_FALSE(ends_after_a_checkout());
}

TEST_F(recycled, by_number_of_checkouts) {
  start({.checkouts_max = 2});
  raw_client one(connect());
  EXPECT_EQ(one.call(), frame_type::answer);
  EXPECT_EQ(one.call(), frame_type::answer);
  one.release();
  EXPECT_EQ(one.call(), frame_type::answer);
  one.release();
  EXPECT_EQ(one.next(), frame_type::goodbye);
  EXPECT_EQ(one.next(), std::nullopt);
  const auto seen = status_with([](const auto& now) { return now.recycled > 0; });
  EXPECT_EQ(seen.recycled, 1U);
  EXPECT_EQ(seen.died, 0U);
}

TEST_F(recycled, by_age) {
  start({.age_max = 1ns});
  EXPECT_TRUE(ends_after_a_checkout());
}

TEST_F(recycled, not_before_its_age) {
  start({.age_max = 1h});
  EXPECT_FALSE(ends_after_a_checkout());
}

TEST_F(recycled, by_memory) {
  start({.resident_bytes_max = 1});
  EXPECT_TRUE(ends_after_a_checkout());
}

TEST_F(recycled, not_below_its_memory) {
  start({.resident_bytes_max = std::uint64_t{1} << 40U});
  EXPECT_FALSE(ends_after_a_checkout());
}

// The old protocol has no goodbye: the client goes on with another worker and notices nothing.
class recycled_compatibly : public recycled {
 protected:
  static std::string ask(const weft::unique_fd& connection, std::string_view said) {
    say(connection, said);
    return hear_one(connection);
  }
  static constexpr std::string_view whose = R"(["do",{},"pid"])";
  static constexpr std::string_view done = R"(["dn",{}])";
};

TEST_F(recycled_compatibly, a_client_has_a_fresh_worker_for_its_next_checkout) {
  start({.checkouts_max = 2});
  const auto connection = connect();
  const std::string first = ask(connection, whose);
  EXPECT_EQ(ask(connection, whose), first);
  say(connection, done);
  EXPECT_EQ(ask(connection, whose), first);
  say(connection, done);
  auto seen = status_with([](const auto& now) { return now.recycled == 1 && now.workers.empty(); });
  EXPECT_EQ(seen.silent, 1U);  // and costs no worker while it says nothing
  EXPECT_NE(ask(connection, whose), first);
  seen = weft::workers::server_status("unix:" + path);
  EXPECT_EQ(seen.forked, 2U);
  EXPECT_EQ(seen.died, 0U);
  ::shutdown(connection.get(), SHUT_WR);
  EXPECT_EQ(hear(connection), "");
}

TEST_F(recycled_compatibly, a_worker_in_advance_goes_on_as_well) {
  auto wanted = options();
  wanted.recycle = {.checkouts_max = 1};
  wanted.min_workers = 1;
  const auto running = server::fork(std::move(wanted));
  const auto connection = connect();
  const auto first = ask(connection, whose);
  say(connection, done);
  EXPECT_NE(ask(connection, whose), first);
}

TEST_F(recycled_compatibly, what_comes_right_behind_the_end_of_a_checkout_is_answered) {
  start({.checkouts_max = 1});
  const auto connection = connect();
  constexpr int checkouts = 20;
  const std::string one = std::string(R"(["do",{},"sum",20,22])").append(done);
  std::string all;
  for (int i = 0; i < checkouts; ++i) all += one;
  say(connection, all);
  for (int i = 0; i < checkouts; ++i) EXPECT_EQ(hear_one(connection), R"(["ok",{},42])");
  status_with([](const auto& now) { return now.recycled == checkouts; });
}

TEST_F(recycled_compatibly, half_a_message_behind_it_is_not_lost) {
  start({.checkouts_max = 1});
  const std::string text(100'000, 'x');  // more than goes along with a client
  const std::string call = R"(["do",{},"echo",")" + text + R"("])";
  const std::string answer = R"(["ok",{},")" + text + R"("])";
  for (const std::size_t cut : {std::size_t{1}, std::size_t{9}, std::size_t{10'000}, call.size() - 1}) {
    const auto connection = connect();
    const std::string_view whole = call;
    EXPECT_EQ(ask(connection, whose).substr(0, 6), R"(["ok",)");
    say(connection, std::string(done).append(whole.substr(0, cut)));
    say(connection, whole.substr(cut));
    EXPECT_EQ(hear_one(connection), answer) << cut;
  }
}

TEST_F(recycled_compatibly, white_space_like_an_offer_is_none_by_then) {
  start({.checkouts_max = 1});
  const auto connection = connect();
  const auto first = ask(connection, whose);
  say(connection, std::string(done).append(weft::workers::detail::native_offer));
  EXPECT_NE(ask(connection, whose), first);
}

TEST_F(recycled_compatibly, a_client_that_has_gone_meanwhile_costs_no_worker) {
  start({.checkouts_max = 1});
  {
    const auto connection = connect();
    ask(connection, whose);
    say(connection, done);
  }
  const auto seen = status_with([](const auto& now) { return now.recycled == 1 && now.silent == 0; });
  EXPECT_EQ(seen.forked, 1U);
}

// A call may be on its way when its worker says goodbye.
TEST_F(recycled, costs_no_call) {
  start({.checkouts_max = 3});
  auto pool = client_with(2);
  weft::run([&] {
    weft::scope all;
    for (int i = 0; i < 4; ++i) {
      all.go([&] {
        for (int k = 0; k < 50; ++k) EXPECT_EQ(pool.call<std::int64_t>("sum", k, 1), k + 1);
      });
    }
    all.join();
  });
  EXPECT_EQ(pool.statistics().deaths, 0U);
}

TEST_F(recycled, in_the_own_program_too) {
  client pool({.min_workers = 0, .max_workers = 1, .recycle = {.checkouts_max = 2}});
  weft::run([&] {
    const auto first = pool.call<std::int64_t>("pid");
    EXPECT_EQ(pool.call<std::int64_t>("pid"), first);
    EXPECT_TRUE(weft_test::is_gone(static_cast<pid_t>(first)));
    EXPECT_NE(pool.call<std::int64_t>("pid"), first);
  });
}

}  // namespace

int main(int argc, char** argv) { return weft_test::run_tests(argc, argv); }
