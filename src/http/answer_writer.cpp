#include "http/answer_writer.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <weft/core/error.hpp>
#include <weft/http/status_error.hpp>
#include <weft/log/log.hpp>

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

void answer_writer::begin(std::string id) {
  response_access::reset(answer_, this);
  forget_stream();
  sent_status_ = 0;
  sent_body_bytes_ = 0;
  sends_files_ = false;
  id_ = std::move(id);
  keeps_alive_ = parser_.head().keep_alive;
}

void answer_writer::fail(int status, std::string_view text) {
  if (answer_.is_streaming()) return cut_off();
  response_access::reset(answer_, this);
  forget_stream();
  answer_.status(status).body(std::string(text) + "\n");
}

bool answer_writer::finish() {
  keeps_alive_ = keeps_alive_ && !lane_.is_stopping() && body_.is_worth_skipping();
  end_body();
  if (!answer_.is_streaming()) send_whole();
  if (answer_.body().capacity() > byte_buffer::kept_bytes_max) response_access::body(answer_) = std::string();
  return keeps_alive_;
}

void answer_writer::refuse(const refusal& why) {
  ++lane_.counters().refused_requests;
  log::debug("http: a request is refused", {{"status", why.status}, {"why", why.why}});
  response_access::reset(answer_, nullptr);
  id_.clear();
  keeps_alive_ = false;
  answer_.status(why.status).body(std::string(reason_phrase(why.status)) + ": " + why.why + "\n");
  head_.clear();
  append_head(head_, answer_.body().size());
  stream_.send(head_, answer_.body());
}

// ---- whole answers

