#include <weft/http/handler.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <weft/closure/services.hpp>
#include <weft/fiber/run.hpp>
#include <weft/http/client.hpp>
#include <weft/http/server.hpp>
#include <weft/http/status_error.hpp>

#include "http/raw_client.hpp"

namespace weft::http {
namespace {

struct store {
  std::vector<std::string> names{"Ada", "Grace"};
};

/// One for each request, made of it; tells when it ends.
struct session {
  std::string who;
  int& open;
  ~session() { --open; }
};

struct even {
  int number;
  static even parse(std::string_view text) {
    if (text.find_first_not_of("02468") != std::string_view::npos) throw error(errc::malformed, "odd");
    return {std::stoi(std::string(text))};
  }
};

server_options with_services(services& app) {
  server_options options = on_any_port();
  options.services = &app;
  return options;
}

TEST(http_handler, takes_what_it_wants_by_type) {
  run([] {
    services app;
    store all;
    store others{{"Mary"}};
    app.provide(all);
    app.provide(others, "others");
    app.set("greeting", "hello");
    server serving(with_services(app));
    serving.get("/names/{i}/{j}",
                [](param<std::string, "greeting"> hello, path_param<"j", int> j, store& from, response& out,
                   named<store, "others"> more, path_param<"i", even> i, const request& in,
                   service<store> same, services& container) {
                  EXPECT_EQ(&from, &*same);
                  EXPECT_EQ(&container.get<const request>(), &in);
                  out.body(*hello + " " + from.names.at(static_cast<std::size_t>(*j)) + " and " +
                           more->names[0] + " " + std::to_string(i->number) + in.param("i"));
                });
    serving.get("/text/{t}", [](path_param<"t"> text) { return *text; });
    serving.start();
    client asking(serving.url());
    EXPECT_EQ(asking.get("/names/22/1").body(), "hello Grace and Mary 2222");
    EXPECT_EQ(asking.get("/names/22/x").status(), 400);
    EXPECT_EQ(asking.get("/names/3/1").status(), 400);
    EXPECT_EQ(asking.get("/names/22/7").status(), 500);
    EXPECT_EQ(asking.get("/text/a%20b").body(), "a b");
    serving.stop();
  });
}

TEST(http_handler, services_of_a_request_are_made_of_it_and_end_with_it) {
  run([] {
    services app;
    int open = 0;
    app.add<session>(
        [&open](request& in) {
          ++open;
          return std::make_unique<session>(std::string(in.header("X-Who").value_or("nobody")), open);
        },
        {.scope = service_scope::per_request});
    server serving(with_services(app));
    serving.use([&](request& in, response& out, next& next) {
      if (in.services().get<session>().who == "nobody") throw status_error(401, "who are you?");
      next();
      EXPECT_EQ(open, 1);  // the same in middleware and handler
      out.header("X-Who", in.services().get<session>().who);
    });
    serving.get("/me", [](session& mine) { return mine.who; });
    serving.start();
    client asking(serving.url());
    for (const char* const who : {"Ada", "Grace"}) {
      const response got = asking.get("/me", {.headers = {{"X-Who", who}}});
      EXPECT_EQ(got.body(), who);
      EXPECT_EQ(got.header("X-Who"), who);
      EXPECT_EQ(open, 0);
    }
    EXPECT_EQ(asking.get("/me").status(), 401);
    EXPECT_EQ(open, 0);
    serving.stop();
  });
}

/// Ends the body with who asked.
class signing_filter final : public body_filter {
 public:
  explicit signing_filter(request& in) : in_(in) {}
  void write(std::string_view piece, std::string& out) override { out += piece; }
  void end(std::string& out) override {
    out += " by " + in_.services().get<session>().who + std::string(in_.path());
  }

 private:
  request& in_;
};

TEST(http_handler, a_filter_has_the_request_and_its_services_to_the_end) {
  run([] {
    services app;
    int open = 0;
    int made = 0;
    app.add<session>(
        [&](request& in) {
          ++open;
          ++made;
          return std::make_unique<session>(std::string(in.header("X-Who").value_or("nobody")), open);
        },
        {.scope = service_scope::per_request});
    server serving(with_services(app));
    serving.get("/me", [](request& in, response& out, session& mine) {
      out.filter(std::make_unique<signing_filter>(in));
      out.write("written for " + mine.who);
    });
    serving.start();
    client asking(serving.url());
    EXPECT_EQ(asking.get("/me", {.headers = {{"X-Who", "Ada"}}}).body(), "written for Ada by Ada/me");
    EXPECT_EQ(made, 1);
    EXPECT_EQ(open, 0);
    serving.stop();
  });
}

template <typename Work>
std::string message_of(Work&& work) {
  try {
    work();
  } catch (const error& failed) {
    return failed.message();
  }
  return "no error";
}

TEST(http_handler, what_is_missing_is_told_at_the_start) {
  run([] {
    services app;
    struct mailer {};
    struct post {};
    app.add<post>([](mailer&) { return post(); });
    server serving(with_services(app));
    serving.get("/users/{id}", [](post&) {}).put("/x", [](param<int, "size">) {}).del("/x", [](request&) {});
    const std::string told = message_of([&] { serving.start(); });
    EXPECT_NE(told.find("GET /users/{id}: "), std::string::npos) << told;
    EXPECT_NE(told.find("mailer"), std::string::npos) << told;
    EXPECT_NE(told.find("PUT /x: no parameter \"size\""), std::string::npos) << told;
    EXPECT_EQ(told.find("DELETE"), std::string::npos) << told;
    mailer mine;
    app.provide(mine);
    app.set("size", 7);
    serving.start();  // nothing was begun by the call that failed
    EXPECT_EQ(client(serving.url()).del("/x").status(), 200);
    serving.stop();

    server without(on_any_port());
    without.get("/x", [](post&) {});
    EXPECT_NE(message_of([&] { without.start(); }).find("server_options::services is null"),
              std::string::npos);
    EXPECT_NE(message_of([&] { without.get("/y/{a}", [](path_param<"b">) {}); }).find("wants {b}"),
              std::string::npos);
  });
}

}  // namespace
}  // namespace weft::http
