#include <memory>
#include <string>

#include <gtest/gtest.h>

#include <weft/closure/closure.hpp>
#include <weft/codec/bytes.hpp>
#include <weft/fiber/run.hpp>
#include <weft/wire/envelope.hpp>
#include <weft/wire/frame.hpp>
#include <weft/wire/key_ring.hpp>
#include <weft/workers/client.hpp>
#include <weft/workers/server_status.hpp>

#include "workers/listening.hpp"
#include "workers/on_fiber.hpp"
#include "workers/protocol.hpp"
#include "workers/status_request.hpp"

// Servers and clients that have keys.

namespace {

using namespace std::chrono_literals;
using weft::errc;
using weft::wire::key;
using weft::wire::key_ring;
using weft::workers::client;
using weft::workers::server;
using weft::workers::detail::frame_type;

std::shared_ptr<const key_ring> ring(const std::string& id, char letter) {
  return std::make_shared<const key_ring>(
      key(id, weft::wire::secret_bytes(weft::to_bytes(std::string(32, letter)))));
}

std::shared_ptr<const key_ring> two_keys(char first, char second) {
  std::vector<key> keys;
  for (const char letter : {first, second}) {
    keys.emplace_back(std::string(1, letter),
                      weft::wire::secret_bytes(weft::to_bytes(std::string(32, letter))));
  }
  return std::make_shared<const key_ring>(std::move(keys));
}

class with_keys : public weft_test::listening {
 protected:
  std::string start(std::shared_ptr<const key_ring> keys, const std::string& at = "127.0.0.1:0") {
    auto wanted = options();
    wanted.listen = at;
    wanted.keys = std::move(keys);
    if (at.starts_with("unix:")) {
      running_ = server::fork(std::move(wanted));
      return at;
    }
    server one(std::move(wanted));
    auto address = one.address();
    running_ = weft::process::child::fork([&] { return one.run(); });
    return address;
  }

  /// Why a pool with these keys gets no answer.
  static std::string refusal(const std::string& address, std::shared_ptr<const key_ring> keys) {
    std::string why;
    client pool({.connect = address, .min_workers = 0, .timeout = 20s, .keys = std::move(keys)});
    weft::run([&] {
      try {
        pool.call("nothing");
      } catch (const weft::error& refused) {
        EXPECT_EQ(refused.code(), errc::refused) << refused.what();
        why = refused.message();
      }
    });
    return why;
  }

