// HTTP/2 over TLS, chosen by ALPN.
#include <gtest/gtest.h>

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/http/client.hpp>
#include <weft/http/server.hpp>
#include <weft/net/tls/stream.hpp>

#include "http/h2/frame_client.hpp"
#include "http/h2/h2_client.hpp"
#include "http/raw_client.hpp"
#include "support/certificates.hpp"
#include "support/expect_error.hpp"

namespace weft::http {
namespace {

using namespace std::chrono_literals;
namespace tls = net::tls;

struct secure_site {
  explicit secure_site(std::vector<std::string> protocols = {})
      : context({.certificates = {ca.make({.names = {"localhost", "127.0.0.1"}})},
                 .protocols = std::move(protocols)}) {}
  tls::client_context trusting(std::vector<std::string> protocols) const {
    return tls::client_context({.ca = ca.pem(), .protocols = std::move(protocols)});
  }
  /// What both agree on.
  tls::stream connect(const server& to, std::vector<std::string> protocols) const {
    return tls::stream::connect(net::stream::connect(to.address()), trusting(std::move(protocols)),
                                "localhost");
  }
  weft_test::test_ca ca;
  tls::server_context context;
};

TEST(http2_tls, both_protocols_are_offered_and_the_newer_one_preferred) {
  run([] {
    for (const bool names_them : {false, true}) {
      const secure_site site(names_them ? std::vector<std::string>{"h2", "http/1.1"}
                                        : std::vector<std::string>{});
      server serving({.listen = "127.0.0.1:0", .tls = site.context});
      serving.get("/", [](request& in) { return in.tls()->protocol + " " + in.tls()->version; });
      serving.start();
      auto over = std::make_unique<tls::stream>(site.connect(serving, {"http/1.1", "h2"}));
      EXPECT_EQ(over->session().protocol, "h2");
      h2_client asking(std::move(over), {});
      EXPECT_EQ(asking.get("/").body, "h2 TLSv1.3");
      EXPECT_EQ(client(serving.url(), {.tls = site.trusting({"http/1.1"})}).get("/").body(),
                "http/1.1 TLSv1.3");
      EXPECT_EQ(client(serving.url(), {.tls = site.trusting({})}).get("/").body(), " TLSv1.3");
      EXPECT_EQ(serving.statistics().http2_connections, 1u);
      serving.stop();
    }
  });
}

TEST(http2_tls, large_bodies_go_both_ways) {
  run([] {
    const secure_site site;
    server serving({.listen = "127.0.0.1:0", .limits = {.body_bytes_max = 4'000'000}, .tls = site.context});
    serving.post("/",
                 [](request& in, response& out) {
                   for (std::string_view piece; !(piece = in.read_body()).empty();) out.write(piece);
                 },
                 {.streams_body = true});
    serving.start();
    h2_client asking(std::make_unique<tls::stream>(site.connect(serving, {"h2"})), {});
    std::vector<int> ids;
    for (int i = 0; i < 3; ++i) ids.push_back(asking.ask("POST", "/", {}, std::string(2'000'000, 'x')));
    for (const int id : ids) EXPECT_EQ(asking.wait(id).body.size(), 2'000'000u);
    serving.stop();
  });
}

TEST(http2_tls, where_it_is_off_it_is_not_offered) {
  run([] {
    const secure_site site;
    server serving({.listen = "127.0.0.1:0", .http2 = {.enabled = false}, .tls = site.context});
    serving.get("/", [] { return "here"; });
    serving.start();
    EXPECT_EQ(site.connect(serving, {"h2", "http/1.1"}).session().protocol, "http/1.1");
    EXPECT_EQ(site.connect(serving, {"h2"}).session().protocol, "");
    serving.stop();

    const secure_site naming({"h2", "http/1.1"});
    server contradicting({.listen = "127.0.0.1:0", .http2 = {.enabled = false}, .tls = naming.context});
    message_of(errc::unsupported, [&] { contradicting.start(); });
  });
}

TEST(http2_tls, the_preface_alone_does_not_choose_it) {
  run([] {
    const secure_site site;
    server serving({.listen = "127.0.0.1:0", .tls = site.context});
    serving.start();
    tls::stream over = site.connect(serving, {"http/1.1"});
    over.write_all("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    std::string said(12, '\0');
    over.read_exactly(said);
    EXPECT_EQ(said, "HTTP/1.1 505");
    serving.stop();
  });
}

TEST(http2_tls, another_preface_than_was_agreed_is_told_as_that) {
  run([] {
    const secure_site site;
    server serving({.listen = "127.0.0.1:0", .tls = site.context});
    serving.start();
    tls::stream over = site.connect(serving, {"h2"});
    over.write_all("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    std::string all;
    char piece[1000];
    for (std::size_t count; (count = over.read_some(piece)) > 0;) all.append(piece, count);
    const std::size_t at = all.find(number(8, 3) + static_cast<char>(go_away_type));
    ASSERT_NE(at, std::string::npos);
    EXPECT_EQ(number_of(all.substr(at + 13, 4)), protocol_error);
    EXPECT_EQ(serving.statistics().http2_violations, 1u);
    serving.stop();
  });
}

TEST(http2_tls, it_stops_as_without_tls) {
  run([] {
    const secure_site site;
    server serving({.listen = "127.0.0.1:0", .tls = site.context});
    event begun, go_on;
    serving.get("/", [&] {
      begun.set();
      go_on.wait();
      return "here";
    });
    serving.start();
    h2_client asking(std::make_unique<tls::stream>(site.connect(serving, {"h2"})), {});
    const int id = asking.ask("GET", "/");
    asking.send();
    begun.wait();
    fiber<void> stopping = go([&] { EXPECT_TRUE(serving.stop(20s)); });
    asking.drive_until([&] { return asking.go_aways().size() == 2; });
    go_on.set();
    EXPECT_EQ(asking.wait(id).body, "here");
    asking.wait_for_end();
    stopping.join();
  });
}

}  // namespace
}  // namespace weft::http
