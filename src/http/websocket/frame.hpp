#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Frames of RFC 6455, part 5.

namespace weft::inline v1::http::detail {

enum class opcode : unsigned char { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

constexpr bool is_control(opcode what) noexcept { return static_cast<unsigned char>(what) >= 8; }

using frame_mask = std::array<char, 4>;

struct frame_head {
  opcode what = opcode::text;
  bool is_final = true;
  bool is_compressed = false;  ///< RSV1 of RFC 7692: of the first frame of a message
  std::uint64_t payload_bytes = 0;
  std::optional<frame_mask> mask;
};

constexpr std::size_t frame_head_bytes_max = 14;
constexpr std::size_t control_bytes_max = 125;

struct read_head {
  enum class outcome : unsigned char { more, done, refused } how;
  std::size_t bytes = 0;  ///< that the head takes, once done
  frame_head head = {};
  const char* why = "";  ///< refused: what is wrong, a literal
};

/// The head of the frame that begins where `bytes` begin. Refuses what part 5.2 forbids: reserved bits and
/// opcodes, lengths written longer than needed or beyond 2^63, control frames that are long or in pieces, and
/// a mask where there must be none or none where there must be one. RSV1 is let pass on the first frame of a
/// message where compression was agreed on.
read_head parse_frame_head(std::string_view bytes, bool must_be_masked,
                           bool is_compression_agreed = false) noexcept;

void append_frame_head(std::string& out, const frame_head& head);

/// Masks or unmasks bytes that stand `offset` behind the beginning of the payload.
void apply_mask(char* bytes, std::size_t count, const frame_mask& mask, std::uint64_t offset) noexcept;

/// May a close frame carry that code (part 7.4)?
bool is_close_code(int code) noexcept;

}  // namespace weft::inline v1::http::detail
