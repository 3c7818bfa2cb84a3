#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <weft/http/header.hpp>
#include <weft/http/websocket.hpp>

#include "http/compression/zlib_stream.hpp"

// Compression of messages: permessage-deflate, RFC 7692.

namespace weft::inline v1::http::detail {

/// What both sides agreed on, seen from this one.
struct deflate_agreement {
  bool own_context = false;   ///< does this side look back into messages it sent before?
  bool peer_context = false;  ///< does the peer?
  int own_window_bits = window_bits_max;
};

/// A server's answer to what a client offers: takes the first offer that it can, and appends the answer's
/// value to `answer`. Offers that are malformed, or cannot be met, are passed over.
std::optional<deflate_agreement> accept_deflate_offer(std::span<const header> fields,
                                                      const websocket_compression& options,
                                                      std::string& answer);

/// A client's offer.
std::string deflate_offer(const websocket_compression& options);
/// What the server made of it. Nothing where that is no answer to the offer.
std::optional<deflate_agreement> read_deflate_answer(std::string_view field,
                                                     const websocket_compression& options);

/// Compresses the messages of one connection, and those of the peer back. Between messages it has no memory
/// of zlib's, unless a context is kept.
class message_deflate {
 public:
  message_deflate(const websocket_compression& options, const deflate_agreement& agreed) noexcept
      : options_(options), agreed_(agreed) {}

  /// The payload of a compressed message. Nothing where the message is better sent as it is.
  std::optional<std::string> pack(std::string_view message);

  enum class unpacked : unsigned char { done, malformed, too_large };
  /// Puts the message in place of its compressed payload.
  unpacked unpack(std::string& payload, std::size_t bytes_max);

 private:
  websocket_compression options_;
  deflate_agreement agreed_;
  std::optional<deflater> deflater_;
  std::optional<inflater> inflater_;
};

}  // namespace weft::inline v1::http::detail
