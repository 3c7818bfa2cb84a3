#include <optional>
#include <utility>

#include <weft/core/error.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/http/compression.hpp>
#include <weft/http/status_error.hpp>

#include "http/compression/encoding.hpp"
#include "http/request_access.hpp"

namespace weft::inline v1::http {

namespace {

constexpr std::size_t piece_bytes_max = 64 * 1024;

/// The body of a request, decoded as it is read.
class decoding_source final : public detail::body_source {
 public:
  decoding_source(detail::body_source& from, std::string_view encoding, decompression_limits bounds)
      : from_(from), decoder_(encoding, bounds) {}

  std::string_view whole() override {
    if (failed_) throw status_error(*failed_);
    if (began_)
      throw error(errc::misuse, "http: the body was read in pieces; it cannot be had as a whole any more");
    if (!is_gathered_) gather();
    return decoded_;
  }

  std::string_view next_piece() override {
    if (failed_) throw status_error(*failed_);
    if (gathers_) throw error(errc::misuse, "http: the body is had as a whole; it has no pieces any more");
    began_ = true;
    decoded_.clear();
    while (decoded_.empty()) {
      if (!has_more_) {
        unread_ = from_.next_piece();
        if (unread_.empty()) {
          decode([this] { decoder_.finish(); });
          return {};
        }
      }
      decode_some();
    }
    return decoded_;
  }

  bool is_whole() const noexcept override { return gathers_ || from_.is_whole(); }

  std::optional<std::string_view> trailer(std::string_view name) const noexcept override {
    return from_.trailer(name);
  }

 private:
  void gather() {
    gathers_ = true;
    if (from_.is_whole()) {
      unread_ = from_.whole();
      take_unread();
    } else {
      while (!(unread_ = from_.next_piece()).empty()) take_unread();
    }
    decode([this] { decoder_.finish(); });
    is_gathered_ = true;
  }

  void take_unread() {
    decode_some();
    while (has_more_) {
      yield();  // the others shall have their turn, too
      decode_some();
    }
  }

  void decode_some() {
    decode([this] { has_more_ = decoder_.write_some(unread_, decoded_, piece_bytes_max); });
  }

  template <typename Work>
  void decode(Work&& work) {
    try {
      work();
    } catch (const error& why) {
      failed_.emplace(why.code() == errc::too_large ? 413 : 400, "the request's body: " + why.message());
      throw status_error(*failed_);
    }
  }

  detail::body_source& from_;
  content_decoder decoder_;
  std::string_view unread_;
  bool has_more_ = false;  // there may be more to decode without another piece
  std::string decoded_;
  bool began_ = false;
  bool gathers_ = false;
  bool is_gathered_ = false;
  std::optional<status_error> failed_;
};

/// Puts a source in place of a request's own, for as long as it lives.
class source_change {
 public:
  source_change(request& of, detail::body_source& with)
      : parts_(detail::request_access::parts(of)), source_(parts_.source), length_(parts_.content_length) {
    parts_.source = &with;
    parts_.content_length.reset();
  }
  source_change(const source_change&) = delete;
  source_change& operator=(const source_change&) = delete;
  ~source_change() {
    parts_.source = source_;
    parts_.content_length = length_;
  }

 private:
  detail::request_parts& parts_;
  detail::body_source* source_;
  std::optional<std::uint64_t> length_;
};

}  // namespace

middleware decompress(decompression_limits bounds) {
  return [bounds](request& in, response&, next& behind) {
    const std::optional<std::string_view> coding = detail::coding_of(in.headers());
    if (!coding)
      throw status_error(415, "the body is in an encoding that is not known here")
          .header("Accept-Encoding", "gzip, deflate");
    detail::body_source* const source = detail::request_access::parts(in).source;
    if (coding->empty() || source == nullptr) return behind();
    decoding_source decoded(*source, *coding, bounds);
    const source_change meanwhile(in, decoded);
    behind();
  };
}

}  // namespace weft::inline v1::http
