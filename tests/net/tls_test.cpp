#include <weft/net/tls/stream.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/dump.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/net/listener.hpp>
#include <weft/net/message_stream.hpp>
#include <weft/process/program.hpp>

#include "support/certificates.hpp"
#include "support/expect_error.hpp"
#include "support/scratch_folder.hpp"

namespace weft::net {
namespace {

using namespace std::chrono_literals;
using weft_test::scratch_folder;
using weft_test::test_ca;

steady_time soon() { return steady_clock::now() + 20s; }

/// Two ends of a connection on this machine.
struct connected_pair {
  connected_pair() : connected_pair(std::make_shared<listener>(endpoint::parse("127.0.0.1:0"))) {}
  explicit connected_pair(std::shared_ptr<listener> at) : listener_at(std::move(at)) {}
  std::shared_ptr<listener> listener_at;
  net::stream client = net::stream::connect(listener_at->address());
  net::stream server = listener_at->accept();
};

/// The texts of both sides' errors; empty where a side was content.
struct outcome {
  std::string client;
  std::string server;
};

/// A handshake, and a byte each way.
outcome shake_hands(const tls::client_context& client, const tls::server_context& server,
                    std::string_view name) {
  connected_pair ends;
  outcome got;
  auto serving = go([&] {
    try {
      tls::stream mine = tls::stream::accept(std::move(ends.server), server, soon());
      char byte = 0;
      if (mine.read_exactly_until({&byte, 1}, soon())) mine.write_all({&byte, 1});
    } catch (const error& failed) {
      got.server = failed.message();
    }
  });
  try {
    tls::stream mine = tls::stream::connect(std::move(ends.client), client, name, soon());
    mine.write_all("x");
    char byte = 0;
    EXPECT_TRUE(mine.read_exactly_until({&byte, 1}, soon()));
  } catch (const error& failed) {
    got.client = failed.message();
  }
  serving.join();
  return got;
}

/// Both ends of a TLS connection.
struct secure_pair {
  secure_pair(const tls::client_context& client, const tls::server_context& server,
              std::string_view name = "localhost", connected_pair ends = {}) {
    auto accepting = go([&] { return tls::stream::accept(std::move(ends.server), server, soon()); });
    a.emplace(tls::stream::connect(std::move(ends.client), client, name, soon()));
    b.emplace(accepting.join());
  }
  std::optional<tls::stream> a;  // the client's
  std::optional<tls::stream> b;
};

/// What most tests need: a server for "localhost" and a client that trusts it.
struct both_contexts {
  explicit both_contexts(tls::version oldest = tls::version::v1_2)
      : client({.ca = ca.pem(), .oldest = oldest}), server({.certificates = {leaf}}) {}
  test_ca ca;
  tls::certificate leaf = ca.make({.names = {"localhost", "127.0.0.1"}});
  tls::client_context client;
  tls::server_context server;
};

TEST(tls, bytes_go_both_ways_and_the_end_is_told) {
  run([] {
    const both_contexts with;
    secure_pair ends(with.client, with.server);
    EXPECT_EQ(ends.a->session().version, "TLSv1.3");
    EXPECT_EQ(ends.b->session().server_name, "localhost");
    ASSERT_TRUE(ends.a->session().peer);
    EXPECT_EQ(ends.a->session().peer->names, std::vector<std::string>{"localhost"});
    EXPECT_FALSE(ends.b->session().peer);
    ends.a->write_all("hello");
    char got[16];
    EXPECT_EQ(ends.b->read_some(got), 5u);
    EXPECT_TRUE(ends.b->is_quiet());
    ends.b->write_all("x");
    ends.a->shutdown_write();
    EXPECT_EQ(ends.b->read_some(got), 0u);
    EXPECT_EQ(ends.a->read_some(got), 1u);  // the other direction goes on
    ends.b->close();
    EXPECT_EQ(ends.a->read_some(got), 0u);
  });
}

TEST(tls, two_tasks_move_much_in_both_directions_while_keys_are_renewed) {
  run([] {
    const both_contexts with;
    secure_pair ends(with.client, with.server);
    constexpr std::size_t bytes = 4'000'000;
    const auto send = [](tls::stream& to, char letter) {
      const std::string piece(100'000, letter);
      for (std::size_t done = 0; done < bytes; done += piece.size()) {
        to.write_all(piece);
        if (done % 1'000'000 == 0) to.renew_keys_until(soon());
      }
    };
    const auto receive = [](tls::stream& from, char letter) {
      std::string got(bytes, '\0');
      ASSERT_TRUE(from.read_exactly_until(got, soon()));
      EXPECT_EQ(got.find_first_not_of(letter), std::string::npos);
    };
    scope all;
    all.go([&] { send(*ends.a, 'a'); });
    all.go([&] { send(*ends.b, 'b'); });
    all.go([&] { receive(*ends.a, 'b'); });
    all.go([&] { receive(*ends.b, 'a'); });
    all.join();
  });
}

TEST(tls, framing_works_above_it) {
  run([] {
    const both_contexts with;
    secure_pair ends(with.client, with.server);
    message_stream sender(*ends.a, length_prefix{.bytes = 4});
    message_stream receiver(*ends.b, length_prefix{.bytes = 4});
    sender.write("a message");
    EXPECT_EQ(receiver.read().bytes, "a message");
  });
}

TEST(tls, a_connection_that_is_cut_is_an_error) {
  run([] {
    const both_contexts with;
    secure_pair ends(with.client, with.server);
    ends.a->write_all("half");
    ends.a->below().shutdown_write();  // without a word
    char got[16];
    EXPECT_EQ(ends.b->read_some(got), 4u);
    const std::string text = message_of(errc::unavailable, [&] { (void)ends.b->read_some(got); });
    EXPECT_TRUE(has_text(text, "may be cut short")) << text;
  });
}

TEST(tls, a_second_reader_is_refused_and_close_wakes_the_first) {
  run([] {
    const both_contexts with;
    secure_pair ends(with.client, with.server);
    auto reading = go([&] {
      char got[1];
      return message_of(errc::closed, [&] { (void)ends.a->read_some(got); });
    });
    yield();
    char got[1];
    message_of(errc::busy, [&] { (void)ends.a->read_some(got); });
    ends.a->close();
    EXPECT_TRUE(has_text(reading.join(), "closed"));
  });
}

TEST(tls, a_write_that_does_not_come_through_times_out_and_goes_on_in_order) {
  run([] {
    const both_contexts with;
    secure_pair ends(with.client, with.server);
    ends.a->below().set_send_buffer(4096);
    std::string all(8'000'000, 'x');
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<char>('a' + i % 23);
    std::string_view piece = all;
    const transfer first = ends.a->write_all_until({&piece, 1}, steady_clock::now() + 20ms);
    EXPECT_EQ(first.end, transfer_end::timed_out);
    ASSERT_LT(first.bytes, all.size());
    auto writing = go([&, rest = piece.substr(first.bytes)] { ends.a->write_all(rest); });
    std::string got(all.size(), '\0');
    EXPECT_TRUE(ends.b->read_exactly_until(got, soon()));
    EXPECT_TRUE(got == all);
    writing.join();
  });
}

TEST(tls, says_why_a_server_is_not_accepted) {
  run([] {
    const both_contexts with;
    const outcome good = shake_hands(with.client, with.server, "localhost");
    EXPECT_EQ(good.client + good.server, "");
    const outcome address = shake_hands(with.client, with.server, "127.0.0.1");
    EXPECT_EQ(address.client + address.server, "");
    const outcome other = shake_hands(with.client, with.server, "other.example");
    EXPECT_TRUE(has_text(other.client, "the server's certificate is not accepted: hostname mismatch"))
        << other.client;
    EXPECT_TRUE(has_text(other.client, "(server \"other.example\")")) << other.client;
    EXPECT_TRUE(has_text(other.server, "the peer refuses")) << other.server;
    const outcome wrong_address = shake_hands(with.client, with.server, "127.0.0.2");
    EXPECT_TRUE(has_text(wrong_address.client, "IP address mismatch")) << wrong_address.client;
    const test_ca stranger("another CA");
    const outcome unknown =
        shake_hands(tls::client_context({.ca = stranger.pem()}), with.server, "localhost");
    EXPECT_TRUE(has_text(unknown.client, "unable to get local issuer certificate")) << unknown.client;
    test_ca ca;
    const tls::server_context old(
        {.certificates = {ca.make({.names = {"localhost"}, .valid_for_seconds = -1})}});
    const outcome expired = shake_hands(tls::client_context({.ca = ca.pem()}), old, "localhost");
    EXPECT_TRUE(has_text(expired.client, "certificate has expired")) << expired.client;
    const outcome trusting =
        shake_hands(tls::client_context({.verify = false}), with.server, "other.example");
    EXPECT_EQ(trusting.client + trusting.server, "");
  });
}

TEST(tls, a_client_shows_a_certificate_where_one_is_wanted) {
  run([] {
    test_ca ca;
    const tls::certificate leaf = ca.make({.names = {"localhost"}});
    const auto client_with = [&](const tls::certificate& own) {
      return tls::client_context({.ca = ca.pem(), .certificate = own});
    };
    tls::server_options options{.certificates = {leaf},
                                .client_certificates = tls::client_certificates::required,
                                .client_ca = ca.pem()};
    const tls::server_context server(options);
    const tls::client_context known = client_with(ca.make({.common_name = "worker 7"}));
    const auto one_port = std::make_shared<listener>(endpoint::parse("127.0.0.1:0"));
    {
      secure_pair ends(known, server, "localhost", connected_pair(one_port));
      ASSERT_TRUE(ends.b->session().peer);
      EXPECT_EQ(ends.b->session().peer->subject, "CN=worker 7");
      EXPECT_EQ(ends.b->session().peer->fingerprint.size(), 64u);
      char got[1];
      ends.b->write_all("x");  // with it come the tickets
      EXPECT_EQ(ends.a->read_some(got), 1u);
    }
    {
      secure_pair again(known, server, "localhost", connected_pair(one_port));
      EXPECT_TRUE(again.b->session().is_resumed);
      ASSERT_TRUE(again.b->session().peer);
      EXPECT_EQ(again.b->session().peer->subject, "CN=worker 7");
    }
    const outcome none = shake_hands(client_with({}), server, "localhost");
    EXPECT_TRUE(has_text(none.server, "the client has no certificate")) << none.server;
    EXPECT_TRUE(has_text(none.client, "the peer refuses")) << none.client;
    const outcome expired = shake_hands(client_with(ca.make({.valid_for_seconds = -1})), server, "localhost");
    EXPECT_TRUE(has_text(expired.server, "the client's certificate is not accepted: certificate has expired"))
        << expired.server;
    EXPECT_TRUE(has_text(expired.client, "certificate expired")) << expired.client;
    options.client_certificates = tls::client_certificates::optional;
    const outcome optional = shake_hands(client_with({}), tls::server_context(options), "localhost");
    EXPECT_EQ(optional.client + optional.server, "");
  });
}

TEST(tls, each_name_has_its_certificate) {
  run([] {
    test_ca ca;
    const tls::certificate one = ca.make({.names = {"one.example"}, .common_name = "one"});
    const tls::certificate two = ca.make({.names = {"two.example", "*.two.example"}, .common_name = "two"});
    const tls::client_context client({.ca = ca.pem()});
    const tls::server_context server({.certificates = {one, two}});
    EXPECT_EQ(secure_pair(client, server, "one.example").a->session().peer->subject, "CN=one");
    EXPECT_EQ(secure_pair(client, server, "two.example").a->session().peer->subject, "CN=two");
    EXPECT_EQ(secure_pair(client, server, "a.two.example").a->session().peer->subject, "CN=two");
    const tls::server_context strict({.certificates = {one, two}, .refuse_unknown_names = true});
    const outcome unknown = shake_hands(client, strict, "three.example");
    EXPECT_TRUE(has_text(unknown.server, "asks for \"three.example\"")) << unknown.server;
    EXPECT_TRUE(has_text(unknown.client, "unrecognized name")) << unknown.client;
  });
}

TEST(tls, both_agree_on_a_protocol_and_a_version) {
  run([] {
    test_ca ca;
    const tls::certificate leaf = ca.make({.names = {"localhost"}});
    const tls::server_context server({.certificates = {leaf}, .protocols = {"http/1.1", "other"}});
    const tls::client_context client({.ca = ca.pem(), .protocols = {"other", "http/1.1"}});
    secure_pair ends(client, server);
    EXPECT_EQ(ends.a->session().protocol, "http/1.1");
    EXPECT_EQ(ends.b->session().protocol, "http/1.1");
    const outcome none =
        shake_hands(tls::client_context({.ca = ca.pem(), .protocols = {"h2"}}), server, "localhost");
    EXPECT_TRUE(has_text(none.server, "no protocol in common")) << none.server;
    EXPECT_TRUE(has_text(none.client, "no application protocol")) << none.client;
    message_of(errc::invalid_argument, [&] { tls::client_context({.protocols = {""}}); });
  });
}

TEST(tls, sessions_are_resumed_also_after_the_certificate_was_changed) {
  run([] {
    const scratch_folder folder;
    test_ca ca;
    const auto install = [&](const std::string& common_name) {
      const tls::certificate made = ca.make({.names = {"localhost"}, .common_name = common_name});
      std::ofstream(folder / "chain.pem") << made.chain;
      std::ofstream(folder / "key.pem") << made.key;
    };
    install("first");
    tls::server_context server({.certificates = {{folder / "chain.pem", folder / "key.pem"}}});
    const tls::client_context client({.ca = ca.pem()});
    const auto one_port = std::make_shared<listener>(endpoint::parse("127.0.0.1:0"));
    const auto connect = [&](const tls::client_context& with) {
      secure_pair ends(with, server, "localhost", connected_pair(one_port));
      ends.b->write_all("x");
      char got[1];
      EXPECT_EQ(ends.a->read_some(got), 1u);
      return ends.a->session();
    };
    EXPECT_FALSE(connect(client).is_resumed);
    EXPECT_TRUE(connect(client).is_resumed);
    secure_pair before(client, server);
    install("second");
    server.reload();
    EXPECT_TRUE(connect(client).is_resumed);
    const tls::session fresh = connect(tls::client_context({.ca = ca.pem(), .sessions_max = 0}));
    EXPECT_FALSE(fresh.is_resumed);
    EXPECT_EQ(fresh.peer->subject, "CN=second");
    before.a->write_all("x");  // a connection of before goes on
    char got[1];
    EXPECT_EQ(before.b->read_some(got), 1u);
    std::ofstream(folder / "chain.pem") << "nonsense";
    const std::string text = message_of(errc::malformed, [&] { server.reload(); });
    EXPECT_TRUE(has_text(text, "chain.pem: there is no PEM certificate")) << text;
    EXPECT_TRUE(connect(client).is_resumed);  // what was in use still is
  });
}

TEST(tls, bad_files_are_named) {
  const scratch_folder folder;
  test_ca ca;
  const tls::certificate one = ca.make({.names = {"localhost"}});
  const tls::certificate two = ca.make({.names = {"localhost"}});
  const auto text_of = [](errc code, const tls::server_options& options) {
    return message_of(code, [&] { const tls::server_context made(options); });
  };
  EXPECT_TRUE(
      has_text(text_of(errc::not_found, {.certificates = {{folder / "none.pem", one.key}}}), "none.pem"));
  EXPECT_TRUE(has_text(text_of(errc::malformed, {.certificates = {{one.chain, two.key}}}), "does not fit"));
  EXPECT_TRUE(has_text(text_of(errc::malformed, {.certificates = {{one.chain, one.chain}}}), "private key"));
  EXPECT_TRUE(has_text(text_of(errc::invalid_argument, {}), "needs a certificate"));
  EXPECT_TRUE(
      has_text(text_of(errc::invalid_argument,
                       {.certificates = {one}, .client_certificates = tls::client_certificates::required}),
               "client CA"));
}

TEST(tls, what_is_no_handshake_ends_with_an_error_and_nobody_is_stuck) {
  run([] {
    const both_contexts with;
    const auto text_of_server = [&](std::string_view sent, errc code) {
      connected_pair ends;
      ends.client.write_all(sent);
      return message_of(code,
                        [&] { (void)tls::stream::accept(std::move(ends.server), with.server, soon()); });
    };
    EXPECT_TRUE(
        has_text(text_of_server("GET / HTTP/1.1\r\nHost: a\r\n\r\n", errc::malformed), "does not speak TLS"));
    EXPECT_TRUE(has_text(text_of_server("SSH-2.0-OpenSSH_9.2\r\n", errc::malformed), "does not speak TLS"));
    {
      connected_pair ends;
      ends.client.close();
      message_of(errc::unavailable,
                 [&] { (void)tls::stream::accept(std::move(ends.server), with.server, soon()); });
    }
    {
      connected_pair ends;  // a client that says nothing
      message_of(errc::timed_out, [&] {
        (void)tls::stream::accept(std::move(ends.server), with.server, steady_clock::now() + 20ms);
      });
    }
    {
      connected_pair ends;
      EXPECT_THROW(
          with_timeout(20ms,
                       [&] { (void)tls::stream::connect(std::move(ends.client), with.client, "localhost"); }),
          deadline_exceeded);
    }
    connected_pair ends;
    auto waiting = go([&] { (void)tls::stream::connect(std::move(ends.client), with.client, "localhost"); });
    yield();
    waiting.cancel();
    EXPECT_THROW(waiting.join(), cancelled);
    message_of(errc::invalid_argument, [&] {
      connected_pair nameless;
      (void)tls::stream::connect(std::move(nameless.client), with.client, "");
    });
  });
}

// What the documentation says of a fiber's stack.
TEST(tls, a_handshake_takes_little_of_a_stack) {
  run([] {
    const both_contexts with;
    std::size_t most = 0;
    connected_pair ends;
    auto accepting = go([&] {
      tls::stream mine = tls::stream::accept(std::move(ends.server), with.server, soon());
      char got[1];
      (void)mine.read_some(got);
      most = std::max(most, this_fiber::stack_high_water());
    });
    auto connecting = go([&] {
      tls::stream mine = tls::stream::connect(std::move(ends.client), with.client, "localhost", soon());
      mine.write_all("x");
      most = std::max(most, this_fiber::stack_high_water());
    });
    connecting.join();
    accepting.join();
    RecordProperty("stack_bytes", static_cast<int>(most));
    EXPECT_GT(most, 1024u);
    EXPECT_LT(most, 24u * 1024);
  });
}

// ---- with OpenSSL's own programs

std::string read_until(process::pipe_reader& from, const std::string& mark) {
  std::string all;
  char piece[1024];
  while (all.find(mark) == std::string::npos) {
    const auto count = from.read_some(piece);
    if (count == 0) break;
    all.append(piece, count);
  }
  return all;
}

struct files {
  explicit files(const test_ca& ca, const tls::certificate& leaf) {
    std::ofstream(folder / "ca.pem") << ca.pem();
    std::ofstream(folder / "chain.pem") << leaf.chain;
    std::ofstream(folder / "key.pem") << leaf.key;
  }
  scratch_folder folder;
};

TEST(tls, the_openssl_program_is_served_and_may_renew_keys_but_not_renegotiate) {
  run([] {
    const both_contexts with;
    const files on_disk(with.ca, with.leaf);
    for (const std::string version : {"-tls1_3", "-tls1_2"}) {
      listener listening(endpoint::parse("127.0.0.1:0"));
      auto serving = go([&] {
        tls::stream mine = tls::stream::accept(listening.accept(), with.server, soon());
        std::string all;
        char got[64];
        while (const std::size_t count = mine.read_some(got)) {
          mine.write_all("heard " + std::string(got, count));
          all.append(got, count);
        }
        return all;
      });
      process::program client(
          {"openssl", "s_client", "-connect", listening.address().text(), version, "-CAfile",
           on_disk.folder / "ca.pem", "-verify_return_error", "-servername", "localhost"},
          {.in = process::stream_target::pipe(), .err = process::stream_target::merged()});
      client.in().write_all("first\n");
      EXPECT_TRUE(has_text(read_until(client.out(), "heard first"), "Verify return code: 0 (ok)"));
      client.in().write_all(version == "-tls1_3" ? "K\n" : "R\n");
      if (version == "-tls1_3") {
        EXPECT_TRUE(has_text(read_until(client.out(), "KEYUPDATE"), "KEYUPDATE"));
        client.in().write_all("second\n");
        EXPECT_TRUE(has_text(read_until(client.out(), "heard second"), "heard second"));
        client.in().close();
        EXPECT_EQ(serving.join(), "first\nsecond\n");
      } else {
        EXPECT_TRUE(has_text(read_until(client.out(), "no renegotiation"), "no renegotiation"));
        client.in().close();
        try {
          serving.join();
        } catch (const error& left) {  // the program gives up then
          EXPECT_TRUE(has_text(left.message(), "the peer refuses")) << left.message();
        }
      }
      client.wait();
    }
  });
}

TEST(tls, the_openssl_program_serves) {
  run([] {
    const both_contexts with;
    const files on_disk(with.ca, with.leaf);
    process::program server({"openssl", "s_server", "-accept", "127.0.0.1:0", "-cert",
                             on_disk.folder / "chain.pem", "-key", on_disk.folder / "key.pem", "-rev"},
                            {.err = process::stream_target::merged()});
    const std::string said = read_until(server.out(), "ACCEPT 127.0.0.1:");
    std::string port = said.substr(said.rfind(':') + 1);
    while (port.find('\n') == std::string::npos) {
      char piece[16];
      port.append(piece, server.out().read_some(piece));
    }
    net::stream below = net::stream::connect(endpoint::parse("127.0.0.1:" + port.substr(0, port.find('\n'))));
    tls::stream mine = tls::stream::connect(std::move(below), with.client, "localhost", soon());
    mine.write_all("hello\n");
    std::string got(6, '\0');
    EXPECT_TRUE(mine.read_exactly_until(got, soon()));
    EXPECT_EQ(got, "olleh\n");
    mine.close();
    server.terminate();
  });
}

}  // namespace
}  // namespace weft::net
