#include "http/http1_answer_writer.hpp"

#include <array>
#include <charconv>
#include <utility>

#include <weft/core/error.hpp>
#include <weft/http/status_error.hpp>

#include "http/response_access.hpp"

namespace weft::inline v1::http::detail {

namespace {

constexpr std::size_t corked_bytes_max = 64 * 1024;
constexpr std::size_t joined_bytes_max = 4 * 1024;

void append_number(std::string& out, std::size_t number, int base = 10) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, base).ptr;
  out.append(digits.data(), end);
}

}  // namespace

bool http1_answer_writer::finish() {
  keeps_alive_ = keeps_alive_ && !lane_.is_stopping() && body_.is_worth_skipping();
  finish_answer();
  return keeps_alive_;
}

void http1_answer_writer::refuse(const refusal& why) {
  make_refusal(why);
  keeps_alive_ = false;
  head_.clear();
  append_head(head_, answer_.body().size());
  stream_.send(head_, answer_.body());
}

// ---- whole answers

void http1_answer_writer::append_head(std::string& out, std::optional<std::uint64_t> length) {
  const int status = answer_.status();
  if (status == 200) {
    out += "HTTP/1.1 200 OK\r\n";
  } else {
    out += "HTTP/1.1 ";
    append_number(out, static_cast<std::size_t>(status));
    out.append(" ").append(reason_phrase(status)).append("\r\n");
  }
  out += lane_.date_line();
  if (length && may_have_body()) {
    out += "Content-Length: ";
    append_number(out, *length);
    out += "\r\n";
  } else if (!length && may_have_body() && is_chunked()) {
    out += "Transfer-Encoding: chunked\r\n";
  }
  if (is_plain_text(length)) out += "Content-Type: text/plain; charset=utf-8\r\n";
  if (!keeps_alive_) {
    out += "Connection: close\r\n";
  } else if (asked_.minor_version == 0) {
    out += "Connection: keep-alive\r\n";
  }
  if (!id_.empty()) out.append("X-Request-Id: ").append(id_).append("\r\n");
  out.append(response_access::fields(answer_)).append("\r\n");
}

void http1_answer_writer::send_whole() {
  head_.clear();
  append_head(head_, said_length());
  const std::string_view body = sends_body() ? std::string_view(answer_.body()) : std::string_view();
  note_sent(body.size());
  if (more_is_here() && stream_.corked_bytes() + head_.size() + body.size() <= corked_bytes_max) {
    stream_.cork(head_);
    stream_.cork(body);
  } else if (body.size() <= joined_bytes_max) {
    stream_.send(head_.append(body));  // one piece is sent by a cheaper call than two
  } else {
    stream_.send(head_, body);
  }
}

bool http1_answer_writer::more_is_here() const noexcept {
  return keeps_alive_ && (!received().empty() || !body_.read_beyond().empty());
}

// ---- streamed answers

void http1_answer_writer::begin_stream_form() {
  body_.answer_begins();
  keeps_alive_ = keeps_alive_ && (is_chunked() || left_) && !lane_.is_stopping() && body_.is_worth_skipping();
  head_.clear();
  append_head(head_, left_);
}

void http1_answer_writer::send_form(bool with_head, std::string_view piece) {
  if (!with_head) head_.clear();
  const bool is_chunk = is_chunked() && !piece.empty();
  if (is_chunk) {
    append_number(head_, piece.size(), 16);
    head_ += "\r\n";
  }
  stream_.send(head_, piece, is_chunk ? std::string_view("\r\n") : std::string_view());
}

void http1_answer_writer::end_stream_form(bool is_whole) {
  if (sends_body() && is_chunked()) stream_.send("0\r\n", wanted_trailers(), "\r\n");
  if (!is_whole) keeps_alive_ = false;
}

// ---- other protocols

transport http1_answer_writer::switch_protocol(std::string_view answer) {
  if (answer_.is_streaming() || is_over())
    throw error(errc::misuse, "http: the handler both answered and switched to another protocol");
  if (asked_.minor_version == 0) throw status_error(426, "HTTP/1.0 has no other protocols");
  weft::detail::context_node* const beyond = node_beyond_deadline(handler_scope_);
  context kept = context::from_node(beyond);
  was_switched_ = true;
  set_over_status(101);
  stream_.send(answer);
  // The handler goes on without its deadline: the other protocol has bounds of its own.
  if (beyond != nullptr) weft::detail::assign_current(kept.release_node());
  return std::move(stream_.peer());
}

std::string_view http1_answer_writer::received() const noexcept {
  return buffer_.readable().substr(parser_.head_bytes() + body_.used_of_received());
}

void http1_answer_writer::set_switched(switched_protocol& to) noexcept {
  switched_ = &to;
  if (lane_.closes_idle()) to.leave();
}

transport& http1_answer_writer::connection() noexcept {
  transport* const lent = switched_ == nullptr ? nullptr : switched_->lent();
  return lent == nullptr ? stream_.peer() : *lent;
}

void http1_answer_writer::take_back(transport lent) noexcept {
  switched_ = nullptr;
  stream_.peer() = std::move(lent);
}

void http1_answer_writer::leave() noexcept {
  if (switched_ != nullptr) switched_->leave();
}

bool http1_answer_writer::end_other_protocol() noexcept {
  if (switched_ != nullptr) switched_->end_now();
  return was_switched_ && stream_.peer().is_open();
}

}  // namespace weft::inline v1::http::detail
