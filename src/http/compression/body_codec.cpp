#include "http/compression/body_codec.hpp"

#include <weft/fiber/fiber.hpp>

#include "http/compression/encoding.hpp"

namespace weft::inline v1::http::detail {

namespace {

constexpr int level = 5;  // as compression_options::level

}  // namespace

std::string_view pulled_decoder::read(const std::function<std::string_view()>& next) {
  constexpr std::size_t piece_bytes_max = 64 * 1024;
  decoded_.clear();
  if (has_more_) yield();
  while (decoded_.empty()) {
    if (!has_more_) {
      unread_ = next();
      if (unread_.empty()) {
        decoder_.finish();
        return {};
      }
    }
    has_more_ = decoder_.write_some(unread_, decoded_, piece_bytes_max);
  }
  return decoded_;
}

bool packed_body::pack(std::string_view& body, const body_pieces*& pieces) {
  if (pieces == nullptr) {
    bytes_ = packed(body, deflate_format::gzip, level);
    if (bytes_.size() >= body.size()) return false;
    body = bytes_;
    return true;
  }
  deflater_.emplace(deflate_format::gzip, level);
  pieces_ = [this, from = pieces] { return next_piece(*from); };
  pieces = &pieces_;
  return true;
}

std::string_view packed_body::next_piece(const body_pieces& from) {
  bytes_.clear();
  while (bytes_.empty() && !is_ended_) {
    const std::string_view piece = from();
    is_ended_ = piece.empty();
    deflater_->write(piece, is_ended_ ? deflater::flush::finish : deflater::flush::none, bytes_);
  }
  return bytes_;
}

}  // namespace weft::inline v1::http::detail