  weft::process::child running_;
};

TEST_F(with_keys, who_shares_one_may_call_and_send_closures_over_tcp) {
  client pool({.connect = start(ring("k", 'a')), .min_workers = 1, .keys = ring("k", 'a')});
  weft::run([&] {
    EXPECT_EQ(pool.call<std::int64_t>("sum", 40, 2), 42);
    EXPECT_EQ(pool.call(weft::closure{[](int n) { return n + 1; }, 1}), 2);
  });
}

TEST_F(with_keys, another_key_of_the_same_name_is_refused) {
  EXPECT_NE(refusal(start(ring("k", 'a')), ring("k", 'b')).find("key"), std::string::npos);
}

TEST_F(with_keys, a_key_of_another_name_is_refused) {
  EXPECT_NE(refusal(start(ring("k", 'a')), ring("other", 'a')).find("key"), std::string::npos);
}

TEST_F(with_keys, a_client_without_key_is_refused_and_told_what_to_set) {
  EXPECT_NE(refusal(start(ring("k", 'a')), nullptr).find("client_options::keys"), std::string::npos);
}

// Else whoever can take the place of the server would get the calls.
TEST_F(with_keys, a_server_without_key_is_refused) {
  EXPECT_NE(refusal(start(nullptr), ring("k", 'a')).find("server_options::keys"), std::string::npos);
}

TEST_F(with_keys, keys_can_be_exchanged_while_both_are_known) {
  client pool({.connect = start(two_keys('a', 'b')), .min_workers = 1, .keys = two_keys('b', 'a')});
  weft::run([&] { EXPECT_EQ(pool.call<std::int64_t>("sum", 1, 2), 3); });
}

TEST_F(with_keys, a_client_of_the_old_protocol_is_not_served) {
  start(ring("k", 'a'), "unix:" + path);
  EXPECT_EQ(talk(R"(["do",{},"echo","x"])"), "");
}

weft::error status_refusal(const std::string& address, const std::shared_ptr<const key_ring>& keys) {
  return weft_test::caught<weft::error>([&] { weft::workers::server_status(address, 20s, keys); });
}

TEST_F(with_keys, the_state_is_for_who_shares_one) {
  for (const auto& at : {"unix:" + path, std::string("127.0.0.1:0")}) {
    const auto address = start(ring("k", 'a'), at);
    EXPECT_EQ(weft::workers::server_status(address, 20s, ring("k", 'a')).pid, running_.pid());
  }
}

TEST_F(with_keys, the_state_is_told_while_all_workers_are_busy) {
  auto wanted = options();
  wanted.max_workers = 1;
  wanted.keys = ring("k", 'a');
  running_ = server::fork(std::move(wanted));
  client pool({.connect = "unix:" + path, .min_workers = 0, .keys = ring("k", 'a')});
  weft::run([&] {
    auto held = pool.checkout();
    held.call("nothing");
    const auto seen = weft::workers::server_status("unix:" + path, 20s, ring("k", 'a'));
    EXPECT_EQ(seen.workers.size(), 1U);
  });
}

TEST_F(with_keys, the_state_is_not_for_others_who_are_told_why) {
  const auto address = start(ring("k", 'a'), "unix:" + path);
  for (const auto& keys : {ring("k", 'b'), ring("other", 'a'), std::shared_ptr<const key_ring>()}) {
    const auto refused = status_refusal(address, keys);
    EXPECT_EQ(refused.code(), errc::refused) << refused.what();
    EXPECT_NE(refused.message().find("server_status"), std::string::npos) << refused.message();
  }
}

// Else whoever can take the place of the server would tell what he likes.
TEST_F(with_keys, the_state_of_a_server_without_key_is_refused) {
  const auto refused = status_refusal(start(nullptr), ring("k", 'a'));
  EXPECT_EQ(refused.code(), errc::refused) << refused.what();
  EXPECT_NE(refused.message().find("server_options::keys"), std::string::npos) << refused.message();
}

TEST_F(with_keys, a_pool_of_the_own_program_has_no_use_for_them) {
  EXPECT_THROW(client({.keys = ring("k", 'a')}), weft::error);
}

// A raw client, to say what is not proper.
class raw : public with_keys {
 protected:
  void say(const weft::bytes& what) {
    ASSERT_EQ(::send(connection_.get(), what.data(), what.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(what.size()));
  }
  weft::wire::frame next() {
    while (true) {
      if (auto one = reader_.next()) return std::move(*one);
      char piece[4096];
      const ssize_t got = ::recv(connection_.get(), piece, sizeof piece, 0);
      if (got <= 0) return {};
      reader_.append(weft::as_bytes(std::string_view(piece, static_cast<std::size_t>(got))));
    }
  }
  weft::workers::detail::challenge_frame challenge_of(const std::string& nonce) {
    connection_ = connect();
    reader_ = weft::wire::frame_reader();
    weft::bytes said = weft::to_bytes(weft::workers::detail::native_magic);
    weft::workers::detail::hello_frame hello;
    hello.message_bytes_max = 1000;
    hello.nonce = nonce;
    write_frame(said, hello);
    say(said);
    const auto got = next();
    EXPECT_EQ(static_cast<frame_type>(got.type), frame_type::challenge);
    return weft::workers::detail::read_challenge(got);
  }
  bool is_refused(std::string_view envelope) {
    weft::bytes said;
    weft::workers::detail::write_proof(said, envelope);
    say(said);
    return static_cast<frame_type>(next().type) == frame_type::refused;
  }

  weft::unique_fd connection_;
  weft::wire::frame_reader reader_;
};

TEST_F(raw, the_servers_own_proof_is_none_of_a_client) {
  start(ring("k", 'a'), "unix:" + path);
  EXPECT_TRUE(is_refused(challenge_of(std::string(32, 'n')).envelope));
}

TEST_F(raw, two_challenges_are_never_the_same) {
  start(ring("k", 'a'), "unix:" + path);
  const auto one = challenge_of(std::string(32, 'n'));
  const auto other = challenge_of(std::string(32, 'n'));
  EXPECT_NE(one.nonce, other.nonce);
  EXPECT_NE(one.envelope, other.envelope);
}

TEST_F(raw, any_other_frame_in_place_of_the_proof_is_refused) {
  start(ring("k", 'a'), "unix:" + path);
  challenge_of(std::string(32, 'n'));
  weft::bytes said;
  weft::workers::detail::call_frame call;
  call.id = 1;
  call.target = "nothing";
  call.arguments = "x";
  write_frame(said, call);
  say(said);
  EXPECT_EQ(static_cast<frame_type>(next().type), frame_type::refused);
}

// Who only gets the one to answer may not have the other.
TEST_F(raw, a_proof_for_calls_is_none_for_the_state) {
  const auto keys = ring("k", 'a');
  start(keys, "unix:" + path);
  const std::string nonce(32, 'n');
  connection_ = connect();
  say(weft::to_bytes(weft::workers::detail::status_request(nonce)));
  const auto got = next();
  ASSERT_EQ(static_cast<frame_type>(got.type), frame_type::challenge);
  const auto both = weft::to_bytes(nonce + weft::workers::detail::read_challenge(got).nonce);
  EXPECT_TRUE(is_refused(weft::as_text(weft::wire::sign(*keys, "weft.workers.client", both))));
}

TEST_F(raw, a_request_for_the_state_may_come_in_pieces) {
  const auto keys = ring("k", 'a');
  start(keys, "unix:" + path);
  connection_ = connect();
  const std::string nonce(32, 'n');
  const auto request = weft::workers::detail::status_request(nonce);
  for (const char one : request) say(weft::to_bytes(std::string(1, one)));
  const auto both = weft::to_bytes(nonce + weft::workers::detail::read_challenge(next()).nonce);
  weft::bytes said;
  const auto proof = weft::wire::sign(*keys, "weft.workers.status.client", both);
  weft::workers::detail::write_proof(said, weft::as_text(proof));
  say(said);
  EXPECT_EQ(static_cast<frame_type>(next().type), frame_type::status_of_server);
}

// Each of them costs the server one of few places for a second.
TEST_F(raw, strangers_who_ask_for_the_state_and_prove_nothing_keep_nobody_away) {
  const auto keys = ring("k", 'a');
  auto wanted = options();
  wanted.max_waiting = 4;
  wanted.keys = keys;
  running_ = server::fork(std::move(wanted));
  const auto request = weft::workers::detail::status_request(std::string(32, 'n'));
  std::vector<weft::unique_fd> strangers;
  while (strangers.size() < 100) {
    strangers.push_back(connect());
    listening::say(strangers.back(), request);
  }
  auto with_key = native_client(1);
  with_key.timeout = 20s;
  with_key.keys = keys;
  weft::run([&] { client(with_key).call("nothing"); });
  EXPECT_GE(weft::workers::server_status("unix:" + path, 20s, keys).refused, 1U);
}

TEST_F(raw, who_asks_for_the_state_and_proves_nothing_is_told_so) {
  start(ring("k", 'a'), "unix:" + path);
  connection_ = connect();
  say(weft::to_bytes(weft::workers::detail::status_request(std::string(32, 'n'))));
  EXPECT_EQ(static_cast<frame_type>(next().type), frame_type::challenge);
  const auto answer = next();
  ASSERT_EQ(static_cast<frame_type>(answer.type), frame_type::refused);
  EXPECT_NE(weft::workers::detail::read_refused(answer).find("in time"), std::string::npos);
}

TEST_F(raw, garbage_for_a_proof_is_refused) {
  start(ring("k", 'a'), "unix:" + path);
  challenge_of(std::string(32, 'n'));
  EXPECT_TRUE(is_refused(""));
  challenge_of(std::string(32, 'n'));
  EXPECT_TRUE(is_refused(std::string(5000, 'x')));
}

}  // namespace

int main(int argc, char** argv) { return weft_test::run_tests(argc, argv); }
