#include <weft/http/multipart.hpp>

#include <utility>

#include <weft/http/request.hpp>
#include <weft/http/status_error.hpp>

#include "http/multipart/parser.hpp"

namespace weft::inline v1::http {

namespace {

std::string boundary_of(const request& in) {
  std::optional<std::string> boundary = detail::multipart_boundary(in.header("Content-Type").value_or(""));
  if (!boundary) throw status_error(415, "the body is no multipart/form-data");
  if (boundary->empty()) throw status_error(400, "multipart/form-data without a right boundary");
  return std::move(*boundary);
}

}  // namespace

class multipart_reader::impl {
 public:
  impl(const request& in, const multipart_limits& bounds) : in_(in), parser_(boundary_of(in), bounds) {}

  const multipart_part* next() {
    if (in_part_) {
      while (!read().empty()) {
      }
    }
    if (parser_.is_ended()) return nullptr;
    const step got = advance();
    if (got.what == event::part) {
      in_part_ = true;
      return &parser_.part();
    }
    do advance();  // nothing may follow the end
    while (fill());
    return nullptr;
  }

  std::string_view read() {
    if (!in_part_) return {};
    const step got = advance();
    if (got.what == event::data) return got.data;
    in_part_ = false;
    return {};
  }

 private:
  using event = detail::multipart_parser::event;
  using step = detail::multipart_parser::step;

  /// On to the next event.
  step advance() {
    while (true) {
      const step got = parser_.advance(unread_);
      unread_.remove_prefix(got.consumed);
      if (got.what == event::refused) {
        const detail::refusal& why = parser_.why_refused();
        throw status_error(why.status, why.why);
      }
      if (got.what != event::more) return got;
      if (!fill()) throw status_error(400, "a form that ends before its last boundary");
    }
  }

  /// More behind what is unread; false at the end of the body.
  bool fill() {
    left_.assign(unread_);  // before the piece that it lies in goes
    const std::string_view piece = next_piece();
    if (left_.empty()) {
      unread_ = piece;
    } else {
      unread_ = left_.append(piece);
    }
    return !piece.empty();
  }

  std::string_view next_piece() {
    if (in_.streams_body()) return in_.read_body();
    return std::exchange(had_all_, true) ? std::string_view() : in_.body();
  }

  const request& in_;
  detail::multipart_parser parser_;
  bool in_part_ = false;
  bool had_all_ = false;
  std::string_view unread_;
  std::string left_;  // of the pieces before
};

multipart_reader::multipart_reader(const request& in, const multipart_limits& bounds)
    : impl_(std::make_unique<impl>(in, bounds)) {}
multipart_reader::multipart_reader(multipart_reader&&) noexcept = default;
multipart_reader& multipart_reader::operator=(multipart_reader&&) noexcept = default;
multipart_reader::~multipart_reader() = default;

const multipart_part* multipart_reader::next() { return impl_->next(); }
std::string_view multipart_reader::read() { return impl_->read(); }

}  // namespace weft::inline v1::http
