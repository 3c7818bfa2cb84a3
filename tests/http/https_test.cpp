// TLS in the server and in the client: https and wss.
#include <gtest/gtest.h>

#include <fstream>

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/http/client.hpp>
#include <weft/http/event_stream.hpp>
#include <weft/http/server.hpp>
#include <weft/http/websocket.hpp>
#include <weft/net/tls/stream.hpp>
#include <weft/process/exec.hpp>

#include "http/raw_client.hpp"
#include "support/certificates.hpp"
#include "support/expect_error.hpp"
#include "support/scratch_folder.hpp"

namespace weft::http {
namespace {

using namespace std::chrono_literals;
namespace tls = net::tls;
using weft_test::test_ca;

/// A server for "localhost" and 127.0.0.1, and clients that trust it.
struct secure_site {
  explicit secure_site(tls::client_certificates wanted = tls::client_certificates::none)
      : context({.certificates = {ca.make({.names = {"localhost", "127.0.0.1"}})},
                 .client_certificates = wanted,
                 .client_ca = ca.pem(),
                 .protocols = {"http/1.1"}}) {}
  server_options options() const { return {.listen = "127.0.0.1:0", .tls = context}; }
  client_options trusting(const tls::certificate& own = {}) const {
    return {.tls = tls::client_context({.ca = ca.pem(), .certificate = own, .protocols = {"http/1.1"}})};
  }
  test_ca ca;
  tls::server_context context;
};

TEST(https, requests_are_answered_on_kept_connections) {
  run([] {
    const secure_site site;
    server serving(site.options());
    serving.get("/hello", [](request& in) { return "hello by " + in.tls()->version; });
    serving.post("/length", [](request& in) { return std::to_string(in.body().size()); });
    serving.get("/large", [](request&, response& out) {
      for (int i = 0; i < 40; ++i) out.write(std::string(100'000, 'x'));
    });
    serving.start();
    EXPECT_TRUE(serving.url().starts_with("https://127.0.0.1:"));
    client asking(serving.url(), site.trusting());
    EXPECT_EQ(asking.get("/hello").body(), "hello by TLSv1.3");
    EXPECT_EQ(asking.post("/length", std::string(500'000, 'x')).body(), "500000");
    EXPECT_EQ(asking.get("/large").body().size(), 4'000'000u);
    EXPECT_EQ(asking.statistics().connections, 1u);
    serving.stop();
  });
}

TEST(https, an_unknown_server_is_not_asked) {
  run([] {
    const secure_site site;
    server serving(site.options());
    serving.get("/", [] { return "hello"; });
    serving.start();
    const std::string text =
        message_of(errc::refused, [&] { client(serving.url()).get("/"); });  // the system's trust
    EXPECT_TRUE(has_text(text, "http: GET / at https://127.0.0.1:")) << text;
    EXPECT_TRUE(has_text(text, "certificate is not accepted")) << text;
    serving.stop();
    EXPECT_EQ(serving.statistics().requests, 0u);
    EXPECT_EQ(serving.statistics().failed_handshakes, 1u);
  });
}

TEST(https, a_handler_sees_whose_certificate_it_is) {
  run([] {
    secure_site site(tls::client_certificates::optional);
    server serving(site.options());
    serving.get("/who", [](request& in) { return in.tls()->peer ? in.tls()->peer->subject : "nobody"; });
    serving.start();
    EXPECT_EQ(client(serving.url(), site.trusting(site.ca.make({.common_name = "ann"}))).get("/who").body(),
              "CN=ann");
    EXPECT_EQ(client(serving.url(), site.trusting()).get("/who").body(), "nobody");
    serving.stop();
  });
}

TEST(https, a_redirect_takes_no_certificate_elsewhere) {
  run([] {
    secure_site site(tls::client_certificates::optional);
    server elsewhere(site.options());
    const auto who = [](request& in) {
      return std::string(in.tls()->peer ? in.tls()->peer->subject : "nobody") +
             (in.tls()->is_resumed ? " again" : "");
    };
    elsewhere.get("/who", who);
    elsewhere.start();
    server serving(site.options());
    serving.get("/who", who);
    serving.get("/here", [](request&, response& out) { out.status(302).header("Location", "/who"); });
    serving.get("/there", [&](request&, response& out) {
      out.status(302).header("Location", elsewhere.url() + "/who");
    });
    serving.start();
    client_options with = site.trusting(site.ca.make({.common_name = "ann"}));
    with.redirects_max = 1;
    client asking(serving.url(), with);
    EXPECT_EQ(client(elsewhere.url(), with).get("/who").body(), "CN=ann");  // a session that says who asks
    EXPECT_EQ(asking.get("/here").body(), "CN=ann");
    EXPECT_EQ(asking.get("/there").body(), "nobody");
    EXPECT_EQ(asking.get("/there").body(), "nobody again");  // resumed as nobody
    EXPECT_EQ(client(elsewhere.url(), with).get("/who").body(), "CN=ann again");
    serving.stop();
    elsewhere.stop();
  });
}

TEST(https, websockets_go_over_it) {
  run([] {
    const secure_site site;
    server serving(site.options());
    serving.websocket("/echo", [](websocket& socket) {
      while (auto message = socket.read()) socket.send(message->data);
    });
    serving.start();
    auto socket =
        websocket::connect("wss://" + serving.address().text() + "/echo", {.tls = site.trusting().tls});
    socket.send(std::string(100'000, 'x'));
    EXPECT_EQ(socket.read()->data.size(), 100'000u);
    socket.close();
    EXPECT_EQ(socket.close_code(), 1000);
    serving.stop();
  });
}

TEST(https, a_websocket_handler_sees_the_session_and_so_does_who_had_one) {
  run([] {
    const secure_site site;
    server serving(site.options());
    const auto who = [](request& in) { return in.peer().host() + " by " + in.tls()->version; };
    std::string after;
    serving.websocket("/during", [&](websocket& socket, request& in) { socket.send(who(in)); });
    serving.get("/after", [&](request& in, response& out) {
      accept_websocket(in, out).send("ends here");
      after = who(in);
    });
    serving.start();
    const auto heard = [&](const std::string& path) {
      auto socket =
          websocket::connect("wss://" + serving.address().text() + path, {.tls = site.trusting().tls});
      return socket.read()->data;
    };
    EXPECT_EQ(heard("/during"), "127.0.0.1 by TLSv1.3");
    EXPECT_EQ(heard("/after"), "ends here");
    serving.stop();
    EXPECT_EQ(after, "127.0.0.1 by TLSv1.3");
  });
}

TEST(https, an_answer_that_was_cut_off_does_not_end_as_if_it_was_whole) {
  run([] {
    const secure_site site;
    server serving(site.options());
    serving.get("/x", [](request&, response& out) {
      out.write("a part");
      throw std::runtime_error("no more");
    });
    serving.start();
    auto asking =
        tls::stream::connect(net::stream::connect(serving.address()), *site.trusting().tls, "localhost");
    asking.write_all("GET /x HTTP/1.0\r\n\r\n");
    std::string got;
    char piece[1024];
    while (!got.ends_with("a part")) got.append(piece, asking.read_some(piece));
    const std::string text = message_of(errc::unavailable, [&] { (void)asking.read_some(piece); });
    EXPECT_TRUE(has_text(text, "may be cut short")) << text;
    serving.stop();
  });
}

TEST(https, a_client_that_leaves_is_noticed) {
  run([] {
    const secure_site site;
    server serving(site.options());
    event over;
    serving.get("/events",
                [&](request& in, response& out) {
                  event_stream events(in, out, {.keep_alive = 0ms});
                  events.ended().wait();
                  over.set();
                },
                {.handler_timeout = 0ms, .ends_with_client = false});
    serving.get("/slow", [](request&, response& out) {
      out.write("begun");
      sleep_for(1h);
    });
    serving.start();
    const auto leave = [&](const std::string& path, const std::string& mark) {
      auto asking =
          tls::stream::connect(net::stream::connect(serving.address()), *site.trusting().tls, "localhost");
      asking.write_all("GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n");
      std::string got;
      char piece[1024];
      while (got.find(mark) == std::string::npos) got.append(piece, asking.read_some(piece));
    };
    leave("/events", "\r\n\r\n");
    EXPECT_TRUE(over.wait_for(20s));
    leave("/slow", "begun");
    const steady_time until = steady_clock::now() + 20s;
    while (serving.statistics().abandoned_requests == 0 && steady_clock::now() < until) sleep_for(1ms);
    EXPECT_EQ(serving.statistics().abandoned_requests, 1u);
    serving.stop();
  });
}

TEST(https, what_is_no_handshake_is_counted) {
  run([] {
    const secure_site site;
    server_options options = site.options();
    const auto expect_one_failed = [&](auto&& talk) {
      server serving(options);
      serving.start();
      raw_client talking(serving);
      talk(talking);
      serving.stop();
      EXPECT_EQ(serving.statistics().failed_handshakes, 1u);
      EXPECT_EQ(serving.statistics().requests, 0u);
    };
    expect_one_failed([](raw_client& plain) {
      plain.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      EXPECT_EQ(plain.read_to_end().find("HTTP/"), std::string::npos);
    });
    options.handshake_timeout = 20ms;
    expect_one_failed([](raw_client& silent) { EXPECT_EQ(silent.read_to_end(), ""); });
  });
}

TEST(https, handshakes_at_once_are_bounded) {
  run([] {
    const secure_site site;
    server_options options = site.options();
    options.handshakes_max = 2;
    options.handshake_timeout = 0ms;
    server serving(options);
    serving.get("/", [] { return "hello"; });
    serving.start();
    std::optional<raw_client> one(serving);
    raw_client two(serving);
    one->send("\x16");  // both begin, and say no more
    two.send("\x16");
    while (serving.statistics().connections < 2) yield();
    for (int i = 0; i < 100; ++i) yield();
    client asking(serving.url(), site.trusting());
    auto third = go([&] { return asking.get("/").body(); });
    while (serving.statistics().connections < 3) yield();
    for (int i = 0; i < 100; ++i) yield();
    EXPECT_FALSE(third.done());
    one.reset();
    EXPECT_EQ(third.join(), "hello");
    serving.stop();
  });
}

TEST(https, who_says_nothing_takes_nobodys_turn) {
  run([] {
    const secure_site site;
    server_options options = site.options();
    options.handshakes_max = 1;
    options.handshake_timeout = 0ms;
    server serving(options);
    serving.get("/", [] { return "hello"; });
    serving.start();
    const raw_client silent(serving);
    while (serving.statistics().connections < 1) yield();
    client_options trusting = site.trusting();
    trusting.timeout = 20s;
    EXPECT_EQ(client(serving.url(), trusting).get("/").body(), "hello");
    serving.stop();
  });
}

TEST(https, a_handshake_does_not_delay_the_stop) {
  run([] {
    const secure_site site;
    server_options options = site.options();
    options.handshake_timeout = 0ms;
    server serving(options);
    serving.start();
    raw_client silent(serving);
    while (serving.statistics().connections < 1) yield();
    yield();
    EXPECT_TRUE(serving.stop(60s));
    EXPECT_EQ(silent.read_to_end(), "");
  });
}

TEST(https, a_stop_tells_whoever_is_connected) {
  run([] {
    const secure_site site;
    server serving(site.options());
    serving.websocket("/wait", [](websocket& socket) { EXPECT_FALSE(socket.read()); });
    serving.get("/", [] { return "hello"; });
    serving.start();
    auto socket =
        websocket::connect("wss://" + serving.address().text() + "/wait", {.tls = site.trusting().tls});
    auto kept =
        tls::stream::connect(net::stream::connect(serving.address()), *site.trusting().tls, "localhost");
    kept.write_all("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    std::string got;
    char piece[1024];
    while (!got.ends_with("hello")) got.append(piece, kept.read_some(piece));
    auto told = go([&] {
      EXPECT_FALSE(socket.read());
      return socket.close_code();
    });
    EXPECT_TRUE(serving.stop(60s));
    EXPECT_EQ(told.join(), 1001);
    EXPECT_EQ(kept.read_some(piece), 0u);  // the end, not a cut
  });
}

TEST(https, curl_is_served) {
  run([] {
    const weft_test::scratch_folder folder;
    const secure_site site;
    std::ofstream(folder / "ca.pem") << site.ca.pem();
    server serving(site.options());
    serving.get("/hello", [] { return "hello"; });
    serving.post("/length", [](request& in) { return std::to_string(in.body().size()); });
    serving.start();
    const auto curl = [&](std::vector<std::string> more) {
      std::vector<std::string> all{"curl", "-sS", "--noproxy", "*", "--cacert", folder / "ca.pem"};
      all.insert(all.end(), more.begin(), more.end());
      const exec_result got = exec(all);
      return got.out + got.err;
    };
    EXPECT_EQ(curl({serving.url() + "/hello", serving.url() + "/hello"}), "hellohello");
    EXPECT_EQ(curl({"--http2", "--tls-max", "1.2", serving.url() + "/hello"}), "hello");
    EXPECT_EQ(curl({"--data-binary", std::string(50'000, 'x'), serving.url() + "/length"}), "50000");
    serving.stop();
  });
}

}  // namespace
}  // namespace weft::http
