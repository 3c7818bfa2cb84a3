// The examples of docs/http.md.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <string_view>

#include <weft/closure/services.hpp>
#include <weft/fiber/run.hpp>
#include <weft/http/client.hpp>
#include <weft/http/compression.hpp>
#include <weft/http/content.hpp>
#include <weft/http/event_source.hpp>
#include <weft/http/event_stream.hpp>
#include <weft/http/health.hpp>
#include <weft/http/process_group.hpp>
#include <weft/http/server.hpp>
#include <weft/http/static_files.hpp>
#include <weft/http/status_error.hpp>
#include <weft/http/websocket.hpp>
#include <weft/net/files.hpp>
#include <weft/net/stream.hpp>
#include <weft/process/child.hpp>

#include <weft/wire/key_ring.hpp>
#include "support/scratch_folder.hpp"

namespace {

using namespace std::chrono_literals;

struct person {
  std::string name;
  int number = 0;
};
WEFT_DESCRIBE(person, name, number);

TEST(http, a_server) {
  weft::run([] {
    // example: a_server
    weft::http::server server{{.listen = "127.0.0.1:0"}};
    server.get("/hello/{name}", [](weft::http::request& in) { return "hello " + in.param("name"); });
    server.get("/sum/{a}/{b}", [](weft::http::request& in, weft::http::response& out) {
      out.body(std::to_string(in.param<int>("a") + in.param<int>("b")));
    });
    server.start();
    // end of example
    weft::http::client asking(server.url());
    EXPECT_EQ(asking.get("/hello/Ada").body(), "hello Ada");
    EXPECT_EQ(asking.get("/sum/3/4").body(), "7");
    EXPECT_EQ(asking.get("/sum/3/four").status(), 400);
    server.stop();
  });
}

struct pretended_database {
  bool is_there() const { return true; }
};

TEST(http, health) {
  weft::run([] {
    const pretended_database database;
    weft::http::server server{{.listen = "127.0.0.1:0"}};
    // example: health
    weft::http::health health;
    health.add("database", [&] { return database.is_there(); });
    health.serve_on(server);
    // end of example
    server.start();
    EXPECT_EQ(weft::http::client(server.url()).get("/readyz").body(), "ready\ndatabase: ok\n");
    server.stop();
  });
}

struct user_store {
  std::string name_of(int id) const { return id == 7 ? "Ada" : "nobody"; }
};
struct visitor {
  explicit visitor(weft::http::request& in) : language(in.header("accept-language").value_or("en")) {}
  std::string greeting() const { return language == "fr" ? "bonjour " : "hello "; }
  std::string language;
};

TEST(http, http2_bounds) {
  weft::run([] {
    // example: http2_bounds
    weft::http::server server{
        {.listen = "127.0.0.1:0", .http2 = {.streams_max = 50, .stream_window_bytes = 1 << 20}}};
    // end of example
    server.get("/", [] { return "here"; });
    server.start();
    EXPECT_EQ(weft::http::client(server.url()).get("/").body(), "here");
    server.stop();
  });
}

TEST(http, several_threads) {
  // example: several_threads
  weft::run(
      [] {
        std::atomic<int> visits{0};  // handlers run at the same time
        weft::http::server server{{.listen = "127.0.0.1:0", .threads = 0}};
        server.get("/visits", [&] { return std::to_string(++visits); });
        server.start();
        weft::http::client(server.url()).get("/visits");
        server.stop();
      },
      {.threads = 4});
  // end of example
}

TEST(http, several_processes) {
  // example: several_processes
  const auto serve = [](weft::http::server_process& here) {
    weft::http::server server(here.options());
    server.get("/who", [&here] { return "process " + std::to_string(here.number()); });
    here.serve(server);
  };
  weft::http::process_group group({.listen = "127.0.0.1:0", .processes = 2, .requests_max = 1'000'000});
  auto running = weft::process::child::fork([&] { return group.run(serve); });
  // end of example
  weft::run([&] { EXPECT_TRUE(weft::http::client(group.url()).get("/who").body().starts_with("process ")); });
  running.kill(SIGTERM);
  EXPECT_EQ(running.wait(), weft::process::exit_status::exited(0));
}

TEST(http, handler_parameters) {
  weft::run([] {
    // example: handler_parameters
    weft::services app;
    app.add<user_store>([] { return user_store(); });
    app.add<visitor>([](weft::http::request& in) { return visitor(in); },
                     {.scope = weft::service_scope::per_request});
    weft::http::server server{{.listen = "127.0.0.1:0", .services = &app}};
    server.get("/users/{id}", [](user_store& users, visitor& who, weft::http::path_param<"id", int> id) {
      return who.greeting() + users.name_of(*id);
    });
    // end of example
    server.start();
    const auto got =
        weft::http::client(server.url()).get("/users/7", {.headers = {{"Accept-Language", "fr"}}});
    EXPECT_EQ(got.body(), "bonjour Ada");
    server.stop();
  });
}

TEST(http, middleware) {
  weft::run([] {
    weft::http::server server{{.listen = "127.0.0.1:0"}};
    // example: middleware
    server.use([](weft::http::request&, weft::http::response& out, weft::http::next& next) {
      next();  // the next middleware, at the end the handler
      out.header("Referrer-Policy", "no-referrer");
    });
    server.use("/admin", [](weft::http::request& in, weft::http::response&, weft::http::next& next) {
      if (in.header("authorization") != "Bearer 1234") throw weft::http::status_error(401, "who are you?");
      next();
    });
    // end of example
    server.get("/admin/figures", [] { return "42"; });
    server.start();
    weft::http::client asking(server.url());
    EXPECT_EQ(asking.get("/admin/figures").status(), 401);
    const auto got = asking.get("/admin/figures", {.headers = {{"Authorization", "Bearer 1234"}}});
    EXPECT_EQ(got.body(), "42");
    EXPECT_EQ(got.header("Referrer-Policy"), "no-referrer");
    server.stop();
  });
}

TEST(http, a_group) {
  weft::run([] {
    weft::http::server server{{.listen = "127.0.0.1:0"}};
    int requests = 0;
    const auto count = [&](weft::http::request&, weft::http::response&, weft::http::next& next) {
      ++requests;
      next();
    };
    const auto ask_who = [](weft::http::request&, weft::http::response&, weft::http::next&) {
      throw weft::http::status_error(401, "who are you?");
    };
    const auto log_it = count;
    const auto list = [](weft::http::request& in) { return std::string(in.route()); };
    const auto remove = [](weft::http::response& out) { out.status(204); };
    // clang-format off
    // example: a_group
    auto api = server.group("/api/{version}");
    api.use(count);                  // around every path below /api/...
    api.get("/users", list);         // GET /api/v1/users
    auto admin = api.with(ask_who);  // around the routes that are added to `admin`
    admin.del("/users/{id}", remove);
    server.with(log_it).get("/single", list);
    // end of example
    // clang-format on
    server.start();
    weft::http::client asking(server.url());
    EXPECT_EQ(asking.get("/api/v1/users").body(), "/api/{version}/users");
    EXPECT_EQ(asking.send("DELETE", "/api/v1/users/7", "").status(), 401);
    EXPECT_EQ(asking.get("/single").body(), "/single");
    EXPECT_EQ(requests, 3);
    server.stop();
  });
}

TEST(http, an_upload) {
  weft::run([] {
    weft::http::server server{{.listen = "127.0.0.1:0"}};
    // clang-format off
    // example: an_upload
    server.post("/upload", [](weft::http::request& in) {
      std::size_t bytes = 0;
      for (std::string_view piece; !(piece = in.read_body()).empty();) bytes += piece.size();
      return std::to_string(bytes) + " bytes";
    }, {.streams_body = true, .body_bytes_max = 1 << 30, .body_timeout = 10min});
    // end of example
    // clang-format on
    server.start();
    EXPECT_EQ(weft::http::client(server.url()).post("/upload", std::string(5'000'000, 'x')).body(),
              "5000000 bytes");
    server.stop();
  });
}

TEST(http, a_form) {
  std::string uploads = (std::filesystem::temp_directory_path() / "weft-docs-XXXXXX").string();
  ASSERT_NE(::mkdtemp(uploads.data()), nullptr);
  weft::run([&] {
    weft::http::server server{{.listen = "127.0.0.1:0"}};
    // clang-format off
    // example: a_form
    server.post("/people", [&](weft::http::request& in) {
      weft::http::form sent = in.form({.file_bytes_max = 10 << 20, .folder = uploads});
      const auto who = sent.fields.as<person>();
      if (auto* portrait = sent.file("portrait")) portrait->save_as(uploads + "/" + std::to_string(who.number));
      return "welcome, " + who.name;
    }, {.streams_body = true, .body_bytes_max = 20 << 20});
    // end of example
    // clang-format on
    server.start();
    const auto part = [](std::string_view what, std::string_view value) {
      return "--x\r\nContent-Disposition: form-data; name=" + std::string(what) + "\r\n\r\n" +
             std::string(value) + "\r\n";
    };
    const std::string body =
        part("name", "Ada") + part("number", "7") + part("portrait; filename=a.png", "png") + "--x--\r\n";
    weft::http::client asking(server.url());
    EXPECT_EQ(asking.post("/people", body, {.content_type = "multipart/form-data; boundary=x"}).body(),
              "welcome, Ada");
    EXPECT_EQ(std::filesystem::file_size(uploads + "/7"), 3u);
    EXPECT_EQ(
        asking.post("/people", "name=Ada", {.content_type = "application/x-www-form-urlencoded"}).status(),
        400);
    server.stop();
  });
  std::filesystem::remove_all(uploads);
}

TEST(http, cookies) {
  weft::run([] {
    const weft::wire::key_ring keys(weft::wire::key::generate("k1"));
    const weft::http::cookie_signer signer(keys, 24h);
    weft::http::server server{{.listen = "127.0.0.1:0"}};
    // example: cookies
    server.post("/login", [&](weft::http::request&, weft::http::response& out) {
      out.set_cookie("session", signer.seal("session", "user 7"), {.max_age = 24h});
    });
    server.get("/me", [&](weft::http::request& in) {
      const auto user = signer.open("session", in.cookie("session").value_or(""));
      return user ? *user : throw weft::http::status_error(401, "log in first");
    });
    // end of example
    server.start();
    weft::http::client asking(server.url());
    const auto logged_in = asking.post("/login", "");
    const std::string set(logged_in.header("Set-Cookie").value_or(""));
    EXPECT_EQ(asking.get("/me", {.headers = {{"Cookie", set.substr(0, set.find(';'))}}}).body(), "user 7");
    EXPECT_EQ(asking.get("/me").status(), 401);
    server.stop();
  });
}

TEST(http, files_and_content) {
  weft::run([] {
    const weft_test::scratch_folder scratch;
    const std::string& folder = scratch.path();
    weft::files::write_file(folder + "/a.txt", "a text");
    weft::http::server server{{.listen = "127.0.0.1:0"}};
    // clang-format off
    // example: static_files
    server.get("/static/{path...}", weft::http::static_files(folder, {.cache_control = "max-age=3600", .has_precompressed = true}));
    // end of example
    // example: content
    server.get("/report", [](weft::http::request& in, weft::http::response& out) {
      const std::string report = "a,b\n1,2\n";
      weft::http::send_content(in, out, report, {.type = "text/csv", .validators = {.tag = weft::http::entity_tag{"v7"}}});
    });
    // end of example
    // clang-format on
    server.start();
    weft::http::client asking(server.url());
    EXPECT_EQ(asking.get("/static/a.txt").body(), "a text");
    EXPECT_EQ(asking.get("/report", {.headers = {{"If-None-Match", "\"v7\""}}}).status(), 304);
    EXPECT_EQ(asking.get("/report", {.headers = {{"Range", "bytes=-2"}}}).body(), "2\n");
    server.stop();
  });
}

TEST(http, compression) {
  weft::run([] {
    weft::http::server server{{.listen = "127.0.0.1:0"}};
    // clang-format off
    // example: compression
    server.use(weft::http::compress());                          // answers, as Accept-Encoding wants it
    server.use(weft::http::decompress({.bytes_max = 10 << 20}));  // bodies of requests
    // end of example
    // clang-format on
    server.get("/x", [] { return std::string(10'000, 'x'); });
    server.start();
    weft::http::client asking(server.url());
    const auto got = asking.get("/x", {.headers = {{"Accept-Encoding", "gzip"}}});
    weft::http::content_decoder decoder(got.header("Content-Encoding").value_or(""));
    std::string body;
    decoder.write(got.body(), body);
    EXPECT_EQ(body, std::string(10'000, 'x'));
    server.stop();
  });
}

TEST(http, server_sent_events) {
  weft::run([] {
    weft::http::server server{{.listen = "127.0.0.1:0"}};
    // clang-format off
    // example: server_sent_events
    server.get("/ticks", [](weft::http::request& in, weft::http::response& out) {
      weft::http::event_stream events(in, out);
      for (int tick = 1; events.wait_for(10ms); ++tick) events.send({.data = std::to_string(tick), .name = "tick"});
    }, {.handler_timeout = 0ms});
    // end of example
    // clang-format on
    server.start();
    auto asking = weft::net::stream::connect(server.address());
    asking.write_all("GET /ticks HTTP/1.1\r\nHost: a\r\n\r\n");
    std::string got;
    while (got.find("event: tick\ndata: 2\n\n") == std::string::npos) {
      char piece[1024];
      got.append(piece, asking.read_some(piece));
    }
    EXPECT_TRUE(server.stop(10s));
  });
}

TEST(http, an_event_source) {
  weft::run([] {
    weft::http::server server{{.listen = "127.0.0.1:0"}};
    server.get("/news", [](weft::http::request& in, weft::http::response& out) {
      if (in.header("Last-Event-ID") == "2") return void(out.status(204));
      weft::http::event_stream events(in, out);
      events.send({.data = "1", .id = "1", .retry = std::chrono::milliseconds(1)});
      events.send({.data = "2", .id = "2"});
    });
    server.start();
    weft::http::client client(server.url());
    std::string seen;
    // example: an_event_source
    weft::http::event_source news(client, "/news");
    while (const auto one = news.next()) seen += one->data;
    // end of example
    EXPECT_EQ(seen, "12");
    server.stop();
  });
}

TEST(http, a_cookie_jar) {
  weft::run([] {
    weft::http::server server{{.listen = "127.0.0.1:0"}};
    server.post("/login", [](weft::http::response& out) { out.set_cookie("who", "Ada"); });
    server.get("/account",
               [](weft::http::request& in) { return std::string(in.cookie("who").value_or("?")); });
    server.start();
    // clang-format off
    // example: a_cookie_jar
    auto jar = std::make_shared<weft::http::cookie_jar>();
    weft::http::client logged_in{server.url(), {.cookies = jar}};
    logged_in.post("/login", "name=Ada");                      // the answer sets a cookie
    const std::string page = logged_in.get("/account").body();  // which goes along
    // end of example
    // clang-format on
    EXPECT_EQ(page, "Ada");
    EXPECT_EQ(weft::http::client(server.url()).get("/account").body(), "?");
    server.stop();
  });
}

TEST(http, a_client) {
  weft::run([] {
    weft::http::server server{{.listen = "127.0.0.1:0"}};
    server.get("/hello/{name}", [](weft::http::request& in) { return "hello " + in.param("name"); });
    server.get("/large", [] { return std::string(1'000'000, 'x'); });
    server.start();
    // example: a_client
    weft::http::client client{server.url(), {.timeout = 5s, .redirects_max = 5}};
    const std::string page = client.get("/hello/Ada").body();
    auto large = client.open("GET", "/large");
    std::size_t bytes = 0;
    for (std::string_view piece; !(piece = large.read_body()).empty();) bytes += piece.size();
    // end of example
    EXPECT_EQ(page, "hello Ada");
    EXPECT_EQ(bytes, 1'000'000u);
    server.stop();
  });
}

TEST(http, a_websocket) {
  weft::run([] {
    weft::http::server server{{.listen = "127.0.0.1:0"}};
    // example: a_websocket
    server.websocket("/echo", [](weft::http::websocket& socket) {
      while (auto message = socket.read()) socket.send(message->data);
    });
    // end of example
    server.start();
    // example: a_websocket_client
    auto socket = weft::http::websocket::connect("ws://" + server.address().text() + "/echo");
    socket.send("hello");
    const std::string heard = socket.read()->data;
    socket.close();
    // end of example
    EXPECT_EQ(heard, "hello");
    server.stop();
  });
}

}  // namespace
