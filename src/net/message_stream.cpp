#include <weft/net/message_stream.hpp>

#include <algorithm>
#include <array>
#include <span>

#include <weft/core/error.hpp>
#include <weft/core/unwinding.hpp>

namespace weft::inline v1::net {

namespace {

constexpr std::size_t number_bytes_max = sizeof(std::uint64_t);

const length_prefix& checked(const length_prefix& framing) {
  if (!std::has_single_bit(framing.bytes) || framing.bytes > number_bytes_max) {
    throw error(errc::invalid_argument,
                "length_prefix: " + std::to_string(framing.bytes) + " bytes; they are 1, 2, 4 or 8");
  }
  return framing;
}

delimiter checked(delimiter framing) {
  if (framing.text.empty()) throw error(errc::invalid_argument, "delimiter: it is empty");
  return framing;
}

std::uint64_t number_in(std::string_view bytes, std::endian order) noexcept {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::size_t at = order == std::endian::big ? i : bytes.size() - 1 - i;
    number = number << 8U | static_cast<unsigned char>(bytes[at]);
  }
  return number;
}

/// The first `count` of them are the number.
std::array<char, number_bytes_max> bytes_of(std::uint64_t number, std::size_t count,
                                            std::endian order) noexcept {
  std::array<char, number_bytes_max> bytes{};
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = order == std::endian::big ? count - 1 - i : i;
    bytes[at] = static_cast<char>(number >> (8 * i));
  }
  return bytes;
}

/// What a prefix can say at all.
std::size_t sayable(const length_prefix& framing) noexcept {
  const std::uint64_t most =
      framing.bytes == number_bytes_max ? UINT64_MAX : (std::uint64_t{1} << 8 * framing.bytes) - 1;
  return static_cast<std::size_t>(std::min<std::uint64_t>(framing.message_bytes_max, most));
}

}  // namespace

message_stream::message_stream(byte_stream& over, const length_prefix& framing)
    : over_(over),
      prefix_(checked(framing)),
      message_bytes_max_(sayable(framing)),
      reader_(over, std::max(message_bytes_max_, number_bytes_max)) {}

message_stream::message_stream(byte_stream& over, delimiter framing)
    : over_(over),
      delimiter_(checked(framing).text),
      message_bytes_max_(framing.message_bytes_max),
      reader_(over, message_bytes_max_ + delimiter_.size()) {}

void message_stream::require_size(std::uint64_t bytes, const char* tried) const {
  if (bytes <= message_bytes_max_) return;
  throw error(errc::too_large, std::string(tried) + ": a message of " + std::to_string(bytes) +
                                   " bytes, but " + std::to_string(message_bytes_max_) + " are the most");
}

piece message_stream::read(steady_time until) {
  return prefix_ ? read_counted(until) : read_delimited(until);
}

piece message_stream::ended(const piece& rest) const {
  if (rest.end == transfer_end::timed_out) return {{}, transfer_end::timed_out};
  if (rest.bytes.empty() && !length_) return rest;
  throw error(errc::unavailable, "message_stream: read: the peer ended within a message, after " +
                                     std::to_string(rest.bytes.size()) + " bytes");
}

piece message_stream::read_counted(steady_time until) {
  if (!length_) {
    const piece number = reader_.read_exactly(prefix_->bytes, until);
    if (!number) return ended(number);
    const std::uint64_t bytes = number_in(number.bytes, prefix_->order);
    length_ = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, SIZE_MAX));
  }
  require_size(*length_, "message_stream: read");
  const piece message = reader_.read_exactly(*length_, until);
  if (!message) return ended(message);
  length_.reset();
  return message;
}

piece message_stream::read_delimited(steady_time until) {
  piece message = reader_.read_until(delimiter_, until);
  if (!message) return ended(message);
  message.bytes.remove_suffix(delimiter_.size());
  return message;
}

transfer message_stream::write(std::string_view message, steady_time until) {
  constexpr const char* tried = "message_stream: write";
  if (cut_short_)
    throw error(errc::closed, std::string(tried) + ": the message before was sent in part only");
  require_size(message.size(), tried);
  if (!delimiter_.empty() && message.find(delimiter_) != std::string_view::npos) {
    throw error(errc::invalid_argument, std::string(tried) + ": the message contains the delimiter");
  }
  const auto number =
      bytes_of(message.size(), prefix_ ? prefix_->bytes : 0, prefix_ ? prefix_->order : std::endian::big);
  const std::array<std::string_view, 3> pieces{std::string_view(number.data(), prefix_ ? prefix_->bytes : 0),
                                               message, delimiter_};
  try {
    const transfer sent = over_.write_all_until(pieces, until);
    cut_short_ = !sent && sent.bytes > 0;
    return sent;
  } catch (const transfer_error&) {
    cut_short_ = true;
    throw;
  } catch (const unwinding&) {
    cut_short_ = true;  // perhaps
    throw;
  }
}

}  // namespace weft::inline v1::net
