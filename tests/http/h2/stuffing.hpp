#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include <weft/fiber/fiber.hpp>
#include <weft/http/server.hpp>

#include "http/h2/frame_client.hpp"

namespace weft::http {

/// A route that answers until end(), and a client that does not read that: whatever else the server has for
/// the client waits in the server, as long as the client does not read.
class stuffing {
 public:
  void serve_on(server& serving) {
    serving.get("/endless",
                [this](response& out) {
                  const std::string piece(16 * 1024, 'x');
                  while (!has_ended_) {
                    out.write(piece);
                    written_ += piece.size();
                  }
                },
                {.handler_timeout = std::chrono::milliseconds(0)});
  }
  /// Asks on stream 1; back when no more goes out.
  void stuff(frame_client& with) {
    with.stuff("/endless");
    // Many short looks: a machine that stalls takes away one of them, and does not look like a full
    // connection.
    std::size_t before = 0;
    for (int still = 0; still < 20; before = written_) {
      sleep_for(std::chrono::milliseconds(5));
      still = written_ != 0 && written_ == before ? still + 1 : 0;
    }
  }
  void end() { has_ended_ = true; }

 private:
  std::size_t written_ = 0;
  bool has_ended_ = false;
};

}  // namespace weft::http
