#include "service.hpp"

#include <charconv>
#include <utility>

#include <weft/http/status_error.hpp>
#include <weft/log/log.hpp>

#include "user.hpp"

namespace notes {
namespace {

/// Whom a request is from. A real service would look at a session or a token here.
std::int64_t read_user(const weft::http::request& in) {
  const std::string_view text = in.header("X-User").value_or("");
  std::int64_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || end != text.data() + text.size()) {
    throw weft::http::status_error(401, "X-User is no number");
  }
  return number;
}

/// Middleware: the handler runs as the user whom the request is from.
template <typename Handler>
auto signed_in(Handler handler) {
  return [handler = std::move(handler)](weft::http::request& in) {
    const weft::scoped_value who{user, read_user(in)};
    return handler(in);
  };
}

}  // namespace

void add_routes(weft::http::server& server, store& kept) {
  server.post("/notes", signed_in([&kept](weft::http::request& in) {
                weft::log::info("note arrives", {{"text", in.body()}});
                kept.add(std::string(in.body()));
                return weft::http::response(204);
              }));
  server.get("/notes", signed_in([&kept](weft::http::request&) {
               weft::log::info("notes wanted");
               return page{user.require(), kept.list()};
             }));
}

}  // namespace notes
