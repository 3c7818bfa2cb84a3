#include "http/h2/stream.hpp"

#include <weft/core/error.hpp>
#include <weft/core/unwinding.hpp>
#include <weft/log/log.hpp>

#include "http/access_log.hpp"

namespace weft::inline v1::http::detail::h2 {

// ---- what comes

bool stream::head_ends(bool request_ends) {
  head_ended_ = true;
  if (reader_.finish(request_ends) == progress::refused) return start(reader_.why_refused());
  exchange_.find();
  const request_head& head = reader_.head();
  const route_options& own = exchange_.options();
  const server_options& all = lane_.options();
  const std::size_t bytes_max = own.body_bytes_max.value_or(all.limits.body_bytes_max);
  if (head.content_length > bytes_max) return start({413, "the body is too large"});
  body_.start(head, {.bytes_max = bytes_max, .time = own.body_timeout.value_or(all.body_timeout)},
              !own.streams_body && !request_ends);
  // Where nobody streams it, all of it comes before anything is done: so nothing is done for a request that
  // is malformed, and no handler waits for a slow client.
  return own.streams_body && !request_ends && start();
}

bool stream::data(std::string_view piece) {
  body_.arrived(piece);
  if (stage_ != stage::waiting) return false;
  const refusal* const why = body_.why_refused();
  return why != nullptr && start(*why);
}

bool stream::request_ends() {
  request_ended_ = true;
  const refusal* const why = body_.why_refused();  // of trailers
  body_.ended();
  if (!head_ended_) return false;
  return why != nullptr ? start(*why) : start();
}

void stream::be_late() noexcept {
  const refusal why{408, "the request's body did not come in time"};
  body_.refuse(why);  // nothing more of it is kept
  start(why);
}

void stream::close() noexcept {
  is_closed_ = true;
  body_.cut();
  answer_.close();
  if (runs()) exchange_.client_left();
}

bool stream::start(const refusal& why) noexcept {
  if (stage_ == stage::waiting) refusal_ = why;
  return start();
}

bool stream::start() noexcept {
  if (stage_ != stage::waiting) return false;
  stage_ = stage::running;
  return true;
}

// ---- the fiber

void stream::run() {
  try {
    if (is_closed_) return;
    if (refusal_) {
      answer_.refuse(*refusal_);
    } else {
      serve();
    }
  } catch (const error& failed) {
    log::debug("http: a request of HTTP/2 failed", {{"why", failed.what()}});
  } catch (const std::exception& failed) {
    log::error("http: a request of HTTP/2 failed", {{"why", failed.what()}});
  }
}

void stream::serve() {
  const access_entry noted(lane_.options(), reader_.head(), exchange_.route(), answer_, carrier_.peer());
  exchange_.serve();
  if (!answer_.is_over()) answer_.finish();
  if (body_.why_refused() != nullptr) ++lane_.counters().refused_requests;
}

bool stream::stop_running() noexcept {
  stage_ = stage::over;
  if (!is_closed_ && !answer_.is_ended()) carrier_.protocol().reset(id_, error_code::internal_error);
  return is_closed_;
}

// ---- for the body

void stream::was_read(std::size_t bytes) noexcept {
  if (!is_closed_) carrier_.consumed(id_, bytes);
}

void stream::send_continue() {
  if (is_closed_) return;
  carrier_.protocol().interim(id_, 100);
  carrier_.send_soon();
}

}  // namespace weft::inline v1::http::detail::h2
