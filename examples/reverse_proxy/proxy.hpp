#pragma once

#include <chrono>
#include <string>

#include <weft/http/client.hpp>
#include <weft/http/server.hpp>

namespace reverse_proxy {

/// Where requests go to.
struct upstream {
  explicit upstream(std::string to, std::chrono::milliseconds within = std::chrono::seconds(30))
      : url(std::move(to)),
        deadline(within),
        client(url, {.timeout = std::chrono::milliseconds(0), .decompresses = false}) {}
  std::string url;  ///< "http://host:port"
  std::chrono::milliseconds deadline;
  weft::http::client client;
};

/// Lets `front` hand every request to `to`, which outlives it.
void add_routes(weft::http::server& front, upstream& to);

/// Tries it all between a server and clients of its own; 0 where that is as it should be.
int run_demo();

}  // namespace reverse_proxy
