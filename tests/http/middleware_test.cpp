#include <weft/http/middleware.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/http/client.hpp>
#include <weft/http/server.hpp>
#include <weft/http/status_error.hpp>

#include "http/raw_client.hpp"

namespace weft::http {
namespace {

/// Puts marks around what passes, as a compressor changes it, and keeps a byte back until the end.
class marking final : public body_filter {
 public:
  explicit marking(std::string mark) : mark_(std::move(mark)) {}
  bool begin(response& head) override {
    if (head.header("X-Plain")) return false;
    head.add_header("X-Marked", mark_);
    return true;
  }
  void write(std::string_view piece, std::string& out) override {
    kept_.append(piece);
    out.append(mark_).append(kept_, 0, kept_.size() - 1);
    kept_.erase(0, kept_.size() - 1);
  }
  void end(std::string& out) override { out.append(kept_).append("/").append(mark_); }

 private:
  std::string mark_;
  std::string kept_;
};

middleware adding(std::string mark) {
  return [mark = std::move(mark)](request&, response& out, next& next) {
    next();
    out.body(out.body() + mark);
    out.add_header("X-Through", mark);
  };
}

TEST(http_middleware, runs_around_handlers_the_first_outermost) {
  run([] {
    server serving(on_any_port());
    serving.use(adding("a")).use(adding("b"));
    serving.get("/x/{n}", [](request& in) { return in.param("n") + std::string(in.route()); });
    serving.start();
    const response got = client(serving.url()).get("/x/7");
    EXPECT_EQ(got.body(), "7/x/{n}ba");
    EXPECT_EQ(got.header("X-Through"), "b");
    serving.stop();
  });
}

TEST(http_middleware, what_it_sets_before_stays_unless_the_handlers_response_has_it) {
  run([] {
    server serving(on_any_port());
    serving.use([](request&, response& out, next& next) {
      out.status(299).header("X-Frame-Options", "DENY").content_type("text/html").body("not sent");
      out.header("Cache-Control", "no-store").set_cookie("seen", "1").add_header("Vary", "A");
      out.add_header("Vary", "B");
      next();
      out.header("X-Status", std::to_string(out.status()));
    });
    serving.get("/own", [] {
      response made(203, "own");
      made.header("cache-control", "max-age=1").set_cookie("who", "me").header("Vary", "C");
      return made;
    });
    serving.get("/text", [] { return "text"; });
    serving.start();
    client asking(serving.url());
    const response own = asking.get("/own");
    EXPECT_EQ(own.status(), 203);
    EXPECT_EQ(own.body(), "own");
    EXPECT_EQ(own.header("X-Frame-Options"), "DENY");
    EXPECT_EQ(own.header("Cache-Control"), "max-age=1");
    EXPECT_EQ(own.header("Content-Type"), "text/plain; charset=utf-8");
    EXPECT_EQ(own.header("X-Status"), "203");
    raw_client wire(serving);
    const std::string got = wire.ask("GET /own HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(count_of(got, "Set-Cookie: "), 2u) << got;
    EXPECT_EQ(count_of(got, "Vary: "), 1u) << got;
    EXPECT_EQ(count_of(got, "no-store"), 0u) << got;
    const response text = asking.get("/text");
    EXPECT_EQ(text.status(), 299);
    EXPECT_EQ(text.header("Cache-Control"), "no-store");
    serving.stop();
  });
}

TEST(http_middleware, may_answer_itself) {
  run([] {
    server serving(on_any_port());
    int handled = 0;
    serving.use(adding("!"));
    serving.use([](request& in, response& out, next& next) {
      if (in.header("X-Who")) return next();
      if (in.query("throw")) throw status_error(401, "who are you?");
      out.status(403).body("no");
    });
    serving.get("/x", [&] {
      ++handled;
      return "served";
    });
    serving.start();
    client asking(serving.url());
    EXPECT_EQ(asking.get("/x").body(), "no!");
    EXPECT_EQ(asking.get("/x?throw=1").status(), 401);
    EXPECT_EQ(asking.get("/x?throw=1").body(), "who are you?\n");  // it passed by the outer one
    EXPECT_EQ(handled, 0);
    EXPECT_EQ(asking.get("/x", {.headers = {{"X-Who", "me"}}}).body(), "served!");
    serving.stop();
  });
}

TEST(http_middleware, sees_exceptions_or_the_answers_they_become) {
  run([] {
    server serving(on_any_port());
    serving.use("/seen", [](request&, response& out, next& next) {
      next.answer();
      out.header("X-Status", std::to_string(out.status()));
    });
    serving.use("/caught", [](request&, response& out, next& next) {
      try {
        next();
      } catch (const std::runtime_error& failed) {
        out.status(502).body(failed.what());
      }
    });
    const auto fail = []() -> std::string { throw std::runtime_error("no line"); };
    serving.get("/seen/failure", fail).get("/caught/failure", fail);
    serving.get("/seen/status", []() -> std::string { throw status_error(409, "busy"); });
    serving.start();
    client asking(serving.url());
    EXPECT_EQ(asking.get("/seen/failure").header("X-Status"), "500");
    EXPECT_EQ(asking.get("/seen/status").header("X-Status"), "409");
    EXPECT_EQ(asking.get("/seen/status").body(), "busy\n");
    EXPECT_EQ(asking.get("/caught/failure").status(), 502);
    EXPECT_EQ(asking.get("/caught/failure").body(), "no line");
    serving.stop();
  });
}

TEST(http_middleware, the_deadline_of_the_handler_holds_for_it_too) {
  run([] {
    server serving(on_any_port());
    serving.use([](request&, response& out, next& next) {
      next.answer();
      out.status(299);
    });
    serving.get("/slow", [] { sleep_for(std::chrono::hours(1)); },
                {.handler_timeout = std::chrono::milliseconds(20)});
    serving.start();
    EXPECT_EQ(client(serving.url()).get("/slow").status(), 503);
    serving.stop();
  });
}

TEST(http_middleware, a_prefix_is_segments_however_they_are_encoded) {
  run([] {
    server serving(on_any_port());
    serving.use("/admin", adding("+admin")).use("/users/{id}/", adding("+user")).use("/", adding("+all"));
    serving.get("/{all...}", [] { return ""; });
    serving.start();
    client asking(serving.url());
    for (const char* const in : {"/admin", "/admin/", "/admin/x", "/%61dmin/x", "/adm%69n?q"})
      EXPECT_EQ(asking.get(in).body(), "+all+admin") << in;
    for (const char* const in : {"/users/7", "/users/7/mail"})
      EXPECT_EQ(asking.get(in).body(), "+all+user") << in;
    for (const char* const out : {"/", "/administrator", "/x/admin", "/users", "/users/", "/Admin"})
      EXPECT_EQ(asking.get(out).body(), "+all") << out;
    serving.stop();
  });
  server refusing;
  for (const char* const bad : {"admin", "/a//b", "/{rest...}", "/a{b}", "/%61"})
    EXPECT_THROW(refusing.use(bad, adding("")), error) << bad;
}

TEST(http_middleware, of_groups_goes_by_paths_and_of_routes_by_routes) {
  run([] {
    server serving(on_any_port());
    const auto text = [](request& in) { return std::string(in.route()); };
    auto api = serving.group("/api/{v}");
    auto marked = api.with(adding("+1")).with(adding("+2"));
    marked.get("/users/{id}",
               [](path_param<"v"> v, path_param<"id", int> id) { return *v + std::to_string(*id); });
    marked.group("/in").with(adding("+3")).get("", text).get("/", text);
    api.get("/plain", text).post("/plain", text);
    serving.with(adding("+own")).get("/single", text);
    api.use(adding("+api")).use("/in", adding("+deep"));  // the order of the calls does not matter
    serving.use(adding("+all"));
    serving.get("/api/v1/elsewhere", text);
    serving.start();
    client asking(serving.url());
    EXPECT_EQ(asking.get("/api/v1/users/7").body(), "v17+2+1+all+api");
    EXPECT_EQ(asking.get("/api/v1/in").body(), "/api/{v}/in+3+2+1+all+deep+api");
    EXPECT_EQ(asking.get("/api/v1/in/").body(), "/api/{v}/in/+3+2+1+all+deep+api");
    EXPECT_EQ(asking.get("/api/v1/plain").body(), "/api/{v}/plain+all+api");
    EXPECT_EQ(asking.get("/api/v1/elsewhere").body(), "/api/v1/elsewhere+all+api");
    EXPECT_EQ(asking.get("/single").body(), "/single+own+all");
    EXPECT_EQ(asking.head("/single").header("X-Through"), "+own");
    EXPECT_EQ(asking.post("/single", "").body(), "Method Not Allowed\n+all");
    EXPECT_EQ(asking.get("/api/v1/users/x").status(), 400);
    serving.stop();
  });
  server refusing;
  for (const char* const bad : {"", "api", "/", "/api/", "/{rest...}"})
    EXPECT_THROW(refusing.group(bad), error) << bad;
  EXPECT_THROW(refusing.group("/api").get("users", [] {}), error);
  EXPECT_THROW(refusing.group("/{id}").get("/{id}", [] {}), error);
  EXPECT_THROW(refusing.group("/a").with(adding("")).get("", [](path_param<"b"> b) { return *b; }), error);
}

TEST(http_middleware, covers_what_no_handler_answers) {
  run([] {
    server serving(on_any_port());
    serving.use([](request& in, response& out, next& next) {
      next();
      out.header("Access-Control-Allow-Origin", "*");
      out.header("X-Route", in.route().empty() ? "none" : in.route());
    });
    serving.post("/x", [] { return "x"; });
    serving.start();
    client asking(serving.url());
    EXPECT_EQ(asking.post("/x", "").header("X-Route"), "/x");
    EXPECT_EQ(asking.get("/nowhere").status(), 404);
    EXPECT_EQ(asking.get("/nowhere").header("X-Route"), "none");
    EXPECT_EQ(asking.get("/x").status(), 405);
    EXPECT_EQ(asking.get("/x").header("Allow"), "POST, OPTIONS");
    const response preflight = asking.send("OPTIONS", "/x", "");
    EXPECT_EQ(preflight.status(), 204);
    EXPECT_EQ(preflight.header("Access-Control-Allow-Origin"), "*");
    raw_client unwanted(serving);
    unwanted.send("POST /nowhere HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    const std::string got = unwanted.read_to_end();
    EXPECT_EQ(got.find("HTTP/1.1 404 "), 0u) << got;
    EXPECT_NE(got.find("X-Route: none\r\n"), std::string::npos) << got;
    serving.stop();
  });
}

TEST(http_middleware, changes_a_streamed_body_by_filters) {
  run([] {
    server serving(on_any_port());
    for (const char* const mark : {"<", "["}) {
      serving.use([mark](request&, response& out, next& next) {
        out.filter(std::make_unique<marking>(mark));
        next();
        if (!out.is_streaming()) out.header("X-Whole", "yes");
      });
    }
    serving.get("/pieces", [](response& out) {
      out.write("one");
      out.write("two");
    });
    serving.get("/plain", [](response& out) {
      out.header("X-Plain", "1");
      out.write("one");
    });
    serving.get("/whole", [] { return "whole"; });
    serving.get("/failed", [](response&) { throw status_error(404, "nothing here"); });
    serving.start();
    client asking(serving.url());
    const response got = asking.get("/pieces");
    EXPECT_EQ(got.body(), "<[o<n[et<wo/[/<");
    EXPECT_EQ(got.header("X-Marked"), "[");  // the inner one began first
    EXPECT_EQ(asking.head("/pieces").header("X-Marked"), "[");
    EXPECT_EQ(asking.get("/plain").body(), "one");
    EXPECT_EQ(asking.get("/whole").body(), "whole");
    EXPECT_EQ(asking.get("/whole").header("X-Whole"), "yes");
    EXPECT_EQ(asking.get("/failed").body(), "nothing here\n");
    EXPECT_EQ(asking.statistics().connections, 1u);
    serving.stop();
  });
}

TEST(http_middleware, calling_on_twice_is_a_mistake) {
  run([] {
    server serving(on_any_port());
    serving.use([](request&, response& out, next& next) {
      next();
      try {
        next();
      } catch (const error& twice) {
        out.body(twice.what());
      }
    });
    serving.get("/x", [] { return "x"; });
    serving.start();
    EXPECT_NE(client(serving.url()).get("/x").body().find("a second time"), std::string::npos);
    serving.stop();
  });
}

}  // namespace
}  // namespace weft::http
