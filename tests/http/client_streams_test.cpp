// Bodies that are streamed, and redirects.
#include <gtest/gtest.h>

#include <cstdlib>

#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/http/client.hpp>
#include <weft/http/server.hpp>
#include <weft/http/websocket.hpp>
#include <weft/net/listener.hpp>
#include <weft/trace/propagation.hpp>

#include "http/raw_client.hpp"
#include "support/certificates.hpp"
#include "support/expect_error.hpp"

namespace weft::http {
namespace {

using namespace std::chrono_literals;

std::string rest_of(streamed_response& from) {
  std::string all;
  for (std::string_view piece; !(piece = from.read_body()).empty();) all += piece;
  return all;
}

TEST(http_client_stream, a_response_is_read_as_it_comes_and_its_connection_kept) {
  run([] {
    server serving(on_any_port());
    serving.get("/chunks", [](request&, response& out) {
      for (int i = 0; i < 100; ++i) out.write(std::string(50'000, 'x'));
    });
    serving.get("/whole", [] { return std::string(3'000'000, 'y'); });
    serving.get("/empty", [] {});
    serving.start();
    client asking(serving.url());
    for (const auto& [target, bytes] : std::vector<std::pair<const char*, std::size_t>>{
             {"/chunks", 5'000'000}, {"/whole", 3'000'000}, {"/empty", 0}}) {
      streamed_response got = asking.open("GET", target);
      EXPECT_EQ(got.status(), 200);
      EXPECT_TRUE(got.header("Date"));
      EXPECT_EQ(rest_of(got).size(), bytes) << target;
      EXPECT_EQ(got.read_body(), "");
    }
    EXPECT_EQ(asking.statistics().connections, 1u);
    EXPECT_EQ(asking.statistics().idle, 1u);
    serving.stop();
  });
}

TEST(http_client_stream, trailers_go_both_ways) {
  using fields = std::vector<std::pair<std::string, std::string>>;
  run([] {
    server serving(on_any_port());
    serving.post("/sum",
                 [](request& in, response& out) {
                   while (!in.read_body().empty()) {
                   }
                   out.write(std::string(in.trailer("X-Sum").value_or("none")));
                   out.trailer("X-Took", "7 ms");
                 },
                 {.streams_body = true});
    serving.start();
    client asking(serving.url());
    const auto upload = [&](request_options options) {
      bool is_sent = false;
      return asking.upload(
          "POST", "/sum", [&]() -> std::string_view { return std::exchange(is_sent, true) ? "" : "body"; },
          options);
    };
    streamed_response got = upload({.takes_trailers = true, .trailers = [] {
                                      return fields{{"X-Sum", "abc"}};
                                    }});
    EXPECT_FALSE(got.trailer("X-Took"));
    EXPECT_EQ(rest_of(got), "abc");
    EXPECT_EQ(got.trailer("x-took"), "7 ms");
    EXPECT_FALSE(got.header("X-Took"));
    streamed_response without = upload({});
    EXPECT_EQ(rest_of(without), "none");
    EXPECT_FALSE(without.trailer("X-Took"));
    EXPECT_EQ(asking.post("/sum", "body", {.takes_trailers = true}).trailer("X-Took"), "7 ms");
    EXPECT_EQ(asking.statistics().connections, 1u);
    for (const char* const name : {"Content-Length", "Host", "a b"}) {
      const std::string said = message_of(errc::invalid_argument, [&] {
        upload({.trailers = [&] { return fields{{name, "5"}}; }});
      });
      EXPECT_TRUE(has_text(said, name)) << said;
    }
    EXPECT_THROW(upload({.trailers = []() -> fields { throw std::runtime_error("no sum"); }}),
                 std::runtime_error);
    EXPECT_EQ(asking.statistics().idle, 0u);  // what was cut off is not used again
    serving.stop();
  });
}

TEST(http_client_stream, one_that_is_not_read_to_its_end_is_not_kept) {
  run([] {
    server serving(on_any_port());
    serving.get("/", [] { return std::string(3'000'000, 'y'); });
    serving.start();
    client asking(serving.url(), {.connections_max = 1});
    EXPECT_FALSE(asking.open("GET", "/").read_body().empty());
    EXPECT_EQ(asking.statistics().idle, 0u);
    EXPECT_EQ(asking.get("/").body().size(), 3'000'000u);  // there is a place again
    serving.stop();
  });
}

TEST(http_client_stream, a_request_goes_out_in_pieces_as_the_server_reads) {
  run([] {
    server serving(on_any_port());
    event go_on;
    serving.post("/",
                 [&](request& in) {
                   std::size_t bytes = 0;
                   EXPECT_FALSE(in.content_length());
                   go_on.wait();
                   for (std::string_view piece; !(piece = in.read_body()).empty();) bytes += piece.size();
                   return std::to_string(bytes);
                 },
                 {.streams_body = true, .body_bytes_max = 1u << 30});
    serving.start();
    client asking(serving.url());
    const std::string piece(100'000, 'x');
    int given = 0;
    auto sending = go([&] {
      streamed_response got = asking.upload("POST", "/", [&]() -> std::string_view {
        return given++ < 300 ? std::string_view(piece) : std::string_view();
      });
      return rest_of(got);
    });
    int before = -1;  // until the sockets are full
    while (before != given) {
      before = given;
      for (int i = 0; i < 200; ++i) yield();
    }
    EXPECT_LT(given, 300);
    go_on.set();
    EXPECT_EQ(sending.join(), "30000000");
    EXPECT_EQ(asking.statistics().idle, 1u);
    serving.stop();
  });
}

TEST(http_client_stream, a_failure_of_who_gives_the_pieces_passes_and_the_server_sees_a_cut) {
  run([] {
    server serving(on_any_port());
    event seen;
    serving.post("/",
                 [&](request& in) {
                   try {
                     while (!in.read_body().empty()) continue;
                     ADD_FAILURE() << "a whole body";
                   } catch (const error& cut) {
                     EXPECT_EQ(cut.code(), errc::closed);
                     seen.set();
                     throw;
                   }
                 },
                 {.streams_body = true});
    serving.start();
    client asking(serving.url());
    int given = 0;
    EXPECT_THROW((void)asking.upload("POST", "/",
                                     [&]() -> std::string_view {
                                       if (given++ == 0) return "begin";
                                       throw std::runtime_error("no more");
                                     }),
                 std::runtime_error);
    seen.wait();
    EXPECT_EQ(asking.statistics().idle, 0u);
    serving.stop();
  });
}

TEST(http_client_cookies, are_kept_by_a_jar_also_those_of_redirects_and_go_to_their_server_only) {
  run([] {
    server serving(on_any_port()), other(on_any_port());
    const auto tell = [](request& in) { return std::string(in.header("Cookie").value_or("none")); };
    serving.get("/login", [](response& out) {
      out.status(302).header("Location", "/in/page").set_cookie("who", "Ada", {.path = "/in"});
      out.set_cookie("seen", "1");
    });
    serving.get("/in/page", tell).get("/out", tell);
    other.get("/out", tell);
    serving.start();
    other.start();
    const auto jar = std::make_shared<cookie_jar>();
    client asking(serving.url(), {.redirects_max = 1, .cookies = jar});
    EXPECT_EQ(asking.get("/login").body(), "who=Ada; seen=1");
    EXPECT_EQ(asking.get("/out?x=/in").body(), "seen=1");
    EXPECT_EQ(asking.get("/out", {.headers = {{"Cookie", "own=2"}}}).body(), "own=2");
    EXPECT_EQ(client(serving.url()).get("/out").body(), "none");
    EXPECT_EQ(jar->all().size(), 2u);
    EXPECT_EQ(client("http://localhost:" + std::to_string(other.address().port()), {.cookies = jar})
                  .get("/out")
                  .body(),
              "none");
    serving.stop();
    other.stop();
  });
}

TEST(http_client_redirect, methods_and_bodies_change_as_the_status_says) {
  run([] {
    server serving(on_any_port());
    for (const int status : {301, 302, 303, 307, 308}) {
      const std::string number = std::to_string(status);
      serving.route("POST", std::string("/").append(number), [status, number] {
        return response(status).header("Location", std::string("echo?from=").append(number));
      });
    }
    const auto echo = [](request& in) {
      return std::string(in.method()) + ' ' + std::string(in.target()) + ' ' + std::string(in.body()) +
             (in.header("Content-Type") ? " typed" : "");
    };
    serving.get("/echo", echo).post("/echo", echo);
    serving.start();
    client asking(serving.url(), {.redirects_max = 5});
    const auto posted = [&](const char* target) {
      return asking.post(target, "body", {.content_type = "text/plain"}).body();
    };
    EXPECT_EQ(posted("/301"), "GET /echo?from=301 ");
    EXPECT_EQ(posted("/302"), "GET /echo?from=302 ");
    EXPECT_EQ(posted("/303"), "GET /echo?from=303 ");
    EXPECT_EQ(posted("/307"), "POST /echo?from=307 body typed");
    EXPECT_EQ(posted("/308"), "POST /echo?from=308 body typed");
    EXPECT_EQ(client(serving.url()).post("/301", "body").status(),
              301);  // not followed where nobody wants it
    serving.stop();
  });
}

TEST(http_client_redirect, credentials_stay_with_their_server) {
  run([] {
    server other(on_any_port());
    const auto seen = [](request& in) {
      return std::string(in.header("Authorization") ? "authorized" : "unknown") +
             (in.header("Cookie") ? " with cookie" : "") + (in.header("X-Own") ? " own" : "");
    };
    other.get("/seen", seen);
    other.start();
    server serving(on_any_port());
    serving.get("/seen", seen);
    serving.get("/near", [](request&, response& out) { out.status(302).header("Location", "/x/../seen"); });
    serving.get("/far", [&](request&, response& out) {
      out.status(302).header("Location", other.url() + "/seen#part");
    });
    serving.start();
    client asking(serving.url(), {.redirects_max = 5});
    const request_options mine{.headers = {{"Authorization", "Basic x"}, {"Cookie", "a=b"}, {"X-Own", "1"}}};
    EXPECT_EQ(asking.get("/near", mine).body(), "authorized with cookie own");
    EXPECT_EQ(asking.get("/far", mine).body(), "unknown own");
    EXPECT_EQ(asking.get("/near", mine).body(), "authorized with cookie own");
    serving.stop();
    other.stop();
  });
}

TEST(http_client_redirect, its_body_is_not_in_the_way) {
  run([] {
    server serving(on_any_port());
    serving.get("/moved", [](request&, response& out) {
      out.status(302).header("Location", "/here").body("this page is elsewhere now");
    });
    serving.get("/here", [] { return "ok"; });
    serving.start();
    client asking(serving.url(), {.limits = {.body_bytes_max = 10}, .redirects_max = 1});
    EXPECT_EQ(asking.get("/moved").body(), "ok");
    EXPECT_EQ(asking.statistics().connections, 2u);  // what was not read is not waited for
    serving.stop();
  });
}

TEST(http_client_redirect, circles_and_nonsense_end) {
  run([] {
    server serving(on_any_port());
    serving.get("/circle", [](request&, response& out) { out.status(302).header("Location", "/circle"); });
    serving.get("/nonsense", [](request&, response& out) { out.status(302).header("Location", "ftp://a/"); });
    serving.get("/none", [](request&, response& out) { out.status(302); });
    serving.get("/socket", [](request&, response& out) {
      out.status(302).header("Location", "http://unix:app.sock/x");
    });
    serving.get("/loud", [&](request&, response& out) {
      out.status(302).header("Location", "HTTP" + serving.url().substr(4) + "/none");
    });
    serving.start();
    client asking(serving.url(), {.redirects_max = 3});
    EXPECT_TRUE(has_text(message_of(errc::refused, [&] { asking.get("/circle"); }), "more than 3 redirects"));
    EXPECT_EQ(serving.statistics().requests, 4u);
    EXPECT_TRUE(has_text(message_of(errc::malformed, [&] { asking.get("/nonsense"); }), "ftp://a/"));
    EXPECT_TRUE(has_text(message_of(errc::malformed, [&] { asking.get("/socket"); }), "a Unix socket"));
    EXPECT_EQ(asking.get("/loud").status(), 302);
    EXPECT_EQ(asking.get("/none").status(), 302);
    serving.stop();
  });
}

TEST(http_client, the_trace_goes_along_where_it_is_wanted) {
  run([] {
    server serving(on_any_port());
    serving.get("/", [](request& in) { return in.header("traceparent") ? "traced" : "alone"; });
    serving.start();
    client asking(serving.url());
    const std::vector<std::pair<std::string, std::string>> came{
        {"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}};
    trace::from_headers(came).run([&] {
      EXPECT_EQ(asking.get("/").body(), "alone");
      EXPECT_EQ(asking.get("/", {.sends_trace = true}).body(), "traced");
    });
    serving.stop();
  });
}

/// A proxy that notes the heads of what it gets; CONNECT makes a tunnel, everything else goes to `to`.
class small_proxy {
 public:
  explicit small_proxy(net::endpoint to) : to_(std::move(to)) {
    all_.go([this] {
      while (true) all_.go([this, peer = listening_.accept()]() mutable { serve(std::move(peer)); });
    });
  }
  ~small_proxy() { all_.cancel(); }
  std::string address() const { return listening_.address().text(); }
  std::vector<std::string> heads;
  std::string refusal;  // in place of a tunnel

 private:
  void serve(net::stream peer) {
    std::string head;
    char byte = 0;
    while (!head.ends_with("\r\n\r\n")) {
      if (peer.read_some({&byte, 1}) == 0) return;
      head += byte;
    }
    heads.push_back(head);
    if (!refusal.empty()) return peer.write_all(refusal);
    net::stream server = net::stream::connect(to_);
    if (head.starts_with("CONNECT ")) {
      peer.write_all("HTTP/1.1 200 Connection established\r\n\r\n");
    } else {
      server.write_all(head.replace(head.find("http://"), head.find('/', 12) - head.find("http://"), ""));
    }
    try {
      with_scope([&](scope& both) {
        both.go([&] { pass(peer, server); });
        pass(server, peer);
      });
    } catch (const error&) {  // a side is gone
    }
  }
  static void pass(net::stream& from, net::stream& to) {
    char bytes[4096];
    while (const std::size_t count = from.read_some(bytes)) to.write_all({bytes, count});
    to.shutdown_write();
  }

  net::endpoint to_;
  net::listener listening_{net::endpoint::parse("127.0.0.1:0")};
  scope all_;
};

TEST(http_client_proxy, plain_requests_name_their_server_and_secure_ones_go_in_a_tunnel) {
  run([] {
    weft_test::test_ca ca;
    server plain(on_any_port());
    plain.get("/a", [] { return "plain"; });
    plain.start();
    small_proxy by(plain.address());
    const client_options options{.proxy = "http://ann:a%40b@" + by.address()};
    client asking("http://shop.example:8080", options);
    EXPECT_EQ(asking.get("/a").body(), "plain");
    ASSERT_EQ(by.heads.size(), 1u);
    EXPECT_TRUE(
        by.heads[0].starts_with("GET http://shop.example:8080/a HTTP/1.1\r\nHost: shop.example:8080\r\n"));
    EXPECT_TRUE(has_text(by.heads[0], "Proxy-Authorization: Basic YW5uOmFAYg==\r\n")) << by.heads[0];

    server secure(
        {.listen = "127.0.0.1:0",
         .tls = net::tls::server_context({.certificates = {ca.make({.names = {"shop.example"}})}})});
    secure.get("/a", [](request& in) {
      return "secure" + std::string(in.header("Proxy-Authorization") ? "!" : "");
    });
    secure.start();
    small_proxy tunnel(secure.address());
    client_options with{.proxy = "http://ann:secret@" + tunnel.address(),
                        .tls = net::tls::client_context({.ca = ca.pem()})};
    client behind("https://shop.example", with);
    EXPECT_EQ(behind.get("/a").body(), "secure");
    ASSERT_EQ(tunnel.heads.size(), 1u);
    EXPECT_TRUE(
        tunnel.heads[0].starts_with("CONNECT shop.example:443 HTTP/1.1\r\nHost: shop.example:443\r\n"));
    tunnel.refusal = "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
    behind.close_idle();
    const std::string text = message_of(errc::refused, [&] { behind.get("/a"); });
    EXPECT_TRUE(has_text(text, "the proxy at " + tunnel.address() + " answers 407")) << text;
    EXPECT_FALSE(has_text(text, "secret"));
    plain.stop();
    secure.stop();
  });
}

TEST(http_client_proxy, websockets_go_in_a_tunnel) {
  run([] {
    server plain(on_any_port());
    plain.websocket("/echo", [](websocket& socket) {
      while (auto message = socket.read()) socket.send(message->data);
    });
    plain.start();
    small_proxy by(plain.address());
    const auto echo = [](const websocket_options& options) {
      auto socket = websocket::connect("ws://shop.example:8080/echo", options);
      socket.send("hello");
      const std::string heard = socket.read().value().data;
      socket.close();
      return heard;
    };
    websocket_options named;
    named.proxy = "http://ann:secret@" + by.address();
    EXPECT_EQ(echo(named), "hello");
    ASSERT_EQ(by.heads.size(), 1u);
    EXPECT_TRUE(by.heads[0].starts_with("CONNECT shop.example:8080 HTTP/1.1\r\nHost: shop.example:8080\r\n"));
    EXPECT_TRUE(has_text(by.heads[0], "Proxy-Authorization: Basic YW5uOnNlY3JldA==\r\n")) << by.heads[0];
    EXPECT_FALSE(has_text(by.heads[0], "Upgrade"));
    ::setenv("http_proxy", by.address().c_str(), 1);
    websocket_options from_environment;
    from_environment.proxy_from_environment = true;
    EXPECT_EQ(echo(from_environment), "hello");
    EXPECT_EQ(by.heads.size(), 2u);
    ::unsetenv("http_proxy");
    by.refusal = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
    const std::string text = message_of(errc::refused, [&] { echo(named); });
    EXPECT_TRUE(has_text(text, "websocket: connect to ws://shop.example:8080/echo: the proxy at ")) << text;
    EXPECT_FALSE(has_text(text, "secret"));
    plain.stop();
  });
}

TEST(http_client_proxy, the_environment_names_one_where_that_is_wanted) {
  run([] {
    server plain(on_any_port());
    plain.get("/a", [] { return "plain"; });
    plain.start();
    small_proxy by(plain.address());
    ::setenv("http_proxy", by.address().c_str(), 1);
    ::setenv("no_proxy", "other.example, 127.0.0.1", 1);
    const client_options options{.proxy_from_environment = true};
    EXPECT_EQ(client("http://shop.example", options).get("/a").body(), "plain");
    EXPECT_EQ(client(plain.url(), options).get("/a").body(), "plain");
    EXPECT_EQ(by.heads.size(), 1u);
    ::unsetenv("http_proxy");
    ::unsetenv("no_proxy");
    plain.stop();
  });
}

}  // namespace
}  // namespace weft::http
