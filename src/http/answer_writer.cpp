#include "http/answer_writer.hpp"

#include <algorithm>
#include <utility>

#include <weft/core/error.hpp>
#include <weft/http/status_error.hpp>
#include <weft/log/log.hpp>

#include "http/byte_buffer.hpp"
#include "http/response_access.hpp"

namespace weft::inline v1::http::detail {

void answer_writer::begin(std::string id) {
  response_access::reset(answer_, this);
  forget_stream();
  sent_status_ = 0;
  sent_body_bytes_ = 0;
  sends_files_ = false;
  id_ = std::move(id);
}

void answer_writer::fail(int status, std::string_view text) {
  if (answer_.is_streaming()) return cut_off();
  response_access::reset(answer_, this);
  forget_stream();
  answer_.status(status).body(std::string(text) + "\n");
}

void answer_writer::finish_answer() {
  end_body();
  if (!answer_.is_streaming()) send_whole();
  if (answer_.body().capacity() > byte_buffer::kept_bytes_max) response_access::body(answer_) = std::string();
}

void answer_writer::make_refusal(const refusal& why) {
  ++lane_.counters().refused_requests;
  log::debug("http: a request is refused", {{"status", why.status}, {"why", why.why}});
  response_access::reset(answer_, nullptr);
  id_.clear();
  answer_.status(why.status).body(std::string(reason_phrase(why.status)) + ": " + why.why + "\n");
}

void answer_writer::note_sent(std::size_t body_bytes) noexcept {
  sent_status_ = answer_.status();
  sent_body_bytes_ = body_bytes;
}

std::uint64_t answer_writer::said_length() const noexcept {
  return answer_.body().empty() && asked_.method == "HEAD" ? response_access::length(answer_).value_or(0)
                                                           : answer_.body().size();
}

bool answer_writer::is_plain_text(std::optional<std::uint64_t> length) noexcept {
  return length != 0 && may_have_body() && !find_field(response_access::fields(answer_), "Content-Type");
}

// ---- streamed answers

void answer_writer::forget_stream() noexcept {
  filters_.clear();
  left_.reset();
  head_waits_ = began_ = body_ended_ = false;
}

void answer_writer::begin_writing(response& of) {
  if (over_) {
    throw error(errc::misuse,
                "http: write: the answer was cut off, or the connection speaks another protocol");
  }
  if (of.is_streaming() || head_waits_) return;
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
  if (filters_.empty() && left_ && sends_files()) {
    count_off(bytes);
    send_piece({});
    if (send_file(from, offset, bytes)) return true;
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
  send_piece({});  // the head, where there was nothing in the file
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
  announce_trailers();
  begin_stream_form();
  head_waits_ = true;
}

/// Sends the piece, behind the head of the answer where that is not sent yet. From there on a failure cuts
/// the answer off; what failed before has sent nothing.
void answer_writer::send_piece(std::string_view piece) {
  if (!sends_body()) piece = {};
  if (piece.empty() && !head_waits_) return;
  count_off(piece.size());
  sent_status_ = answer_.status();
  response_access::set_streaming(answer_);
  send_form(head_waits_, piece);
  head_waits_ = false;
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
  const bool is_whole = !sends_body() || left_.value_or(0) == 0;
  end_stream_form(is_whole);
  if (!is_whole) log::error("http: the handler sent less than it said", {{"missing", *left_}});
}

bool answer_writer::takes_trailers() const noexcept {
  return std::any_of(asked_.fields.begin(), asked_.fields.end(), [](const header& field) {
    return same_name(field.name, "TE") && has_list_token(field.value, "trailers");
  });
}

std::string_view answer_writer::wanted_trailers() noexcept {
  const std::string_view all = response_access::trailers(answer_);
  return !all.empty() && takes_trailers() ? all : std::string_view();
}

/// The names of the trailers that are known before the body.
void answer_writer::announce_trailers() {
  if (!may_have_trailers() || answer_.header("Trailer")) return;
  std::string_view lines = wanted_trailers();
  if (lines.empty()) return;
  std::string names;
  while (!lines.empty()) {
    names.append(names.empty() ? "" : ", ").append(lines.substr(0, lines.find(':')));
    lines.remove_prefix(lines.find('\n') + 1);
  }
  answer_.header("Trailer", names);
}

}  // namespace weft::inline v1::http::detail
