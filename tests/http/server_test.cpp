#include <weft/http/server.hpp>

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include <weft/codec/codec.hpp>
#include <weft/context/context.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/http/client.hpp>
#include <weft/http/status_error.hpp>
#include <weft/log/collector.hpp>
#include <weft/log/log.hpp>

#include "http/raw_client.hpp"

namespace weft::http {
namespace {

inline constexpr key_spec colour_spec{.name = "test.colour"};
const key<std::string> colour{colour_spec};

/// Runs `test` against a started server whose routes `fill` made.
template <typename Fill, typename Test>
void with_server(Fill&& fill, Test&& test, server_options options = on_any_port()) {
  run([&] {
    server serving(std::move(options));
    fill(serving);
    serving.start();
    test(serving);
    serving.stop();
  });
}

void hello(server& to) {
  to.get("/hello/{name}", [](request& in) { return "hello " + in.param("name"); });
  to.post("/echo", [](request& in, response& out) { out.body(in.body()); });
}

TEST(http_server, answers_with_what_the_handler_returns) {
  with_server(hello, [](server& serving) {
    const std::string got =
        raw_client(serving).ask("GET /hello/you HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(got.find("HTTP/1.1 200 OK\r\nDate: "), 0u) << got;
    EXPECT_NE(got.find("Content-Length: 9\r\n"), std::string::npos) << got;
    EXPECT_NE(got.find("Content-Type: text/plain; charset=utf-8\r\n"), std::string::npos) << got;
    EXPECT_NE(got.find("Connection: close\r\n"), std::string::npos) << got;
    EXPECT_TRUE(got.ends_with("\r\n\r\nhello you")) << got;
  });
}

TEST(http_server, keeps_the_connection_for_the_next_request) {
  with_server(hello, [](server& serving) {
    raw_client client(serving);
    for (int i = 0; i < 3; ++i) {
      client.send("GET /hello/you HTTP/1.1\r\nHost: a\r\n\r\n");
      EXPECT_NE(client.read_until("hello you").find("200 OK"), std::string::npos);
    }
    EXPECT_EQ(serving.statistics().connections_total, 1u);
    EXPECT_EQ(serving.statistics().requests, 3u);
  });
}

TEST(http_server, answers_pipelined_requests_in_order) {
  with_server(hello, [](server& serving) {
    std::string many;
    for (int i = 0; i < 500; ++i)
      many += "GET /hello/n" + std::to_string(i) + "x HTTP/1.1\r\nHost: a\r\n\r\n";
    const std::string got = raw_client(serving).ask(many);
    std::size_t at = 0;
    for (int i = 0; i < 500; ++i) {
      at = got.find("hello n" + std::to_string(i) + "x", at);
      ASSERT_NE(at, std::string::npos) << i;
    }
    EXPECT_EQ(count_of(got, "HTTP/1.1 200 OK"), 500u);
  });
}

TEST(http_server, speaks_http_1_0) {
  with_server(hello, [](server& serving) {
    EXPECT_NE(raw_client(serving).ask("GET /hello/you HTTP/1.0\r\n\r\n").find("Connection: close"),
              std::string::npos);
    raw_client kept(serving);
    kept.send("GET /hello/you HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_NE(kept.read_until("hello you").find("Connection: keep-alive"), std::string::npos);
    kept.send("GET /hello/me HTTP/1.0\r\n\r\n");
    EXPECT_TRUE(kept.read_to_end().ends_with("hello me"));
  });
}

TEST(http_server, reads_bodies_of_both_framings_byte_by_byte) {
  with_server(hello, [](server& serving) {
    const std::string requests =
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
        "chunked\r\n\r\n3\r\nwor\r\n2;x=y\r\nld\r\n0\r\nX-T: 1\r\n\r\n"
        "GET /hello/end HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    raw_client client(serving);
    client.stream().set_no_delay(true);
    for (const char byte : requests) {
      client.send({&byte, 1});
      yield();
    }
    const std::string got = client.read_to_end();
    EXPECT_EQ(count_of(got, "200 OK"), 3u) << got;
    EXPECT_NE(got.find("\r\n\r\nhelloHTTP/1.1"), std::string::npos) << got;
    EXPECT_NE(got.find("\r\n\r\nworldHTTP/1.1"), std::string::npos) << got;
  });
}

TEST(http_server, reads_a_body_much_larger_than_its_first_buffer) {
  with_server(hello, [](server& serving) {
    client asking(serving.url());
    std::string large;
    for (int i = 0; large.size() < 1'000'000; ++i) large += std::to_string(i);
    large.resize(1'000'000);
    EXPECT_EQ(asking.post("/echo", large).body(), large);
    std::string chunked =
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
    for (std::size_t at = 0; at < large.size(); at += 1000)
      chunked += "3e8\r\n" + large.substr(at, 1000) + "\r\n";
    const std::string got = raw_client(serving).ask(chunked + "0\r\n\r\n");
    EXPECT_TRUE(got.ends_with("\r\n\r\n" + large));
  });
}

TEST(http_server, asks_for_the_body_of_a_client_that_waits_for_it) {
  with_server(hello, [](server& serving) {
    raw_client client(serving);
    client.send("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("hello");
    EXPECT_NE(client.read_until("hello").find("200 OK"), std::string::npos);
    raw_client unwanted(serving);
    unwanted.send("POST /nowhere HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    EXPECT_EQ(unwanted.read_to_end().find("HTTP/1.1 404 "), 0u);
  });
}

TEST(http_server, answers_head_without_the_body) {
  with_server(hello, [](server& serving) {
    const std::string got = raw_client(serving).ask("HEAD /hello/you HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_NE(got.find("Content-Length: 9\r\n"), std::string::npos);
    EXPECT_TRUE(got.ends_with("\r\n\r\n")) << got;
  });
}

TEST(http_server, tells_unknown_paths_and_methods) {
  with_server(hello, [](server& serving) {
    client asking(serving.url());
    EXPECT_EQ(asking.get("/nowhere").status(), 404);
    const response not_allowed = asking.del("/echo");
    EXPECT_EQ(not_allowed.status(), 405);
    EXPECT_EQ(not_allowed.header("Allow"), "POST, OPTIONS");
    EXPECT_EQ(asking.send("OPTIONS", "/hello/x", "").header("Allow"), "GET, HEAD, OPTIONS");
    EXPECT_EQ(asking.statistics().connections, 1u);
  });
}

TEST(http_server, streams_a_body_in_chunks) {
  with_server(
      [](server& to) {
        to.get("/stream", [](response& out) {
          out.status(201).header("X-Kind", "stream");
          for (int i = 0; i < 3; ++i) {
            out.write("piece " + std::to_string(i) + "\n");
            yield();
          }
        });
      },
      [](server& serving) {
        client asking(serving.url());
        for (int i = 0; i < 2; ++i) {
          const response got = asking.get("/stream");
          EXPECT_EQ(got.status(), 201);
          EXPECT_EQ(got.header("X-Kind"), "stream");
          EXPECT_EQ(got.header("Transfer-Encoding"), "chunked");
          EXPECT_EQ(got.body(), "piece 0\npiece 1\npiece 2\n");
        }
        EXPECT_EQ(asking.head("/stream").body(), "");
        EXPECT_EQ(asking.get("/stream").body().size(), 24u);
        EXPECT_EQ(asking.statistics().connections, 1u);
        const std::string old =
            raw_client(serving).ask("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        EXPECT_TRUE(old.ends_with("\r\n\r\npiece 0\npiece 1\npiece 2\n")) << old;
      });
}

TEST(http_server, an_exception_is_a_500_with_a_log_record_and_the_server_goes_on) {
  run([] {
    log::collector records;
    server serving(on_any_port());
    serving.get("/throw", []() -> std::string { throw std::runtime_error("the secret reason"); });
    serving.get("/odd", []() -> std::string { throw 7; });
    hello(serving);
    serving.start();
    client asking(serving.url());
    const response failed = asking.get("/throw", {.headers = {{"X-Request-Id", "r-1"}}});
    EXPECT_EQ(failed.status(), 500);
    EXPECT_EQ(failed.body().find("secret"), std::string::npos);
    EXPECT_EQ(asking.get("/odd").status(), 500);
    EXPECT_EQ(asking.get("/hello/x").status(), 200);
    EXPECT_EQ(asking.statistics().connections, 1u);
    serving.stop();
    bool logged = false;
    for (const log::record& one : records.take()) {
      if (one.level != log::level::error || one.context.empty()) continue;
      for (const log::context_field& field : one.context) logged = logged || field.text == "r-1";
    }
    EXPECT_TRUE(logged);
  });
}

TEST(http_server, a_status_error_is_answered_with_its_status_and_text) {
  with_server(
      [](server& to) {
        to.get("/gone/{id}", [](request& in, response&) {
          if (in.param<int>("id") > 0) throw status_error(410, "it is gone");
        });
      },
      [](server& serving) {
        client asking(serving.url());
        EXPECT_EQ(asking.get("/gone/1").status(), 410);
        EXPECT_EQ(asking.get("/gone/1").body(), "it is gone\n");
        EXPECT_EQ(asking.get("/gone/x").status(), 400);
        EXPECT_EQ(asking.get("/gone/0").status(), 200);
      });
}

struct person {
  std::string name;
  int age = 0;
  WEFT_DESCRIBE_MEMBERS(name, age);
};

TEST(http_server, reads_and_answers_json) {
  with_server(
      [](server& to) {
        to.post("/older", [](request& in) {
          person one = in.json<person>();
          ++one.age;
          return one;
        });
        to.get("/list", [] { return std::vector<int>{1, 2, 3}; });
      },
      [](server& serving) {
        client asking(serving.url());
        const response got =
            asking.post("/older", R"({"name":"Ada","age":36})", {.content_type = "application/json"});
        EXPECT_EQ(got.body(), R"({"name":"Ada","age":37})");
        EXPECT_EQ(got.header("Content-Type"), "application/json");
        EXPECT_EQ(asking.get("/list").body(), "[1,2,3]");
        for (const char* const bad :
             {"", "{", "[]", R"({"name":7,"age":1})", "{\"name\":\"\xff\",\"age\":1}"}) {
          const response refused = asking.post("/older", bad);
          EXPECT_EQ(refused.status(), 400) << bad;
          EXPECT_EQ(refused.body().find("the body: "), 0u) << refused.body();
        }
      });
}

TEST(http_server, exit_ends_the_request_only) {
  with_server(
      [](server& to) {
        to.get("/exit", [] { weft::exit(3); });
        to.get("/written", [](response& out) {
          out.status(202).body("written");
          weft::exit(3);
        });
        hello(to);
      },
      [](server& serving) {
        client asking(serving.url());
        EXPECT_EQ(asking.get("/exit").status(), 500);
        EXPECT_EQ(asking.get("/written").status(), 202);
        EXPECT_EQ(asking.get("/written").body(), "written");
        EXPECT_EQ(asking.get("/hello/x").status(), 200);
      });
}

TEST(http_server, an_exception_after_the_first_piece_cuts_the_body_short) {
  with_server(
      [](server& to) {
        to.get("/cut", [](response& out) {
          out.write("a piece");
          throw std::runtime_error("too late for a status");
        });
      },
      [](server& serving) {
        client asking(serving.url());
        try {
          asking.get("/cut");
          ADD_FAILURE() << "half a body passed for a whole one";
        } catch (const error& cut) {
          EXPECT_EQ(cut.code(), errc::unavailable);
        }
      });
}

TEST(http_server, a_request_has_an_id_that_is_taken_made_and_sent_back) {
  with_server(
      [](server& to) {
        to.get("/id", [](request& in) { return std::string(in.id()) + " " + request_id.require(); });
      },
      [](server& serving) {
        client asking(serving.url());
        const response given = asking.get("/id", {.headers = {{"X-Request-Id", "abc-1.2_3"}}});
        EXPECT_EQ(given.body(), "abc-1.2_3 abc-1.2_3");
        EXPECT_EQ(given.header("X-Request-Id"), "abc-1.2_3");
        std::set<std::string> made;
        for (int i = 0; i < 100; ++i) made.insert(asking.get("/id").body());
        EXPECT_EQ(made.size(), 100u);
        for (const std::string& bad :
             {std::string("a b"), std::string("a,b"), std::string(129, 'x'), std::string("\"q\"")}) {
          EXPECT_EQ(asking.get("/id", {.headers = {{"X-Request-Id", bad}}}).body().find(bad),
                    std::string::npos);
        }
        with(request_id, "of-the-caller",
             [&] { EXPECT_EQ(asking.get("/id").body(), "of-the-caller of-the-caller"); });
      });
}

TEST(http_server, requests_do_not_see_each_others_context) {
  run([] {
    server serving(on_any_port());
    serving.get("/set", [](request& in) {
      const std::string before = colour.value_or("none");
      const scoped_value mine(colour, in.query("v").value_or(""));
      for (int i = 0; i < 5; ++i) yield();  // others run meanwhile
      return before + " " + colour.require();
    });
    {
      const scoped_value around(colour, "of the server");
      serving.start();
    }
    client asking(serving.url());
    scope all;
    for (int i = 0; i < 50; ++i) {
      all.go([&, i] {
        const std::string v = std::to_string(i);
        for (int again = 0; again < 3; ++again)
          EXPECT_EQ(asking.get("/set?v=" + v).body(), "of the server " + v);
      });
    }
    all.join();
    serving.stop();
  });
}

TEST(http_server, serves_a_thousand_requests_at_a_time) {
  with_server(
      [](server& to) {
        to.get("/wait/{n}", [](request& in) {
          sleep_for(std::chrono::milliseconds(20));
          return in.param("n");
        });
      },
      [](server& serving) {
        client asking(serving.url(), {.connections_max = 1000});
        std::size_t right = 0;
        scope all;
        for (int i = 0; i < 1000; ++i) {
          all.go([&, i] {
            right += asking.get("/wait/" + std::to_string(i)).body() == std::to_string(i) ? 1 : 0;
          });
        }
        all.join();
        EXPECT_EQ(right, 1000u);
        EXPECT_EQ(serving.statistics().requests, 1000u);
        EXPECT_GT(serving.statistics().connections_total, 900u);
      });
}

TEST(http_server, a_client_that_leaves_in_its_body_harms_nobody) {
  with_server(hello, [](server& serving) {
    {
      raw_client leaving(serving);
      leaving.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\nhalf");
      raw_client chunked(serving);
      chunked.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe");
      raw_client in_head(serving);
      in_head.send("POST /ec");
    }
    client asking(serving.url());
    EXPECT_EQ(asking.get("/hello/x").status(), 200);
    asking.close_idle();
    while (serving.statistics().connections > 0) yield();
    EXPECT_EQ(serving.statistics().requests, 1u);
  });
}

TEST(http_server, listens_on_a_unix_socket) {
  char folder[] = "/tmp/weft-http-XXXXXX";
  ASSERT_NE(::mkdtemp(folder), nullptr);
  const std::string where = "unix:" + std::string(folder) + "/s";
  with_server(hello, [&](server&) { EXPECT_EQ(client(where).get("/hello/x").body(), "hello x"); },
              {.listen = where});
  EXPECT_EQ(::rmdir(folder), 0);
}

}  // namespace
}  // namespace weft::http
