#include "http/access_log.hpp"

#include <chrono>
#include <exception>
#include <string>

#include <weft/core/error.hpp>
#include <weft/log/log.hpp>
#include <weft/net/endpoint.hpp>

namespace weft::inline v1::http::detail {

namespace {

std::string text_of(const transport& peer) {
  try {
    return peer.socket().peer_address().text();
  } catch (const error&) {
    return "gone";
  }
}

}  // namespace

void access_entry::write() const noexcept {
  try {
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - since_);
    const served_request served{.method = head_.method,
                                .target = head_.target,
                                .route = route_,
                                .id = writer_.id(),
                                .status = writer_.sent_status(),
                                .body_bytes = writer_.sent_body_bytes(),
                                .took = took};
    if (options_.access_log_filter && !options_.access_log_filter(served)) return;
    log::info("http: served", {{"method", served.method},
                               {"target", served.target},
                               {"route", served.route},
                               {"status", served.status},
                               {"bytes", served.body_bytes},
                               {"us", took.count()},
                               {"id", served.id},
                               {"peer", text_of(peer_)}});
  } catch (...) {
    log::write_exception(log::level::error, "http: a record is missing in the access log",
                         std::current_exception());
  }
}

}  // namespace weft::inline v1::http::detail