void answer_writer::append_head(std::string& out, std::optional<std::uint64_t> length) {
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
  const std::string& fields = response_access::fields(answer_);
  if (length != 0 && may_have_body() && !find_field(fields, "Content-Type")) {
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

void answer_writer::send_whole() {
  head_.clear();
  // The answer to HEAD may say what it would have.
  const std::uint64_t said = answer_.body().empty() && parser_.head().method == "HEAD"
                                 ? response_access::length(answer_).value_or(0)
                                 : answer_.body().size();
  append_head(head_, said);
  const std::string_view body = sends_body() ? std::string_view(answer_.body()) : std::string_view();
  sent_status_ = answer_.status();
  sent_body_bytes_ = body.size();
  if (more_is_here() && stream_.corked_bytes() + head_.size() + body.size() <= corked_bytes_max) {
    stream_.cork(head_);
    stream_.cork(body);
  } else if (body.size() <= joined_bytes_max) {
    stream_.send(head_.append(body));  // one piece is sent by a cheaper call than two
  } else {
    stream_.send(head_, body);
  }
}

bool answer_writer::more_is_here() const noexcept {
  return keeps_alive_ && (!received().empty() || !body_.read_beyond().empty());
}

// ---- streamed answers

void answer_writer::forget_stream() noexcept {
  filters_.clear();
  head_.clear();
  left_.reset();
  began_ = body_ended_ = false;
}

void answer_writer::begin_writing(response& of) {
  if (over_) {
    throw error(errc::misuse,
                "http: write: the answer was cut off, or the connection speaks another protocol");
  }
  if (of.is_streaming() || !head_.empty()) return;
  if (began_) throw error(errc::misuse, "http: write: the answer could not begin before");
  began_ = true;
  begin_stream();
}

void answer_writer::write_piece(response& of, std::string_view piece) {
  const beyond_deadline here(sends_files_ ? handler_scope_ : handler_scope());
  begin_writing(of);
  send_piece(filters_.empty() || !sends_body() ? piece : filtered(piece, false));
}

bool answer_writer::write_file(response& of, files::file& from, std::uint64_t offset, std::uint64_t bytes) {
  constexpr std::uint64_t piece_bytes = 64 * 1024;
  sends_files_ = true;
  const beyond_deadline here(handler_scope_);
  begin_writing(of);
  if (!sends_body()) {
    send_piece({});
    return true;
  }
  if (filters_.empty() && left_) {
    count_off(bytes);
    send_head();
    if (stream_.send_file({}, from, offset, bytes)) return true;
    cut_off();
    return false;
  }
  while (bytes > 0) {
    const std::string piece = from.read_at(offset, std::min(bytes, piece_bytes));
    if (piece.empty()) break;
    send_piece(filters_.empty() ? std::string_view(piece) : filtered(piece, false));
    offset += piece.size();
    bytes -= piece.size();
  }
  send_head();  // where there was nothing in the file
  return bytes == 0;
}

/// So many bytes of the body will be sent.
void answer_writer::count_off(std::uint64_t bytes) {
  if (left_ && bytes > *left_)
    throw error(errc::misuse, "http: write: that is more than the length that was said of the body");
  if (left_) *left_ -= bytes;
  sent_body_bytes_ += bytes;
}

void answer_writer::begin_stream() {
  for (std::size_t i = filters_.size(); i > 0; --i) {
    if (!filters_[i - 1]->begin(answer_))
      filters_.erase(filters_.begin() + static_cast<std::ptrdiff_t>(i) - 1);
  }
  if (filters_.empty()) left_ = response_access::length(answer_);
  body_.answer_begins();
  keeps_alive_ = keeps_alive_ && (is_chunked() || left_) && !lane_.is_stopping() && body_.is_worth_skipping();
  head_.clear();
  announce_trailers();
  append_head(head_, left_);
}

/// Sends the piece, behind the head of the answer where that is not sent yet.
void answer_writer::send_piece(std::string_view piece) {
  if (piece.empty() || !sends_body()) return send_head();
  count_off(piece.size());
  if (is_chunked()) {
    append_number(head_, piece.size(), 16);
    head_ += "\r\n";
  }
  send_behind_head(piece, is_chunked() ? std::string_view("\r\n") : std::string_view());
}

void answer_writer::send_head() {
  if (!head_.empty()) send_behind_head({}, {});
}

/// From here on a failure cuts the answer off; what failed before has sent nothing.
void answer_writer::send_behind_head(std::string_view piece, std::string_view end) {
  sent_status_ = answer_.status();
  response_access::set_streaming(answer_);
  stream_.send(head_, piece, end);
  head_.clear();
}

std::string_view answer_writer::filtered(std::string_view piece, bool ends) {
  piece_.assign(piece);
  for (auto one = filters_.rbegin(); one != filters_.rend(); ++one) {
    unfiltered_.swap(piece_);
    piece_.clear();
    if (!unfiltered_.empty()) (*one)->write(unfiltered_, piece_);
    if (ends) (*one)->end(piece_);
  }
  return piece_;
}

void answer_writer::end_body() {
  if (over_ || body_ended_) return;
  if (began_ && !answer_.is_streaming()) {
    log::error("http: the handler went on although the first piece of its answer could not be sent");
    return fail(500, reason_phrase(500));
  }
  if (!answer_.is_streaming()) return;
  finish_stream();
  body_ended_ = true;
}

void answer_writer::finish_stream() {
  if (!filters_.empty() && sends_body()) send_piece(filtered({}, true));
  if (sends_body() && is_chunked()) {
    const bool has_trailers = !response_access::trailers(answer_).empty() && takes_trailers();
    stream_.send("0\r\n", has_trailers ? response_access::trailers(answer_) : std::string_view(), "\r\n");
  }
  if (sends_body() && left_.value_or(0) > 0) {
    keeps_alive_ = false;
    log::error("http: the handler sent less than it said", {{"missing", *left_}});
  }
}

bool answer_writer::takes_trailers() const noexcept {
  const auto& fields = parser_.head().fields;
  return std::any_of(fields.begin(), fields.end(), [](const header& field) {
    return same_name(field.name, "TE") && has_list_token(field.value, "trailers");
  });
}

/// The names of the trailers that are known before the body.
void answer_writer::announce_trailers() {
  std::string_view lines = response_access::trailers(answer_);
  if (lines.empty() || !is_chunked() || !takes_trailers() || answer_.header("Trailer")) return;
  std::string names;
  while (!lines.empty()) {
    names.append(names.empty() ? "" : ", ").append(lines.substr(0, lines.find(':')));
    lines.remove_prefix(lines.find('\n') + 1);
  }
  answer_.header("Trailer", names);
}

// ---- other protocols

transport answer_writer::switch_protocol(std::string_view answer) {
  if (answer_.is_streaming() || over_)
    throw error(errc::misuse, "http: the handler both answered and switched to another protocol");
  if (parser_.head().minor_version == 0) throw status_error(426, "HTTP/1.0 has no other protocols");
  weft::detail::context_node* const beyond = node_beyond_deadline(handler_scope_);
  context kept = context::from_node(beyond);
  over_ = was_switched_ = true;
  sent_status_ = 101;
  stream_.send(answer);
  // The handler goes on without its deadline: the other protocol has bounds of its own.
  if (beyond != nullptr) weft::detail::assign_current(kept.release_node());
  return std::move(stream_.peer());
}

std::string_view answer_writer::received() const noexcept {
  return buffer_.readable().substr(parser_.head_bytes() + body_.used_of_received());
}

void answer_writer::set_switched(switched_protocol& to) noexcept {
  switched_ = &to;
  if (lane_.closes_idle()) to.leave();
}

transport& answer_writer::connection() noexcept {
  transport* const lent = switched_ == nullptr ? nullptr : switched_->lent();
  return lent == nullptr ? stream_.peer() : *lent;
}

void answer_writer::take_back(transport lent) noexcept {
  switched_ = nullptr;
  stream_.peer() = std::move(lent);
}

void answer_writer::leave() noexcept {
  if (switched_ != nullptr) switched_->leave();
}

bool answer_writer::end_other_protocol() noexcept {
  if (switched_ != nullptr) switched_->end_now();
  return was_switched_ && stream_.peer().is_open();
}

}  // namespace weft::inline v1::http::detail
