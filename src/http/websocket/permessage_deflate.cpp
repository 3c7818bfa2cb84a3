#include "http/websocket/permessage_deflate.hpp"

#include <algorithm>
#include <limits>

#include "http/chars.hpp"
#include "http/parameters.hpp"

namespace weft::inline v1::http::detail {

namespace {

constexpr std::string_view extension_name = "permessage-deflate";
constexpr std::string_view tail{"\0\0\xff\xff", 4};  // of a block that was flushed; not sent
// zlib makes no window of 8 bits (256 bytes) without a frame around.
constexpr int window_bits_min = 8;
constexpr int own_window_bits_min = 9;

/// The parameters of an offer or an answer (RFC 7692, part 7).
struct deflate_parameters {
  bool server_no_context = false;
  bool client_no_context = false;
  std::optional<int> server_bits;
  bool may_limit_client = false;  // client_max_window_bits stands there
  std::optional<int> client_bits;
};

/// "8" to "15", without zeros in front.
std::optional<int> read_bits(std::string_view text) noexcept {
  if (!digit_bytes.spells(text) || text.size() > 2 || text.front() == '0') return std::nullopt;
  int bits = 0;
  for (const char digit : text) bits = bits * 10 + (digit - '0');
  if (bits < window_bits_min || bits > window_bits_max) return std::nullopt;
  return bits;
}

/// Nothing for another extension, and for one that is malformed.
std::optional<deflate_parameters> read_parameters(std::string_view element) {
  const auto parsed = parse_parameters(element);
  if (!parsed || !same_name(parsed->value, extension_name)) return std::nullopt;
  deflate_parameters got;
  for (const auto& [name, value] : parsed->parameters) {
    if (same_name(name, "server_no_context_takeover") && value.empty()) {
      got.server_no_context = true;
    } else if (same_name(name, "client_no_context_takeover") && value.empty()) {
      got.client_no_context = true;
    } else if (same_name(name, "server_max_window_bits")) {
      got.server_bits = read_bits(value);
      if (!got.server_bits) return std::nullopt;
    } else if (same_name(name, "client_max_window_bits")) {
      got.may_limit_client = true;
      got.client_bits = read_bits(value);
      if (!value.empty() && !got.client_bits) return std::nullopt;
    } else {
      return std::nullopt;
    }
  }
  return got;
}

}  // namespace

std::optional<deflate_agreement> accept_deflate_offer(std::span<const header> fields,
                                                      const websocket_compression& options,
                                                      std::string& answer) {
  for (const header& field : fields) {
    if (!same_name(field.name, "Sec-WebSocket-Extensions")) continue;
    for (std::string_view rest = field.value; !rest.empty();) {
      const std::size_t end = std::min(rest.find(','), rest.size());
      const auto offer = read_parameters(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
      if (!offer || offer->server_bits.value_or(window_bits_max) < own_window_bits_min) continue;
      deflate_agreement agreed;
      agreed.own_context = options.keeps_context && !offer->server_no_context;
      agreed.peer_context = options.keeps_context && !offer->client_no_context;
      agreed.own_window_bits = std::min(options.window_bits, offer->server_bits.value_or(window_bits_max));
      answer += extension_name;
      if (!agreed.own_context) answer += "; server_no_context_takeover";
      if (!agreed.peer_context) answer += "; client_no_context_takeover";
      if (offer->server_bits) answer += "; server_max_window_bits=" + std::to_string(agreed.own_window_bits);
      return agreed;
    }
  }
  return std::nullopt;
}

std::string deflate_offer(const websocket_compression& options) {
  std::string offer = std::string(extension_name) + "; client_max_window_bits";
  if (!options.keeps_context) offer += "; server_no_context_takeover; client_no_context_takeover";
  return offer;
}

std::optional<deflate_agreement> read_deflate_answer(std::string_view field,
                                                     const websocket_compression& options) {
  const auto got = read_parameters(field);
  if (!got || (got->may_limit_client && !got->client_bits)) return std::nullopt;
  if (!options.keeps_context && !got->server_no_context) return std::nullopt;  // it was asked for
  const int own_bits = got->client_bits.value_or(window_bits_max);
  if (own_bits < own_window_bits_min) return std::nullopt;
  return deflate_agreement{.own_context = options.keeps_context && !got->client_no_context,
                           .peer_context = !got->server_no_context,
                           .own_window_bits = std::min(options.window_bits, own_bits)};
}

std::optional<std::string> message_deflate::pack(std::string_view message) {
  if (message.empty() || message.size() < options_.bytes_min) return std::nullopt;
  if (!deflater_) deflater_.emplace(deflate_format::raw, options_.level, agreed_.own_window_bits);
  std::string packed;
  try {
    deflater_->write(message, deflater::flush::sync, packed);
  } catch (...) {  // no memory: the next one looks back to nothing
    deflater_.reset();
    return std::nullopt;
  }
  packed.resize(packed.size() - tail.size());
  if (agreed_.own_context) return packed;
  deflater_.reset();
  if (packed.size() >= message.size()) return std::nullopt;
  return packed;
}

message_deflate::unpacked message_deflate::unpack(std::string& payload, std::size_t bytes_max) {
  if (!inflater_) inflater_.emplace(deflate_format::raw);
  std::string message;
  payload += tail;
  bytes_max = std::min(bytes_max, std::numeric_limits<std::size_t>::max() - 1);
  std::string_view left = payload;
  using outcome = inflater::outcome;
  outcome how = outcome::more;
  do {
    if (how == outcome::end) inflater_->restart();  // a peer may end a block for good, and begin another one
    how = inflater_->read(left, message, bytes_max + 1 - message.size());
    if (message.size() > bytes_max) return unpacked::too_large;
    if (how == outcome::malformed) return unpacked::malformed;
  } while (how == outcome::end && !left.empty());
  if (how == outcome::more && !inflater_->is_between_blocks()) return unpacked::malformed;  // cut short
  payload = std::move(message);
  if (!agreed_.peer_context) inflater_.reset();
  return unpacked::done;
}

}  // namespace weft::inline v1::http::detail
