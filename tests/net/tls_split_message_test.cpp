#include <weft/net/tls/stream.hpp>

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/net/listener.hpp>

#include "support/certificates.hpp"

namespace weft::net {
namespace {

using namespace std::chrono_literals;

steady_time soon() { return steady_clock::now() + 20s; }

template <auto Free>
struct freed_by {
  template <typename T>
  void operator()(T* one) const {
    Free(one);
  }
};
template <typename T, auto Free>
using owned = std::unique_ptr<T, freed_by<Free>>;

/// A server whose session tickets are messages of several records, which it sends one by one as told.
class slow_server {
 public:
  slow_server(net::stream below, const tls::certificate& leaf) : below_(std::move(below)) {
    SSL_CTX* const context = context_.get();
    const owned<BIO, BIO_free_all> chain(
        BIO_new_mem_buf(leaf.chain.data(), static_cast<int>(leaf.chain.size())));
    const owned<X509, X509_free> shown(PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr));
    const owned<BIO, BIO_free_all> text(BIO_new_mem_buf(leaf.key.data(), static_cast<int>(leaf.key.size())));
    const owned<EVP_PKEY, EVP_PKEY_free> key(PEM_read_bio_PrivateKey(text.get(), nullptr, nullptr, nullptr));
    EXPECT_EQ(SSL_CTX_use_certificate(context, shown.get()), 1);
    EXPECT_EQ(SSL_CTX_use_PrivateKey(context, key.get()), 1);
    SSL_CTX_set_max_send_fragment(context, 512);
    SSL_CTX_set_session_ticket_cb(
        context,
        [](SSL* ssl, void*) {
          const std::string much(2000, 'm');
          return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), much.data(), much.size());
        },
        nullptr, nullptr);
    ssl_.reset(SSL_new(context));
    SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_accept_state(ssl_.get());
  }

  /// Keeps the tickets that follow.
  void handshake() {
    while (SSL_do_handshake(ssl_.get()) != 1) {
      below_.write_all(take_sealed());
      take_some();
    }
    std::string tickets = take_sealed();
    for (std::string_view rest = tickets; !rest.empty();) {
      const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(rest[at]); };
      const std::size_t bytes = 5 + byte(3) * 256u + byte(4);
      records_.emplace_back(rest.substr(0, bytes));
      rest.remove_prefix(bytes);
    }
  }

  std::size_t records() const { return records_.size(); }
  /// Sends records `first` to before `end` of the tickets.
  void send(std::size_t first, std::size_t end) {
    for (; first < end; ++first) below_.write_all(records_[first]);
  }

  std::string read() {
    char got[100];
    std::size_t count = 0;
    while (SSL_read_ex(ssl_.get(), got, sizeof got, &count) != 1) take_some();
    return {got, count};
  }
  void say(std::string_view text) {
    SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size()));
    below_.write_all(take_sealed());
  }

 private:
  void take_some() {
    char got[4096];
    const std::size_t count = below_.read_some_until(got, soon()).value();
    BIO_write(SSL_get_rbio(ssl_.get()), got, static_cast<int>(count));
  }
  std::string take_sealed() {
    char* bytes = nullptr;
    const long count = BIO_get_mem_data(SSL_get_wbio(ssl_.get()), &bytes);
    const std::string sealed(bytes, static_cast<std::size_t>(count));
    (void)BIO_reset(SSL_get_wbio(ssl_.get()));
    return sealed;
  }

  net::stream below_;
  owned<SSL_CTX, SSL_CTX_free> context_{SSL_CTX_new(TLS_server_method())};
  owned<SSL, SSL_free> ssl_;
  std::vector<std::string> records_;
};

/// Both ends after the handshake; the tickets are not sent.
struct slow_pair {
  slow_pair() {
    weft_test::test_ca ca;
    const tls::client_context with({.ca = ca.pem()});
    listener at(endpoint::parse("127.0.0.1:0"));
    auto below = net::stream::connect(at.address());
    server.emplace(at.accept(), ca.make({.names = {"localhost"}}));
    auto serving = go([this] { server->handshake(); });
    client.emplace(tls::stream::connect(std::move(below), with, "localhost", soon()));
    serving.join();
  }
  std::optional<slow_server> server;
  std::optional<tls::stream> client;
};

void let_all_run() {
  for (int i = 0; i < 10; ++i) yield();
}

// OpenSSL takes nothing to write while it has half a message.
TEST(tls_split_message, who_writes_in_the_middle_of_one_waits_for_the_rest) {
  run([] {
    slow_pair ends;
    slow_server& server = *ends.server;
    tls::stream& client = *ends.client;
    const std::size_t both = server.records();
    ASSERT_GE(both, 4u);
    ASSERT_EQ(both % 2, 0u);

    server.send(0, 1);
    EXPECT_TRUE(client.is_quiet());  // has taken the first part
    bool is_written = false;
    auto writing = go([&] {
      client.write_all("alone");
      is_written = true;
    });
    let_all_run();
    EXPECT_FALSE(is_written);
    server.send(1, both / 2);
    writing.join();
    EXPECT_EQ(server.read(), "alone");

    server.send(both / 2, both / 2 + 1);
    EXPECT_TRUE(client.is_quiet());
    EXPECT_FALSE(client.write_some_until("late", steady_clock::now() + 1ms));
    std::string heard;
    auto reading = go([&] {
      char got[100];
      heard.assign(got, client.read_some(got));
    });
    let_all_run();
    auto beside = go([&] { client.write_all("beside a reader"); });
    let_all_run();
    server.send(both / 2 + 1, both);
    beside.join();
    EXPECT_EQ(server.read(), "beside a reader");
    server.say("heard");
    reading.join();
    EXPECT_EQ(heard, "heard");
  });
}

// Of two that wait for the rest one waits at the socket, and the other goes on where that one leaves.
TEST(tls_split_message, a_reader_that_gives_up_leaves_the_wait_to_the_writer) {
  run([] {
    slow_pair ends;
    slow_server& server = *ends.server;
    tls::stream& client = *ends.client;
    server.send(0, 1);
    EXPECT_TRUE(client.is_quiet());
    auto reading = go([&] {
      char got[100];
      client.read_some(got);
    });
    let_all_run();
    auto writing = go([&] { client.write_all("still here"); });
    let_all_run();
    reading.cancel();
    EXPECT_THROW(reading.join(), cancelled);
    let_all_run();
    server.send(1, server.records());
    writing.join();
    EXPECT_EQ(server.read(), "still here");
  });
}

}  // namespace
}  // namespace weft::net
