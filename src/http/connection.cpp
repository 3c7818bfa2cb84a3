#include "http/connection.hpp"

#include <array>
#include <charconv>

#include <weft/context/cancellation.hpp>
#include <weft/core/error.hpp>
#include <weft/core/unwinding.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/http/status_error.hpp>
#include <weft/log/log.hpp>

#include "http/bound_until.hpp"
#include "http/chars.hpp"
#include "http/response_access.hpp"

namespace weft::http::detail {

namespace {

constexpr std::size_t corked_bytes_max = 64 * 1024;
constexpr std::size_t joined_bytes_max = 4 * 1024;
constexpr std::size_t linger_bytes_max = 8 * 1024 * 1024;
constexpr std::chrono::milliseconds linger_time{2000};
constexpr std::chrono::milliseconds linger_time_stopping{200};
constexpr byte_set id_bytes = byte_set("-._").with_letters_and_digits();
constexpr std::size_t id_bytes_max = 128;

bool is_request_id(std::string_view text) noexcept {
  return text.size() <= id_bytes_max && id_bytes.spells(text);
}

void append_number(std::string& out, std::size_t number, int base = 10) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, base).ptr;
  out.append(digits.data(), end);
}

}  // namespace

connection::connection(server_core& core, net::stream peer)
    : core_(core),
      stream_(std::move(peer), core.options().write_timeout),
      parser_(core.options().limits),
      body_(stream_, core.options().limits) {}

void connection::run() {
  // A client that sends requests without end shall not keep the others waiting.
  constexpr int turns_max = 32;
  for (int turn = 1; serve_one(); ++turn) {
    if (turn % turns_max == 0) yield();
  }
}

void connection::end_soon() noexcept {
  if (idle_) stream_.socket().shutdown_read();
  if (switched_ != nullptr) switched_->leave();
}

bool connection::serve_one() {
  if (!read_head()) return false;
  const request_head& head = parser_.head();
  core_.routes().find(head.method, head.path, match_);
  if (is_too_large()) return refuse({413, "the body is too large"});
  if (head.expects_continue && match_.work == nullptr) return refuse({match_.status, "no such resource"});
  start_body();
  if (!is_body_in_order()) return false;
  ++core_.statistics().requests;
  keeps_alive_ = head.keep_alive;
  call_handler();
  if (over_) return end_other_protocol();
  if (body_.why_refused() != nullptr) ++core_.statistics().refused_requests;
  keeps_alive_ = keeps_alive_ && !core_.is_stopping() && body_.is_worth_skipping();
  if (answer_.is_streaming()) {
    finish_stream();
  } else {
    send_answer();
  }
  if (keeps_alive_) {
    idle_ = true;  // nothing more is owed
    keeps_alive_ = body_.skip();
    idle_ = false;
  }
  if (answer_.body().capacity() > byte_buffer::kept_bytes_max) response_access::body(answer_) = std::string();
  if (keeps_alive_) {
    forget_request();
    return true;
  }
  linger();
  return false;
}

// ---- reading

connection::filled connection::fill(steady_time until) {
  const std::span<char> room =
      buffer_.room([this](const char* from, const char* to) { parser_.rebase(from, to); });
  const std::optional<std::size_t> count = stream_.read_some_until(room, until);
  if (!count) return filled::timed_out;
  buffer_.commit(*count);
  return *count == 0 ? filled::ended : filled::data;
}

