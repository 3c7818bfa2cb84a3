#include "http/http1_connection.hpp"

#include <weft/core/error.hpp>
#include <weft/fiber/fiber.hpp>

#include "http/access_log.hpp"
#include "http/bound_until.hpp"

namespace weft::inline v1::http::detail {

namespace {

constexpr std::size_t linger_bytes_max = 8 * 1024 * 1024;
constexpr std::chrono::milliseconds linger_time{2000};
constexpr std::chrono::milliseconds linger_time_stopping{200};

/// Cancels a handler whose client has gone.
class client_interest final : client_watch::watched {
 public:
  client_interest(client_watch& by, exchange& of, corked_stream& stream,
                  const http1_answer_writer& writer) noexcept
      : watched(by), of_(of), stream_(stream), writer_(writer) {}

 private:
  int socket() const noexcept override {
    return of_.options().ends_with_client && !of_.has_client_left() ? stream_.peer().socket().fd() : -1;
  }
  bool has_ended() noexcept override {
    return !of_.options().serves_half_closed && writer_.received().empty() && !stream_.peer().is_alive();
  }
  void client_left() noexcept override { of_.client_left(); }

  exchange& of_;
  corked_stream& stream_;
  const http1_answer_writer& writer_;
};

}  // namespace

http1_connection::http1_connection(server_lane& lane, transport peer)
    : lane_(lane),
      stream_(std::move(peer), lane.options().write_timeout),
      parser_(lane.options().limits),
      body_(stream_, lane.options().limits),
      writer_(lane, stream_, parser_, body_, buffer_),
      exchange_(lane, parser_.head(), body_, writer_) {}

/// A body that ends with the connection ends here, too: the client shall see that it is not whole.
http1_connection::~http1_connection() {
  if (writer_.is_cut_short()) stream_.peer().cut();
}

void http1_connection::run() {
  // A client that sends requests without end shall not keep the others waiting.
  constexpr int turns_max = 32;
  for (int turn = 1; serve_one(); ++turn) {
    if (turn % turns_max == 0) yield();
  }
}

void http1_connection::end_soon() noexcept {
  if (idle_) stream_.peer().shutdown_read();
  writer_.leave();
}

bool http1_connection::serve_one() {
  if (!read_head()) return false;
  exchange_.find();
  if (is_too_large()) return refuse({413, "the body is too large"});
  start_body();
  if (!is_body_in_order()) return false;
  const bool stays = answer();
  if (writer_.is_over()) {
    // Nothing else is done where an answer was cut short.
    if (writer_.end_other_protocol()) linger();
    return false;
  }
  if (body_.why_refused() != nullptr) ++lane_.counters().refused_requests;
  if (stays && skip_body()) {
    forget_request();
    return true;
  }
  linger();
  return false;
}

/// True if the connection stays, as far as the answer goes.
bool http1_connection::answer() {
  const access_entry noted(lane_.options(), parser_.head(), exchange_.route(), writer_, stream_.peer());
  writer_.start();
  {
    const client_interest client(lane_.clients(), exchange_, stream_, writer_);
    exchange_.serve();
  }
  return !writer_.is_over() && writer_.finish();
}

/// Nothing more is owed: who stops the server need not wait for it.
bool http1_connection::skip_body() {
  idle_ = true;
  const bool skipped = body_.skip();
  idle_ = false;
  return skipped;
}

// ---- reading

http1_connection::filled http1_connection::fill(steady_time until) {
  const std::span<char> room =
      buffer_.room([this](const char* from, const char* to) { parser_.rebase(from, to); });
  const std::optional<std::size_t> count = stream_.read_some_until(room, until);
  if (!count) return filled::timed_out;
  buffer_.commit(*count);
  return *count == 0 ? filled::ended : filled::data;
}

bool http1_connection::read_head() {
  const server_options& options = lane_.options();
  parser_.restart();
  bool began = false;
  steady_time until = no_deadline;
  while (true) {
    const progress parsed = parser_.advance(buffer_.readable());
    if (parsed == progress::done) break;
    if (parsed == progress::refused) {
      found_http2_ = is_http2();
      return !found_http2_ && refuse(parser_.why_refused());
    }
    if (!began) {
      began = first_ || !buffer_.empty();
      if (!began && lane_.closes_idle()) {
        stream_.flush();
        return false;
      }
      until = bound_until(began ? options.head_timeout : options.idle_timeout);
    }
    idle_ = buffer_.empty();
    const filled got = fill(until);
    idle_ = false;
    if (got == filled::ended) return false;
    if (got == filled::timed_out) {
      return buffer_.empty() ? false : refuse({408, "the request's head did not come in time"});
    }
  }
  first_ = false;
  return true;
}

/// Its preface looks like a request of a version that HTTP/1 does not have (RFC 9113, 3.4).
bool http1_connection::is_http2() const noexcept {
  constexpr std::string_view preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  return first_ && lane_.speaks_http2() && stream_.peer().tls() == nullptr &&
         preface.starts_with(buffer_.readable().substr(0, preface.size()));
}

bool http1_connection::is_too_large() const noexcept {
  return parser_.head().content_length >
         exchange_.options().body_bytes_max.value_or(lane_.options().limits.body_bytes_max);
}

void http1_connection::start_body() {
  const route_options& own = exchange_.options();
  const server_options& all = lane_.options();
  const std::size_t begin = parser_.head_bytes();
  body_.start(parser_.head(), buffer_.data() + begin, buffer_.size() - begin,
              {.bytes_max = own.body_bytes_max.value_or(all.limits.body_bytes_max),
               .time = own.body_timeout.value_or(all.body_timeout)});
}

/// Where nobody streams it, all of it comes before anything is done: so nothing is done for a request
/// that is malformed, and no handler waits for a slow client.
bool http1_connection::is_body_in_order() {
  if (exchange_.options().streams_body) return true;
  try {
    body_.whole();
    return true;
  } catch (const error&) {
    if (const refusal* const why = body_.why_refused()) return refuse(*why);
    return false;  // the client is gone
  }
}

void http1_connection::forget_request() {
  buffer_.consume(parser_.head_bytes() + body_.used_of_received());
  buffer_.append(body_.read_beyond());
  buffer_.trim();
  body_.release();
}

// ---- the end

bool http1_connection::refuse(const refusal& why) {
  writer_.refuse(why);
  linger();
  return false;
}

/// Reads what the client still sends, for a while: closing with unread bytes would make the system
/// reset the connection, and the client might lose the answer.
void http1_connection::linger() {
  stream_.flush();
  stream_.peer().shutdown_write();
  buffer_ = {};
  body_.release();
  const steady_time until = steady_clock::now() + (lane_.is_stopping() ? linger_time_stopping : linger_time);
  std::size_t dropped = 0;
  idle_ = true;
  while (dropped < linger_bytes_max) {
    const std::optional<std::size_t> count = stream_.read_some_until(buffer_.room(), until);
    if (!count || *count == 0) return;
    dropped += *count;
  }
}

}  // namespace weft::inline v1::http::detail
