#include <weft/http/router.hpp>

#include <gtest/gtest.h>

#include <weft/core/error.hpp>
#include <weft/http/status_error.hpp>

namespace weft::http {
namespace {

/// What the route that serves it answers, with its parameters; or the status without a route.
std::string ask(const router& routes, std::string_view method, std::string_view path) {
  router::match found;
  routes.find(method, path, found);
  if (found.work == nullptr) return std::to_string(found.status);
  request in(detail::request_parts{.method = method, .path = path, .parameters = found.parameters});
  response out;
  (*found.work)(in, out);
  return out.body();
}

router make_routes() {
  router routes;
  routes.get("/", [] { return "root"; })
      .get("/users", [] { return "list"; })
      .post("/users", [](response& out) { out.status(201).body("made"); })
      .get("/users/{id}", [](request& in) { return "user " + in.param("id"); })
      .get("/users/me", [](const request&) { return response::text("me"); })
      .get("/users/{id}/posts/{post}",
           [](request& in, response& out) {
             out.body(std::to_string(in.param<int>("id")) + "/" + in.param("post"));
           })
      .get("/files/{path...}", [](request& in) { return "file " + in.param("path"); })
      .get("/a b", [] { return std::string_view("space"); });
  return routes;
}

TEST(router, finds_by_segments_and_prefers_fixed_text) {
  const router routes = make_routes();
  EXPECT_EQ(ask(routes, "GET", "/"), "root");
  EXPECT_EQ(ask(routes, "GET", "/users"), "list");
  EXPECT_EQ(ask(routes, "POST", "/users"), "made");
  EXPECT_EQ(ask(routes, "GET", "/users/7"), "user 7");
  EXPECT_EQ(ask(routes, "GET", "/users/me"), "me");
  EXPECT_THROW(ask(routes, "GET", "/users/me/posts/x"), status_error);  // no number, and no other route
  EXPECT_EQ(ask(routes, "GET", "/users/7/posts/x"), "7/x");
  EXPECT_EQ(ask(routes, "GET", "/files/a/b/c"), "file a/b/c");
  EXPECT_EQ(ask(routes, "GET", "/files/"), "file ");
  EXPECT_EQ(ask(routes, "HEAD", "/users"), "list");
}

TEST(router, tells_an_unknown_path_from_an_unknown_method) {
  const router routes = make_routes();
  for (const char* const path :
       {"/user", "/users/", "/users/7/", "/users/7/posts", "//", "/USERS", "*", ""}) {
    EXPECT_EQ(ask(routes, "GET", path), "404") << path;
  }
  EXPECT_EQ(ask(routes, "DELETE", "/users"), "405");
  EXPECT_EQ(routes.allowed("/users"), "GET, HEAD, POST");
  EXPECT_EQ(routes.allowed("/nowhere"), "");
}

TEST(router, decodes_parameters_after_splitting) {
  const router routes = make_routes();
  EXPECT_EQ(ask(routes, "GET", "/users/a%2Fb"), "user a/b");
  EXPECT_EQ(ask(routes, "GET", "/%75sers"), "list");
  EXPECT_EQ(ask(routes, "GET", "/a%20b"), "space");
  EXPECT_EQ(ask(routes, "GET", "/users/%zz"), "400");
  EXPECT_EQ(ask(routes, "GET", "/users/%00"), "400");
}

TEST(router, refuses_bad_patterns_and_second_handlers) {
  router routes = make_routes();
  const auto work = [] {};
  for (const char* const pattern :
       {"", "users", "/{id", "/{}", "/x{id}", "/{a}/{a}", "/{rest...}/x", "/a?b", "/a%20b"}) {
    EXPECT_THROW(routes.get(pattern, work), error) << pattern;
  }
  try {
    routes.get("/users/{other}", work);
    ADD_FAILURE();
  } catch (const error& twice) {
    EXPECT_EQ(twice.code(), errc::already_exists);
  }
}

TEST(request, gives_typed_values_or_says_what_is_wrong) {
  const detail::path_parameter parameters[] = {{"id", "12"}, {"word", "x"}};
  const request in(
      detail::request_parts{.query = "page=3&flag=true&name=a+b&bad=x", .parameters = parameters});
  EXPECT_EQ(in.param<std::uint8_t>("id"), 12);
  EXPECT_EQ(in.param("id"), "12");
  EXPECT_THROW(in.param<int>("word"), status_error);
  EXPECT_THROW(in.param("none"), error);
  EXPECT_EQ(in.query<int>("page"), 3);
  EXPECT_EQ(in.query<bool>("flag"), true);
  EXPECT_EQ(in.query("name"), "a b");
  EXPECT_EQ(in.query("none"), std::nullopt);
  EXPECT_THROW(in.query<double>("bad"), status_error);
}

}  // namespace
}  // namespace weft::http
