#include "room.hpp"

#include <algorithm>
#include <utility>

#include <weft/core/error.hpp>
#include <weft/fiber/scope.hpp>

namespace chat {

void room::host(weft::http::websocket& socket, std::string_view name) {
  line unread(unread_max);
  const auto here = guests_.insert(guests_.end(), &unread);
  struct goodbye {
    room& from;
    std::list<line*>::iterator guest;
    ~goodbye() { from.guests_.erase(guest); }
  } const leaving{*this, here};

  weft::scope ends;
  ends.go([&] {
    try {
      while (auto next = unread.pop()) socket.send(*next);
      socket.close(1008, "you do not read");
    } catch (const weft::error&) {
      socket.drop(1008);  // it left, or does not read at all
    }
  });
  const std::string who(name);
  say(who + " comes");
  try {
    while (const auto heard = socket.read()) say(who + ": " + heard->data);
  } catch (const weft::error&) {  // it left without a word
  }
  ends.cancel();
  say(who + " leaves");
}

void room::say(const std::string& what) {
  hear(what);
  if (tell_elsewhere_) tell_elsewhere_(what);
}

void room::hear(const std::string& what) {
  for (line* const guest : guests_) {
    if (!guest->try_push(std::string(what))) guest->close();
  }
}

void add_routes(weft::http::server& server, room& where) {
  server.get("/",
             [](weft::http::response& out) { out.content_type("text/html; charset=utf-8").body(page()); });
  server.websocket("/room",
                   [&where](weft::http::websocket& socket, weft::http::request& in) {
                     where.host(socket, in.query("name").value_or("somebody"));
                   },
                   {.message_bytes_max = 4096});
}

}  // namespace chat