bool connection::read_head() {
  const server_options& options = core_.options();
  parser_.restart();
  bool began = false;
  steady_time until = no_deadline;
  while (true) {
    const progress parsed = parser_.advance(buffer_.readable());
    if (parsed == progress::done) break;
    if (parsed == progress::refused) return refuse(parser_.why_refused());
    if (!began) {
      began = first_ || !buffer_.empty();
      if (!began && core_.is_stopping()) {
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

bool connection::is_too_large() const noexcept {
  return parser_.head().content_length >
         match_.options.body_bytes_max.value_or(core_.options().limits.body_bytes_max);
}

void connection::start_body() {
  const route_options& own = match_.options;
  const server_options& all = core_.options();
  const std::size_t begin = parser_.head_bytes();
  body_.start(parser_.head(), buffer_.data() + begin, buffer_.size() - begin,
              {.bytes_max = own.body_bytes_max.value_or(all.limits.body_bytes_max),
               .time = own.body_timeout.value_or(all.body_timeout)});
}

/// Where nobody streams it, all of it comes before anything is done: so nothing is done for a request
/// that is malformed, and no handler waits for a slow client.
bool connection::is_body_in_order() {
  if (match_.options.streams_body) return true;
  try {
    body_.whole();
    return true;
  } catch (const error&) {
    if (const refusal* const why = body_.why_refused()) return refuse(*why);
    return false;  // the client is gone
  }
}

void connection::forget_request() {
  buffer_.consume(parser_.head_bytes() + body_.used_of_received());
  buffer_.append(body_.read_beyond());
  buffer_.trim();
  body_.release();
}

// ---- answering

void connection::call_handler() {
  const request_head& head = parser_.head();
  response_access::reset(answer_, this);
  const std::optional<std::string_view> given = find_header(head.fields, "x-request-id");
  if (given && is_request_id(*given)) {
    id_.assign(*given);
  } else {
    id_ = core_.make_request_id();
  }
  if (match_.work == nullptr) return answer_without_handler();
  request in(request_parts{.method = head.method,
                           .target = head.target,
                           .path = head.path,
                           .query = head.query,
                           .host = head.host,
                           .headers = head.fields,
                           .source = &body_,
                           .content_length = head.body == framing::chunked
                                                 ? std::nullopt
                                                 : std::optional<std::uint64_t>(head.content_length),
                           .id = id_,
                           .parameters = match_.parameters,
                           .connection = &stream_.socket()});
  run_handler(in);
}

void connection::answer_without_handler() {
  const request_head& head = parser_.head();
  answer_.status(match_.status);
  if (match_.status == 405) {
    const std::string allowed = core_.routes().allowed(head.path);
    answer_.header("Allow", allowed + ", OPTIONS");
    if (head.method == "OPTIONS") {
      answer_.status(204);
      return;
    }
  }
  answer_.body(std::string(reason_phrase(answer_.status())) + "\n");
}

/// The edge where a handler's exceptions end. Only a cancellation from outside passes.
void connection::run_handler(request& in) {
  const scoped_value named(request_id, id_);
  const auto fail = [this](int status, std::string_view text) {
    if (answer_.is_streaming()) {
      over_ = true;
      return;
    }
    response_access::reset(answer_, this);
    answer_.status(status).body(std::string(text) + "\n");
  };
  cancel_scope bound(handler_deadline());
  try {
    (*match_.work)(in, answer_);
  } catch (const cancelled& stop) {
    if (stop.reason() != cancel_reason::deadline || !bound.deadline_passed()) throw;
    log::error("http: the handler took too long", {{"method", in.method()}, {"target", in.target()}});
    fail(503, "the request took too long");
  } catch (const exit_exception& left) {
    log::debug("http: the handler left by exit", {{"status", left.status_code()}});
    if (!response_access::touched(answer_)) fail(500, reason_phrase(500));
  } catch (const status_error& said) {
    fail(said.status(), said.what());
    if (!over_ && !answer_.is_streaming()) {
      for (const auto& [name, value] : said.headers()) answer_.add_header(name, value);
    }
  } catch (...) {
    if (body_.is_cut_off()) {
      log::debug("http: the client left in the middle of a request", {{"target", in.target()}});
      over_ = true;
      return;
    }
    log::write_exception(log::level::error, "http: the handler failed", std::current_exception(),
                         {{"method", in.method()}, {"target", in.target()}});
    fail(500, reason_phrase(500));
  }
}

/// A handler that reads the body itself has the time for both.
steady_time connection::handler_deadline() const {
  const server_options& all = core_.options();
  const route_options& own = match_.options;
  if (own.handler_timeout || !own.streams_body)
    return bound_until(own.handler_timeout.value_or(all.handler_timeout));
  const auto body = own.body_timeout.value_or(all.body_timeout);
  if (body.count() == 0 || all.handler_timeout.count() == 0) return no_deadline;
  return bound_until(body + all.handler_timeout);
}

void connection::append_head(std::string& out, bool has_length) {
  const int status = answer_.status();
  const std::string& body = answer_.body();
  if (status == 200) {
    out += "HTTP/1.1 200 OK\r\n";
  } else {
    out += "HTTP/1.1 ";
    append_number(out, static_cast<std::size_t>(status));
    out.append(" ").append(reason_phrase(status)).append("\r\n");
  }
  out += core_.date_line();
  const bool has_body = status != 204 && status != 304;
  if (has_length && has_body) {
    out += "Content-Length: ";
    append_number(out, body.size());
    out += "\r\n";
  } else if (!has_length && has_body && parser_.head().minor_version == 1) {
    out += "Transfer-Encoding: chunked\r\n";
  }
  const std::string& fields = response_access::fields(answer_);
  if ((!body.empty() || !has_length) && has_body && !find_field(fields, "Content-Type")) {
    out += "Content-Type: text/plain; charset=utf-8\r\n";
  }
  if (!keeps_alive_) {
    out += "Connection: close\r\n";
  } else if (parser_.head().minor_version == 0) {
    out += "Connection: keep-alive\r\n";
  }
  if (!id_.empty()) out.append("X-Request-Id: ").append(id_).append("\r\n");
  out.append(fields).append("\r\n");
}

void connection::send_answer() {
  head_.clear();
  append_head(head_, true);
  const int status = answer_.status();
  const bool has_body = status != 204 && status != 304 && !is_head_request();
  const std::string_view body = has_body ? std::string_view(answer_.body()) : std::string_view();
  if (more_is_here() && stream_.corked_bytes() + head_.size() + body.size() <= corked_bytes_max) {
    stream_.cork(head_);
    stream_.cork(body);
  } else if (body.size() <= joined_bytes_max) {
    stream_.send(head_.append(body));  // one piece is sent by a cheaper call than two
  } else {
    stream_.send(head_, body);
  }
}

bool connection::more_is_here() const noexcept {
  return keeps_alive_ &&
         (buffer_.size() > parser_.head_bytes() + body_.used_of_received() || !body_.read_beyond().empty());
}

void connection::write_piece(response& of, std::string_view piece) {
  const bool chunked = parser_.head().minor_version == 1;
  head_.clear();
  if (over_) throw error(errc::misuse, "http: the connection speaks another protocol now");
  if (!of.is_streaming()) {
    body_.answer_begins();
    keeps_alive_ = keeps_alive_ && chunked && !core_.is_stopping() && body_.is_worth_skipping();
    append_head(head_, false);
    response_access::set_streaming(of);
  }
  const bool has_body = of.status() != 204 && of.status() != 304 && !is_head_request();
  if (piece.empty() || !has_body) return stream_.send(head_);
  if (chunked) {
    append_number(head_, piece.size(), 16);
    head_ += "\r\n";
  }
  stream_.send(head_, piece, chunked ? std::string_view("\r\n") : std::string_view());
}

net::stream connection::switch_protocol(std::string_view answer) {
  if (answer_.is_streaming() || over_)
    throw error(errc::misuse, "http: the handler both answered and switched to another protocol");
  if (parser_.head().minor_version == 0) throw status_error(426, "HTTP/1.0 has no other protocols");
  over_ = was_switched_ = true;
  stream_.send(answer);
  return std::move(stream_.socket());
}

void connection::set_switched(switched_protocol& to) noexcept {
  switched_ = &to;
  if (core_.is_stopping()) to.leave();
}

void connection::take_back(net::stream lent) noexcept {
  switched_ = nullptr;
  stream_.socket() = std::move(lent);
}

/// Nothing else is done where an answer was cut short.
bool connection::end_other_protocol() {
  if (switched_ != nullptr) switched_->end_now();
  if (was_switched_ && stream_.socket().is_open()) linger();
  return false;
}

std::string_view connection::received() const noexcept {
  return buffer_.readable().substr(parser_.head_bytes() + body_.used_of_received());
}

void connection::finish_stream() {
  const bool has_body = answer_.status() != 204 && answer_.status() != 304 && !is_head_request();
  if (has_body && parser_.head().minor_version == 1) stream_.send("0\r\n\r\n");
}

bool connection::refuse(const refusal& why) {
  ++core_.statistics().refused_requests;
  log::debug("http: a request is refused", {{"status", why.status}, {"why", why.why}});
  response_access::reset(answer_, nullptr);
  id_.clear();
  keeps_alive_ = false;
  answer_.status(why.status).body(std::string(reason_phrase(why.status)) + ": " + why.why + "\n");
  head_.clear();
  append_head(head_, true);
  stream_.send(head_, answer_.body());
  linger();
  return false;
}

/// Reads what the client still sends, for a while: closing with unread bytes would make the system
/// reset the connection, and the client might lose the answer.
void connection::linger() {
  stream_.flush();
  stream_.socket().shutdown_write();
  buffer_ = {};
  body_.release();
  const steady_time until = steady_clock::now() + (core_.is_stopping() ? linger_time_stopping : linger_time);
  std::size_t dropped = 0;
  idle_ = true;
  while (dropped < linger_bytes_max) {
    const std::optional<std::size_t> count = stream_.read_some_until(buffer_.room(), until);
    if (!count || *count == 0) return;
    dropped += *count;
  }
}

}  // namespace weft::http::detail
