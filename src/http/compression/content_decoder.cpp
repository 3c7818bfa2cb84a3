#include <algorithm>
#include <limits>
#include <optional>

#include <weft/core/error.hpp>
#include <weft/http/compression.hpp>

#include "http/compression/encoding.hpp"

namespace weft::inline v1::http {

namespace {

constexpr std::size_t free_bytes = 64 * 1024;

}  // namespace

class content_decoder::impl {
 public:
  impl(detail::deflate_format format, decompression_limits bounds)
      : inflater_(format), is_gzip_(format == detail::deflate_format::gzip), bounds_(bounds) {}

  bool write_some(std::string_view& piece, std::string& out, std::size_t most) {
    const std::size_t full_at = out.size() + most;
    while (true) {
      if (is_ended_ && !begin_again(piece)) return false;
      const std::size_t allowed = allowed_for(taken_ + piece.size());
      const std::size_t given = piece.size();
      const std::size_t before = out.size();
      // One byte more than allowed, to see whether there is one.
      const std::size_t room = std::max(allowed - made_, allowed - made_ + 1);
      const outcome how = inflater_.read(piece, out, std::min(full_at - before, room));
      taken_ += given - piece.size();
      made_ += out.size() - before;
      if (made_ > allowed) {
        out.pop_back();
        throw error(errc::too_large, "a compressed body is too large once it is decoded");
      }
      if (how == outcome::malformed) throw error(errc::malformed, "a compressed body is malformed");
      if (how != outcome::end) return how == outcome::full;
      is_ended_ = true;
    }
  }

  void finish() const {
    if (!is_ended_ && taken_ > 0) throw error(errc::malformed, "a compressed body is cut short");
  }

 private:
  using outcome = detail::inflater::outcome;

  /// False where nothing follows. RFC 1952, 2.2: one member of gzip may follow the other.
  bool begin_again(std::string_view piece) {
    if (piece.empty()) return false;
    if (!is_gzip_) throw error(errc::malformed, "something follows the end of a compressed body");
    inflater_.restart();
    is_ended_ = false;
    return true;
  }

  /// How much may come out of so many bytes.
  std::size_t allowed_for(std::size_t taken) const noexcept {
    std::size_t most = 0;
    if (__builtin_mul_overflow(taken, bounds_.ratio_max, &most) ||
        __builtin_add_overflow(most, free_bytes, &most))
      return bounds_.bytes_max;
    return std::min(most, bounds_.bytes_max);
  }

  detail::inflater inflater_;
  bool is_gzip_;
  decompression_limits bounds_;
  bool is_ended_ = false;
  std::size_t taken_ = 0;
  std::size_t made_ = 0;  // never above what was allowed
};

bool content_decoder::knows(std::string_view content_encoding) noexcept {
  return detail::format_of(content_encoding).has_value();
}

content_decoder::content_decoder(std::string_view content_encoding, decompression_limits bounds) {
  const auto format = detail::format_of(content_encoding);
  if (!format)
    throw error(errc::unsupported, "http: the encoding \"" + std::string(content_encoding.substr(0, 64)) +
                                       "\" is not known here");
  impl_ = std::make_unique<impl>(*format, bounds);
}

content_decoder::content_decoder(content_decoder&&) noexcept = default;
content_decoder& content_decoder::operator=(content_decoder&&) noexcept = default;
content_decoder::~content_decoder() = default;

void content_decoder::write(std::string_view piece, std::string& out) {
  impl_->write_some(piece, out, std::numeric_limits<std::size_t>::max() - out.size());
}

bool content_decoder::write_some(std::string_view& piece, std::string& out, std::size_t most) {
  return impl_->write_some(piece, out, most);
}

void content_decoder::finish() const { impl_->finish(); }

}  // namespace weft::inline v1::http
